// Kernel map: where the tests find things in the kernel's linear memory, and how they read its packed words.
//
// The kernel's own files are AssemblyScript and cannot be imported here, so this says it a second time;
// kernel-map.test.ts holds the two against each other, line by line of the sources.
// Partners: rig.ts, which reads memory with it; kernel/layout.ts, task.ts, hart-local.ts, which it describes.

import { CPUS_MAX, HART_BASE, HART_STRIDE, MAILBOX_CAPACITY, RING_CAPACITY } from "../../abi/layout.ts";
import type { Qos } from "../../abi/qos.ts";

export const GLOBALS = 0x8000;
/** Counts the tasks that have ended. */
export const EXITS = GLOBALS + 128;
export const EVIDENCE = 0x10000;
export const EVIDENCE_STRIDE = 1024;
export const TASKS = 0x20000;
export const TASK_STRIDE = 64;
export const SLEEPERS = 0x30000;
export const SLEEPERS_STRIDE = 1024;
export const SLEEPERS_CAPACITY = 60;
export const BANK_STRIDE = 1024;
export const BANK_SLOTS = 512;
export const MAILBOX_OFFSET = 1024 + 64;
export const MAILBOX_PLACES = 64;
export const COUNTERS_OFFSET = 192;
export const RESCHED_OFFSET = 1024 + 384;
export const STAMP_MAGIC = 0x48425000;

/** Byte offsets of the fields of `Hart` that the tests look at. */
export const HART_FIELDS = {
  ringState: 0,
  occupied: 8,
  hartId: 12,
  stamp: 64,
  cpu: 68,
  doorbell: 72,
  current: 76,
  stolen: 80,
  stolenFrom: 84,
  posted: 88,
  sliceTicks: 92,
  stealsInTick: 96,
  unsentTarget: 100,
  tickDeadline: 104,
  idleSince: 112,
  heldHere: 120,
  isOnWorkMap: 124,
  parkedIdle: 128,
  parkedNormal: 132,
  parkedInteractive: 136,
  parkedPerfBurst: 140,
} as const;

/** One bit a CPU: its run queues may hold tasks. */
export const WORK_MAP = GLOBALS + 448;

/** Byte offsets of `Counters`, from COUNTERS_OFFSET; 64 bits each. */
export const COUNTER_FIELDS = {
  ticks: 0,
  picks: 8,
  steals: 16,
  stealsContended: 24,
  deferredYields: 32,
  identityFallbacks: 40,
  runtimeDenied: 48,
  accepted: 56,
  sent: 64,
  sendsFailed: 72,
  coalesced: 80,
  trapped: 88,
  acked: 96,
  spuriousSoft: 104,
  faults: 112,
  mailWaits: 120,
  parked: 128,
  idleTicks: 136,
  onlineSince: 144,
  migrations: 152,
  wakes: 160,
  ended: 168,
  shown: 176,
} as const;

/** Byte offsets of `Task`. */
export const TASK_FIELDS = {
  word: 0,
  life: 8,
  runs: 16,
  migrations: 24,
  wakes: 32,
  faultAddress: 40,
  exitCode: 48,
  steals: 52,
  incarnation: 56,
  program: 60,
  lastCpu: 62,
  exitReason: 63,
} as const;

/** Bytes of the fields of `Task` that are not 32 bits wide. */
export const TASK_FIELD_BYTES: Readonly<Partial<Record<keyof typeof TASK_FIELDS, 1 | 2 | 8>>> = {
  word: 8,
  life: 8,
  runs: 8,
  migrations: 8,
  wakes: 8,
  faultAddress: 8,
  program: 2,
  lastCpu: 1,
  exitReason: 1,
};

export const TASK_STATE = { Free: 0, Held: 1, Queued: 2, Mailed: 3, Blocked: 4, Exited: 5 } as const;
export type TaskState = (typeof TASK_STATE)[keyof typeof TASK_STATE];

export const SIGNAL = {
  Permit: 1,
  Kill: 2,
  Asleep: 4,
  ChangeQos: 8,
  Woken: 64,
  Expired: 128,
} as const;

/** The last life of an entry of the task table. */
export const LIFE_MAX = 0x7fff_ffff;
/** Requests that may be pending for one CPU. */
export const REQUESTS_PENDING_MAX = 0xffff - CPUS_MAX;

export const ENQUEUE = { Queued: 0, QueueFull: 1, InvalidCpu: 2, Contended: 3 } as const;
export const STEAL = {
  Stolen: 0,
  NothingThere: 1,
  Contended: 2,
  AboveBound: 3,
  BudgetSpent: 4,
  InvalidVictim: 5,
} as const;
export const DRAIN = { Emptied: 0, WaitsForRoom: 1 } as const;
export const YIELD = { Switched: 0, Deferred: 1, Alone: 2 } as const;
export const SLEEP = { Blocked: 0, AlreadyWoken: 1, SleepersFull: 2 } as const;
export const WAKE = { Queued: 0, Posted: 1, Remembered: 2, QueueFull: 3, Contended: 4, NotFound: 5 } as const;
export const QOS_CHANGE = { Updated: 0, NotFound: 1, QueueFull: 2, Contended: 3 } as const;
export const KILL = { Killed: 0, Requested: 1, NotFound: 2, Contended: 3 } as const;
export const RESCHED = {
  Sent: 0,
  Coalesced: 1,
  SendFailed: 2,
  InvalidCpu: 3,
  OfflineCpu: 4,
  TooManyPending: 5,
} as const;
export const TAKE = { Taken: 0, NoPendingRequest: 1 } as const;

export function hartAddress(cpu: number): number {
  return HART_BASE + cpu * HART_STRIDE;
}

export function taskAddress(index: number): number {
  return TASKS + index * TASK_STRIDE;
}

export function ringAddress(cpu: number, qos: Qos): number {
  return hartAddress(cpu) + qos * BANK_STRIDE;
}

export function slotAddress(ring: number, position: number): number {
  return ring + BANK_SLOTS + ((position & (RING_CAPACITY - 1)) << 3);
}

export function placeAddress(cpu: number, position: number): number {
  return hartAddress(cpu) + MAILBOX_OFFSET + MAILBOX_PLACES + ((position & (MAILBOX_CAPACITY - 1)) << 3);
}

/** A task's word, taken apart. */
export interface TaskWord {
  /** Index in the task table. */
  readonly task: number;
  readonly generation: number;
  readonly cpu: number;
  readonly state: number;
  readonly qos: Qos;
}

export function packWord({ task, generation, cpu, state, qos }: TaskWord): bigint {
  const low = (generation << 11) | (cpu << 5) | (state << 2) | qos;
  return (BigInt(taskAddress(task)) << 32n) | BigInt(low >>> 0);
}

export function unpackWord(word: bigint): TaskWord {
  const low = Number(word & 0xffff_ffffn);
  return {
    task: (Number(word >> 32n) - TASKS) / TASK_STRIDE,
    generation: low >>> 11,
    cpu: (low >>> 5) & 63,
    state: (low >>> 2) & 7,
    qos: low & 3,
  };
}

/** A run queue's state word, taken apart. */
export interface RingState {
  /** Tasks ever taken, modulo 2^32. */
  readonly head: number;
  readonly room: number;
  /** Entries announced as tombstones. */
  readonly tombstones: number;
}

export function unpackRing(state: bigint): RingState {
  const low = Number(BigInt.asIntN(32, state));
  const head = Number(BigInt.asUintN(32, (state - BigInt(low)) >> 32n));
  const room = low & 0xffff;
  return { head, room, tombstones: (room - low) / 65536 };
}

export function packRing(state: RingState): bigint {
  return BigInt.asIntN(64, (BigInt(state.head) << 32n) + BigInt(state.room - state.tombstones * 65536));
}

/** A life word, taken apart. */
export interface Life {
  readonly incarnation: number;
  readonly sleeps: number;
  /** SIGNAL bits, and the class asked for in bits 4 and 5. */
  readonly signals: number;
}

export function packLife({ incarnation, sleeps, signals }: Life): bigint {
  return BigInt.asUintN(64, (BigInt(sleeps) << 42n) | (BigInt(incarnation) << 10n) | BigInt(signals));
}

export function unpackLife(life: bigint): Life {
  return {
    incarnation: Number((life >> 10n) & 0xffff_ffffn),
    sleeps: Number(life >> 42n) & 0x3f_ffff,
    signals: Number(life & 0x3ffn),
  };
}

/** A CPU's resched word, taken apart. */
export interface ReschedState {
  readonly taken: number;
  readonly count: number;
  readonly sent: boolean;
  readonly failed: boolean;
}

export function packResched({ taken, count, sent, failed }: ReschedState): bigint {
  return (BigInt(taken) << 18n) | BigInt(count) | (sent ? 0x10000n : 0n) | (failed ? 0x20000n : 0n);
}

export function unpackResched(state: bigint): ReschedState {
  return {
    taken: Number(state >> 18n),
    count: Number(state & 0xffffn),
    sent: (state & 0x10000n) !== 0n,
    failed: (state & 0x20000n) !== 0n,
  };
}

/** Which part of the kernel an address belongs to, in words, for messages. */
export function describeAddress(address: number): string {
  if (address < GLOBALS) return `constant data +${address}`;
  if (address < 0xc000) return `machine-wide words +${address - GLOBALS}`;
  if (address < EVIDENCE) return `console lines +${address - 0xc000}`;
  if (address < TASKS) return describePart("evidence of cpu", address - EVIDENCE, EVIDENCE_STRIDE);
  if (address < SLEEPERS) return describePart("task ", address - TASKS, TASK_STRIDE);
  if (address < HART_BASE) return describePart("sleepers of cpu", address - SLEEPERS, SLEEPERS_STRIDE);
  const cpu = Math.floor((address - HART_BASE) / HART_STRIDE);
  return describeInHart(cpu, (address - HART_BASE) % HART_STRIDE);
}

function describePart(name: string, offset: number, stride: number): string {
  return `${name}${Math.floor(offset / stride)} +${offset % stride}`;
}

function describeInHart(cpu: number, offset: number): string {
  const bank = offset % BANK_STRIDE;
  if (bank >= BANK_SLOTS)
    return `cpu${cpu} slot ${(bank - BANK_SLOTS) >> 3} of class ${Math.floor(offset / BANK_STRIDE)}`;
  if (bank < 8) return `cpu${cpu} queue state of class ${Math.floor(offset / BANK_STRIDE)}`;
  if (offset >= COUNTERS_OFFSET && offset < COUNTERS_OFFSET + 8 * Object.keys(COUNTER_FIELDS).length)
    return `cpu${cpu} counter ${fieldAt(COUNTER_FIELDS, offset - COUNTERS_OFFSET)}`;
  if (offset < BANK_STRIDE) return `cpu${cpu} field ${fieldAt(HART_FIELDS, offset)}`;
  return offset < RESCHED_OFFSET
    ? `cpu${cpu} mailbox +${offset - MAILBOX_OFFSET}`
    : `cpu${cpu} resched +${offset - RESCHED_OFFSET}`;
}

function fieldAt(fields: Readonly<Record<string, number>>, offset: number): string {
  return Object.entries(fields).find(([, at]) => at === offset)?.[0] ?? `+${offset}`;
}
