// Cycle detection: reports whether the states that several workers meet contain a cycle, while they search.
//
// A state is closed when every choice taken from it has led to a closed state. Where all states close there is no cycle:
// each state closed after all that follow it. A state whose turn is over while one of its successors is still open, with
// another worker or further up, waits for it; what waits to the end for each other is a cycle, or counts as one.
// The fourth word of a state's entry counts who holds it open: searches that have it on their way, work items that were given
// away from it, and those that wait.
// Owner: one worker, which closes what it opened. Invariant: the count is 0 only while nobody holds the state open.
// Pairs with: depth-first.ts (opens, meets, closes), shared-table.ts (the words), parallel.ts (asks at the end).

import { assertDefined } from "../../wasm/assert-defined.ts";

/** One opening of a state that waits for others; states by their slots in the table. */
export interface Waiting {
  readonly slot: number;
  readonly waitsFor: readonly number[];
}

/** The entries of a table, four words each, and how the last of them is changed, atomically. */
export interface OpenCounts {
  readonly words: Int32Array;
  readonly hold: (slot: number, by: number) => void;
}

const OPEN = 3;
const WAITING_MAX = 1 << 18;
const RESOLVE_AFTER_LEAST = 1 << 8;

export class CycleDetection {
  private readonly table: OpenCounts;
  private slots = new Int32Array(1 << 12);
  /** By level: open states that were met from it. */
  private readonly met = new Map<number, number[]>();
  private list: Waiting[] = [];
  /** States that will be closed before what waits is looked at again: as many as wait, so that it costs little each. */
  private untilResolve = RESOLVE_AFTER_LEAST;
  private hasGivenUp = false;

  constructor(table: OpenCounts) {
    this.table = table;
  }

  /** What still waits; undefined: too much to keep, so there may be a cycle. */
  get waiting(): readonly Waiting[] | undefined {
    this.resolve();
    return this.hasGivenUp ? undefined : this.list;
  }

  /** There is a cycle, or it is too much to decide. */
  giveUp(): void {
    this.hasGivenUp = true;
    this.list = [];
  }

  /** A search puts a state on its way, at a level. `isCounted`: it is held open for this search already. */
  open(level: number, slot: number, isCounted: boolean): void {
    if (!isCounted) this.table.hold(slot, 1);
    if (level >= this.slots.length) {
      const slots = new Int32Array(this.slots.length * 2);
      slots.set(this.slots);
      this.slots = slots;
    }
    this.slots[level] = slot;
  }

  /** From a level's state a choice led to one that there is nothing left to do in. */
  meet(level: number, slot: number): void {
    if (this.table.words[slot + OPEN] === 0) return;
    const met = this.met.get(level);
    if (met) met.push(slot);
    else this.met.set(level, [slot]);
  }

  /** Holds a level's state open for a work item that is given away, or no longer. */
  hold(level: number, by: 1 | -1): void {
    this.table.hold(assertDefined(this.slots[level]), by);
  }

  /** The level's turn is over. */
  close(level: number): void {
    const slot = assertDefined(this.slots[level]);
    const met = this.met.get(level);
    if (met) this.met.delete(level);
    const waitsFor = met?.filter((other) => this.isOpen(other)) ?? [];
    if (waitsFor.length === 0) this.table.hold(slot, -1);
    else this.wait({ slot, waitsFor });
    if (level > 0) this.meet(level - 1, slot);
    if (--this.untilResolve > 0 || this.list.length === 0) return;
    this.resolve();
    this.untilResolve = Math.max(RESOLVE_AFTER_LEAST, this.list.length);
  }

  private isOpen(slot: number): boolean {
    return Atomics.load(this.table.words, slot + OPEN) !== 0;
  }

  private wait(waiting: Waiting): void {
    if (this.hasGivenUp) return;
    this.list.push(waiting);
    if (this.list.length > WAITING_MAX) this.giveUp();
  }

  /** Closes what waits for nothing any more; successors come first in the list. */
  private resolve(): void {
    this.list = this.list.filter(({ slot, waitsFor }) => {
      if (waitsFor.some((other) => this.isOpen(other))) return true;
      this.table.hold(slot, -1);
      return false;
    });
  }
}

/** After all workers have ended: may there be a cycle among the states of a table? */
export function mayCycle(words: Int32Array, reports: readonly (readonly Waiting[] | undefined)[]): boolean {
  if (reports.some((waiting) => waiting === undefined)) return true;
  let left = reports.flatMap((waiting) => waiting ?? []);
  for (;;) {
    const rest = left.filter(({ slot, waitsFor }) => {
      if (waitsFor.some((other) => words[other + OPEN] !== 0)) return true;
      words[slot + OPEN] = assertDefined(words[slot + OPEN]) - 1;
      return false;
    });
    if (rest.length === left.length) return rest.length > 0;
    left = rest;
  }
}
