// Source mutants: small changes of the machine layer of virt, by source line: C, assembly and headers.
//
// By text, line by line: a parser of C would find more places and no other kinds. A change that does not build, or gives the
// same image, is recognized when it is built.
// Owner: none, pure but for reading the sources. Pairs with: virt-trial.ts, which builds and boots them.

import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";

export type SourceKind =
  "statement-dropped" | "fence-dropped" | "comparison-negated" | "instruction-dropped" | "branch-negated";

export interface SourceMutant {
  /** `trap.S:152 instruction-dropped 1` */
  readonly id: string;
  /** Below machines/virt. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly kind: SourceKind;
  /** The line as it was, trimmed, and as it is. */
  readonly text: string;
  readonly replacement: string;
}

const CONTRARY_C: readonly (readonly [RegExp, string])[] = [
  [/ == /, " != "],
  [/ != /, " == "],
  [/ <= /, " > "],
  [/ >= /, " < "],
  [/ < /, " >= "],
  [/ > /, " <= "],
];

const CONTRARY_BRANCH: ReadonlyMap<string, string> = new Map(
  [
    ["beqz", "bnez"],
    ["beq", "bne"],
    ["blt", "bge"],
    ["bltu", "bgeu"],
    ["bltz", "bgez"],
    ["blez", "bgtz"],
    ["bgt", "ble"],
    ["bgtu", "bleu"],
  ].flatMap(([one = "", other = ""]) => [[one, other] as const, [other, one] as const]),
);

/** All of a folder's files, in order of names and lines. */
export async function sourceMutants(folder: string): Promise<SourceMutant[]> {
  const names = (await readdir(folder)).filter((name) => /\.[cSh]$/.test(name)).toSorted();
  const lists = await Promise.all(
    names.map(async (name) => mutantsOf(name, await readFile(join(folder, name), "utf8"))),
  );
  return lists.flat();
}

/** The mutants of one file's text. */
export function mutantsOf(file: string, text: string): SourceMutant[] {
  const mutants: SourceMutant[] = [];
  for (const [index, line] of linesWithoutComments(text).entries()) {
    const changes = file.endsWith(".S") ? assemblyChanges(line) : cChanges(line);
    const counts = new Map<SourceKind, number>();
    for (const { kind, replacement } of changes) {
      const ordinal = (counts.get(kind) ?? 0) + 1;
      counts.set(kind, ordinal);
      const id = `${file}:${index + 1} ${kind} ${ordinal}`;
      mutants.push({ id, file, line: index + 1, kind, text: line.trim(), replacement });
    }
  }
  return mutants;
}

/** The text with a mutant's line in place. */
export function applySourceMutant(text: string, { line, replacement }: SourceMutant): string {
  return text
    .split("\n")
    .map((each, index) => (index + 1 === line ? replacement : each))
    .join("\n");
}

/** Lines with comments blanked out. */
function linesWithoutComments(text: string): string[] {
  return text
    .replace(/\/\*[^]*?\*\//g, (comment) => comment.replace(/[^\n]/g, " "))
    .split("\n")
    .map((line) => line.replace(/(^|\s)(\/\/|#\s).*$/, "$1"));
}

interface Change {
  readonly kind: SourceKind;
  readonly replacement: string;
}

/** Words that begin what is no statement to drop. */
const NOT_A_STATEMENT =
  /^(return|break|continue|goto|case|default|typedef|extern|struct|union|enum|static|const|else|do|#)/;
/** `uint64_t x = ...;`, `const char *p;`: a type, then a name. */
const DECLARATION =
  /^(const |volatile |unsigned |signed )*[a-z_]\w*( const)?( \*| \*\*| )[a-z_]\w*(\[[^\]]*\])?( = |;|, )/;

function cChanges(line: string): Change[] {
  const statement = line.trim();
  const changes: Change[] = [];
  if (/fence/.test(statement) && /[;\\]$/.test(statement)) {
    changes.push({ kind: "fence-dropped", replacement: statement.endsWith("\\") ? "\\" : ";" });
  } else if (
    /^\s/.test(line) &&
    statement.endsWith(";") &&
    !NOT_A_STATEMENT.test(statement) &&
    !DECLARATION.test(statement)
  ) {
    changes.push({ kind: "statement-dropped", replacement: ";" });
  }
  if (/\b(if|while|for|return)\b|\?/.test(statement))
    for (const [pattern, other] of CONTRARY_C)
      if (pattern.test(line)) changes.push({ kind: "comparison-negated", replacement: line.replace(pattern, other) });
  return changes;
}

function assemblyChanges(line: string): Change[] {
  const instruction = line.trim();
  if (!/^\s/.test(line) || !/^[a-z]/.test(instruction) || instruction.endsWith(":") || /^(#|\.)/.test(instruction))
    return [];
  const [name = ""] = instruction.split(/\s/);
  const tail = instruction.endsWith("\\") ? " \\" : "";
  const changes: Change[] = [
    {
      kind: name.startsWith("fence") || name.startsWith("sfence") ? "fence-dropped" : "instruction-dropped",
      replacement: tail,
    },
  ];
  const contrary = CONTRARY_BRANCH.get(name);
  if (contrary !== undefined) changes.push({ kind: "branch-negated", replacement: line.replace(name, contrary) });
  return changes;
}
