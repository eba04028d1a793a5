// Mutant: one small change of the artifact, as a plain value.
//
// Owner: none. Invariant: the same artifact gives the same mutants with the same ids, in the same order.
// Pairs with: operators.ts (makes them), catalogue.ts (names and chooses them), survivors.ts (explains some).

import type { ValueType } from "../../explore/wasm/opcodes.ts";
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

export interface Mutant extends Proposal {
  /** `scheduler/pick scheduler.ts:90 cas-assumed 1` */
  readonly id: string;
  /** Among the artifact's functions. */
  readonly functionIndex: number;
  readonly functionName: string;
  /** `kernel/scheduler.ts` */
  readonly file: string;
  readonly line: number;
  /** The source line, trimmed. */
  readonly text: string;
  /** Counts the mutants of one kind on one line of one function, from 1. */
  readonly ordinal: number;
}

/** `kernel/scheduler.ts:90 in scheduler/pick: i64.add becomes i64.sub: if (...) {` */
export function describeMutant({ file, line, functionName, change, text }: Mutant): string {
  return `${file}:${line} in ${functionName}: ${change}: ${text}`;
}
