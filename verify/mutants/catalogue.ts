// Catalogue: every mutant of an artifact, with its id; and the choice of some of them.
//
// Owner: none, pure. Invariant: a mutant in it differs from the artifact and from the mutants before it.
// Pairs with: operators.ts; campaign.ts (runs what is chosen).

import { createHash } from "node:crypto";
import { certain } from "../../explore/certain.ts";
import type { Artifact } from "./artifact.ts";
import type { Kind, Mutant } from "./mutant.ts";
import { proposalsFor } from "./operators.ts";
import { splice } from "./splice.ts";

/** Files of the concurrent core: every mutant that is not equivalent has to be killed. */
export const CORE_FILES: readonly string[] = [
  "run-queue",
  "scheduler",
  "mailbox",
  "resched",
  "sleep",
  "sleepers",
  "authority",
  "task",
  "dispatch",
  "cpu-id",
].map((name) => `kernel/${name}.ts`);

export function isCore(file: string): boolean {
  return CORE_FILES.includes(file);
}

/** The artifact with the mutant's change made. */
export function mutate(artifact: Artifact, mutant: Mutant): Uint8Array {
  const func = certain(artifact.functions[mutant.functionIndex]);
  return splice(artifact, func, mutant.patches, mutant.locals);
}

/** All of them, in the order of the artifact. */
export function catalogueOf(artifact: Artifact): readonly Mutant[] {
  const mutants: Mutant[] = [];
  const seen = new Set<string>();
  const ordinals = new Map<string, number>();
  for (const func of artifact.functions)
    for (const proposal of proposalsFor(artifact.module, func)) {
      const { file, line } = certain(func.places[proposal.at]);
      const key = `${func.name} ${file.replace(/^kernel\//, "")}:${line} ${proposal.kind}`;
      const ordinal = (ordinals.get(key) ?? 0) + 1;
      ordinals.set(key, ordinal);
      const mutant: Mutant = {
        ...proposal,
        id: `${key} ${ordinal}`,
        functionIndex: func.index,
        functionName: func.name,
        file,
        line,
        text: artifact.lineText(file, line),
        ordinal,
      };
      const change = JSON.stringify([func.index, proposal.patches]);
      if (seen.has(change) || (MAY_NOT_VALIDATE.has(proposal.kind) && !isValid(mutate(artifact, mutant)))) continue;
      seen.add(change);
      mutants.push(mutant);
    }
  return mutants;
}

/** Kinds that take control flow away, which a function's type may not allow. */
const MAY_NOT_VALIDATE: ReadonlySet<Kind> = new Set(["return-dropped", "jump-dropped"]);

function isValid(wasm: Uint8Array): boolean {
  return WebAssembly.validate(wasm as BufferSource);
}

export interface Choice {
  /** Names of files below kernel/, with or without their ending; all when empty. */
  readonly files: readonly string[];
  readonly kinds: readonly string[];
  /** How many; all when undefined. */
  readonly sample: number | undefined;
  readonly seed: number;
}

export type Chosen =
  | { readonly kind: "chosen"; readonly mutants: readonly Mutant[] }
  /** message: one line. */
  | { readonly kind: "unknown"; readonly message: string };

/** The mutants of a choice, in the order of the artifact. */
export function choose(mutants: readonly Mutant[], { files, kinds, sample, seed }: Choice): Chosen {
  const wanted = files.map((name) => `kernel/${name.replace(/^kernel\//, "").replace(/\.ts$/, "")}.ts`);
  const known = [...new Set(mutants.map(({ file }) => file))].toSorted();
  const stranger = wanted.find((file) => !known.includes(file));
  if (stranger !== undefined) {
    const list = known.map((file) => file.replace(/^kernel\//, "")).join(", ");
    return { kind: "unknown", message: `no mutant lies in ${stranger}; there are some in ${list}` };
  }
  const possible = mutants.filter(
    ({ file, kind }) => (wanted.length === 0 || wanted.includes(file)) && (kinds.length === 0 || kinds.includes(kind)),
  );
  return { kind: "chosen", mutants: sample === undefined ? possible : sampleOf(possible, sample, seed) };
}

/** The `count` mutants whose ids hash lowest with the seed: adding a mutant elsewhere changes the others' choice little. */
function sampleOf(mutants: readonly Mutant[], count: number, seed: number): readonly Mutant[] {
  const ranks = new Map(
    mutants.map((mutant) => [mutant, createHash("sha256").update(`${seed}\0${mutant.id}`).digest("hex")]),
  );
  const chosen = new Set(
    mutants.toSorted((a, b) => certain(ranks.get(a)).localeCompare(certain(ranks.get(b)))).slice(0, count),
  );
  return mutants.filter((mutant) => chosen.has(mutant));
}
