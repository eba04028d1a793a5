// Catalogue: every mutant of an artifact, with its id; and the choice of some of them.
//
// Owner: none, pure. Invariant: a mutant in it differs from the artifact and from the mutants before it.
// Pairs with: operators.ts; mutation-run.ts (runs what is chosen).

import { createHash } from "node:crypto";
import { assertDefined } from "../../wasm/assert-defined.ts";
import type { Artifact } from "./artifact.ts";
import type { Place } from "../../wasm/source-map.ts";
import type { Copy, Kind, Mutant } from "./mutant.ts";
import { proposalsFor } from "./operators.ts";
import { type FunctionEdit, splice } from "./splice.ts";

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
  "drain",
].map((name) => `kernel/${name}.ts`);

export function isCore(file: string): boolean {
  return CORE_FILES.includes(file);
}

/** The artifact with the mutant's change made. */
export function mutate(artifact: Artifact, { copies }: Pick<Mutant, "copies">): Uint8Array {
  const edits = new Map<number, FunctionEdit>();
  for (const { functionIndex, patches, locals } of copies) {
    const func = assertDefined(artifact.functions[functionIndex]);
    const before = edits.get(functionIndex);
    edits.set(functionIndex, {
      func,
      patches: [...(before?.patches ?? []), ...patches],
      // Copies keep their values one after the other in the same locals.
      locals: (before?.locals.length ?? 0) > locals.length ? assertDefined(before).locals : locals,
    });
  }
  return splice(artifact, [...edits.values()]);
}

/**
 * `source`: a mutant is one change of the source, made in every function that the place was compiled into.
 * `copy`: a mutant is a change of one such place alone, as a compiler's bug would be.
 */
export type Grain = "source" | "copy";

/** All of them, in the order of the artifact. */
export function catalogueOf(artifact: Artifact, grain: Grain = "source"): readonly Mutant[] {
  const groups = new Map<string, Found[]>();
  for (const found of placesOf(artifact)) {
    const key = keyOf(found, grain);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [found]);
    else group.push(found);
  }
  const ordinals = new Map<string, number>();
  return [...groups.values()].flatMap(separate).map((group) => {
    const { file, line, kind, change, copy } = assertDefined(group[0]);
    const where = `${file.replace(/^kernel\//, "")}:${line} ${kind}`;
    const name = grain === "copy" ? `${copy.functionName} ${where}` : where;
    const ordinal = (ordinals.get(name) ?? 0) + 1;
    ordinals.set(name, ordinal);
    const copies = group.map((found) => found.copy);
    return { id: `${name} ${ordinal}`, kind, change, file, line, text: artifact.lineText(file, line), ordinal, copies };
  });
}

/** A proposal with its place in the sources and in the artifact. */
interface Found extends Place {
  readonly kind: Kind;
  readonly change: string;
  readonly copy: Copy;
}

/** Every proposal that differs from the artifact and validates, each change once. */
function placesOf(artifact: Artifact): Found[] {
  const all: Found[] = [];
  const seen = new Set<string>();
  for (const func of artifact.functions)
    for (const { kind, change, at, patches, locals = [] } of proposalsFor(artifact.module, func)) {
      const copy: Copy = { functionIndex: func.index, functionName: func.name, at, patches, locals };
      const bytes = JSON.stringify([func.index, patches]);
      if (seen.has(bytes)) continue;
      if (MAY_NOT_VALIDATE.has(kind) && !isValid(mutate(artifact, { copies: [copy] }))) continue;
      seen.add(bytes);
      all.push({ ...assertDefined(func.places[at]), kind, change, copy });
    }
  return all;
}

function keyOf({ file, line, column, kind, change, copy }: Found, grain: Grain): string {
  const place = `${file}:${line}:${column} ${kind} ${change} ${copy.locals.join(" ")}`;
  return grain === "source" ? place : `${place} ${copy.functionIndex} ${copy.at}`;
}

/** A group, without those whose patches overlap others of it: each of these is a mutant of its own. */
function separate(group: readonly Found[]): (readonly Found[])[] {
  const together: Found[] = [];
  const alone: Found[] = [];
  for (const found of group)
    (together.some((other) => overlaps(found.copy, other.copy)) ? alone : together).push(found);
  return [together, ...alone.map((found) => [found])];
}

function overlaps(a: Copy, b: Copy): boolean {
  if (a.functionIndex !== b.functionIndex) return false;
  return a.patches.some((one) => b.patches.some((other) => one.from <= other.end && other.from <= one.end));
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
    mutants.toSorted((a, b) => assertDefined(ranks.get(a)).localeCompare(assertDefined(ranks.get(b)))).slice(0, count),
  );
  return mutants.filter((mutant) => chosen.has(mutant));
}
