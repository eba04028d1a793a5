// Explore: from a target to a verdict. The order of work: a few random walks, the exhaustive search, a livelock pass where
// there were cycles, and for a violation its shortest schedule, shrunk and recorded.
//
// Owner: one exploration. Invariant: `passed` is said only when nothing was cut off.
// Partners: depth-first.ts, components.ts, breadth-first.ts, random-walk.ts, shrink.ts, replay.ts.

import type { Reductions, Target } from "./target.ts";
import { prepare, savable } from "./target.ts";
import type { Program } from "./program.ts";
import { UnusableModule } from "./program.ts";
import { CONTROL } from "./layout.ts";
import { ENTRY_BYTES, StateTable, statesMax } from "./state-table.ts";
import type { DepthFirstOutcome, Piece, SearchCounts } from "./depth-first.ts";
import { DepthFirst } from "./depth-first.ts";
import type { SearchState } from "./resume.ts";
import { statesOf, tableOf } from "./resume.ts";
import { findLivelock } from "./components.ts";
import { shortest } from "./breadth-first.ts";
import { Random, walk } from "./random-walk.ts";
import { runSchedule, shrink } from "./shrink.ts";
import { recordSteps } from "./replay.ts";
import type { Counterexample } from "./counterexample.ts";
import { COUNTEREXAMPLE_FORMAT, hashOf } from "./counterexample.ts";
import type { SourceLines } from "./source-lines.ts";
import type { Violation } from "./violation.ts";
import { certain } from "./certain.ts";

export interface Progress {
  readonly phase: "walk" | "search" | "livelock" | "shortest";
  readonly states: number;
  readonly transitions: number;
  readonly transitionsPerSecond: number;
  readonly depth: number;
  readonly frontier: number;
  /** Share of a sample of states, met on random walks before the search, that the search has seen; where there is one. */
  readonly sampleSeen?: number;
  /** Share of the bytes allowed for the table of states that is taken, 0 to 1. */
  readonly tableUsed: number;
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
  /** False: a counterexample is told as it was found, neither shortened nor shrunk; for those who only want to know. */
  readonly shortest?: boolean;
  /** Bytes for the table of states. Default 1 GiB. */
  readonly memoryMax?: number;
  /** Takes up a search that stopped at a bound (one worker only). */
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
  "memory" | "depth" | "interrupted" | "transitions" | "random" | "preemptions" | "contended";

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
  /** With gauges: the highest value of each. */
  readonly gauges: readonly number[] | undefined;
  readonly finals: ReadonlySet<string> | undefined;
  /** Incomplete, exhaustive, one worker: what it takes to go on. */
  readonly unfinished: SearchState | undefined;
}

interface Found {
  readonly violation: Violation;
  readonly schedule: readonly number[];
  readonly states?: ReadonlySet<string>;
}

const RESTARTS_MAX = 2000;
const SAMPLE_WALKS = 32;
const SAMPLE_WORDS_MAX = 8192;
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

  async run(): Promise<Exploration> {
    const found = this.begin() ?? (this.options.resume ? undefined : this.look());
    if (found) return this.failed(found);
    const { strategy, workers, resume } = this.options;
    if (resume && (resume.sha256 !== this.artifact.sha256 || resume.question !== this.question()))
      throw new UnusableModule("the saved search is about another module, other threads or other reductions");
    if (this.target.gauges !== undefined && (workers ?? 1) > 1)
      throw new UnusableModule("gauges are read by one worker; leave the others out");
    if (strategy === "random") return this.result({ kind: "incomplete", reason: "random" });
    return strategy !== "preemptions" && workers !== undefined && workers > 1
      ? this.searchTogether(workers)
      : this.search();
  }

  private async searchTogether(workers: number): Promise<Exploration> {
    const { options } = this;
    const { searchInParallel } = await import("./parallel.ts");
    for (let restarts = 0; restarts < RESTARTS_MAX; restarts++) {
      const early = this.begin();
      if (early) return this.failed(early);
      const round = await searchInParallel(this.target, this.program.watchedWords(), this.prefix(), {
        workers,
        workerModule: options.workerModule ?? new URL("./worker.js", import.meta.url),
        memoryMax: this.memoryMax,
        transitionsMax: (options.transitionsMax ?? Infinity) / workers,
        collectFinals: this.finals !== undefined,
        onProgress: (counts) => this.report("search", counts, counts.depthMax, 0),
      });
      Object.assign(this.total, round.counts);
      this.searchSeconds = round.seconds;
      this.tableBytes = round.tableBytes;
      for (const { finals, worstSteps } of round.reports) {
        for (const final of finals) this.finals?.add(final);
        for (const [thread, steps] of worstSteps.entries())
          this.program.worstSteps[thread] = Math.max(certain(this.program.worstSteps[thread]), steps);
      }
      const { outcome } = round;
      if (outcome.kind === "violated") return this.failed(outcome);
      if (outcome.kind === "stopped") return this.result({ kind: "incomplete", reason: outcome.reason });
      if (outcome.kind === "restart") {
        this.program.watch([
          ...new Set([...this.program.watchedWords(), ...round.reports.flatMap(({ watched }) => watched)]),
        ]);
        continue;
      }
      if (round.reports.some(({ watchedTooMany }) => watchedTooMany)) break;
      // Each worker knows who touched what in its own part only.
      for (const { touched } of round.reports) this.program.touch(touched);
      const unnoticed = this.program.unnoticedWords(this.prepared.quietInStep);
      if (unnoticed.length > 0) {
        this.program.watch([...this.program.watchedWords(), ...unnoticed]);
        continue;
      }
      // Whether there was a cycle is not known here: a worker sees only its own way.
      return this.livelocks(new StateTable(this.memoryMax));
    }
    return this.result({ kind: "incomplete", reason: "contended" });
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

  private report(
    phase: Progress["phase"],
    counts: SearchCounts,
    depth: number,
    frontier: number,
    sampleSeen?: number,
  ): boolean {
    const { onProgress } = this.options;
    if (!onProgress) return true;
    const now = performance.now();
    if (now - this.reported < 200) return true;
    this.reported = now;
    const seconds = (now - this.started) / 1000;
    const progress: Progress = {
      phase,
      states: counts.states,
      transitions: counts.transitions,
      transitionsPerSecond: (counts.transitions - (this.options.resume?.transitions ?? 0)) / seconds,
      depth,
      frontier,
      ...(sampleSeen === undefined ? {} : { sampleSeen }),
      tableUsed: Math.min(1, counts.states / statesMax(this.memoryMax)),
      seconds,
    };
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
      const outcome = walk(this.program, random, this.prefix(), {
        strategy,
        changes: 1 + (i % 5),
        stepsMax: only ? 100_000 : 2000,
        stepsExpected,
      });
      if (outcome.kind === "violated") return outcome;
      this.total.transitions += outcome.steps;
      if (outcome.kind === "ended") stepsExpected = Math.max(stepsExpected, outcome.steps);
      this.total.depthMax = Math.max(this.total.depthMax, outcome.steps);
      if (!this.report("walk", this.total, outcome.steps, walks - i)) break;
    }
    return undefined;
  }

  /** States of random walks, as pairs of words. Their like is not spread evenly, so they tell roughly how much is seen. */
  private sample(): number[] {
    const random = new Random(this.options.seed ?? 1);
    let states: number[] = [];
    for (let i = 0; i < SAMPLE_WALKS && states.length < SAMPLE_WORDS_MAX; i++) {
      if (this.begin()) break;
      const onState = (low: number, high: number): void => void states.push(low, high);
      const options = { strategy: "uniform", changes: 0, stepsMax: 2000, stepsExpected: 0, onState } as const;
      // With another word to keep footprints of, the states before have other fingerprints.
      if (walk(this.program, random, this.prefix(), options).kind === "restart") states = [];
    }
    return states;
  }

  private search(): Exploration {
    const { reductions } = this.prepared;
    const { options } = this;
    const bounded = options.strategy === "preemptions";
    let table = new StateTable(this.memoryMax);
    let { resume } = options;
    if (resume?.searched !== undefined) {
      this.program.watch(resume.watched);
      Object.assign(this.total, {
        states: resume.searched,
        transitions: resume.transitions,
        depthMax: resume.depthMax,
      });
      return this.livelocks(table);
    }
    for (let restarts = 0; ; restarts++) {
      if (resume) {
        this.program.watch(resume.watched);
        this.program.touch(resume.touched ?? []);
      }
      const early = this.begin();
      if (early) return this.failed(early);
      this.finals?.clear();
      if (resume) {
        const resumed = tableOf(resume.states, this.memoryMax);
        if (!resumed) return this.result({ kind: "incomplete", reason: "memory" }, resume);
        table = resumed;
      } else table.clear();
      const from = performance.now();
      const sample = options.onProgress && !bounded && reductions.mergeStates ? this.sample() : undefined;
      const pieces: Piece[] = resume ? [...resume.pieces] : [{ schedule: this.prefix(), choice: -1, asleep: 0 }];
      let cycles = resume?.cycles ?? false;
      Object.assign(this.total, {
        states: table.states,
        transitions: resume?.transitions ?? 0,
        depthMax: resume?.depthMax ?? 0,
      });
      let outcome: DepthFirstOutcome = { kind: "exhausted", cycles, cut: false };
      let left: readonly Piece[] = [];
      for (let piece = pieces.shift(); piece && outcome.kind === "exhausted"; piece = pieces.shift()) {
        this.program.restart();
        const before = { ...this.total };
        const search = new DepthFirst(this.program, table, {
          sleepSets: reductions.sleepSets && reductions.mergeStates,
          mergeStates: reductions.mergeStates,
          transitionsMax: (options.transitionsMax ?? Infinity) - (before.transitions - (resume?.transitions ?? 0)),
          ...(bounded ? { preemptionsMax: options.preemptionsMax ?? 2 } : {}),
          ...(this.finals ? { finals: this.finals } : {}),
          onProgress: (counts, depth, frontier) =>
            this.report(
              "search",
              {
                ...counts,
                states: before.states + counts.states,
                transitions: before.transitions + counts.transitions,
              },
              depth,
              frontier + pieces.length,
              sample && seenOf(sample, table),
            ),
        });
        outcome = search.runPiece(piece);
        this.total.states = before.states + search.counts.states;
        this.total.transitions = before.transitions + search.counts.transitions;
        this.total.depthMax = Math.max(before.depthMax, piece.schedule.length + search.counts.depthMax);
        if (outcome.kind === "exhausted") {
          cycles ||= outcome.cycles;
          outcome = { ...outcome, cycles };
        } else if (outcome.kind === "stopped") left = [...search.remaining(), ...pieces];
      }
      this.searchSeconds = (performance.now() - from) / 1000;
      this.tableBytes = table.words.byteLength;
      resume = undefined;
      if (outcome.kind === "restart") {
        if (restarts < RESTARTS_MAX) continue;
        return this.result({ kind: "incomplete", reason: "contended" });
      }
      if (outcome.kind === "violated") return this.failed(outcome);
      if (outcome.kind === "stopped") {
        const verdict: Verdict = { kind: "incomplete", reason: outcome.reason };
        if (bounded || !reductions.mergeStates) return this.result(verdict);
        return this.result(verdict, { ...this.soFar(), pieces: left, cycles, states: statesOf(table) });
      }
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
    const outcome = findLivelock(this.program, table, this.prefix(), counts, (now) =>
      this.report("livelock", now, now.depthMax, 0),
    );
    this.program.note(this.program.options.races);
    switch (outcome.kind) {
      case "none":
        return this.result({ kind: "passed" });
      case "stopped": {
        const verdict: Verdict = { kind: "incomplete", reason: outcome.reason };
        if (!this.prepared.reductions.mergeStates) return this.result(verdict);
        const over = { pieces: [], cycles: true, states: new Int32Array(0), searched: this.total.states };
        return this.result(verdict, { ...this.soFar(), ...over });
      }
      case "livelock":
        return this.failed({
          violation: { kind: "livelock", states: outcome.size },
          schedule: outcome.schedule,
          states: outcome.states,
        });
    }
  }

  /** The shortest schedule that fails like this, with few switches, recorded step by step. */
  private failed(found: Found): Exploration {
    const { program, target } = this;
    const prefix = this.prefix();
    const isTarget = found.states
      ? (low: number, high: number) => certain(found.states).has(`${high}:${low}`)
      : undefined;
    if (isTarget) program.note(false);
    let best = found;
    let isShortest = found.schedule.length <= prefix.length;
    const asFound = this.options.shortest === false;
    for (let restarts = asFound ? RESTARTS_MAX : 0; !isShortest && restarts < RESTARTS_MAX; restarts++) {
      if (this.begin()) break;
      const outcome = shortest(program, prefix, {
        snapshotWordsMax: SNAPSHOT_WORDS_MAX,
        bytesMax: this.memoryMax,
        onProgress: (states, depth) => this.report("shortest", { ...this.total, states }, depth, 0),
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
    const schedule = asFound
      ? best.schedule
      : shrink(program, best.schedule, best.violation.kind, prefix.length, isTarget);
    const again = runSchedule(program, schedule, isTarget);
    const violation = again?.violation ?? best.violation;
    program.note(program.options.races);
    const { wasm, ...rest } = target;
    void wasm;
    const watched = program.watchedWords();
    const counterexample: Counterexample = {
      format: COUNTEREXAMPLE_FORMAT,
      version: 1,
      artifact: this.artifact,
      target: {
        ...rest,
        threads: target.threads.map((thread) => (thread.args ? { ...thread, args: thread.args.map(savable) } : thread)),
      },
      threadNames: this.prepared.threadNames,
      violation,
      shortest: isShortest,
      watched,
      schedule,
      steps: recordSteps(target, watched, schedule, this.options.sourceMap),
    };
    return this.result({ kind: "violated", counterexample });
  }

  /** What a saved search knows besides its states and what is left of it. */
  private soFar(): Omit<SearchState, "pieces" | "cycles" | "states"> {
    return {
      sha256: this.artifact.sha256,
      question: this.question(),
      watched: this.program.watchedWords(),
      touched: this.program.touchedWords(),
      transitions: this.total.transitions,
      depthMax: this.total.depthMax,
      seconds: this.seconds(),
    };
  }

  /** Those of the search that was taken up included. */
  private seconds(): number {
    return (this.options.resume?.seconds ?? 0) + (performance.now() - this.started) / 1000;
  }

  /** What a saved search must agree with: the target without the module, as text. */
  private question(): string {
    const { wasm, ...rest } = this.target;
    void wasm;
    return JSON.stringify({ ...rest, threads: this.prepared.threadNames, reductions: this.prepared.reductions });
  }

  private result(verdict: Verdict, unfinished?: SearchState): Exploration {
    const { states, transitions, depthMax } = this.total;
    const taken = transitions - (this.options.resume?.transitions ?? 0);
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
      seconds: this.seconds(),
      transitionsPerSecond: this.searchSeconds > 0 ? taken / this.searchSeconds : 0,
      worstSteps: this.target.stepsMax === undefined ? undefined : this.program.worstSteps,
      gauges: this.target.gauges === undefined ? undefined : [...this.program.gauges],
      finals: this.finals,
      unfinished,
    };
  }
}

/** The share of a sample that a table holds. */
function seenOf(sample: readonly number[], table: StateTable): number | undefined {
  let seen = 0;
  for (let at = 0; at < sample.length; at += 2)
    if (table.find(certain(sample[at]), certain(sample[at + 1])) >= 0) seen++;
  return sample.length === 0 ? undefined : (2 * seen) / sample.length;
}
