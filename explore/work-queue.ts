// Work queue: pieces of a search that one worker gives to another, in shared memory.
//
// A piece is a schedule, one choice after it, and the choices that sleep there.
// Owner: parallel.ts makes the memory. Invariant: everything but the counters and flags is touched under the lock; the
// search is over when nobody is active and the queue is empty.

import { certain } from "./certain.ts";
import type { Piece } from "./depth-first.ts";

const WORD = { lock: 0, count: 1, hungry: 2, active: 3, stop: 4, version: 5 } as const;
const COUNTERS = 16;
const COUNTERS_EACH = 4;
const SLOTS_FROM = 256;
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

  /** False when there is no room: the giver keeps the piece. */
  give(piece: Piece): boolean {
    if (piece.schedule.length + 3 > SLOT_WORDS) return false;
    const given = this.locked(() => {
      const count = certain(this.words[WORD.count]);
      if (count === SLOTS) return false;
      const at = SLOTS_FROM + count * SLOT_WORDS;
      this.words.set([piece.schedule.length, piece.choice, piece.asleep, ...piece.schedule], at);
      Atomics.store(this.words, WORD.count, count + 1);
      return true;
    });
    if (given) this.wakeAll();
    return given;
  }

  /** Waits for a piece; undefined when the search is over or was stopped. */
  take(): Piece | undefined {
    Atomics.add(this.words, WORD.hungry, 1);
    try {
      for (;;) {
        if (this.stopped) return undefined;
        const version = Atomics.load(this.words, WORD.version);
        const found = this.locked((): Piece | "wait" | "over" => {
          const count = certain(this.words[WORD.count]);
          if (count === 0) return Atomics.load(this.words, WORD.active) === 0 ? "over" : "wait";
          const at = SLOTS_FROM + (count - 1) * SLOT_WORDS;
          Atomics.store(this.words, WORD.count, count - 1);
          Atomics.add(this.words, WORD.active, 1);
          const [length, choice, asleep] = this.words.subarray(at, at + 3) as unknown as [number, number, number];
          return { schedule: [...this.words.subarray(at + 3, at + 3 + length)], choice, asleep };
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

  /** The piece that was taken is done. */
  done(): void {
    Atomics.sub(this.words, WORD.active, 1);
    this.wakeAll();
  }

  count(worker: number, states: number, transitions: number, depth: number): void {
    const at = COUNTERS + worker * COUNTERS_EACH;
    Atomics.store(this.words, at, states);
    Atomics.store(this.words, at + 1, transitions % 2 ** 31);
    Atomics.store(this.words, at + 2, Math.floor(transitions / 2 ** 31));
    if (depth > certain(this.words[at + 3])) Atomics.store(this.words, at + 3, depth);
  }
  counted(workers: number): { states: number; transitions: number; depthMax: number } {
    const sum = { states: 0, transitions: 0, depthMax: 0 };
    for (let at = COUNTERS; at < COUNTERS + workers * COUNTERS_EACH; at += COUNTERS_EACH) {
      sum.states += certain(this.words[at]);
      sum.transitions += certain(this.words[at + 1]) + certain(this.words[at + 2]) * 2 ** 31;
      sum.depthMax = Math.max(sum.depthMax, certain(this.words[at + 3]));
    }
    return sum;
  }
}
