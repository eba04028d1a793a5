// Kernel map: where the tests find things in the kernel's linear memory, and how they read its packed words.
//
// Addresses are kernel/layout.ts's, offsets of fields those of the kernel's classes. Outcomes and packed words are stated
// here a second time; kernel-map.test.ts holds the outcomes against the sources.
// Partners: rig.ts, which reads memory with it; kernel/layout.ts, task.ts, hart-local.ts, which it describes.

import { CPUS_MAX, HART_BASE, HART_STRIDE, MAILBOX_CAPACITY, RING_CAPACITY } from "../../abi/layout.ts";
import { Qos } from "../../abi/qos.ts";
import {
  BANK_SLOTS,
  BANK_STRIDE_LOG2,
  COUNTERS_OFFSET,
  EVIDENCE_BASE,
  EVIDENCE_STRIDE_LOG2,
  GLOBALS_BASE,
  LINES_BASE,
  MAILBOX_OFFSET,
  RESCHED_OFFSET,
  SLEEPERS_BASE,
  SLEEPERS_STRIDE_LOG2,
  TASK_STRIDE_LOG2,
  TASKS_BASE,
} from "../../kernel/layout.ts";
import { fieldsOf } from "../../toolchain/class-layout.ts";

export {
  BANK_SLOTS,
  COUNTERS_OFFSET,
  MAILBOX_OFFSET,
  ORDER_OFFSET,
  RESCHED_OFFSET,
  WORK_MAP,
} from "../../kernel/layout.ts";

/** The QoS classes, lowest first. */
export const QOS_CLASSES = [Qos.Idle, Qos.Normal, Qos.Interactive, Qos.PerfBurst] as const;
/** A deadline that no check reaches. */
export const FAR_DEADLINE = 1n << 60n;

export const GLOBALS = GLOBALS_BASE;
/** Counts the tasks that have ended. */
export const EXITS = GLOBALS + 128;
/** Where the selftest keeps its step, the step that makes the tasks and the one that waits for them to end. */
export const SELFTEST_STEP = GLOBALS + 256;
export const STEP_TASKS = 9;
export const STEP_TASKS_END = 10;
export const EVIDENCE = EVIDENCE_BASE;
export const EVIDENCE_STRIDE = 1 << EVIDENCE_STRIDE_LOG2;
export const TASKS = TASKS_BASE;
export const TASK_STRIDE = 1 << TASK_STRIDE_LOG2;
export const SLEEPERS = SLEEPERS_BASE;
export const SLEEPERS_STRIDE = 1 << SLEEPERS_STRIDE_LOG2;
/** Of the number of the last event about a CPU, and of the last request that it acknowledged, in its region. */
export const LAST_EVENT_OFFSET = RESCHED_OFFSET + 8;
export const ACKED_OFFSET = RESCHED_OFFSET + 24;
export const SLEEPERS_CAPACITY = 60;
export const BANK_STRIDE = 1 << BANK_STRIDE_LOG2;
export const MAILBOX_PLACES = 64;
export const STAMP_MAGIC = 0x48425000;

/** Offsets of these fields of a class of the kernel's. Throws where it has no such field. */
function offsetsOf<Name extends string>(
  file: string,
  name: string,
  fields: readonly Name[],
): Readonly<Record<Name, number>> {
  const found = fieldsOf(file, name);
  const entries = fields.map((field) => {
    const at = found.get(field);
    if (at === undefined) throw new Error(`kernel/${file}.ts: class ${name} has no field ${field}`);
    return [field, at.offset] as const;
  });
  return Object.fromEntries(entries) as Record<Name, number>;
}

/** Byte offsets of the fields of `Hart` that the tests look at. */
export const HART_FIELDS = offsetsOf("hart-local", "Hart", [
  "ringState",
  "occupied",
  "hartId",
  "announced",
  "stamp",
  "cpu",
  "doorbell",
  "current",
  "stolen",
  "stolenFrom",
  "posted",
  "sliceTicks",
  "stealsInTick",
  "unsentTarget",
  "tickDeadline",
  "idleSince",
  "heldHere",
  "isOnWorkMap",
  "parkedIdle",
  "parkedNormal",
  "parkedInteractive",
  "parkedPerfBurst",
]);

/** Byte offsets of `Runtime`, from GLOBALS. */
export const RUNTIME_FIELDS = offsetsOf("runtime", "Runtime", ["spawned", "reaped", "nextCpu", "nextTask"]);

/** Byte offset of the deadline of the selftest's step, from SELFTEST_STEP. */
export const STEP_DEADLINE_OFFSET = offsetsOf("selftest", "Progress", ["deadline"]).deadline;

/** Byte offsets of `Counters`, from COUNTERS_OFFSET; 64 bits each. */
export const COUNTER_FIELDS = offsetsOf("hart-local", "Counters", [
  "ticks",
  "picks",
  "steals",
  "stealsContended",
  "deferredYields",
  "identityFallbacks",
  "runtimeDenied",
  "accepted",
  "sent",
  "sendsFailed",
  "coalesced",
  "trapped",
  "acked",
  "spuriousSoft",
  "faults",
  "mailWaits",
  "parked",
  "idleTicks",
  "onlineSince",
  "migrations",
  "wakes",
  "ended",
  "shown",
]);

/** Byte offsets of `Task`. */
export const TASK_FIELDS = offsetsOf("task", "Task", [
  "word",
  "life",
  "runs",
  "migrations",
  "wakes",
  "faultAddress",
  "exitCode",
  "steals",
  "incarnation",
  "program",
  "lastCpu",
  "exitReason",
]);

/** Bytes of the fields of `Task`. */
export const TASK_FIELD_BYTES: ReadonlyMap<string, number> = new Map(
  [...fieldsOf("task", "Task")].map(([field, { bytes }]) => [field, bytes]),
);

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

export const EXIT_REASON = { Alive: 0, Exited: 1, Faulted: 2, Killed: 3 } as const;
export const ORDER = { None: 0, StealTwice: 1, StealAtMostIdle: 2, Report: 3 } as const;

/** Bits of an id below the number of the life. */
export const ID_INCARNATION_SHIFT = 10;
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
/** What spawn answers instead of an id. */
export const SPAWN_REFUSAL = {
  NoProgram: -1,
  NoFreeTask: -2,
  QueueFull: -3,
  Contended: -4,
  InvalidCpu: -5,
  MachineFailed: -6,
} as const;
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

/** The id by which system calls know a life of a task: the entry's index and, above it, which of the entry's lives. */
export function taskId(task: number, life: number): number {
  return task | (life << ID_INCARNATION_SHIFT);
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

/** Which part of the kernel an address belongs to, as text for messages. */
export function describeAddress(address: number): string {
  if (address < GLOBALS) return `constant data +${address}`;
  if (address < LINES_BASE) return `machine-wide words +${address - GLOBALS}`;
  if (address < EVIDENCE) return `console lines +${address - LINES_BASE}`;
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
