// Session: what the phases of one exploration share: the program, what was asked, and what is known so far.
//
// Owner: one exploration; its phases run one after the other. Invariant: the counts are those of the search for states,
// what it resumed included; they never go back but when it restarts.
// Partners: explore.ts makes it; first-look.ts, search-alone.ts, search-together.ts, livelock.ts and counterexample-search.ts use it.

import type { SearchCounts } from "./depth-first.ts";
import type { Exploration, ExploreOptions, IncompleteReason, Verdict } from "../exploration.ts";
import { CONTROL } from "../instrument/engine-layout.ts";
import type { Program } from "../program/program.ts";
import { ProgressReport } from "./progress.ts";
import type { SearchRest, SearchState } from "./resume.ts";
import { statesIn, statesOf } from "./resume.ts";
import { ENTRY_BYTES } from "./state-table.ts";
import { prepare, type Prepared } from "../program/prepared-target.ts";
import type { Target } from "../program/target.ts";
import type { Violation } from "../program/violation.ts";

/** A violation, and how it was come upon. */
export interface Found {
  readonly violation: Violation;
  readonly schedule: readonly number[];
  /** The words that the program knew then (`Program.known`): with others the schedule would mean something else. */
  readonly known: readonly number[];
  /** A livelock's states: what a shorter schedule has to reach. */
  readonly states?: ReadonlySet<string>;
}

/** How a phase ended that has something to show: `T` is its result when it came to its end. */
export type PhaseEnding<T> =
  | T
  | { readonly kind: "violated"; readonly found: Found }
  | {
      readonly kind: "incomplete";
      readonly reason: IncompleteReason;
      /** What it takes to go on, where that is possible. */
      readonly unfinished?: SearchState | undefined;
    };

/** A search for states. */
export type SearchEnding = PhaseEnding<{ readonly kind: "exhausted"; readonly cycles: boolean }>;

const MEMORY_MAX = 2 ** 30;
export const RESTARTS_MAX = 2000;

export class Session {
  readonly target: Target;
  readonly options: ExploreOptions;
  readonly artifact: Exploration["artifact"];
  readonly prepared: Prepared;
  readonly program: Program;
  readonly memoryMax: number;
  readonly progress: ProgressReport;
  /** Sums of final memories, where they are collected. */
  readonly finals: Set<string> | undefined;
  /** Of the search for states. */
  counts: SearchCounts = { states: 0, transitions: 0, depthMax: 0 };
  searchSeconds = 0;
  /** Of the largest table. */
  tableBytes = ENTRY_BYTES;
  private readonly started = performance.now();

  constructor(target: Target, options: ExploreOptions, artifact: Exploration["artifact"]) {
    this.target = target;
    this.options = options;
    this.artifact = artifact;
    this.memoryMax = options.memoryMax ?? MEMORY_MAX;
    this.progress = new ProgressReport(options.onProgress, this.memoryMax);
    this.finals = options.collectFinals ? new Set() : undefined;
    this.prepared = prepare(target);
    this.program = this.prepared.newProgram();
  }

  /** Threads whose start changes what the invariant reads: it may want to see one start without the others. */
  private readonly seenToStart = new Set<number>();

  /** Threads run to their first pause in order: what they do before it commutes with everything. */
  get prefix(): readonly number[] {
    if (!this.prepared.reductions.plainInStep) return [];
    return this.target.threads.map((_, thread) => thread).filter((thread) => !this.seenToStart.has(thread));
  }

  /** Goes to the state in which the search begins; a violation on the way there is found already. */
  begin(): Found | undefined {
    const { program } = this;
    const isChecked = this.target.invariant !== undefined;
    for (;;) {
      const { prefix } = this;
      program.restart();
      for (const [index, choice] of prefix.entries()) {
        const { mark } = program;
        const violation = program.apply(choice);
        if (violation) return { violation, schedule: prefix.slice(0, index + 1), known: program.words.known };
        if (isChecked && program.touched) this.seenToStart.add(choice);
        else program.words.hideSince(mark, program.mark);
      }
      if (prefix.length !== this.prefix.length) continue;
      if (program.i32[CONTROL.raceTrackedNew >> 2] === 0 && !program.words.contendChecked()) return undefined;
    }
  }

  /** Counts and knowledge of a search that is resumed, or of none. False: by now more is known than its states were made with. */
  resume(saved: SearchState | undefined): boolean {
    let isLearnt = false;
    if (saved) {
      this.program.words.trackRaces(saved.raceTracked);
      // What this program wrote invisibly before it knew these words is no part of what was saved.
      this.program.words.forgetInvisible();
      isLearnt = this.program.words.learn(saved.accessSummary);
      this.program.raiseWorstSteps(saved.worstSteps);
    }
    this.finals?.clear();
    const states = saved?.rest.kind === "livelock" ? saved.rest.statesFound : statesIn(saved);
    this.counts = { states, transitions: saved?.transitions ?? 0, depthMax: saved?.depthMax ?? 0 };
    this.searchSeconds = saved?.searchSeconds ?? 0;
    return !isLearnt;
  }

  /** The search as it stands, with a table's words; undefined where it cannot be resumed. */
  saved(rest: SearchRest, table: Int32Array): SearchState | undefined {
    if (this.options.strategy === "preemptions" || !this.prepared.reductions.mergeStates) return undefined;
    return {
      sha256: this.artifact.sha256,
      question: this.question,
      raceTracked: this.program.words.raceTrackedWords(),
      accessSummary: this.program.words.accessSummary(),
      transitions: this.counts.transitions,
      depthMax: this.counts.depthMax,
      worstSteps: this.program.worstSteps,
      seconds: this.seconds,
      searchSeconds: this.searchSeconds,
      rest,
      states: statesOf(table),
    };
  }

  /** What a saved search must agree with: the target without the module, as text. */
  get question(): string {
    const { wasm, ...rest } = this.target;
    void wasm;
    return JSON.stringify({ ...rest, threads: this.prepared.threadNames, reductions: this.prepared.reductions });
  }

  /** Time in all, that of a search which is resumed included. */
  private get seconds(): number {
    return (this.options.resume?.seconds ?? 0) + (performance.now() - this.started) / 1000;
  }

  result(verdict: Verdict, unfinished?: SearchState): Exploration {
    const { states, transitions, depthMax } = this.counts;
    return {
      verdict,
      artifact: this.artifact,
      threadNames: this.prepared.threadNames,
      reductions: this.prepared.reductions,
      racesChecked: this.program.options.races,
      states,
      transitions,
      depthMax,
      oddsOfMiss: states ** 2 / 2 ** 65,
      memoryBytes: this.tableBytes + this.program.u8.byteLength,
      seconds: this.seconds,
      transitionsPerSecond: this.searchSeconds > 0 ? transitions / this.searchSeconds : 0,
      worstSteps: this.target.stepsMax === undefined ? undefined : this.program.worstSteps,
      costCounters: this.target.costCounters === undefined ? undefined : [...this.program.costCounters],
      finals: this.finals,
      unfinished,
    };
  }
}

/** Counts of one part after those of another. */
export function sum(before: SearchCounts, { states, transitions, depthMax }: SearchCounts): SearchCounts {
  return {
    states: before.states + states,
    transitions: before.transitions + transitions,
    depthMax: Math.max(before.depthMax, depthMax),
  };
}
