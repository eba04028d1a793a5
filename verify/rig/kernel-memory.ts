// Kernel memory: the kernel's tasks, harts, queues and events as tests read and write them, by CPU and by task index.
//
// Owner: one test. Partners: kernel-map.ts (where the data lies, how its words are packed); rig.ts, which adds the calls.

import { CPUS_MAX, EVIDENCE_CAPACITY, MAILBOX_CAPACITY, RING_CAPACITY } from "../../abi/layout.ts";
import type { EventKind } from "../../abi/events.ts";
import type { Qos } from "../../abi/qos.ts";
import {
  ACKED_OFFSET,
  COUNTER_FIELDS,
  COUNTERS_OFFSET,
  EVIDENCE,
  EVIDENCE_STRIDE,
  GLOBALS,
  HART_FIELDS,
  hartAddress,
  ID_INCARNATION_SHIFT,
  LAST_EVENT_OFFSET,
  type Life,
  MAILBOX_OFFSET,
  ORDER_OFFSET,
  packLife,
  packResched,
  packRing,
  packWord,
  placeAddress,
  RESCHED_OFFSET,
  type ReschedState,
  ringAddress,
  type RingState,
  RUNTIME_FIELDS,
  SELFTEST_STEP,
  SIGNAL,
  slotAddress,
  STEP_DEADLINE_OFFSET,
  STEP_TASKS,
  STEP_TASKS_END,
  TASK_FIELD_BYTES,
  TASK_FIELDS,
  TASK_STRIDE,
  taskAddress,
  TASKS,
  type TaskWord,
  unpackLife,
  unpackResched,
  unpackRing,
  unpackWord,
  WORK_MAP,
} from "./kernel-map.ts";

export interface KernelEvent {
  /** The CPU on whose hart's ring it lies. */
  readonly by: number;
  readonly of: number;
  readonly kind: EventKind;
  readonly number: number;
  readonly request: number;
  readonly detail: number;
}

/** No task, as `current` and `pick` return it. */
export const NONE = -1;

export class KernelMemory {
  readonly bytes: Uint8Array;
  protected readonly view: DataView;

  constructor(memory: WebAssembly.Memory) {
    this.bytes = new Uint8Array(memory.buffer);
    this.view = new DataView(memory.buffer);
  }

  // Tasks.

  word(task: number): TaskWord {
    return unpackWord(this.rawWord(task));
  }

  rawWord(task: number): bigint {
    return this.view.getBigUint64(taskAddress(task), true);
  }

  setWord(task: number, word: TaskWord): void {
    this.view.setBigUint64(taskAddress(task), packWord(word), true);
  }

  life(task: number): Life {
    return unpackLife(this.view.getBigUint64(taskAddress(task) + TASK_FIELDS.life, true));
  }

  /** Sets the life word, and the boot hart's own count of the lives with it. */
  setLife(task: number, life: Life): void {
    this.setTaskField(task, "incarnation", life.incarnation);
    this.view.setBigUint64(taskAddress(task) + TASK_FIELDS.life, packLife(life), true);
  }

  /** The class that a task has, or that it has been given and will have when it is woken or runs next. */
  classOf(task: number): Qos {
    const { signals } = this.life(task);
    return (signals & SIGNAL.ChangeQos) !== 0 ? (signals >> 4) & 3 : this.word(task).qos;
  }

  /** The id by which system calls know the task's present life. */
  idOf(task: number): bigint {
    return BigInt(task) | (BigInt(this.life(task).incarnation) << BigInt(ID_INCARNATION_SHIFT));
  }

  /** A field of a task. A number of 64 bits must be a safe integer. */
  taskField(task: number, field: keyof typeof TASK_FIELDS): number {
    const at = taskAddress(task) + TASK_FIELDS[field];
    const bytes = TASK_FIELD_BYTES.get(field);
    if (bytes === 1) return this.view.getInt8(at);
    if (bytes === 2) return this.view.getInt16(at, true);
    return bytes === 8 ? Number(this.view.getBigInt64(at, true)) : this.view.getInt32(at, true);
  }

  setTaskField(task: number, field: keyof typeof TASK_FIELDS, value: number): void {
    const at = taskAddress(task) + TASK_FIELDS[field];
    const bytes = TASK_FIELD_BYTES.get(field);
    if (bytes === 1) this.view.setInt8(at, value);
    else if (bytes === 2) this.view.setInt16(at, value, true);
    else if (bytes === 8) this.view.setBigInt64(at, BigInt(value), true);
    else this.view.setInt32(at, value, true);
  }

  /** What has been left for a task and not yet honoured: SIGNAL bits. */
  signals(task: number): number {
    return this.life(task).signals & ~SIGNAL.Asleep;
  }

  // Harts.

  current(cpu: number): number {
    return taskOf(this.field(cpu, "current"));
  }

  setCurrent(cpu: number, task: number): void {
    this.setField(cpu, "current", task === NONE ? 0 : taskAddress(task));
  }

  stolen(cpu: number): number {
    return taskOf(this.field(cpu, "stolen"));
  }

  field(cpu: number, field: keyof typeof HART_FIELDS): number {
    return this.view.getInt32(hartAddress(cpu) + HART_FIELDS[field], true);
  }

  setField(cpu: number, field: keyof typeof HART_FIELDS, value: number): void {
    this.view.setInt32(hartAddress(cpu) + HART_FIELDS[field], value, true);
  }

  counter(cpu: number, counter: keyof typeof COUNTER_FIELDS): number {
    return Number(this.view.getBigInt64(hartAddress(cpu) + COUNTERS_OFFSET + COUNTER_FIELDS[counter], true));
  }

  /** What the boot hart has ordered a hart to do in its next trap: of ORDER. */
  order(cpu: number): number {
    return this.view.getInt32(hartAddress(cpu) + ORDER_OFFSET, true);
  }

  setOrder(cpu: number, order: number): void {
    this.view.setInt32(hartAddress(cpu) + ORDER_OFFSET, order, true);
  }

  // The boot hart's words.

  /** Where spawn begins its search for a free entry. */
  setNextTask(task: number): void {
    this.view.setInt32(GLOBALS + RUNTIME_FIELDS.nextTask, task, true);
  }

  /** Holds the boot in the step that waits for the tasks to end, with more spawned than can ever end. */
  holdBoot(): void {
    this.view.setInt32(SELFTEST_STEP, STEP_TASKS_END, true);
    this.view.setBigInt64(GLOBALS + RUNTIME_FIELDS.spawned, 1n << 40n, true);
  }

  /** Brings the boot to the step that makes the tasks, which may wait until `deadlineTicks`. */
  makeTasksNext(deadlineTicks: bigint): void {
    this.view.setInt32(SELFTEST_STEP, STEP_TASKS, true);
    this.view.setBigInt64(SELFTEST_STEP + STEP_DEADLINE_OFFSET, deadlineTicks, true);
  }

  /** The step of the boot. */
  step(): number {
    return this.view.getInt32(SELFTEST_STEP, true);
  }

  // Queues and mailboxes.

  ring(cpu: number, qos: Qos): RingState {
    return unpackRing(this.view.getBigInt64(ringAddress(cpu, qos), true));
  }

  setRing(cpu: number, qos: Qos, state: RingState): void {
    this.view.setBigInt64(ringAddress(cpu, qos), packRing(state), true);
  }

  /** The entries of a run queue that stand for a task, oldest first. */
  queued(cpu: number, qos: Qos): number[] {
    const ring = ringAddress(cpu, qos);
    const { head, room } = this.ring(cpu, qos);
    const entries = Array.from({ length: RING_CAPACITY - room }, (_, i) =>
      this.view.getBigUint64(slotAddress(ring, head + i), true),
    );
    return entries.flatMap((entry) => {
      const { task } = unpackWord(entry);
      return this.rawWord(task) === entry ? [task] : [];
    });
  }

  /** Whether the oldest entry of a run queue stands for no task any more. */
  headIsTombstone(cpu: number, qos: Qos): boolean {
    const entry = this.view.getBigUint64(slotAddress(ringAddress(cpu, qos), this.ring(cpu, qos).head), true);
    return this.rawWord(unpackWord(entry).task) !== entry;
  }

  /** The tasks that entries of a CPU's mailbox name, oldest first, tombstones included. */
  mailEntries(cpu: number): number[] {
    const { tail, room } = this.mailbox(cpu);
    const count = MAILBOX_CAPACITY - room;
    return Array.from({ length: count }, (_, i) =>
      this.view.getBigUint64(placeAddress(cpu, tail - count + i), true),
    ).flatMap((entry) => (entry > 1n ? [unpackWord(entry).task] : []));
  }

  mailbox(cpu: number): { readonly tail: number; readonly room: number } {
    const state = this.view.getBigInt64(hartAddress(cpu) + MAILBOX_OFFSET, true);
    return { tail: Number(BigInt.asIntN(32, state >> 32n)), room: Number(BigInt.asIntN(32, state)) };
  }

  /** Puts a mailbox's counters where many mailbox entries would have brought them; only while it is empty. */
  setMailboxPosition(cpu: number, position: number): void {
    this.view.setBigInt64(
      hartAddress(cpu) + MAILBOX_OFFSET,
      (BigInt(position) << 32n) + BigInt(MAILBOX_CAPACITY),
      true,
    );
    this.view.setInt32(hartAddress(cpu) + MAILBOX_OFFSET + 8, position, true);
  }

  /** Requests accepted for a CPU and not taken by a trap. */
  pendingRequests(cpu: number): { readonly count: number; readonly sent: boolean; readonly failed: boolean } {
    const { count, sent, failed } = this.resched(cpu);
    return { count, sent, failed };
  }

  resched(cpu: number): ReschedState {
    return unpackResched(this.view.getBigUint64(hartAddress(cpu) + RESCHED_OFFSET, true));
  }

  setResched(cpu: number, state: ReschedState): void {
    this.view.setBigUint64(hartAddress(cpu) + RESCHED_OFFSET, packResched(state), true);
  }

  /** The number of the last request that a CPU has acknowledged. */
  acked(cpu: number): number {
    return Number(this.view.getBigInt64(hartAddress(cpu) + ACKED_OFFSET, true));
  }

  /** CPUs whose bit in the map of work is set. */
  onWorkMap(): number[] {
    const map = this.view.getBigUint64(WORK_MAP, true);
    return Array.from({ length: CPUS_MAX }, (_, cpu) => cpu).filter((cpu) => ((map >> BigInt(cpu)) & 1n) !== 0n);
  }

  /** The parked tasks of a class, the one that runs next first. */
  parked(cpu: number, qos: Qos): number[] {
    const found: number[] = [];
    let at = this.view.getInt32(hartAddress(cpu) + HART_FIELDS.parkedIdle + 4 * qos, true);
    for (; at !== 0; at = this.view.getInt32(at + TASK_FIELDS.exitCode, true)) found.push(taskOf(at));
    return found;
  }

  // Evidence.

  /** Sets the number of the last event about a CPU. */
  setLastEvent(cpu: number, number: number): void {
    this.view.setBigInt64(hartAddress(cpu) + LAST_EVENT_OFFSET, BigInt(number), true);
  }

  /** Every event that the rings still hold, in the order of CPU and number. */
  events(): KernelEvent[] {
    return Array.from({ length: CPUS_MAX }, (_, cpu) => this.eventsBy(cpu))
      .flat()
      .toSorted((left, right) => left.of - right.of || left.number - right.number);
  }

  /** Events of a CPU's counter, by number, of the kinds asked for. */
  eventsOf(cpu: number, ...kinds: EventKind[]): KernelEvent[] {
    return this.events().filter((event) => event.of === cpu && (kinds.length === 0 || kinds.includes(event.kind)));
  }

  private eventsBy(cpu: number): KernelEvent[] {
    const written = Number(this.view.getBigInt64(hartAddress(cpu) + RESCHED_OFFSET + 16, true));
    return Array.from({ length: Math.min(written, EVIDENCE_CAPACITY) }, (_, i) => {
      const position = (written - 1 - i) % EVIDENCE_CAPACITY;
      const at = EVIDENCE + cpu * EVIDENCE_STRIDE + position * 16;
      const first = this.view.getBigInt64(at, true);
      const second = this.view.getBigInt64(at + 8, true);
      return {
        by: cpu,
        of: Number((first >> 8n) & 0xffn),
        kind: Number(first & 0xffn),
        number: Number(first >> 16n),
        request: Number(second >> 20n),
        detail: Number(BigInt.asIntN(20, second)),
      };
    });
  }
}

/** The index of the task at an address; NONE for 0. */
export function taskOf(address: number): number {
  return address === 0 ? NONE : (address - TASKS) / TASK_STRIDE;
}
