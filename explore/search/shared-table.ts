// Shared table: the table of states that several workers fill together. Same entries as state-table.ts, fixed size.
//
// Owner: resume.ts makes the memory, every worker has its own view. Invariant: an entry is claimed by its low word
// (compare-and-swap from 0); its high word follows, both made non-zero, so whoever meets a claimed entry waits for it.
// Choices are claimed by an atomic or: each is handed out exactly once. The fourth word is cycle-detection.ts's; a new state that
// has choices is held open from the start.
// Pairs with: table-code.ts (the instructions), depth-first.ts.

import { ENTRY_BYTES } from "./state-table.ts";
import type { Table } from "./state-table.ts";
import { FOUND, TABLE_BASE, tableCode } from "./table-code.ts";
import { assertDefined } from "../../wasm/assert-defined.ts";

const LOAD_TENTHS_MAX = 8;
const PAGE_BYTES = 65536;
/** What one wasm memory holds beside the workers' results. */
export const SHARED_BYTES_MAX = 2 ** 31;

/** Memory of a table, as it is sent to workers. */
export interface SharedMemory {
  readonly memory: WebAssembly.Memory;
  /** A power of two. */
  readonly entries: number;
}

/** Throws RangeError where the machine has not so much memory. */
export function newSharedMemory(entries: number): SharedMemory {
  const pages = pagesFor(entries);
  return { memory: new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }), entries };
}

const pagesFor = (entries: number): number =>
  (TABLE_BASE + Math.ceil((entries * ENTRY_BYTES) / PAGE_BYTES) * PAGE_BYTES) / PAGE_BYTES;

/** A table's entries as words: four each. */
export function tableWords({ memory, entries }: SharedMemory): Int32Array {
  return new Int32Array(memory.buffer, TABLE_BASE, (entries * ENTRY_BYTES) / 4);
}

interface TableExports {
  visit(low: number, high: number, wanted: number, results: number): number;
  hold(slot: number, by: number): void;
}

export class SharedTable implements Table {
  readonly words: Int32Array;
  slot = 0;
  fresh = false;
  takenBefore = 0;
  /** New states that this worker found. */
  states = 0;
  private readonly code: TableExports;
  /** This worker's results: their address, and as words. */
  private readonly results: number;
  private readonly found: Int32Array;
  private readonly mask: number;
  /** New states that this worker may still enter before the table counts as full. */
  private readonly statesMax: number;

  /** `worker`: whose view it is, a number of its own for each; `statesBefore` entries are taken. */
  constructor(shared: SharedMemory, worker: number, workers: number, statesBefore = 0) {
    const { memory, entries } = shared;
    this.words = tableWords(shared);
    this.results = worker * 64;
    this.found = new Int32Array(memory.buffer, this.results, 16);
    this.mask = entries - 1;
    this.statesMax = (entries * (LOAD_TENTHS_MAX / 10) - statesBefore) / workers;
    const module = new WebAssembly.Module(tableCode(entries, pagesFor(entries)) as BufferSource);
    this.code = new WebAssembly.Instance(module, { table: { memory } }).exports as unknown as TableExports;
  }

  /** Judged by this worker's share: workers fill the table at about the same rate. */
  get isFull(): boolean {
    return this.states > this.statesMax;
  }
  grow(): boolean {
    return false;
  }

  visit(low: number, high: number, wanted: number): number {
    const { found } = this;
    const explore = this.code.visit(low || 1, high || 1, wanted, this.results);
    this.slot = assertDefined(found[FOUND.slot]);
    this.takenBefore = assertDefined(found[FOUND.takenBefore]);
    this.fresh = found[FOUND.fresh] !== 0;
    if (this.fresh) this.states++;
    return explore;
  }

  /** Changes how many hold a state open. */
  hold(slot: number, by: number): void {
    this.code.hold(slot, by);
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
