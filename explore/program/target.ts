// Target: what to explore, and how: a module, its threads, its checks, the bounds. A plain value.
//
// Invariant: the same target gives the same program, so a schedule means the same everywhere.
// Pairs with: prepared-target.ts, which makes programs of it.

import type { Reductions } from "./reductions.ts";

export interface ThreadSpec {
  readonly function: string;
  /** Integer arguments, as text where they do not fit a number; missing ones are 0. */
  readonly args?: readonly (number | bigint | string)[];
}

/** An argument as JSON can hold it. */
export function savable(argument: number | bigint | string): number | string {
  const number = Number(argument);
  return Number.isSafeInteger(number) ? number : String(argument);
}

/** A plain value: it can be saved, and sent to a worker. */
export interface Target {
  readonly wasm: Uint8Array;
  readonly threads: readonly ThreadSpec[];
  readonly init?: string | undefined;
  readonly final?: string | undefined;
  readonly invariant?: string | undefined;
  /** Report data races; needs plainInStep. Default true. */
  readonly races?: boolean | undefined;
  readonly reductions?: Partial<Reductions> | undefined;
  /** Steps that one thread may take in all. */
  readonly stepsMax?: number | undefined;
  /** Iterations of plain loops within one step. Default 100,000. */
  readonly plainLoopMax?: number | undefined;
  /** Shadow stack of each thread, where the module has __stack_pointer. Default 16 KiB. */
  readonly stackBytes?: number | undefined;
  /** Pages that memory.grow may add. Default 16. */
  readonly growPages?: number | undefined;
  /** Threads may wait in the end: such an end is judged by `final` and is no deadlock. Default false. */
  readonly allowBlockedEnd?: boolean | undefined;
  /**
   * Bytes of memory [from, end) that are no part of the state: what nothing but reports reads. Multiples of 8.
   * States that differ there only are one, accesses there are no steps and are not checked for races.
   */
  readonly ghosts?: readonly (readonly [from: number, end: number])[] | undefined;
  /**
   * Words of memory, i32 each, whose highest values over all transitions are reported: what a program measures of
   * itself. Best in a ghost range, so that they make no states. One worker only.
   */
  readonly costCounters?: { readonly at: number; readonly count: number } | undefined;
  /**
   * Called with the module's argument whenever it calls its import `probe.at(i32)`, checks included: which of the code is
   * reached. It must change nothing of the program. One worker only.
   */
  readonly probe?: ((argument: number) => void) | undefined;
  /** Bytes of the undo log. Default 16 MiB, or more where the module has much data to begin with. */
  readonly logBytes?: number | undefined;
}

export const PLAIN_LOOP_MAX = 100_000;
