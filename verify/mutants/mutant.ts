// Mutant: one small change of the artifact, as a plain value.
//
// Owner: none. Invariant: the same artifact gives the same mutants with the same ids, in the same order.
// Pairs with: operators.ts (makes them), catalogue.ts (names and chooses them), survivors.ts (explains some).

import type { ValueType } from "../../wasm/opcodes.ts";
import type { Patch } from "./splice.ts";

export const KINDS = [
  "atomic-to-plain",
  "rmw-to-load-store",
  "rmw-to-load",
  "rmw-other",
  "cas-to-store",
  "cas-to-load-store",
  "cas-assumed",
  "atomics-swapped",
  "store-dropped",
  "call-dropped",
  "assignment-dropped",
  "return-dropped",
  "jump-dropped",
  "constant-plus",
  "constant-minus",
  "answer-plus",
  "answer-minus",
  "offset",
  "boundary",
  "comparison-negated",
  "branch-negated",
  "branch-never",
  "branch-always",
  "choice-negated",
  "arithmetic",
] as const;

export type Kind = (typeof KINDS)[number];

/** What an operator proposes for one place. */
export interface Proposal {
  readonly kind: Kind;
  /** Index of the instruction that it is about. */
  readonly at: number;
  readonly patches: readonly Patch[];
  readonly locals?: readonly ValueType[];
  /** `i64.add becomes i64.sub`. */
  readonly change: string;
}

/** A change at one place of one function's code. */
export interface Copy {
  /** Among the artifact's functions. */
  readonly functionIndex: number;
  readonly functionName: string;
  /** Index of the instruction that it is about. */
  readonly at: number;
  readonly patches: readonly Patch[];
  readonly locals: readonly ValueType[];
}

export interface Mutant {
  /** `scheduler.ts:90 cas-assumed 1`; of one copy alone, `scheduler/pick scheduler.ts:90 cas-assumed 1`. */
  readonly id: string;
  readonly kind: Kind;
  /** `i64.add becomes i64.sub`. */
  readonly change: string;
  /** `kernel/scheduler.ts` */
  readonly file: string;
  readonly line: number;
  /** The source line, trimmed. */
  readonly text: string;
  /** Counts the mutants of one kind on one line (of one function, where each copy is a mutant), from 1. */
  readonly ordinal: number;
  /** The places that the source place became, at least one, in the order of the artifact. All change at once. */
  readonly copies: readonly Copy[];
}

/** The functions that a mutant changes, each once. */
export function functionsOf({ copies }: Mutant): readonly string[] {
  return [...new Set(copies.map(({ functionName }) => functionName))];
}

/** `kernel/scheduler.ts:90 in scheduler/pick: i64.add becomes i64.sub: if (...) {` */
export function describeMutant(mutant: Mutant): string {
  const { file, line, change, text } = mutant;
  return `${file}:${line} in ${functionsOf(mutant).join(", ")}: ${change}: ${text}`;
}
