// Survivors: mutants that no check kills, and why that is right, in survivors.json.
//
// An entry names its mutant by file, the text of the source line, kind and ordinal, so that it holds when lines
// move and is stale when the line changes. Invariant: an entry without its mutant is an error, and so is one whose
// mutant is killed or shown to be equivalent: an explanation that explains nothing hides the next survivor.
// Owner: people write it. Pairs with: mutant-table.ts, which counts what is explained.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { packageRoot } from "../../toolchain/package-root.ts";
import { type Mutant, functionsOf } from "./mutant.ts";
import type { TrialOutcome } from "./mutant-trial.ts";

export interface Explanation {
  /** One of those that the mutant changes; any when left out. */
  readonly function?: string;
  readonly file: string;
  /** The source line, trimmed. */
  readonly text: string;
  readonly kind: string;
  /** Of the mutants of this kind on this line: all of them when left out. */
  readonly ordinal?: number;
  readonly reason: string;
}

export const SURVIVORS_FILE = join(packageRoot, "verify", "mutants", "survivors.json");

/** Throws one line where the file is no list of explanations. */
export async function readSurvivors(path = SURVIVORS_FILE): Promise<readonly Explanation[]> {
  const parsed: unknown = JSON.parse(await readFile(path, "utf8"));
  if (!Array.isArray(parsed)) throw new Error(`${path}: not a list`);
  return parsed.map((entry: unknown, index) => {
    if (!isExplanation(entry)) throw new Error(`${path}: entry ${index}: file, text, kind and reason are due`);
    return entry;
  });
}

function isExplanation(entry: unknown): entry is Explanation {
  if (typeof entry !== "object" || entry === null) return false;
  const fields = entry as Record<string, unknown>;
  const isComplete = ["file", "text", "kind", "reason"].every(
    (name) => typeof fields[name] === "string" && fields[name] !== "",
  );
  const names = fields["function"] === undefined || typeof fields["function"] === "string";
  return isComplete && names && (fields["ordinal"] === undefined || typeof fields["ordinal"] === "number");
}

export function explains(explanation: Explanation, mutant: Mutant): boolean {
  return (
    (explanation.function === undefined || functionsOf(mutant).includes(explanation.function)) &&
    explanation.file === mutant.file &&
    explanation.text === mutant.text &&
    explanation.kind === mutant.kind &&
    (explanation.ordinal === undefined || explanation.ordinal === mutant.ordinal)
  );
}

/** One line for each entry that explains no mutant of the artifact. */
export function staleEntries(explanations: readonly Explanation[], mutants: readonly Mutant[]): string[] {
  return explanations
    .filter((entry) => !mutants.some((mutant) => explains(entry, mutant)))
    .map((entry) => `survivors.json: stale: no mutant ${formatEntry(entry)}`);
}

/** One line for each entry all of whose mutants were tried and none of which survived. */
export function unusedEntries(
  explanations: readonly Explanation[],
  mutants: readonly Mutant[],
  outcomeOf: (mutant: Mutant) => TrialOutcome | undefined,
): string[] {
  return explanations.flatMap((entry) => {
    const outcomes = mutants.filter((mutant) => explains(entry, mutant)).map(outcomeOf);
    const isOpen = outcomes.length === 0 || outcomes.some((outcome) => outcome === undefined || isSurvivor(outcome));
    return isOpen ? [] : [`survivors.json: unused: ${formatEntry(entry)} does not survive`];
  });
}

export function isSurvivor({ kind }: TrialOutcome): boolean {
  return kind === "survived" || kind === "undecided";
}

function formatEntry({ function: name, file, text, kind, ordinal }: Explanation): string {
  const parts = [...(name === undefined ? [] : [name]), file, kind, ...(ordinal === undefined ? [] : [ordinal])];
  return `${parts.join(" ")} on "${text}"`;
}
