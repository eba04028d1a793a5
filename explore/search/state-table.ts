// State table: the fingerprints seen so far, each with the choices that were taken from it.
//
// An entry is four 32-bit words: fingerprint (low, high), taken choices, and a mark that the search sets.
// Owner: one search. Invariant: open addressing with linear probing, load at most 7/10; (0, 0) means free.
// Pairs with: depth-first.ts, components.ts, breadth-first.ts. shared-table.ts is its twin for several workers.

import { assertDefined } from "../../wasm/assert-defined.ts";

export const ENTRY_BYTES = 16;

/** What a search needs of a table; visiting sets slot, fresh and takenBefore. */
export interface Table {
  readonly words: Int32Array;
  readonly states: number;
  readonly slot: number;
  readonly fresh: boolean;
  readonly takenBefore: number;
  readonly isFull: boolean;
  visit(low: number, high: number, wanted: number): number;
  find(low: number, high: number): number;
  grow(): boolean;
}

const ENTRIES_AT_FIRST = 1 << 17;

const entriesMax = (bytesMax: number): number => 2 ** Math.floor(Math.log2(Math.max(bytesMax / ENTRY_BYTES, 16)));

/** Undefined when the machine does not give so much. */
function allocated(bytes: number): Int32Array<ArrayBuffer> | undefined {
  try {
    return new Int32Array(bytes / 4);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** How many states a table of so many bytes takes at most. */
export const statesMax = (bytesMax: number): number => Math.floor(entriesMax(bytesMax) * 0.7);

export class StateTable implements Table {
  words: Int32Array;
  states = 0;
  /** Where the last visited state lies; its mark is word 3 from there. */
  slot = 0;
  /** Was the last visited state new? */
  fresh = false;
  /** The choices that were taken from the last visited state before this visit. */
  takenBefore = 0;
  private mask: number;
  private readonly bytesMax: number;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
    this.words = new Int32Array(4 * Math.min(entriesMax(bytesMax), ENTRIES_AT_FIRST));
    this.mask = this.words.length / 4 - 1;
  }

  get isFull(): boolean {
    return this.states * 10 > (this.mask + 1) * 7;
  }

  clear(): void {
    this.words.fill(0);
    this.states = 0;
  }

  /** Finds or makes the entry; returns those of the wanted choices that were not taken from it before, and takes them. */
  visit(low: number, high: number, wanted: number): number {
    if ((low | high) === 0) low = 1;
    const { words, mask } = this;
    for (let index = (low ^ (high >>> 7)) & mask; ; index = (index + 1) & mask) {
      const slot = index * 4;
      const there = assertDefined(words[slot]);
      if (there === low && words[slot + 1] === high) {
        this.slot = slot;
        this.fresh = false;
        const taken = assertDefined(words[slot + 2]);
        this.takenBefore = taken;
        words[slot + 2] = taken | wanted;
        return wanted & ~taken;
      }
      if (there === 0 && words[slot + 1] === 0) {
        words[slot] = low;
        words[slot + 1] = high;
        words[slot + 2] = wanted;
        this.slot = slot;
        this.fresh = true;
        this.takenBefore = 0;
        this.states++;
        return wanted;
      }
    }
  }

  /** The slot of a state that is in the table. */
  find(low: number, high: number): number {
    if ((low | high) === 0) low = 1;
    const { words, mask } = this;
    for (let index = (low ^ (high >>> 7)) & mask; ; index = (index + 1) & mask) {
      const slot = index * 4;
      if (words[slot] === low && words[slot + 1] === high) return slot;
      if ((assertDefined(words[slot]) | assertDefined(words[slot + 1])) === 0) return -1;
    }
  }

  /** Makes the table four times as large, or twice; false when that would pass the bound, or what the machine gives. */
  grow(): boolean {
    const four = this.words.length * 4 * 4;
    const bytes = four <= this.bytesMax ? four : four / 2;
    if (bytes > this.bytesMax) return false;
    const old = this.words;
    const words = allocated(bytes);
    if (!words) return false;
    const mask = words.length / 4 - 1;
    for (let from = 0; from < old.length; from += 4) {
      const low = assertDefined(old[from]);
      const high = assertDefined(old[from + 1]);
      if ((low | high) === 0) continue;
      let index = (low ^ (high >>> 7)) & mask;
      while ((assertDefined(words[index * 4]) | assertDefined(words[index * 4 + 1])) !== 0) index = (index + 1) & mask;
      words[index * 4] = low;
      words[index * 4 + 1] = high;
      words[index * 4 + 2] = assertDefined(old[from + 2]);
      words[index * 4 + 3] = assertDefined(old[from + 3]);
    }
    this.words = words;
    this.mask = mask;
    return true;
  }
}
