// Soak setup: what is run again and again, and what is known of it so far, as plain values.
//
// A run has a number: on sim its seed, on virt which boot it is. Runs are handed out in chunks of consecutive numbers.
// Partners: judge.ts judges one run, tally.ts adds up; cli/soak.ts hands out chunks and keeps the results.

import type { Tally } from "./tally.ts";

/** What the user tasks are: the kernel's default set, random system calls, or random bytes (virt only). */
export type SoakPrograms = "default" | "calls" | "bytes";

export const SOAK_PROGRAMS: readonly SoakPrograms[] = ["default", "calls", "bytes"];

export interface SoakSetup {
  readonly machine: "sim" | "virt";
  readonly harts: number;
  readonly ipi: "firmware" | "sswi";
  readonly programs: SoakPrograms;
  /** sim: each run is given the faults that follow from its seed. */
  readonly faults: boolean;
}

/** Numbers from `from` up to and without `to`. */
export interface Chunk {
  readonly from: number;
  readonly to: number;
}

export interface SoakFailure {
  readonly number: number;
  readonly reasons: readonly string[];
  readonly console: readonly string[];
  /** The faults that the run was given, in one line; null: none. */
  readonly plan: string | null;
}

export interface ChunkResult {
  /** The part of the chunk that was run: all of it, unless a stop came between. */
  readonly done: Chunk;
  readonly tally: Tally;
  readonly failures: readonly SoakFailure[];
}
