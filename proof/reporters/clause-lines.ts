// Clause lines: what covers each clause, one line a clause, aligned, for a person to read.
//
// A tick stands where scenarios were explored on this kernel or its build has a gate for the clause; a dot where a test
// of the suite covers, which does not run here; a question mark where scenarios could cover and were not explored.
// Partners: clauses.ts (the facts); the list reporter and `explore --kernel --clauses` print these.

import type { styleText } from "node:util";
import { type ClauseFact, type NamedCheck, nameOfCheck } from "../clauses.ts";

/** How text is marked; decided by the stream that it is written to. */
export type Style = (format: Parameters<typeof styleText>[0], text: string) => string;

const COLUMNS_MAX = 100;
const INDENT = "  ";
/** The clause's id, a mark, and the spaces after each. */
const HEAD = 6;
const LABEL_COLUMNS = 28;
const STATES = 11;

/** A heading, and a line for each clause. columns: of the terminal; undefined where there is none. */
export function clauseTable(facts: readonly ClauseFact[], style: Style, columns = COLUMNS_MAX): string[] {
  const width = Math.max(40, Math.min(columns, COLUMNS_MAX)) - INDENT.length;
  const heading = `${"clauses".padEnd(INDENT.length + HEAD + LABEL_COLUMNS)}  ${"states".padStart(STATES)}  covered by`;
  return [style("bold", heading), ...facts.map((fact) => `${INDENT}${lineOf(fact, style, width)}`)];
}

function lineOf(fact: ClauseFact, style: Style, width: number): string {
  const { clause, label, explored, unexplored, others } = fact;
  if (explored.length === 0 && unexplored.length > 0) {
    const head = `${clause}  ${style("yellow", "?")} `;
    const command = "not explored: npx hartbeat explore --kernel ";
    const names = fitting(unexplored, width - HEAD - command.length, " ", false);
    const byOthers = others.length > 0 ? ` (else ${others.map(nameOfCheck).join(", ")})` : "";
    const text = `${command}${names}`;
    return head + (HEAD + text.length + byOthers.length <= width ? text + style("dim", byOthers) : text);
  }
  const isReported = explored.length > 0 || others.some(({ kind }) => kind === "gate");
  const mark = isReported ? style("green", "✓") : style("dim", "·");
  const states = explored.reduce((sum, one) => sum + one.states, 0);
  const counted = explored.length === 0 ? "" : states.toLocaleString("en-US");
  const room = width - HEAD - LABEL_COLUMNS - 2 - STATES - 2;
  const of = (kind: NamedCheck["kind"]): string[] => others.filter((one) => one.kind === kind).map(nameOfCheck);
  const names = [...of("gate"), ...explored.map(({ name }) => name), ...of("test")];
  const head = `${clause}  ${mark} ${label.padEnd(LABEL_COLUMNS)}  ${style("dim", counted.padStart(STATES))}  `;
  return head + fitting(names, room, ", ", true);
}

/** As many of the names as fit, at least one; the others are counted, where they are to be. */
function fitting(names: readonly string[], room: number, separator: string, isCounted: boolean): string {
  for (let shown = names.length; shown > 1; shown -= 1) {
    const rest = names.length - shown;
    const text = names.slice(0, shown).join(separator) + (rest > 0 && isCounted ? ` and ${rest} more` : "");
    if (text.length <= room) return text;
  }
  const rest = names.length - 1;
  const [first = ""] = names;
  return rest > 0 && isCounted && `${first} and ${rest} more`.length <= room ? `${first} and ${rest} more` : first;
}
