// Kernel view: reads the kernel's memory as an observer does, from outside and without changing it.
//
// Owner: none. Partners: kernel/layout.ts and kernel-fields.ts (where things lie); observer.ts, which looks.

import { HART_BASE, HART_STRIDE, RING_CAPACITY } from "../../abi/layout.ts";
import { BANK_SLOTS, BANK_STRIDE_LOG2, TASK_STRIDE_LOG2, TASKS_BASE } from "../../kernel/layout.ts";
import { TASK_LIFE } from "../kernel-fields.ts";

/** A word of 64 bits, in halves. */
export interface Word {
  readonly high: number;
  readonly low: number;
}

/** A run queue's state word, taken apart. */
export interface RingLook {
  /** Tasks ever taken, modulo 2^32. */
  readonly head: number;
  /** Tasks ever queued, modulo 2^32. */
  readonly tail: number;
  readonly length: number;
  /** Entries announced as tombstones; one more stands for parked tasks. */
  readonly tombstones: number;
}

/** A task's life word, taken apart. */
export interface LifeLook {
  readonly incarnation: number;
  readonly sleeps: number;
  readonly signals: number;
}

const ROOM_MASK = 0xffff;
const ID_INCARNATION = 1024;
const WORD_HALF = 0x1_0000_0000;

export class KernelView {
  private readonly data: DataView;

  constructor(bytes: Uint8Array) {
    this.data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  i32(address: number): number {
    return this.data.getInt32(address, true);
  }

  i16(address: number): number {
    return this.data.getInt16(address, true);
  }

  u8(address: number): number {
    return this.data.getUint8(address);
  }

  word(address: number): Word {
    return { high: this.data.getInt32(address + 4, true), low: this.data.getInt32(address, true) };
  }

  /** A number of 64 bits that is below 2^53. */
  number(address: number): number {
    return this.data.getInt32(address + 4, true) * WORD_HALF + this.data.getUint32(address, true);
  }

  ring(address: number): RingLook {
    const { high, low } = this.word(address);
    // A negative low half has borrowed from the head.
    const head = (high + (low < 0 ? 1 : 0)) | 0;
    const length = RING_CAPACITY - (low & ROOM_MASK);
    return { head, tail: (head + length) | 0, length, tombstones: ((low & ROOM_MASK) - low) >> 16 };
  }

  slot(ring: number, position: number): Word {
    return this.word(ring + BANK_SLOTS + ((position & (RING_CAPACITY - 1)) << 3));
  }

  life(task: number): LifeLook {
    const { high, low } = this.word(task + TASK_LIFE);
    // Bits 10 to 41, and those above.
    const incarnation = ((low >>> 10) | ((high & 0x3ff) << 22)) >>> 0;
    return { incarnation, sleeps: high >>> 10, signals: low & 0x3ff };
  }

  /** The id of the task at an address, in its present life. */
  idOf(task: number): number {
    return indexOf(task) + this.life(task).incarnation * ID_INCARNATION;
  }
}

export function hartAddress(cpu: number): number {
  return HART_BASE + cpu * HART_STRIDE;
}

export function ringAddress(cpu: number, qos: number): number {
  return hartAddress(cpu) + (qos << BANK_STRIDE_LOG2);
}

export function taskAddress(index: number): number {
  return TASKS_BASE + (index << TASK_STRIDE_LOG2);
}

export function indexOf(task: number): number {
  return (task - TASKS_BASE) >> TASK_STRIDE_LOG2;
}

/** Of an id: the entry's index, and which of its lives. */
export function lifeOfId(id: number): { readonly index: number; readonly incarnation: number } {
  return { index: id % ID_INCARNATION, incarnation: Math.floor(id / ID_INCARNATION) };
}

/** Of a task's word. */
export function stateOf(word: Word): number {
  return (word.low >> 2) & 7;
}

export function cpuOf(word: Word): number {
  return (word.low >> 5) & 63;
}

export function qosOf(word: Word): number {
  return word.low & 3;
}
