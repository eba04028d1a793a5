// Exploration: what is asked of the explorer and what it answers, as types.
//
// Owner: none, types only. Partners: explore.ts answers; certificate.ts and the callers read it.

import type { Counterexample } from "./report/counterexample.ts";
import type { Progress } from "./search/progress.ts";
import type { SearchState } from "./search/resume.ts";
import type { SourceLines } from "./program/source-lines.ts";
import type { Reductions } from "./program/reductions.ts";

export interface ExploreOptions {
  /** Exhaustive by default; random walks and preemption bounds find bugs and prove nothing. */
  readonly strategy?: "exhaustive" | "random" | "preemptions";
  readonly preemptionsMax?: number;
  readonly seed?: number;
  /** Random walks: how many (strategy random: 10,000; else a first look of 200). */
  readonly walks?: number;
  readonly transitionsMax?: number;
  /** False: a counterexample is reported as it was found, neither shortened nor shrunk; for those who only want to know. */
  readonly shortest?: boolean;
  /**
   * Bytes for the states of the phase at hand: the table of the search or of the livelock pass; table, tree and snapshots
   * of the shortest schedule. Past it the search is incomplete and can be resumed, and a counterexample is as it was
   * found. Default 1 GiB. Besides: half as much while a table grows or for the open states of the livelock pass,
   * 12 bytes a state in `unfinished` and `resume`, and the engine's own memory for each worker.
   */
  readonly memoryMax?: number;
  /** Resumes a search that stopped at a bound, whether one worker made it or several. */
  readonly resume?: SearchState;
  /** Worker threads for the exhaustive search (Node). Default 1: in the calling thread. */
  readonly workers?: number;
  /** The workers' module, where it does not lie beside this one (bundlers). */
  readonly workerModule?: URL;
  /** Text of the module's source map, or its source lines (linkedSourceLines for a linked module). */
  readonly sourceMap?: string | SourceLines;
  /** Called a few times a second; false stops the exploration. */
  readonly onProgress?: (progress: Progress) => boolean | void;
  /** Collect the sums of final memories, for cross-checks. */
  readonly collectFinals?: boolean;
}

export type IncompleteReason =
  "memory" | "depth" | "interrupted" | "transitions" | "random" | "preemptions" | "contended" | "plain-loop";

export type Verdict =
  | { readonly kind: "passed" }
  | { readonly kind: "violated"; readonly counterexample: Counterexample }
  | { readonly kind: "incomplete"; readonly reason: IncompleteReason };

export interface Exploration {
  readonly verdict: Verdict;
  readonly artifact: { readonly sha256: string; readonly bytes: number };
  readonly threadNames: readonly string[];
  readonly reductions: Reductions;
  readonly racesChecked: boolean;
  readonly states: number;
  readonly transitions: number;
  readonly depthMax: number;
  /** Highest odds that some state was taken for another: states squared over 2^65. */
  readonly oddsOfMiss: number;
  /** Bytes of the state table and of the program's memory. */
  readonly memoryBytes: number;
  readonly seconds: number;
  readonly transitionsPerSecond: number;
  /** With stepsMax: the most steps any schedule makes each thread take; waiting re-reads are not counted. */
  readonly worstSteps: readonly number[] | undefined;
  /** The highest value of each of the target's cost counters, where it has some. */
  readonly costCounters: readonly number[] | undefined;
  readonly finals: ReadonlySet<string> | undefined;
  /** Incomplete and exhaustive: what it takes to go on, with one worker or several. */
  readonly unfinished: SearchState | undefined;
}
