// Explore: from a target to a verdict. The order of work: a few random walks, the exhaustive search, a livelock pass where
// there were cycles, and for a violation its shortest schedule, shrunk and recorded.
//
// Owner: one exploration. Invariant: `passed` is said only when nothing was cut off.
// Partners: depth-first.ts, components.ts, breadth-first.ts, random-walk.ts, shrink.ts, replay.ts.

import type { Reductions, Target } from "./target.ts";
import { prepare } from "./target.ts";
import type { Program } from "./program.ts";
import { CONTROL } from "./layout.ts";
import { ENTRY_BYTES, StateTable } from "./state-table.ts";
import type { SearchCounts } from "./depth-first.ts";
import { DepthFirst } from "./depth-first.ts";
import { findLivelock } from "./components.ts";
import { shortest } from "./breadth-first.ts";
import { Random, walk } from "./random-walk.ts";
import { runSchedule, shrink } from "./shrink.ts";
import { recordSteps } from "./replay.ts";
import type { Counterexample } from "./counterexample.ts";
import { COUNTEREXAMPLE_FORMAT, hashOf } from "./counterexample.ts";
import type { Violation } from "./violation.ts";

export interface Progress {
  readonly phase: "walk" | "search" | "livelock" | "shortest";
  readonly states: number;
  readonly transitions: number;
  readonly transitionsPerSecond: number;
  readonly depth: number;
  readonly frontier: number;
  readonly seconds: number;
}

export interface ExploreOptions {
  /** Exhaustive by default; random walks and preemption bounds find bugs and prove nothing. */
  readonly strategy?: "exhaustive" | "random" | "preemptions";
  readonly preemptionsMax?: number;
  readonly seed?: number;
  /** Random walks: how many (strategy random: 10,000; else a first look of 200). */
  readonly walks?: number;
  readonly transitionsMax?: number;
  /** Bytes for the table of states. Default 1 GiB. */
  readonly memoryMax?: number;
  /** Text of the module's source map. */
  readonly sourceMap?: string;
  /** Called a few times a second; false stops the exploration. */
  readonly onProgress?: (progress: Progress) => boolean | void;
  /** Collect the sums of final memories, for cross-checks. */
  readonly collectFinals?: boolean;
}

export type IncompleteReason = "memory" | "depth" | "interrupted" | "transitions" | "random" | "preemptions" | "contended";

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
  readonly finals: ReadonlySet<string> | undefined;
}

interface Found {
  readonly violation: Violation;
  readonly schedule: readonly number[];
  readonly states?: ReadonlySet<string>;
}

const RESTARTS_MAX = 2000;
const SNAPSHOT_WORDS_MAX = 96 * 1024 * 1024;

/** Explores a target. Throws MalformedModule, UnsupportedModule or UnusableModule (one line each) for user mistakes. */
export async function explore(target: Target, options: ExploreOptions = {}): Promise<Exploration> {
  const artifact = { sha256: await hashOf(target.wasm), bytes: target.wasm.length };
  return new Session(target, options, artifact).run();
}

class Session {
  private readonly target: Target;
  private readonly options: ExploreOptions;
  private readonly artifact: Exploration["artifact"];
  private readonly prepared;
  private readonly program: Program;
  private readonly started = performance.now();
  private reported = 0;
  private searchSeconds = 0;
  private tableBytes = 0;
  private readonly finals: Set<string> | undefined;
  private readonly memoryMax: number;
  private readonly total: SearchCounts = { states: 0, transitions: 0, depthMax: 0 };

  constructor(target: Target, options: ExploreOptions, artifact: Exploration["artifact"]) {
    this.target = target;
    this.options = options;
    this.artifact = artifact;
    this.memoryMax = options.memoryMax ?? 2 ** 30;
    this.finals = options.collectFinals ? new Set() : undefined;
    this.prepared = prepare(target);
    this.program = this.prepared.newProgram();
  }

  run(): Exploration {
    const found = this.begin() ?? this.look();
    if (found) return this.failed(found);
    if (this.options.strategy === "random") return this.result({ kind: "incomplete", reason: "random" });
    return this.search();
  }

  /** Threads run to their first pause in order: what they do before it commutes with everything. */
  private prefix(): number[] {
    if (!this.prepared.reductions.plainInStep) return [];
    return this.target.threads.map((_, thread) => thread);
  }

  /** Goes to the state in which the search begins; a violation on the way there is found already. */
  private begin(): Found | undefined {
    for (;;) {
      this.program.restart();
      const prefix = this.prefix();
      for (const [index, choice] of prefix.entries()) {
        const violation = this.program.apply(choice);
        if (violation) return { violation, schedule: prefix.slice(0, index + 1) };
      }
      if (this.program.i32[CONTROL.watchedNew >> 2] === 0) return undefined;
    }
  }

  private report(phase: Progress["phase"], counts: SearchCounts, depth: number, frontier: number): boolean {
    const { onProgress } = this.options;
    if (!onProgress) return true;
    const now = performance.now();
    if (now - this.reported < 200) return true;
    this.reported = now;
    const seconds = (now - this.started) / 1000;
    const progress: Progress = { phase, states: counts.states, transitions: counts.transitions, transitionsPerSecond: counts.transitions / seconds, depth, frontier, seconds };
    return onProgress(progress) !== false;
  }

  private look(): Found | undefined {
    const random = new Random(this.options.seed ?? 1);
    const only = this.options.strategy === "random";
    const walks = this.options.walks ?? (only ? 10_000 : 200);
    let stepsExpected = 50;
    for (let i = 0; i < walks; i++) {
      const early = this.begin();
      if (early) return early;
      const strategy = i % 2 === 0 ? "pct" : "uniform";
      const outcome = walk(this.program, random, this.prefix(), { strategy, changes: 1 + (i % 5), stepsMax: only ? 100_000 : 2000, stepsExpected });
      if (outcome.kind === "violated") return outcome;
      this.total.transitions += outcome.steps;
      if (outcome.kind === "ended") stepsExpected = Math.max(stepsExpected, outcome.steps);
      this.total.depthMax = Math.max(this.total.depthMax, outcome.steps);
      if (!this.report("walk", this.total, outcome.steps, walks - i)) break;
    }
    return undefined;
  }

  private search(): Exploration {
    const { reductions } = this.prepared;
    const { options } = this;
    const bounded = options.strategy === "preemptions";
    let table = new StateTable(this.memoryMax);
    for (let restarts = 0; ; restarts++) {
      const early = this.begin();
      if (early) return this.failed(early);
      this.finals?.clear();
      table.clear();
      const from = performance.now();
      const search = new DepthFirst(this.program, table, {
        sleepSets: reductions.sleepSets && reductions.mergeStates,
        mergeStates: reductions.mergeStates,
        transitionsMax: options.transitionsMax ?? Infinity,
        ...(bounded ? { preemptionsMax: options.preemptionsMax ?? 2 } : {}),
        ...(this.finals ? { finals: this.finals } : {}),
        onProgress: (counts, depth, frontier) => this.report("search", counts, depth, frontier),
      });
      const outcome = search.run(this.prefix());
      Object.assign(this.total, search.counts);
      this.searchSeconds = (performance.now() - from) / 1000;
      this.tableBytes = table.words.byteLength;
      if (outcome.kind === "restart") {
        if (restarts < RESTARTS_MAX) continue;
        return this.result({ kind: "incomplete", reason: "contended" });
      }
      if (outcome.kind === "violated") return this.failed(outcome);
      if (outcome.kind === "stopped") return this.result({ kind: "incomplete", reason: outcome.reason });
      if (outcome.cut) return this.result({ kind: "incomplete", reason: "preemptions" });
      if (this.program.watchedTooMany) return this.result({ kind: "incomplete", reason: "contended" });
      table = new StateTable(this.memoryMax);
      return outcome.cycles ? this.livelocks(table) : this.result({ kind: "passed" });
    }
  }

  private livelocks(table: StateTable): Exploration {
    this.begin();
    this.program.note(false);
    const counts: SearchCounts = { states: 0, transitions: 0, depthMax: 0 };
    const outcome = findLivelock(this.program, table, this.prefix(), counts, (now) => this.report("livelock", now, now.depthMax, 0));
    this.program.note(this.program.options.races);
    switch (outcome.kind) {
      case "none":
        return this.result({ kind: "passed" });
      case "stopped":
        return this.result({ kind: "incomplete", reason: outcome.reason });
      case "livelock":
        return this.failed({ violation: { kind: "livelock", states: outcome.size }, schedule: outcome.schedule, states: outcome.states });
    }
  }

  /** The shortest schedule that fails like this, with few switches, recorded step by step. */
  private failed(found: Found): Exploration {
    const { program, target } = this;
    const prefix = this.prefix();
    const isTarget = found.states ? (low: number, high: number) => found.states!.has(`${high}:${low}`) : undefined;
    if (isTarget) program.note(false);
    let best = found;
    let isShortest = found.schedule.length <= prefix.length;
    for (let restarts = 0; !isShortest && restarts < RESTARTS_MAX; restarts++) {
      if (this.begin()) break;
      const outcome = shortest(program, prefix, {
        snapshotWordsMax: SNAPSHOT_WORDS_MAX,
        bytesMax: this.memoryMax,
        ...(isTarget ? { isTarget } : {}),
      });
      if (outcome.kind === "restart") continue;
      if (outcome.kind === "found") {
        best = { ...found, violation: outcome.violation ?? found.violation, schedule: outcome.schedule };
        isShortest = true;
      }
      break;
    }
    program.restart();
    const schedule = shrink(program, best.schedule, best.violation.kind, prefix.length, isTarget);
    const again = runSchedule(program, schedule, isTarget);
    const violation = again?.violation ?? best.violation;
    program.note(program.options.races);
    const { wasm, ...rest } = target;
    const watched = program.watchedWords();
    const knownTarget = { ...rest, contended: program.contendedWords() };
    const counterexample: Counterexample = {
      format: COUNTEREXAMPLE_FORMAT,
      version: 1,
      artifact: this.artifact,
      target: knownTarget,
      threadNames: this.prepared.threadNames,
      violation,
      shortest: isShortest,
      watched,
      schedule,
      steps: recordSteps({ ...knownTarget, wasm }, watched, schedule, this.options.sourceMap),
    };
    return this.result({ kind: "violated", counterexample });
  }

  private result(verdict: Verdict): Exploration {
    const seconds = (performance.now() - this.started) / 1000;
    const { states, transitions, depthMax } = this.total;
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
      memoryBytes: Math.max(this.tableBytes, ENTRY_BYTES) + this.program.u8.byteLength,
      seconds,
      transitionsPerSecond: this.searchSeconds > 0 ? transitions / this.searchSeconds : 0,
      worstSteps: this.target.stepsMax === undefined ? undefined : this.program.worstSteps,
      finals: this.finals,
    };
  }
}
