// Console mutants: every small change of a console, line by line and field by field, as a lazy list.
//
// A line is deleted, doubled, and exchanged with the next; each number in it becomes one more, one less, and 0; each word
// becomes another.
// Partners: console-mutants.test.ts feeds them to the gate.

import { EVENT_NAMES } from "../../abi/events.ts";
import { END_NAMES, IPI_NAMES, QOS_NAMES } from "../../abi/markers.ts";

export interface ConsoleMutant {
  /** What was done: `line 7: 3 becomes 4`. */
  readonly title: string;
  readonly kind: "deleted" | "doubled" | "exchanged" | "number" | "word";
  /** Index of the line that was changed, and what stood there. */
  readonly line: number;
  readonly was: string;
  /** What stands there now; for an exchange, the line that came after. */
  readonly is: string;
  /** The name of the field that was changed: the word before its `=`. */
  readonly field: string | null;
  readonly lines: readonly string[];
}

/** Numbers, with their sign where one stands before; names, with the dashes and underlines within. */
const TOKEN = /-?\d+|[A-Za-z_]+(?:-[A-Za-z_]+)*/g;

export function* mutantsOf(lines: readonly string[]): Generator<ConsoleMutant> {
  for (const [index, was] of lines.entries()) {
    const replaced = (...now: readonly string[]): string[] => [
      ...lines.slice(0, index),
      ...now,
      ...lines.slice(index + 1),
    ];
    const about = { line: index, was, field: null };
    yield { ...about, title: `line ${index}: deleted`, kind: "deleted", is: "", lines: replaced() };
    yield { ...about, title: `line ${index}: doubled`, kind: "doubled", is: was, lines: replaced(was, was) };
    const next = lines[index + 1];
    if (next !== undefined && next !== was) {
      const exchanged = [...lines.slice(0, index), next, was, ...lines.slice(index + 2)];
      yield { ...about, title: `line ${index}: after the next`, kind: "exchanged", is: next, lines: exchanged };
    }
    for (const { kind, is, field, label } of alterations(was)) {
      yield { ...about, field, title: `line ${index}: ${label}`, kind, is, lines: replaced(is) };
    }
  }
}

interface Alteration {
  readonly kind: "number" | "word";
  readonly is: string;
  readonly field: string | null;
  readonly label: string;
}

function* alterations(line: string): Generator<Alteration> {
  for (const match of line.matchAll(TOKEN)) {
    const [token] = match;
    const before = line.slice(0, match.index);
    const after = line.slice(match.index + token.length);
    const field = /([\w-]+)=[A-Za-z]*$/.exec(before)?.[1] ?? null;
    const kind = /\d/.test(token) ? "number" : "word";
    for (const other of kind === "number" ? otherNumbers(token) : otherNames(token)) {
      yield { kind, field, is: `${before}${other}${after}`, label: `${token} becomes ${other} in "${line}"` };
    }
  }
}

function otherNumbers(token: string): string[] {
  const value = BigInt(token);
  const others = [value + 1n, value - 1n, 0n].filter((other) => other !== value);
  return [...new Set(others.map(String))];
}

/** Words that stand where others could: each becomes the next of its row, the last the first. */
const ROWS: readonly (readonly string[])[] = [
  QOS_NAMES.split(" "),
  END_NAMES.split(" "),
  EVENT_NAMES.split(" ").slice(1),
  IPI_NAMES.split(" "),
  ["passed", "failed"],
  ["granted", "NotBootHart"],
];

/** One that a person would overlook, and one that means something else. */
function otherNames(token: string): string[] {
  const row = ROWS.find((names) => names.includes(token));
  const next = row?.[(row.indexOf(token) + 1) % row.length];
  return [`${token}x`, ...(next === undefined ? [] : [next])];
}
