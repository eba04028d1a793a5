// Document: docs/contract.md taken apart, compared with the code, and written again.
//
// A section is `### I4. Title`, then text by hand, then a list. Of the list, `Elsewhere` (code outside the kernel) and
// `Only tested` (why no break turns the clause red) are by hand; the other rows follow from the code. The table of all
// clauses follows from the sections.
// Owner: none, pure, but for resolving what stands elsewhere. Pairs with: facts.ts, main.ts, contract.test.ts.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { CLAUSE_IDS, isClauseId } from "../clause-id.ts";
import type { ClauseFacts, ContractFacts } from "./facts.ts";

export const DOCUMENT = "docs/contract.md";

type Row = keyof ClauseFacts;
const ROWS: readonly (readonly [row: Row, label: string])[] = [
  ["kernel", "Kernel"],
  ["scenarios", "Scenarios"],
  ["gates", "Gates"],
  ["tests", "Tests"],
  ["breaks", "Breaks"],
];
const ELSEWHERE = "- Elsewhere: ";
const ONLY_TESTED = "- Only tested: ";
const SUMMARY_HEADING = "## All clauses";

interface Section {
  readonly id: string;
  readonly title: string;
  /** The text by hand. */
  readonly prose: readonly string[];
  readonly elsewhere: string | undefined;
  readonly onlyTested: string | undefined;
  /** The rows of the list as they stand. */
  readonly rows: ReadonlyMap<string, readonly string[]>;
}

/** Text between sections (headings of parts, the introduction), and sections, in their order. */
type Part =
  | { readonly kind: "text"; readonly lines: readonly string[] }
  | { readonly kind: "section"; readonly section: Section };

function partsOf(text: string): readonly Part[] {
  const parts: Part[] = [];
  let open: string[] = [];
  const close = (): void => {
    if (open.length > 0) parts.push(partOf(open));
    open = [];
  };
  for (const line of text.trimEnd().split("\n")) {
    if (/^##+ /.test(line)) close();
    open.push(line);
  }
  close();
  return parts;
}

function partOf(lines: readonly string[]): Part {
  const [, id, title] = /^### (\w+)\. (.*)$/.exec(lines[0] ?? "") ?? [];
  if (id === undefined || title === undefined) return { kind: "text", lines };
  const rest = lines.slice(1);
  const listAt = rest.findIndex((line) => /^- [A-Z][a-z ]+:/.test(line));
  const list = listAt < 0 ? [] : rest.slice(listAt);
  const prose = (listAt < 0 ? rest : rest.slice(0, listAt)).filter(
    (line, i, all) => line !== "" || (i > 0 && i < all.length - 1),
  );
  const byHand = (label: string): string | undefined =>
    list.find((line) => line.startsWith(label))?.slice(label.length);
  return {
    kind: "section",
    section: { id, title, prose, elsewhere: byHand(ELSEWHERE), onlyTested: byHand(ONLY_TESTED), rows: rowsOf(list) },
  };
}

/** Scenarios stand on one line, all else one a line. */
function rowsOf(list: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const rows = new Map<string, string[]>();
  let label = "";
  for (const line of list) {
    const [, head, rest] = /^- ([A-Z][a-z ]+):(.*)$/.exec(line) ?? [];
    if (head !== undefined) {
      label = head;
      rows.set(label, rest === undefined || rest === "" ? [] : rest.trim().split(", "));
    } else if (line.startsWith("  - ")) {
      rows.get(label)?.push(line.slice(4));
    }
  }
  return rows;
}

/** The document as the code has it now. What is by hand stays. */
export function rewritten(text: string, facts: ContractFacts): string {
  const parts = partsOf(text);
  const sections = parts.flatMap((part) => (part.kind === "section" ? [part.section] : []));
  const lines = parts.flatMap((part) => {
    if (part.kind === "section") return sectionLines(part.section, facts);
    return part.lines[0] === SUMMARY_HEADING ? summaryLines(sections, facts) : part.lines;
  });
  return `${lines.join("\n").trimEnd()}\n`;
}

function sectionLines({ id, title, prose, elsewhere, onlyTested }: Section, facts: ContractFacts): string[] {
  const due = isClauseId(id) ? facts.get(id) : undefined;
  const rows = ROWS.flatMap(([row, label]) => [
    ...rowLines(label, due?.[row] ?? []),
    ...(row === "kernel" && elsewhere !== undefined ? [ELSEWHERE + elsewhere] : []),
  ]);
  if (onlyTested !== undefined) rows.push(ONLY_TESTED + onlyTested);
  return [`### ${id}. ${title}`, "", ...prose, "", ...rows, ""];
}

function rowLines(label: string, names: readonly string[]): string[] {
  if (names.length === 0) return [];
  if (label === "Scenarios") return [`- ${label}: ${names.join(", ")}`];
  return [`- ${label}:`, ...names.map((name) => `  - ${name}`)];
}

/** A table with a row for each section, padded as prettier pads it. */
function summaryLines(sections: readonly Section[], facts: ContractFacts): string[] {
  const head = ["id", "clause", "scenarios", "gates", "tests", "breaks"];
  const rows = sections.map(({ id, title }) => {
    const due = isClauseId(id) ? facts.get(id) : undefined;
    const counts = [due?.scenarios, due?.gates, due?.tests, due?.breaks].map((names) => names?.length ?? 0);
    return [id, title, ...counts.map((count) => (count === 0 ? "" : String(count)))];
  });
  const widths = head.map((name, i) => Math.max(3, name.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  return [
    SUMMARY_HEADING,
    "",
    line(head),
    line(widths.map((width) => "-".repeat(width))),
    ...rows.map((row) => line(row)),
    "",
  ];
}

/** One line for each name, section or reason in which document and code differ; empty where they agree. */
export async function disagreements(text: string, facts: ContractFacts, root: string): Promise<readonly string[]> {
  const sections = partsOf(text).flatMap((part) => (part.kind === "section" ? [part.section] : []));
  const ids = sections.map(({ id }) => id);
  const found = [
    ...ids.filter((id) => !isClauseId(id)).map((id) => `${id}: there is no such clause`),
    ...CLAUSE_IDS.filter((id) => !ids.includes(id)).map((id) => `${id}: it has no section`),
  ];
  if (found.length === 0 && ids.join(" ") !== CLAUSE_IDS.join(" "))
    found.push("the sections are not in the order of the clauses");
  for (const section of sections) {
    if (!isClauseId(section.id)) continue;
    const due = facts.get(section.id);
    if (due === undefined) continue;
    const lines = [...rowDisagreements(section, due), ...gaps(section, due), ...(await strangers(section, root))];
    found.push(...lines.map((line) => `${section.id}: ${line}`));
  }
  if (found.length === 0 && rewritten(text, facts) !== text)
    found.push("its table or its layout is not what is generated");
  return found.map((line) => `${DOCUMENT}: ${line}`);
}

function rowDisagreements({ rows }: Section, due: ClauseFacts): string[] {
  return ROWS.flatMap(([row, label]) => {
    const listed = rows.get(label) ?? [];
    return [
      ...listed.filter((name) => !due[row].includes(name)).map((name) => `${label}: the code has no ${name}`),
      ...due[row].filter((name) => !listed.includes(name)).map((name) => `${label}: ${name} is missing`),
    ];
  });
}

/** What a clause must have: text, code, a check, and a break or the reason why there is none. */
function gaps({ prose, elsewhere, onlyTested }: Section, due: ClauseFacts): string[] {
  const lacks: (readonly [boolean, string])[] = [
    [prose.join("").trim() === "", "it has no text"],
    [due.kernel.length === 0 && elsewhere === undefined, "no code enforces it"],
    [due.scenarios.length + due.gates.length + due.tests.length === 0, "nothing checks it"],
    [due.breaks.length === 0 && onlyTested === undefined, "no break turns it red, and no reason is given"],
    [due.breaks.length > 0 && onlyTested !== undefined, "it has breaks, so it is not only tested"],
  ];
  return lacks.flatMap(([isSo, message]) => (isSo ? [message] : []));
}

/** Names under Elsewhere that the named file does not declare. The row reads: `file`: `name`, `name`; `file`: `name`. */
async function strangers({ elsewhere }: Section, root: string): Promise<string[]> {
  const found: string[] = [];
  for (const group of elsewhere?.split("; ") ?? []) {
    const [file, ...names] = [...group.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? "");
    const text = file === undefined ? undefined : await readFile(join(root, file), "utf8").catch(() => undefined);
    if (text === undefined) found.push(`Elsewhere: there is no file ${file ?? `in "${group}"`}`);
    else if (names.length === 0) found.push(`Elsewhere: no name is given for ${file}`);
    else
      found.push(
        ...names.filter((name) => !declares(text, name)).map((name) => `Elsewhere: ${file} declares no ${name}`),
      );
  }
  return found;
}

/** Whether a source in TypeScript, C or assembly declares a name. */
function declares(text: string, name: string): boolean {
  if (!/^\w+$/.test(name)) return false;
  const forms = [
    `^.*\\b(?:function\\*?|class|enum|const|interface) ${name}\\b`,
    `^  (?:private |static |async |get )*${name}\\(`,
    `^(?:static )?[a-z]\\w+[ *]+(?:\\w+[ *]+)*${name}\\([^;]*$`,
    `^${name}:`,
  ];
  return new RegExp(forms.join("|"), "m").test(text);
}
