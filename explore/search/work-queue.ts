// Work queue: work items of a search that one worker gives to another, in shared memory.
//
// In memory a work item is the schedule's length, the choice, the choices that sleep, and the schedule.
// Owner: parallel.ts makes the memory. Invariant: everything but the counters and flags is touched under the lock; the
// search is over when nobody is active and the queue is empty.

import { assertDefined } from "../../wasm/assert-defined.ts";
import type { SearchCounts } from "./depth-first.ts";
import type { WorkItem } from "./branch.ts";

const WORD = { lock: 0, count: 1, hungry: 2, active: 3, stop: 4, version: 5 } as const;
const COUNTERS = 16;
const COUNTERS_EACH = 6;
export const WORKERS_MAX = 256;
const SLOTS_FROM = COUNTERS + WORKERS_MAX * COUNTERS_EACH;
const SLOTS = 64;
const SLOT_WORDS = 8192;

export class WorkQueue {
  static newBuffer(): SharedArrayBuffer {
    return new SharedArrayBuffer((SLOTS_FROM + SLOTS * SLOT_WORDS) * 4);
  }

  private readonly words: Int32Array;
  constructor(buffer: SharedArrayBuffer) {
    this.words = new Int32Array(buffer);
  }

  private locked<T>(action: () => T): T {
    while (Atomics.compareExchange(this.words, WORD.lock, 0, 1) !== 0) Atomics.wait(this.words, WORD.lock, 1, 1);
    try {
      return action();
    } finally {
      Atomics.store(this.words, WORD.lock, 0);
      Atomics.notify(this.words, WORD.lock, 1);
    }
  }

  /** Before the workers start: so many of them have work of their own, and will say when it is done. */
  begin(active: number): void {
    this.words[WORD.active] = active;
  }

  /** Is somebody idle whom the queue does not serve yet? */
  get wanted(): boolean {
    return Atomics.load(this.words, WORD.hungry) > Atomics.load(this.words, WORD.count);
  }
  get stopped(): boolean {
    return Atomics.load(this.words, WORD.stop) !== 0;
  }
  stop(): void {
    Atomics.store(this.words, WORD.stop, 1);
    this.wakeAll();
  }

  private wakeAll(): void {
    Atomics.add(this.words, WORD.version, 1);
    Atomics.notify(this.words, WORD.version);
  }

  /** False when there is no room: the giver keeps the item. */
  give(item: WorkItem): boolean {
    if (item.schedule.length + 3 > SLOT_WORDS) return false;
    const given = this.locked(() => {
      const count = assertDefined(this.words[WORD.count]);
      if (count === SLOTS) return false;
      const at = SLOTS_FROM + count * SLOT_WORDS;
      this.words.set([item.schedule.length, item.choice, item.asleep, ...item.schedule], at);
      Atomics.store(this.words, WORD.count, count + 1);
      return true;
    });
    if (given) this.wakeAll();
    return given;
  }

  /** Waits for an item; undefined when the search is over or was stopped. */
  take(): WorkItem | undefined {
    Atomics.add(this.words, WORD.hungry, 1);
    try {
      for (;;) {
        if (this.stopped) return undefined;
        const version = Atomics.load(this.words, WORD.version);
        const found = this.locked((): WorkItem | "wait" | "over" => {
          const count = assertDefined(this.words[WORD.count]);
          if (count === 0) return Atomics.load(this.words, WORD.active) === 0 ? "over" : "wait";
          Atomics.store(this.words, WORD.count, count - 1);
          Atomics.add(this.words, WORD.active, 1);
          return this.itemAt(count - 1);
        });
        if (found === "over") {
          this.wakeAll();
          return undefined;
        }
        if (found !== "wait") return found;
        Atomics.wait(this.words, WORD.version, version, 100);
      }
    } finally {
      Atomics.sub(this.words, WORD.hungry, 1);
    }
  }

  private itemAt(slot: number): WorkItem {
    const at = SLOTS_FROM + slot * SLOT_WORDS;
    const [length, choice, asleep] = this.words.subarray(at, at + 3) as unknown as [number, number, number];
    return { schedule: [...this.words.subarray(at + 3, at + 3 + length)], choice, asleep };
  }

  /** After the workers' end: the work items that were given away and not taken. */
  left(): WorkItem[] {
    return Array.from({ length: assertDefined(this.words[WORD.count]) }, (_, slot) => this.itemAt(slot));
  }

  /** A worker's own work, or the work item that it took, is done. */
  done(): void {
    Atomics.sub(this.words, WORD.active, 1);
    this.wakeAll();
  }

  /** What a worker has done, and where it is. */
  count(worker: number, { states, transitions, depthMax }: SearchCounts, depth: number, frontier: number): void {
    const at = COUNTERS + worker * COUNTERS_EACH;
    Atomics.store(this.words, at, states);
    Atomics.store(this.words, at + 1, transitions % 2 ** 31);
    Atomics.store(this.words, at + 2, Math.floor(transitions / 2 ** 31));
    Atomics.store(this.words, at + 3, depthMax);
    Atomics.store(this.words, at + 4, depth);
    Atomics.store(this.words, at + 5, frontier);
  }

  /** All workers together; the depth is the deepest one's. */
  counted(workers: number): { readonly counts: SearchCounts; readonly depth: number; readonly frontier: number } {
    const counts: SearchCounts = { states: 0, transitions: 0, depthMax: 0 };
    let [depth, frontier] = [0, Atomics.load(this.words, WORD.count)];
    for (let at = COUNTERS; at < COUNTERS + workers * COUNTERS_EACH; at += COUNTERS_EACH) {
      counts.states += assertDefined(this.words[at]);
      counts.transitions += assertDefined(this.words[at + 1]) + assertDefined(this.words[at + 2]) * 2 ** 31;
      counts.depthMax = Math.max(counts.depthMax, assertDefined(this.words[at + 3]));
      depth = Math.max(depth, assertDefined(this.words[at + 4]));
      frontier += assertDefined(this.words[at + 5]);
    }
    return { counts, depth, frontier };
  }
}
