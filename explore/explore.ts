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
import { SharedTable } from "./shared-table.ts";
import type { Table } from "./state-table.ts";
import { ENTRY_BYTES, StateTable } from "./state-table.ts";
import { wholeFrom } from "./branch.ts";
import type { DepthFirstOutcome, SearchCounts } from "./depth-first.ts";
import { DepthFirst } from "./depth-first.ts";
import type { Progress } from "./progress.ts";
import { ProgressReport } from "./progress.ts";
import { WORKERS_MAX } from "./work-queue.ts";
import type { SearchRest, SearchState } from "./resume.ts";
import { sharedTableOf, statesIn, statesOf, tableOf } from "./resume.ts";
import type { PassStack } from "./components.ts";
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
  /**
   * Bytes for the states of the phase at hand: the table of the search or of the livelock pass; table, tree and snapshots
   * of the shortest schedule. Past it the search is incomplete and can be taken up, and a counterexample is as it was
   * found. Default 1 GiB. Besides: half as much while a table grows or for the open states of the livelock pass,
   * 12 bytes a state in `unfinished` and `resume`, and the engine's own memory for each worker.
   */
  readonly memoryMax?: number;
  /** Takes up a search that stopped at a bound, whether one worker made it or several. */
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
  readonly finals: ReadonlySet<string> | undefined;
  /** Incomplete and exhaustive: what it takes to go on, with one worker or several. */
  readonly unfinished: SearchState | undefined;
}

interface Found {
  readonly violation: Violation;
  readonly schedule: readonly number[];
  readonly states?: ReadonlySet<string>;
}

interface Sample {
  readonly states: readonly number[];
  readonly metNewWord: boolean;
}

type SearchBeginning =
  | { readonly kind: "violated"; readonly found: Found }
  | { readonly kind: "ready"; readonly sample: readonly number[] }
  /** What is taken up does not know of a word that footprints must be kept of: it has to begin again. */
  | { readonly kind: "anew" };

const RESTARTS_MAX = 2000;
const SAMPLE_WALKS = 32;
const SAMPLE_WORDS_MAX = 8192;

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
  private searchSeconds = 0;
  private tableBytes = 0;
  private readonly progress: ProgressReport;
  private readonly finals: Set<string> | undefined;
  private readonly memoryMax: number;
  private readonly total: SearchCounts = { states: 0, transitions: 0, depthMax: 0 };

  constructor(target: Target, options: ExploreOptions, artifact: Exploration["artifact"]) {
    this.target = target;
    this.options = options;
    this.artifact = artifact;
    this.memoryMax = options.memoryMax ?? 2 ** 30;
    this.progress = new ProgressReport(options.onProgress, this.memoryMax);
    this.finals = options.collectFinals ? new Set() : undefined;
    this.prepared = prepare(target);
    this.program = this.prepared.newProgram();
  }

  async run(): Promise<Exploration> {
    const { strategy, workers, resume } = this.options;
    if (resume && (resume.sha256 !== this.artifact.sha256 || resume.question !== this.question()))
      throw new UnusableModule("the saved search is about another module, other threads or other reductions");
    if (workers !== undefined && workers > WORKERS_MAX)
      throw new UnusableModule(`${workers} workers are asked for; the explorer takes up to ${WORKERS_MAX}`);
    const found = this.begin() ?? (resume ? undefined : this.look());
    if (found) return this.failed(found);
    if (resume?.rest.kind === "livelock") {
      this.takeUp(resume);
      return this.livelocks({ stack: resume.rest.stack, states: resume.states });
    }
    if (strategy === "random") return this.result({ kind: "incomplete", reason: "random" });
    return strategy !== "preemptions" && workers !== undefined && workers > 1
      ? this.searchTogether(workers)
      : this.search();
  }

  private async searchTogether(workers: number): Promise<Exploration> {
    const { options, program } = this;
    const { searchInParallel } = await import("./parallel.ts");
    let { resume } = options;
    for (let restarts = 0; restarts < RESTARTS_MAX; restarts++) {
      const begun = this.beginSearch(resume);
      if (begun.kind === "violated") return this.failed(begun.found);
      if (begun.kind === "anew") {
        resume = undefined;
        continue;
      }
      const table = sharedTableOf(resume?.states ?? new Int32Array(), this.memoryMax, workers);
      if (!table) return this.result({ kind: "incomplete", reason: "memory" }, resume);
      this.tableBytes = table.buffer.byteLength;
      const rest = resume?.rest.kind === "search" ? resume.rest : undefined;
      const view = new SharedTable(table.buffer, workers);
      const seen = (): number | undefined => seenOf(begun.sample, view);
      const before = { ...this.total };
      const secondsBefore = this.searchSeconds;
      const round = await searchInParallel(this.target, {
        workers,
        workerModule: options.workerModule ?? new URL("./worker.js", import.meta.url),
        watched: program.watchedWords(),
        branches: rest?.branches ?? [wholeFrom(this.prefix())],
        table: table.buffer,
        statesBefore: table.statesBefore,
        transitionsMax: options.transitionsMax ?? Infinity,
        collectFinals: this.finals !== undefined,
        onProgress: (counts, depth, frontier) =>
          this.progress.goesOn("search", sum(before, counts), depth, frontier, seen),
      });
      resume = undefined;
      Object.assign(this.total, sum(before, round.counts));
      this.searchSeconds = secondsBefore + round.seconds;
      for (const { finals, worstSteps } of round.reports) {
        for (const final of finals) this.finals?.add(final);
        program.raiseWorstSteps(worstSteps);
      }
      const { outcome } = round;
      switch (outcome.kind) {
        case "violated":
          return this.failed(outcome);
        case "stopped":
          return this.result(
            { kind: "incomplete", reason: outcome.reason },
            this.prepared.reductions.mergeStates
              ? this.savedSearch({ kind: "search", branches: round.left, cycles: true }, view.words)
              : undefined,
          );
        case "restart":
          program.watch([...new Set([...program.watchedWords(), ...round.reports.flatMap(({ watched }) => watched)])]);
          continue;
        case "exhausted":
          if (round.reports.some(({ watchedTooMany }) => watchedTooMany))
            return this.result({ kind: "incomplete", reason: "contended" });
          return this.livelocks();
        default:
          outcome satisfies never;
      }
    }
    return this.result({ kind: "incomplete", reason: "contended" });
  }

  /** Counts and knowledge of the search that is taken up, or of none. */
  private takeUp(resume: SearchState | undefined): void {
    if (resume) {
      this.program.watch(resume.watched);
      this.program.raiseWorstSteps(resume.worstSteps);
    }
    this.finals?.clear();
    const found = resume?.rest.kind === "livelock" ? resume.rest.statesFound : statesIn(resume);
    Object.assign(this.total, {
      states: found,
      transitions: resume?.transitions ?? 0,
      depthMax: resume?.depthMax ?? 0,
    });
    this.searchSeconds = resume?.searchSeconds ?? 0;
  }

  /** Goes to where the search begins or is taken up. */
  private beginSearch(resume: SearchState | undefined): SearchBeginning {
    const { options } = this;
    this.takeUp(resume);
    const early = this.begin();
    if (early) return { kind: "violated", found: early };
    const isSampled = options.onProgress && options.strategy !== "preemptions" && this.prepared.reductions.mergeStates;
    const { states, metNewWord }: Sample = isSampled ? this.sample() : { states: [], metNewWord: false };
    // Then what was saved has other fingerprints, too.
    if (metNewWord && resume) return { kind: "anew" };
    return { kind: "ready", sample: states };
  }

  private savedSearch(rest: SearchRest, table: Int32Array): SearchState {
    return {
      sha256: this.artifact.sha256,
      question: this.question(),
      watched: this.program.watchedWords(),
      transitions: this.total.transitions,
      depthMax: this.total.depthMax,
      worstSteps: this.program.worstSteps,
      seconds: this.seconds(),
      searchSeconds: this.searchSeconds,
      rest,
      states: statesOf(table),
    };
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
      if (!this.progress.goesOn("walk", this.total, outcome.steps, walks - i)) break;
    }
    return undefined;
  }

  /** States of random walks, as pairs of words. Their like is not spread evenly, so they tell roughly how much is seen. */
  private sample(): Sample {
    const random = new Random(this.options.seed ?? 1);
    let states: number[] = [];
    let metNewWord = false;
    for (let i = 0; i < SAMPLE_WALKS && states.length < SAMPLE_WORDS_MAX; i++) {
      if (this.begin()) break;
      const onState = (low: number, high: number): void => void states.push(low, high);
      const options = { strategy: "uniform", changes: 0, stepsMax: 2000, stepsExpected: 0, onState } as const;
      if (walk(this.program, random, this.prefix(), options).kind !== "restart") continue;
      // With another word to keep footprints of, the states before have other fingerprints.
      states = [];
      metNewWord = true;
    }
    return { states, metNewWord };
  }

  private search(): Exploration {
    const { reductions } = this.prepared;
    const { options, program } = this;
    const bounded = options.strategy === "preemptions";
    let { resume } = options;
    for (let restarts = 0; ; restarts++) {
      const begun = this.beginSearch(resume);
      if (begun.kind === "violated") return this.failed(begun.found);
      if (begun.kind === "anew") {
        resume = undefined;
        continue;
      }
      const table = resume ? tableOf(resume.states, this.memoryMax) : new StateTable(this.memoryMax);
      if (!table) return this.result({ kind: "incomplete", reason: "memory" }, resume);
      const from = performance.now();
      const secondsBefore = this.searchSeconds;
      const seen = (): number | undefined => seenOf(begun.sample, table);
      const rest = resume?.rest.kind === "search" ? resume.rest : undefined;
      const branches = [...(rest?.branches ?? [wholeFrom(this.prefix())])];
      // The branch of one worker goes on as if it had never stopped. Between several, steps back may have gone unseen.
      let cycles = (rest?.cycles ?? false) || branches.length > 1;
      const transitionsMax = this.total.transitions + (options.transitionsMax ?? Infinity);
      resume = undefined;
      let outcome: DepthFirstOutcome = { kind: "exhausted", cycles, cut: false };
      for (let branch = branches.shift(); branch; branch = branches.shift()) {
        program.restart();
        const before = { ...this.total };
        const search = new DepthFirst(program, table, {
          sleepSets: reductions.sleepSets && reductions.mergeStates,
          mergeStates: reductions.mergeStates,
          transitionsMax: transitionsMax - before.transitions,
          ...(bounded ? { preemptionsMax: options.preemptionsMax ?? 2 } : {}),
          ...(this.finals ? { finals: this.finals } : {}),
          onProgress: (counts, depth, frontier) =>
            this.progress.goesOn("search", sum(before, counts), depth, frontier, seen),
        });
        outcome = search.runBranch(branch);
        Object.assign(this.total, sum(before, { ...search.counts, depthMax: search.scheduleMax }));
        cycles ||= search.cyclesSeen;
        if (outcome.kind === "stopped") branches.unshift(search.left());
        if (outcome.kind !== "exhausted") break;
        const goesOn = this.progress.goesOn("search", this.total, 0, branches.length, seen);
        if (goesOn || branches.length === 0) continue;
        outcome = { kind: "stopped", reason: "interrupted" };
        break;
      }
      this.searchSeconds = secondsBefore + (performance.now() - from) / 1000;
      this.tableBytes = table.words.byteLength;
      switch (outcome.kind) {
        case "restart":
          if (restarts < RESTARTS_MAX) continue;
          return this.result({ kind: "incomplete", reason: "contended" });
        case "violated":
          return this.failed(outcome);
        case "stopped": {
          const verdict: Verdict = { kind: "incomplete", reason: outcome.reason };
          if (bounded || !reductions.mergeStates) return this.result(verdict);
          return this.result(verdict, this.savedSearch({ kind: "search", branches, cycles }, table.words));
        }
        case "exhausted":
          if (outcome.cut) return this.result({ kind: "incomplete", reason: "preemptions" });
          if (program.watchedTooMany) return this.result({ kind: "incomplete", reason: "contended" });
          return cycles || outcome.cycles ? this.livelocks() : this.result({ kind: "passed" });
        default:
          return outcome satisfies never;
      }
    }
  }

  /** From the start, or from where a pass stopped. */
  private livelocks(stopped?: { readonly stack: PassStack; readonly states: Int32Array }): Exploration {
    const { program, options } = this;
    const table = stopped ? tableOf(stopped.states, this.memoryMax) : new StateTable(this.memoryMax);
    if (!table) return this.result({ kind: "incomplete", reason: "memory" }, options.resume);
    this.begin();
    program.note(false);
    const outcome = findLivelock(
      program,
      table,
      this.prefix(),
      {
        transitionsMax: options.transitionsMax ?? Infinity,
        onProgress: (counts, depth, frontier) =>
          this.progress.goesOn("livelock", counts, depth, frontier, () =>
            Math.min(1, counts.states / this.total.states),
          ),
      },
      stopped?.stack,
    );
    program.note(program.options.races);
    this.tableBytes = Math.max(this.tableBytes, table.words.byteLength);
    switch (outcome.kind) {
      case "none":
        return this.result({ kind: "passed" });
      case "stopped": {
        const { stack } = outcome;
        const rest: SearchRest = { kind: "livelock", statesFound: this.total.states, stack };
        return this.result({ kind: "incomplete", reason: outcome.reason }, this.savedSearch(rest, table.words));
      }
      case "livelock":
        return this.failed({
          violation: { kind: "livelock", states: outcome.size },
          schedule: outcome.schedule,
          states: outcome.states,
        });
      default:
        return outcome satisfies never;
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
        bytesMax: this.memoryMax,
        onProgress: (counts, depth, frontier) => this.progress.goesOn("shortest", counts, depth, frontier),
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

  /** What a saved search must agree with: the target without the module, as text. */
  private question(): string {
    const { wasm, ...rest } = this.target;
    void wasm;
    return JSON.stringify({ ...rest, threads: this.prepared.threadNames, reductions: this.prepared.reductions });
  }

  /** Time in all, that of a search which is taken up included. */
  private seconds(): number {
    return (this.options.resume?.seconds ?? 0) + (performance.now() - this.started) / 1000;
  }

  private result(verdict: Verdict, unfinished?: SearchState): Exploration {
    const seconds = this.seconds();
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
      unfinished,
    };
  }
}

function sum(before: SearchCounts, { states, transitions, depthMax }: SearchCounts): SearchCounts {
  return {
    states: before.states + states,
    transitions: before.transitions + transitions,
    depthMax: Math.max(before.depthMax, depthMax),
  };
}

/** The share of a sample that a table holds. */
function seenOf(sample: readonly number[], table: Table): number | undefined {
  let seen = 0;
  for (let at = 0; at < sample.length; at += 2)
    if (table.find(certain(sample[at]), certain(sample[at + 1])) >= 0) seen++;
  return sample.length === 0 ? undefined : (2 * seen) / sample.length;
}
