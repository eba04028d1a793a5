// Queue look: which tasks became entries of a hart's run queues since the last look.
//
// A queue's tail moves only by its owner's hand, so what was queued lies between the tails of two looks. Dropping
// tombstones writes the entries that stay behind the tail again: those were in the queue before, and are no news.
// Owner: observer.ts. Invariant: asked at each trap's entry and end, so that no more than a queue's slots have moved.
// Not seen: what the kernel compacts in the trap in which another hart makes the tombstone, where the queue was full.

import { RING_CAPACITY } from "../../abi/layout.ts";
import { QOS_COUNT } from "../../abi/qos.ts";
import { HART_PARKED_IDLE } from "../kernel-fields.ts";
import { hartAddress, type KernelView, ringAddress, type Word } from "./kernel-view.ts";

/** A task that was queued; its address is the word's high half. */
export interface Push {
  readonly task: number;
  readonly word: Word;
  readonly qos: number;
}

export interface QueueNews {
  readonly pushes: readonly Push[];
  /** Tasks in each queue now. */
  readonly depths: readonly [number, number, number, number];
  /** Entries that were written over before this look. */
  readonly lost: number;
}

/** One queue as it was. */
interface Before {
  head: number;
  tail: number;
  /** The entries between, where they may be written over. */
  entries: readonly Word[] | null;
}

export class QueueLook {
  private readonly queues: Before[];

  constructor(
    private readonly view: KernelView,
    private readonly cpu: number,
  ) {
    this.queues = Array.from({ length: QOS_COUNT }, () => ({ head: 0, tail: 0, entries: null }));
  }

  /** At a trap's entry. all: its call may make tombstones here. */
  remember(all: boolean): void {
    for (let qos = 0; qos < QOS_COUNT; qos++) {
      const queue = this.queueAt(qos);
      const ring = ringAddress(this.cpu, qos);
      queue.entries = null;
      if (!all && this.view.ring(ring).tombstones === 0) continue;
      queue.entries = this.entriesOf(ring, queue.head, queue.tail);
    }
  }

  /** What is new at a trap's end. */
  news(): QueueNews {
    const pushes: Push[] = [];
    const depths: [number, number, number, number] = [0, 0, 0, 0];
    let lost = 0;
    for (let qos = 0; qos < QOS_COUNT; qos++) {
      const queue = this.queueAt(qos);
      const ring = ringAddress(this.cpu, qos);
      const now = this.view.ring(ring);
      const count = (now.tail - queue.tail) | 0;
      const fresh = Math.min(count, RING_CAPACITY);
      lost += count - fresh;
      if (fresh > 0) {
        const before = queue.entries ?? this.entriesOf(ring, queue.head, queue.tail);
        for (const word of this.entriesOf(ring, now.tail - fresh, now.tail)) {
          if (!before.some((one) => isSame(one, word))) pushes.push({ task: word.high, word, qos });
        }
      }
      queue.head = now.head;
      queue.tail = now.tail;
      depths[qos] = now.length - (now.tombstones - this.parkedMarks(qos));
    }
    return { pushes, depths, lost };
  }

  /** 1 where a tombstone stands for parked tasks. */
  private parkedMarks(qos: number): number {
    return this.view.i32(hartAddress(this.cpu) + HART_PARKED_IDLE + 4 * qos) === 0 ? 0 : 1;
  }

  private entriesOf(ring: number, head: number, tail: number): Word[] {
    const entries: Word[] = [];
    for (let position = head; position !== tail; position = (position + 1) | 0) {
      entries.push(this.view.slot(ring, position));
    }
    return entries;
  }

  private queueAt(qos: number): Before {
    const queue = this.queues[qos];
    if (queue === undefined) throw new Error(`no class ${qos}`);
    return queue;
  }
}

function isSame(one: Word, other: Word): boolean {
  return one.high === other.high && one.low === other.low;
}
