// Shared table: the table of states that several workers fill together. Same entries as state-table.ts, fixed size.
//
// Owner: parallel.ts makes the memory, every worker has its own view. Invariant: an entry is claimed by its low word
// (compare-and-swap from 0); its high word follows, both made non-zero, so whoever meets a claimed entry waits for it.
// Choices are claimed by an atomic or: each is handed out exactly once.

import type { Table } from "./state-table.ts";
import { certain } from "./certain.ts";

const LOAD_TENTHS_MAX = 8;

export class SharedTable implements Table {
  readonly words: Int32Array;
  slot = 0;
  fresh = false;
  takenBefore = 0;
  /** New states that this worker found. */
  states = 0;
  private readonly mask: number;
  /** New states that this worker may still enter before the table counts as full. */
  private readonly statesMax: number;

  /** `buffer` holds a power of two of entries, `statesBefore` of them taken. */
  constructor(buffer: SharedArrayBuffer, workers: number, statesBefore = 0) {
    this.words = new Int32Array(buffer);
    const entries = this.words.length / 4;
    this.mask = entries - 1;
    this.statesMax = (entries * (LOAD_TENTHS_MAX / 10) - statesBefore) / workers;
  }

  /** Judged by this worker's share: workers fill the table at about the same rate. */
  get isFull(): boolean {
    return this.states > this.statesMax;
  }
  grow(): boolean {
    return false;
  }

  private entry(low: number, high: number): number {
    const { words, mask } = this;
    for (let index = (low ^ (high >>> 7)) & mask; ; index = (index + 1) & mask) {
      const slot = index * 4;
      let there = certain(words[slot]);
      if (there === 0) {
        there = Atomics.compareExchange(words, slot, 0, low);
        if (there === 0) {
          Atomics.store(words, slot + 1, high);
          this.fresh = true;
          this.states++;
          return slot;
        }
      }
      if (there !== low) continue;
      let upper = certain(words[slot + 1]);
      while (upper === 0) upper = Atomics.load(words, slot + 1);
      if (upper === high) return slot;
    }
  }

  visit(low: number, high: number, wanted: number): number {
    this.fresh = false;
    const slot = this.entry(low || 1, high || 1);
    this.slot = slot;
    this.takenBefore = Atomics.or(this.words, slot + 2, wanted);
    return wanted & ~this.takenBefore;
  }

  /** The slot of a state, or -1: while others write, a state that is just being entered may be missed. */
  find(low: number, high: number): number {
    const { words, mask } = this;
    low ||= 1;
    high ||= 1;
    for (let index = (low ^ (high >>> 7)) & mask, probes = 0; probes <= mask; index = (index + 1) & mask, probes++) {
      const slot = index * 4;
      if (words[slot] === low && words[slot + 1] === high) return slot;
      if (words[slot] === 0) return -1;
    }
    return -1;
  }
}
