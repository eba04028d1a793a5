// Progress: how far an exploration is, reported a few times a second, and the answer whether to go on.
//
// Owner: one exploration. Invariants: a phase is reported as soon as it begins; once the answer was "stop", it stays that,
// in whatever phase comes next.
// Partners: every phase asks here now and then; the caller's onProgress answers.

import type { SearchCounts } from "./depth-first.ts";
import { statesMax } from "./state-table.ts";

export interface Progress {
  readonly phase: "walk" | "search" | "livelock" | "shortest";
  readonly states: number;
  readonly transitions: number;
  /** Of this phase, in this run. */
  readonly transitionsPerSecond: number;
  readonly depth: number;
  /** Choices that are open, in all workers together; walks to go; states of the level at hand (shortest). */
  readonly frontier: number;
  /**
   * Share of the states that was seen, where there is an estimate. Search: of a sample, met on random walks before.
   * Livelock: of those that the search has found.
   */
  readonly seen?: number;
  /** Share of the bytes allowed for the table of states that is taken, 0 to 1. */
  readonly tableUsed: number;
  readonly seconds: number;
}

const INTERVAL_MILLISECONDS = 200;
/** Below this, a rate would be noise. */
const RATE_MILLISECONDS_MIN = 20;

export class ProgressReport {
  private readonly onProgress: ((progress: Progress) => boolean | void) | undefined;
  private readonly statesMax: number;
  private readonly started = performance.now();
  private phase: Progress["phase"] | undefined;
  private phaseStarted = 0;
  private transitionsBefore = 0;
  private reportedAt = 0;
  private isStopping = false;

  constructor(onProgress: ((progress: Progress) => boolean | void) | undefined, memoryMax: number) {
    this.onProgress = onProgress;
    this.statesMax = statesMax(memoryMax);
  }

  get isWanted(): boolean {
    return this.onProgress !== undefined;
  }

  /** False: stop. `seen` is asked only when there is something to report. */
  goesOn(
    phase: Progress["phase"],
    counts: SearchCounts,
    depth: number,
    frontier: number,
    seen?: () => number | undefined,
  ): boolean {
    if (!this.onProgress) return true;
    if (this.isStopping) return false;
    const now = performance.now();
    const begins = phase !== this.phase;
    if (begins) {
      this.phase = phase;
      this.transitionsBefore = counts.transitions;
    }
    // Workers take a while to start; their rate counts from their first steps on.
    if (begins || counts.transitions === this.transitionsBefore) this.phaseStarted = now;
    if (!begins && now - this.reportedAt < INTERVAL_MILLISECONDS) return true;
    this.reportedAt = now;
    const milliseconds = now - this.phaseStarted;
    const share = seen?.();
    const progress: Progress = {
      phase,
      states: counts.states,
      transitions: counts.transitions,
      transitionsPerSecond:
        milliseconds < RATE_MILLISECONDS_MIN
          ? 0
          : ((counts.transitions - this.transitionsBefore) * 1000) / milliseconds,
      depth,
      frontier,
      ...(share === undefined ? {} : { seen: share }),
      tableUsed: Math.min(1, counts.states / this.statesMax),
      seconds: (now - this.started) / 1000,
    };
    this.isStopping = this.onProgress(progress) === false;
    return !this.isStopping;
  }
}
