// Observer: watches what each hart's traps change in the kernel's memory, and never changes it.
//
// It looks at a hart's entry into the kernel and at its return, and where the kernel makes a machine call that may be
// one of many in a trap: then a ring of evidence cannot be written over between two looks.
// Owner: one for a machine. Invariant: what it looks at belongs to the hart, which is in its trap, so a look sees each
// change once and whole.
// Partners: execution.ts calls it; queue-look.ts, wake-look.ts, end-look.ts.

import { EventKind } from "../../abi/events.ts";
import { EVIDENCE_CAPACITY, MAILBOX_CAPACITY, SPACES_MAX } from "../../abi/layout.ts";
import { QOS_COUNT } from "../../abi/qos.ts";
import { Syscall } from "../../abi/syscalls.ts";
import { TrapCause } from "../../abi/traps.ts";
import {
  COUNTERS_OFFSET,
  EVIDENCE_BASE,
  EVIDENCE_STRIDE_LOG2,
  GLOBALS_BASE,
  MAILBOX_OFFSET,
  RESCHED_OFFSET,
} from "../../kernel/layout.ts";
import type { LeaveReason } from "../../trace/event.ts";
import * as field from "../kernel-fields.ts";
import type { Observation } from "../observation.ts";
import { EndLook } from "./end-look.ts";
import { cpuOf, hartAddress, indexOf, KernelView, qosOf, taskAddress } from "./kernel-view.ts";
import { type Push, QueueLook } from "./queue-look.ts";
import type { Argument } from "./resumable-instance.ts";
import { beforeWakes, type WakeEntry, wakesOf } from "./wake-look.ts";

export type ObservationListener = (found: Observation) => void;

/** Counters that the observer compares, by their offsets. */
const COUNTERS = {
  picks: field.COUNTER_PICKS,
  stealsContended: field.COUNTER_STEALS_CONTENDED,
  deferredYields: field.COUNTER_DEFERRED_YIELDS,
  parked: field.COUNTER_PARKED,
  migrations: field.COUNTER_MIGRATIONS,
  wakes: field.COUNTER_WAKES,
  ended: field.COUNTER_ENDED,
} as const;
type Counts = Record<keyof typeof COUNTERS, number>;

const BOOT_CPU = 0;
const EVIDENCE_CONTENTS = EVIDENCE_CAPACITY - 1;

/** The trap that a hart is in. */
interface Entry {
  readonly cause: number;
  readonly call: number;
  readonly a0: number;
  readonly exitCode: number;
  readonly task: number | null;
  /** Address of that task's entry, or 0. */
  readonly address: number;
  readonly qos: number;
  readonly wakes: WakeEntry;
  answer: bigint | undefined;
}

/** What was seen of a hart last. */
interface Seen {
  entry: Entry | null;
  counts: Counts;
  evidence: number;
  parked: number[];
  depths: string;
  readonly queues: QueueLook;
  /** CPUs that the trap made requests for, and its last acknowledgement, which comes after the switch. */
  requested: Set<number>;
  acks: Observation[];
}

const NO_COUNTS: Counts = {
  picks: 0,
  stealsContended: 0,
  deferredYields: 0,
  parked: 0,
  migrations: 0,
  wakes: 0,
  ended: 0,
};

export class Observer {
  private readonly view: KernelView;
  private harts: Map<number, Seen> = new Map();
  private ends: EndLook;
  private spawned = 0;
  private nextTask = 0;
  private nextCpu = 0;
  private lives: number[] = [];

  constructor(
    kernelBytes: Uint8Array,
    private readonly ticks: () => bigint,
    private readonly emit: ObservationListener,
  ) {
    this.view = new KernelView(kernelBytes);
    this.ends = new EndLook(this.view);
    this.reset();
  }

  /** For a machine that is switched on again. */
  reset(): void {
    this.harts = new Map();
    this.ends = new EndLook(this.view);
    this.spawned = 0;
    this.nextTask = 0;
    this.nextCpu = 0;
    this.lives = Array.from({ length: SPACES_MAX }, () => 0);
  }

  /** A hart is about to call the kernel's `trap` with these values. */
  enter(cpu: number, values: readonly Argument[]): void {
    const { view } = this;
    const [cause = 0, , call = 0, a0 = 0n] = values;
    const address = view.i32(hartAddress(cpu) + field.HART_CURRENT);
    const task = address === 0 ? null : view.idOf(address);
    const trap = { t: this.now(), cause: Number(cause), call: Number(call), a0: Number(a0), task };
    const seen = this.seen(cpu);
    seen.entry = {
      ...trap,
      exitCode: Number(BigInt.asIntN(32, BigInt(a0))),
      address,
      qos: address === 0 ? 0 : qosOf(view.word(address)),
      wakes: beforeWakes(view, cpu, trap, task),
      answer: undefined,
    };
    const movesTasks = trap.call === Syscall.SetQos || trap.call === Syscall.Kill;
    seen.queues.remember(trap.cause === TrapCause.SystemCall && movesTasks);
    this.emit({ cpu, kind: "trap", ...trap });
  }

  /** The kernel answers the system call of a space. */
  answered(cpu: number, space: number, value: bigint): void {
    const entry = this.harts.get(cpu)?.entry;
    if (!entry || entry.address === 0 || indexOf(entry.address) !== space) return;
    if (entry.cause === TrapCause.SystemCall && entry.answer === undefined) entry.answer = value;
  }

  /** A hart, in its trap, is about to send an IPI or to prepare a space. */
  look(cpu: number): void {
    const seen = this.seen(cpu);
    if (cpu === BOOT_CPU) this.findSpawned(seen);
    this.readEvidence(cpu, seen);
  }

  /** The kernel returns. */
  leave(cpu: number): void {
    const { view, emit } = this;
    const t = this.now();
    const at = { t, cpu };
    const seen = this.seen(cpu);
    const { entry } = seen;
    this.look(cpu);
    const counts = this.countsOf(cpu);
    const grown = (name: keyof Counts): number => counts[name] - seen.counts[name];
    const { pushes, depths, lost } = seen.queues.news();
    if (lost > 0) emit({ ...at, kind: "lost", count: lost });
    const ends = entry === null ? [] : this.ends.ends(cpu, entry, grown("ended"), entry.exitCode);
    for (const end of ends) emit({ ...at, kind: "end", ...end });
    const wakes = entry === null ? [] : wakesOf(view, cpu, entry.wakes, t, pushes, seen.requested);
    for (const wake of wakes) emit({ ...at, kind: "wake", ...wake });
    for (const push of pushes) emit({ ...at, kind: "enqueue", ...this.queued(push), depth: depths[push.qos] ?? 0 });
    if (grown("parked") > 0) this.findParked(cpu, seen, t);
    if (grown("stealsContended") > 0) emit({ ...at, kind: "steals-contended", count: grown("stealsContended") });
    const answer = entry?.answer;
    if (entry !== null && entry.task !== null && answer !== undefined)
      emit({ ...at, kind: "answer", task: entry.task, call: entry.call, value: Number(answer) });
    if (grown("deferredYields") > 0)
      emit({ ...at, kind: "yields-deferred", task: entry?.task ?? null, count: grown("deferredYields") });
    if (entry !== null)
      this.findSwitch(
        cpu,
        entry,
        counts,
        seen.counts,
        reasonOf(
          entry,
          ends.map(({ task, reason }) => ({ task, reason })),
        ),
      );
    for (const ack of seen.acks) emit(ack);
    this.findDepths(cpu, seen, depths, t);
    Object.assign(seen, { entry: null, counts, requested: new Set(), acks: [] });
    seen.parked = this.parkedLists(cpu);
  }

  /** The machine has stopped: what its harts have done in traps that they are still in. */
  finish(cpus: readonly number[]): void {
    for (const cpu of cpus) if (this.view.i32(hartAddress(cpu) + field.HART_STAMP) !== 0) this.leave(cpu);
  }

  private now(): number {
    return Number(this.ticks());
  }

  private seen(cpu: number): Seen {
    const known = this.harts.get(cpu);
    if (known !== undefined) return known;
    const made: Seen = {
      entry: null,
      counts: NO_COUNTS,
      evidence: 0,
      parked: Array.from({ length: QOS_COUNT }, () => 0),
      depths: "0,0,0,0,0",
      queues: new QueueLook(this.view, cpu),
      requested: new Set(),
      acks: [],
    };
    this.harts.set(cpu, made);
    return made;
  }

  private countsOf(cpu: number): Counts {
    const base = hartAddress(cpu) + COUNTERS_OFFSET;
    const entries = Object.entries(COUNTERS).map(([name, at]) => [name, this.view.number(base + at)]);
    return Object.fromEntries(entries) as Counts;
  }

  private queued({ task, qos }: Push): { task: number; qos: number } {
    return { task: this.view.idOf(task), qos };
  }

  private readEvidence(cpu: number, seen: Seen): void {
    const end = this.view.number(hartAddress(cpu) + RESCHED_OFFSET + field.EVIDENCE_NEXT_POSITION);
    const lost = end - seen.evidence - EVIDENCE_CAPACITY;
    if (lost > 0) this.emit({ t: this.now(), cpu, kind: "lost", count: lost });
    for (let position = Math.max(seen.evidence, end - EVIDENCE_CAPACITY); position < end; position++) {
      const found = this.evidenceAt(cpu, position);
      if (found.event === EventKind.Accepted) seen.requested.add(found.of);
      if (found.event === EventKind.Acked) seen.acks.push(found);
      else this.emit(found);
    }
    seen.evidence = end;
  }

  /** See kernel/evidence.ts. */
  private evidenceAt(cpu: number, position: number): Observation & { kind: "evidence" } {
    const address = EVIDENCE_BASE + (cpu << EVIDENCE_STRIDE_LOG2) + ((position & EVIDENCE_CONTENTS) << 4);
    const first = this.view.word(address);
    const second = this.view.word(address + 8);
    return {
      t: this.now(),
      cpu,
      kind: "evidence",
      event: first.low & 0xff,
      of: (first.low >> 8) & 0xff,
      n: first.high * 0x1_0000 + (first.low >>> 16),
      request: second.high * 0x1000 + (second.low >>> 20),
      detail: (second.low << 12) >> 12,
    };
  }

  private findSpawned(seen: Seen): void {
    const { view } = this;
    const spawned = view.number(GLOBALS_BASE + field.RUNTIME_SPAWNED);
    if (spawned === this.spawned) return;
    const call = seen.entry?.cause === TrapCause.SystemCall && seen.entry.call === Syscall.Spawn;
    for (let i = 0; i < SPACES_MAX; i++) {
      const index = (this.nextTask + i) % SPACES_MAX;
      const address = taskAddress(index);
      const life = view.i32(address + field.TASK_INCARNATION);
      if (life === this.lives[index]) continue;
      this.lives[index] = life;
      const word = view.word(address);
      const program = view.i16(address + field.TASK_PROGRAM);
      const target = call ? this.nextCpu : cpuOf(word);
      const task = view.idOf(address);
      this.emit({ t: this.now(), cpu: BOOT_CPU, kind: "spawn", task, program, qos: qosOf(word), target });
    }
    this.spawned = spawned;
    this.nextTask = view.i32(GLOBALS_BASE + field.RUNTIME_NEXT_TASK);
    this.nextCpu = view.i32(GLOBALS_BASE + field.RUNTIME_NEXT_CPU);
  }

  private parkedLists(cpu: number): number[] {
    const lists = hartAddress(cpu) + field.HART_PARKED_IDLE;
    return Array.from({ length: QOS_COUNT }, (_, qos) => this.view.i32(lists + 4 * qos));
  }

  /** The tasks before the one that headed each list: see kernel/parking.ts. */
  private findParked(cpu: number, seen: Seen, t: number): void {
    for (const [qos, head] of this.parkedLists(cpu).entries()) {
      let task = head;
      for (let i = 0; i < SPACES_MAX && task !== 0 && task !== seen.parked[qos]; i++) {
        this.emit({ t, cpu, kind: "park", task: this.view.idOf(task), qos });
        task = this.view.i32(task + field.TASK_EXIT_CODE);
      }
    }
  }

  private findSwitch(cpu: number, entry: Entry, counts: Counts, before: Counts, reason: LeaveReason): void {
    const at = { t: this.now(), cpu };
    const address = this.view.i32(hartAddress(cpu) + field.HART_CURRENT);
    const next = address === 0 ? null : this.view.idOf(address);
    const qos = address === 0 ? 0 : qosOf(this.view.word(address));
    const { task: previous } = entry;
    const begins = counts.picks !== before.picks;
    if (!begins && next === previous) {
      if (next !== null && qos !== entry.qos) this.emit({ ...at, kind: "class", task: next, qos });
      return;
    }
    this.emit({
      ...at,
      kind: "switch",
      previous,
      reason: previous === null ? null : reason,
      next,
      qos,
      migrated: counts.migrations !== before.migrations,
      sleepsEnded: counts.wakes - before.wakes,
    });
  }

  private findDepths(cpu: number, seen: Seen, queues: readonly [number, number, number, number], t: number): void {
    const mailbox = MAILBOX_CAPACITY - this.view.i32(hartAddress(cpu) + MAILBOX_OFFSET);
    const depths = `${queues.join()},${mailbox}`;
    if (depths === seen.depths) return;
    seen.depths = depths;
    this.emit({ t, cpu, kind: "depths", queues, mailbox });
  }
}

/** Why the task that ran when the trap began does not run at its end. */
function reasonOf(entry: Entry, ends: readonly { task: number; reason: LeaveReason }[]): LeaveReason {
  const end = ends.find(({ task }) => task === entry.task);
  if (end !== undefined) return end.reason;
  if (entry.cause !== TrapCause.SystemCall) return "preempted";
  if (entry.call === Syscall.SleepUntil) return "blocked";
  return entry.call === Syscall.Yield ? "yielded" : "preempted";
}
