// Depth first: visits every state, taking back each step through the undo log.
//
// Owner: one run. Invariant: undone to the deepest level's mark, the program is in that level's state.
// Sleep sets (Godefroid, LNCS 1032, 1996): a choice sleeps below a sibling that was taken before it, as long as only
// independent choices follow. The table remembers which choices were taken from a state, so a state met again is explored
// for the missing ones only, and what was taken at an earlier visit does not sleep in this one. With that rule every state is reached whatever the order
// of visits: take a sequence from a state, and among the choices that could come first in it those that were claimed last;
// below the first explored of these no other of them sleeps. So several workers may share a table.
// Pairs with: program.ts (steps), state-table.ts (what was seen), search-alone.ts and worker.ts (run it).

import type { Branch, WorkItem } from "./branch.ts";
import type { CycleDetection } from "./cycle-detection.ts";
import type { Program } from "../program/program.ts";
import { CONTROL } from "../instrument/engine-layout.ts";
import type { Table } from "./state-table.ts";
import { Symmetry } from "./symmetry.ts";
import type { Violation } from "../program/violation.ts";
import { assertDefined } from "../../wasm/assert-defined.ts";

export interface SearchCounts {
  states: number;
  transitions: number;
  depthMax: number;
}

export type DepthFirstOutcome =
  /** `cut`: the bound on preemptions left something out. */
  | { readonly kind: "exhausted"; readonly cycles: boolean; readonly cut: boolean }
  | {
      readonly kind: "violated";
      readonly violation: Violation;
      readonly schedule: readonly number[];
      readonly known: readonly number[];
    }
  | { readonly kind: "restart" }
  | { readonly kind: "stopped"; readonly reason: "memory" | "depth" | "interrupted" | "transitions" };

export interface DepthFirstOptions {
  readonly sleepSets: boolean;
  readonly mergeStates: boolean;
  readonly transitionsMax: number;
  /** Takes only schedules with at most so many switches away from a thread that could go on. Turns sleep sets off. */
  readonly preemptionsMax?: number;
  /** Collects the memory sums of final states. */
  readonly finals?: Set<string>;
  /** Takes over part of the work, when somebody else is idle. */
  readonly share?: Share;
  /** With several workers, who cannot see each other's ways: finds out whether there may be cycles. */
  readonly cycleDetection?: CycleDetection;
  /** Called now and then; false stops the search. */
  readonly onProgress?: (counts: SearchCounts, depth: number, frontier: number) => boolean;
}

/** Where work items go that this search gives away. */
export interface Share {
  readonly wanted: () => boolean;
  /** False when it cannot be taken over. */
  readonly give: (item: WorkItem) => boolean;
}

const PROGRESS_EVERY = 1 << 16;
const SHARE_EVERY = 1 << 7;

export class DepthFirst {
  readonly counts: SearchCounts = { states: 0, transitions: 0, depthMax: 0 };
  private readonly program: Program;
  private readonly table: Table;
  private readonly options: DepthFirstOptions;
  private readonly symmetry: Symmetry;
  // One entry a level; `marks` is the log position of the level's state, undone to before each of its choices.
  private marks = new Int32Array(1 << 12);
  private todo = new Int32Array(1 << 12);
  private asleep = new Int32Array(1 << 12);
  private taken = new Int32Array(1 << 12);
  private lows = new Int32Array(1 << 12);
  private highs = new Int32Array(1 << 12);
  /** 1 where words that a check reads have changed since the invariant was last asked on the way. */
  private unchecked = new Int32Array(1 << 12);
  private depth = 0;
  private cycles = false;
  private cut = false;
  /** Transitions at which to look up from the work. */
  private nextCheck = 0;
  private nextProgress = PROGRESS_EVERY;
  /** Preemptions on the way to each level. */
  private preemptions = new Int32Array(1 << 12);
  private available = new Int32Array(1 << 12);
  private prefix: readonly number[] = [];

  constructor(program: Program, table: Table, options: DepthFirstOptions) {
    this.program = program;
    this.table = table;
    this.options = options;
    this.symmetry = new Symmetry(program);
  }

  /** Were there steps back to a state on the way? */
  get cyclesSeen(): boolean {
    return this.cycles;
  }
  /** Choices from the root to the deepest state that was opened. */
  get scheduleMax(): number {
    return this.prefix.length + this.counts.depthMax;
  }

  /** Goes from the program's root to where a branch ends, and explores what is left along it. */
  runBranch({ schedule, todo, asleep }: Branch): DepthFirstOutcome {
    const { program, table } = this;
    const prefixLength = Math.min(schedule.length, schedule.length + 1 - todo.length);
    this.prefix = schedule.slice(0, prefixLength);
    for (const choice of this.prefix) this.goAlong(choice);
    if (todo.length === 0) return this.run(this.prefix);
    for (const [level, choices] of todo.entries()) {
      const { low, high } = program;
      const slot = this.options.mergeStates ? table.find(low, high) : -1;
      if (this.options.cycleDetection) this.options.cycleDetection.open(level, slot, true);
      else if (slot >= 0) table.words[slot + 3] = level + 1;
      // Which words the checks read is known by asking only, and nobody has been asked here yet.
      this.open(low, high, choices, assertDefined(asleep[level]), true);
      if (level + 1 === todo.length) break;
      const choice = assertDefined(schedule[prefixLength + level]);
      this.taken[level] = choice;
      this.goAlong(choice);
    }
    return this.goOn();
  }

  /** One choice of a branch that another search has made. A choice that cannot be made leads to no state at all. */
  private goAlong(choice: number): void {
    if (((this.program.enabled >>> choice) & 1) === 0)
      throw new Error(`a branch of the search does not fit: choice ${choice} cannot be made`);
    this.program.apply(choice);
  }

  /** Explores everything below the state that `prefix`, applied already, leads to. */
  run(prefix: readonly number[]): DepthFirstOutcome {
    this.prefix = prefix;
    const rootViolation = this.enter(0, true);
    return rootViolation ? this.violated(rootViolation, 0) : this.goOn();
  }

  private goOn(): DepthFirstOutcome {
    const { program, counts, options } = this;
    const { i32 } = program;
    const useSleep = options.sleepSets && options.preemptionsMax === undefined;
    while (this.depth > 0) {
      if (counts.transitions >= this.nextCheck) {
        const stopped = this.check();
        if (stopped) return stopped;
      }
      const level = this.depth - 1;
      const todo = assertDefined(this.todo[level]);
      if (todo === 0) {
        this.depth--;
        options.cycleDetection?.close(level);
        continue;
      }
      const bit = todo & -todo;
      const choice = 31 - Math.clz32(bit);
      this.todo[level] = todo ^ bit;
      this.taken[level] = choice;
      const sleeping = useSleep ? assertDefined(this.asleep[level]) : 0;
      const violation = program.applyFrom(assertDefined(this.marks[level]), choice, sleeping);
      counts.transitions++;
      if (violation) return this.violated(violation, this.depth);
      if (i32[CONTROL.raceTrackedNew >> 2] !== 0) return { kind: "restart" };
      if (
        i32[CONTROL.fingerprint >> 2] === this.lows[level] &&
        i32[(CONTROL.fingerprint >> 2) + 1] === this.highs[level] &&
        options.mergeStates
      ) {
        this.cycles = true;
        options.cycleDetection?.giveUp();
        if (useSleep) this.asleep[level] = assertDefined(this.asleep[level]) | bit;
        continue;
      }
      let sleep = 0;
      if (useSleep) {
        sleep = sleeping & program.commuting & ~(0x10001 << (choice & 15));
        this.asleep[level] = sleeping | bit;
      }
      const bad = this.enter(sleep, program.touched || this.unchecked[level] === 1);
      if (bad) return this.violated(bad, level + 1);
      if (this.table.isFull && !this.table.grow()) return { kind: "stopped", reason: "memory" };
      if (program.logIsFull) return { kind: "stopped", reason: "depth" };
    }
    if (program.words.contendChecked()) return { kind: "restart" };
    // With bounded preemptions a state is several entries, so a cycle may go unseen.
    const cycles = this.cycles || options.preemptionsMax !== undefined;
    return { kind: "exhausted", cycles, cut: this.cut };
  }

  /** Looks at the state just reached; opens a level when something is left to do there. */
  private enter(sleep: number, unchecked: boolean): Violation | undefined {
    const { program, table, counts, options } = this;
    const { i32 } = program;
    const low = assertDefined(i32[CONTROL.fingerprint >> 2]);
    const high = assertDefined(i32[(CONTROL.fingerprint >> 2) + 1]);
    const choices = assertDefined(i32[CONTROL.choices >> 2]);
    let explore = choices & ~sleep;
    let fresh = true;
    if (options.preemptionsMax !== undefined) {
      ({ explore, fresh } = this.bounded(low, high, choices, options.preemptionsMax));
    } else if (options.mergeStates) {
      if (this.symmetry.trivial) {
        explore = table.visit(low, high, explore);
        sleep &= ~table.takenBefore;
      } else {
        explore = this.symmetry.restore(table.visit(low, high, this.symmetry.apply(explore)));
        sleep &= ~this.symmetry.restore(table.takenBefore);
      }
      fresh = table.fresh;
    }
    if (fresh) {
      counts.states++;
      const violation = program.judge(!unchecked);
      if (violation) return violation;
      unchecked = false;
      if (choices === 0) options.finals?.add(program.memorySum);
    } else if (
      !options.cycleDetection &&
      options.mergeStates &&
      this.isOpen(table.words[table.slot + 3] ?? 0, low, high)
    )
      this.cycles = true;
    if (explore !== 0 || this.depth === 0) {
      // Where it was opened last: never taken back, because a look at that level reports whether it is still open.
      if (options.cycleDetection) options.cycleDetection.open(this.depth, table.slot, fresh && explore !== 0);
      else if (options.mergeStates) table.words[table.slot + 3] = this.depth + 1;
      this.open(low, high, explore, sleep, unchecked);
    } else options.cycleDetection?.meet(this.depth - 1, table.slot);
    return undefined;
  }

  /** The choices within the bound. A state counts as another when the last thread or the preemptions so far differ. */
  private bounded(
    low: number,
    high: number,
    choices: number,
    preemptionsMax: number,
  ): { explore: number; fresh: boolean } {
    const level = this.depth - 1;
    let used = 0;
    let explore = choices;
    let last = 16;
    if (level >= 0) {
      const before = level > 0 ? assertDefined(this.taken[level - 1]) & 15 : 16;
      last = assertDefined(this.taken[level]) & 15;
      used =
        assertDefined(this.preemptions[level]) +
        (before !== last && before < 16 && (assertDefined(this.available[level]) & (0x10001 << before)) !== 0 ? 1 : 0);
      const own = choices & (0x10001 << last);
      if (used >= preemptionsMax && own !== 0 && own !== choices) {
        this.cut = true;
        explore = own;
      }
    }
    this.preemptions[this.depth] = used;
    this.available[this.depth] = choices;
    explore = this.table.visit(low ^ Math.imul(last + 1, 0x9e3779b1), high ^ Math.imul(used + 1, 0x85ebca6b), explore);
    return { explore, fresh: this.table.fresh };
  }

  private open(low: number, high: number, todo: number, asleep: number, unchecked: boolean): void {
    const level = this.depth++;
    if (this.depth >= this.marks.length) this.widen();
    this.marks[level] = this.program.mark;
    this.lows[level] = low;
    this.highs[level] = high;
    this.todo[level] = todo;
    this.asleep[level] = asleep;
    this.unchecked[level] = unchecked ? 1 : 0;
    if (this.depth > this.counts.depthMax) this.counts.depthMax = this.depth;
  }

  /** Is the state, opened last at a level (counted from 1), on the way to where the search is now? */
  private isOpen(level: number, low: number, high: number): boolean {
    return level > 0 && level <= this.depth && this.lows[level - 1] === low && this.highs[level - 1] === high;
  }

  private widen(): void {
    const double = (array: Int32Array): Int32Array<ArrayBuffer> => {
      const bigger = new Int32Array(array.length * 2);
      bigger.set(array);
      return bigger;
    };
    this.marks = double(this.marks);
    this.todo = double(this.todo);
    this.asleep = double(this.asleep);
    this.taken = double(this.taken);
    this.lows = double(this.lows);
    this.highs = double(this.highs);
    this.unchecked = double(this.unchecked);
    this.preemptions = double(this.preemptions);
    this.available = double(this.available);
  }

  private check(): DepthFirstOutcome | undefined {
    const { counts, options } = this;
    if (counts.transitions >= options.transitionsMax) return { kind: "stopped", reason: "transitions" };
    if (options.share?.wanted()) this.giveAway(options.share);
    if (counts.transitions >= this.nextProgress) {
      this.nextProgress = counts.transitions + PROGRESS_EVERY;
      if (this.program.words.contendChecked()) return { kind: "restart" };
      if (options.onProgress && !options.onProgress(counts, this.depth, this.frontier()))
        return { kind: "stopped", reason: "interrupted" };
    }
    const next = options.share ? counts.transitions + SHARE_EVERY : this.nextProgress;
    this.nextCheck = Math.min(next, options.transitionsMax);
    return undefined;
  }

  /** What a stopped search has left to do. */
  left(): Branch {
    const { prefix, depth } = this;
    return {
      schedule: [...prefix, ...this.taken.subarray(0, depth - 1)],
      todo: [...this.todo.subarray(0, depth)],
      asleep: [...this.asleep.subarray(0, depth)],
    };
  }

  /** Gives away one choice of the shallowest level that has some left; here it counts as taken. */
  private giveAway(share: Share): void {
    for (let level = 0; level < this.depth; level++) {
      const todo = assertDefined(this.todo[level]);
      if (todo === 0) continue;
      const bit = todo & -todo;
      const schedule = [...this.prefix, ...this.taken.subarray(0, level)];
      // Held before somebody may take the item: who does closes the state once more.
      this.options.cycleDetection?.hold(level, 1);
      if (!share.give({ schedule, choice: 31 - Math.clz32(bit), asleep: assertDefined(this.asleep[level]) })) {
        this.options.cycleDetection?.hold(level, -1);
        return;
      }
      this.todo[level] = todo ^ bit;
      if (this.options.sleepSets) this.asleep[level] = assertDefined(this.asleep[level]) | bit;
      return;
    }
  }

  private frontier(): number {
    let open = 0;
    for (let level = 0; level < this.depth; level++) open += bitCount(assertDefined(this.todo[level]));
    return open;
  }

  /** The choices that led here, the last one included. */
  private violated(violation: Violation, steps: number): DepthFirstOutcome {
    const schedule = [...this.prefix, ...this.taken.subarray(0, steps)];
    return { kind: "violated", violation, schedule, known: this.program.words.known };
  }
}

function bitCount(bits: number): number {
  let count = 0;
  for (let rest = bits; rest !== 0; rest &= rest - 1) count++;
  return count;
}
