// Shared table: the table of states that several workers fill together. Same entries as state-table.ts, fixed size.
//
// Owner: parallel.ts makes the memory, every worker has its own view. Invariant: an entry is claimed by its low word
// (compare-and-swap from 0); its high word follows, both made non-zero, so whoever meets a claimed entry waits for it.
// Choices are claimed by an atomic or: each is handed out exactly once. The fourth word is closing.ts's; a new state that
// has choices is held open from the start.

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

  visit(low: number, high: number, wanted: number): number {
    const { words, mask } = this;
    low ||= 1;
    high ||= 1;
    for (let index = (low ^ (high >>> 7)) & mask; ; index = (index + 1) & mask) {
      const slot = index * 4;
      let there = certain(words[slot]);
      if (there === 0) {
        there = Atomics.compareExchange(words, slot, 0, low);
        if (there === 0) {
          // The entry is ours alone until its high word is there.
          words[slot + 2] = wanted;
          words[slot + 3] = wanted === 0 ? 0 : 1;
          Atomics.store(words, slot + 1, high);
          this.states++;
          this.slot = slot;
          this.fresh = true;
          this.takenBefore = 0;
          return wanted;
        }
      }
      if (there !== low) continue;
      let upper = certain(words[slot + 1]);
      while (upper === 0) upper = Atomics.load(words, slot + 1);
      if (upper !== high) continue;
      this.slot = slot;
      this.fresh = false;
      // Choices are only added, so what looks taken is taken.
      const seen = certain(words[slot + 2]);
      this.takenBefore = (wanted & ~seen) === 0 ? seen : Atomics.or(words, slot + 2, wanted);
      return wanted & ~this.takenBefore;
    }
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
