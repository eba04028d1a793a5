// Model scheduler: a small scheduler of its own that writes traces for tests: queues, mailboxes, stealing, resched chain.
//
// It stands beside the kernel and shares nothing with it but the rules: strict order of classes, first in first out, one
// steal a tick, a chain for each request. Whole traps take place one after the other; their times overlap.
// Owner: the tests beside it. Invariant: one seed, one trace.

import { Syscall } from "../../abi/syscalls.ts";
import type { LeaveReason, QosName, Trace, TraceEvent, TrapKind } from "../event.ts";
import { totalsOf } from "./model-totals.ts";

export const QOS: readonly QosName[] = ["Idle", "Normal", "Interactive", "PerfBurst"];

export interface ModelOptions {
  readonly seed: number;
  readonly cpus: number;
  readonly tasks?: number;
  readonly endTicks?: number;
  /** Entries of a run queue. */
  readonly capacity?: number;
  readonly steals?: boolean;
  /** Each task calls SleepUntil with this period and nothing else. */
  readonly periodTicks?: number;
}

interface ModelTask {
  readonly id: number;
  qos: number;
  state: "ready" | "running" | "asleep" | "ended";
  cpu: number;
  lastCpu: number;
  release: number;
}

interface ModelHart {
  readonly cpu: number;
  current: ModelTask | null;
  readonly queues: ModelTask[][];
  parked: ModelTask[];
  mailbox: ModelTask[];
  sleepers: { task: ModelTask; deadline: number }[];
  slice: number;
  steals: number;
  busyUntil: number;
  timerAt: number;
  softAt: number;
  actAt: number;
  sent: boolean;
  taken: number;
  count: number;
  number: number;
  depths: string;
}

export const TICK = 100;

/** A trace of so many CPUs. */
export function modelTrace(options: ModelOptions): Trace {
  const model = new Model(options);
  model.run();
  const events = model.events.map((event, index) => ({ event, index }));
  events.sort((a, b) => a.event.t - b.event.t || a.index - b.index);
  const sorted = events.map(({ event }) => event);
  return {
    header: {
      format: "hartbeat-trace",
      version: 1,
      machine: "sim",
      cpus: options.cpus,
      ticksPerSecond: 10_000_000,
      seed: options.seed,
      kernel: "0".repeat(64),
      programs: ["worker"],
    },
    events: sorted,
    totals: totalsOf(options.cpus, sorted),
  };
}

/** Numbers from a seed (the generator of Marsaglia, "Xorshift RNGs", 2003). */
export function randomFrom(seed: number): (below: number) => number {
  let state = (seed * 2654435761 + 1) >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % below;
  };
}

class Model {
  readonly events: TraceEvent[] = [];
  private readonly random: (below: number) => number;
  private readonly harts: ModelHart[];
  private readonly tasks: ModelTask[] = [];
  private readonly options: Required<Omit<ModelOptions, "periodTicks">> & { periodTicks: number | undefined };
  private end = 0;

  constructor(options: ModelOptions) {
    this.options = { tasks: 6, endTicks: 5000, capacity: 64, steals: true, periodTicks: undefined, ...options };
    this.random = randomFrom(options.seed);
    this.harts = Array.from({ length: options.cpus }, (_, cpu) => ({
      cpu,
      current: null,
      queues: [[], [], [], []],
      parked: [],
      mailbox: [],
      sleepers: [],
      slice: 0,
      steals: 0,
      busyUntil: 0,
      timerAt: TICK + this.random(TICK),
      softAt: Infinity,
      actAt: Infinity,
      sent: false,
      taken: 0,
      count: 0,
      number: 0,
      depths: "",
    }));
  }

  run(): void {
    const boot = this.harts[0];
    if (boot === undefined) return;
    this.trap(boot, "timer", 10, () => this.spawnAll(boot));
    for (;;) {
      let hart = boot;
      for (const one of this.harts) if (nextAt(one) < nextAt(hart)) hart = one;
      const at = nextAt(hart);
      if (at > this.options.endTicks) return;
      if (hart.softAt <= at) this.trap(hart, "soft", at, () => this.soft(hart));
      else if (hart.timerAt <= at) this.trap(hart, "timer", at, () => this.timer(hart, at));
      else this.act(hart, at);
    }
  }

  private trap(hart: ModelHart, cause: TrapKind, at: number, body: () => void, call?: number, a0?: number): void {
    const args = call === undefined ? {} : { call, ...(a0 === undefined ? {} : { a0 }) };
    this.events.push({ t: at, cpu: hart.cpu, kind: "trap", cause, task: hart.current?.id ?? null, ...args });
    this.end = at + 1 + this.random(4);
    hart.busyUntil = this.end;
    body();
    const queues = hart.queues.map((queue) => queue.length);
    const depths = JSON.stringify([queues, hart.mailbox.length]);
    if (depths === hart.depths) return;
    hart.depths = depths;
    const [idle = 0, normal = 0, interactive = 0, burst = 0] = queues;
    this.push(hart, { kind: "depths", queues: [idle, normal, interactive, burst], mailbox: hart.mailbox.length });
  }

  private push(hart: ModelHart, event: DistributiveOmit<TraceEvent, "t" | "cpu">): void {
    this.events.push({ t: this.end, cpu: hart.cpu, ...event } as TraceEvent);
  }

  private spawnAll(boot: ModelHart): void {
    for (let id = 0; id < this.options.tasks; id++) {
      const cpu = id % this.harts.length;
      const qos = this.random(4);
      const task: ModelTask = { id, qos, state: "ready", cpu, lastCpu: -1, release: 0 };
      this.tasks.push(task);
      this.push(boot, { kind: "spawn", task: id, program: 0, qos: nameOf(qos), target: cpu });
      this.give(boot, task, cpu);
      if (this.options.periodTicks !== undefined)
        this.push(boot, { kind: "task-info", task: id, name: `p${id}`, periodTicks: this.options.periodTicks });
    }
    this.resume(boot);
  }

  /** To its own queue, or through the mailbox of another CPU. */
  private give(hart: ModelHart, task: ModelTask, cpu: number): void {
    task.state = "ready";
    const target = this.harts[cpu];
    if (cpu === hart.cpu || target === undefined) return this.enqueue(hart, task);
    target.mailbox.push(task);
    this.request(hart, target);
  }

  private enqueue(hart: ModelHart, task: ModelTask): void {
    const queue = hart.queues[task.qos] ?? [];
    queue.push(task);
    task.cpu = hart.cpu;
    this.push(hart, { kind: "enqueue", task: task.id, qos: nameOf(task.qos), depth: queue.length });
  }

  private request(hart: ModelHart, target: ModelHart): void {
    target.count += 1;
    const request = target.taken + target.count;
    const of = target.cpu;
    this.push(hart, { kind: "accepted", of, n: ++target.number, request, detail: target.sent ? 1 : 0 });
    if (target.sent) return;
    target.sent = true;
    this.push(hart, { kind: "sent", of, n: ++target.number, request, detail: 0 });
    target.softAt = this.end + 1 + this.random(12);
  }

  private drain(hart: ModelHart): void {
    for (const task of hart.mailbox.splice(0)) this.enqueue(hart, task);
  }

  private soft(hart: ModelHart): void {
    hart.softAt = Infinity;
    hart.sent = false;
    hart.taken += hart.count;
    hart.count = 0;
    const request = hart.taken;
    this.push(hart, { kind: "trapped", of: hart.cpu, n: ++hart.number, request, detail: 0 });
    this.drain(hart);
    this.resume(hart);
    this.push(hart, { kind: "acked", of: hart.cpu, n: ++hart.number, request, detail: 0 });
  }

  private timer(hart: ModelHart, now: number): void {
    hart.timerAt += TICK;
    hart.steals = 0;
    const due = hart.sleepers.filter(({ deadline }) => deadline <= now);
    hart.sleepers = hart.sleepers.filter(({ deadline }) => deadline > now);
    for (const { task } of due) {
      this.push(hart, { kind: "wake", task: task.id, by: null });
      this.give(hart, task, hart.cpu);
    }
    this.drain(hart);
    for (const task of hart.parked.splice(0)) {
      if (this.isFull(hart, task)) hart.parked.push(task);
      else this.enqueue(hart, task);
    }
    hart.slice -= 1;
    if (hart.current !== null && hart.slice <= 0 && this.yield(hart, "preempted")) return;
    this.resume(hart);
  }

  private act(hart: ModelHart, at: number): void {
    const task = hart.current;
    hart.actAt = Infinity;
    if (task === null) return;
    const { periodTicks } = this.options;
    if (periodTicks !== undefined) {
      task.release = Math.max(task.release + periodTicks, at - (at % periodTicks) + periodTicks);
      return this.sleep(hart, task, at, task.release);
    }
    const choice = this.random(100);
    if (choice < 40) {
      const begin = (): void => {
        if (!this.yield(hart, "yielded")) this.goOn(hart);
      };
      return this.trap(hart, "system-call", at, begin, Syscall.Yield);
    }
    if (choice < 70) return this.sleep(hart, task, at, at + 20 + this.random(400));
    if (choice < 98) return this.wakeOther(hart, at);
    const code = this.random(3);
    this.trap(hart, "system-call", at, () => this.exit(hart, task, code), Syscall.Exit, code);
  }

  private exit(hart: ModelHart, task: ModelTask, code: number): void {
    task.state = "ended";
    this.push(hart, { kind: "end", task: task.id, reason: "exited", code });
    this.next(hart, "exited");
  }

  private sleep(hart: ModelHart, task: ModelTask, at: number, deadline: number): void {
    const block = (): void => {
      task.state = "asleep";
      hart.sleepers.push({ task, deadline });
      this.next(hart, "blocked");
    };
    this.trap(hart, "system-call", at, block, Syscall.SleepUntil, deadline);
  }

  private wakeOther(hart: ModelHart, at: number): void {
    const asleep = this.tasks.filter((task) => task.state === "asleep");
    const other = asleep[this.random(asleep.length + 1)];
    const caller = hart.current?.id ?? 0;
    const wake = (): void => {
      if (other === undefined) {
        this.push(hart, { kind: "answer", task: caller, call: Syscall.Wake, value: -4 });
        this.push(hart, { kind: "reject", task: caller, why: "not-found" });
      } else {
        for (const one of this.harts) one.sleepers = one.sleepers.filter(({ task }) => task !== other);
        this.push(hart, { kind: "wake", task: other.id, by: caller });
        this.give(hart, other, other.cpu);
        this.push(hart, { kind: "answer", task: caller, call: Syscall.Wake, value: 0 });
      }
      this.resume(hart);
    };
    this.trap(hart, "system-call", at, wake, Syscall.Wake, other?.id ?? 99);
  }

  /** Whether the hart runs another task now. */
  private yield(hart: ModelHart, reason: LeaveReason): boolean {
    const task = hart.current;
    const highest = highestOf(hart);
    if (task === null || highest < task.qos) return false;
    if (highest > task.qos) return this.preempt(hart, task);
    if (this.isFull(hart, task)) return false;
    this.enqueue(hart, task);
    this.next(hart, reason);
    return true;
  }

  private preempt(hart: ModelHart, task: ModelTask): boolean {
    const taken = hart.queues[highestOf(hart)]?.shift() ?? null;
    if (this.isFull(hart, task)) {
      hart.parked.push(task);
      this.push(hart, { kind: "park", task: task.id, qos: nameOf(task.qos) });
    } else this.enqueue(hart, task);
    this.begin(hart, taken, "preempted");
    return true;
  }

  private isFull(hart: ModelHart, task: ModelTask): boolean {
    return (hart.queues[task.qos]?.length ?? 0) >= this.options.capacity;
  }

  private resume(hart: ModelHart): void {
    if (hart.current === null) return this.next(hart, null);
    if (highestOf(hart) > hart.current.qos) this.preempt(hart, hart.current);
    else this.goOn(hart);
  }

  private goOn(hart: ModelHart): void {
    if (hart.actAt < this.end || hart.actAt === Infinity) hart.actAt = this.end + 1 + this.random(60);
  }

  private next(hart: ModelHart, reason: LeaveReason | null): void {
    const highest = highestOf(hart);
    const parked = hart.parked.findIndex((task) => task.qos >= highest);
    if (parked >= 0) return this.begin(hart, hart.parked.splice(parked, 1)[0] ?? null, reason);
    const own = hart.queues[highest]?.shift();
    this.begin(hart, own ?? (this.options.steals ? this.steal(hart) : null), reason);
  }

  private steal(hart: ModelHart): ModelTask | null {
    if (hart.steals > 0) return null;
    for (let i = 1; i < this.harts.length; i++) {
      const victim = this.harts[(hart.cpu + i) % this.harts.length];
      const task = victim?.queues[highestOf(victim)]?.shift();
      if (victim === undefined || task === undefined) continue;
      hart.steals += 1;
      hart.number += 1;
      task.cpu = hart.cpu;
      this.push(hart, { kind: "steal", task: task.id, victim: victim.cpu });
      return task;
    }
    return null;
  }

  private begin(hart: ModelHart, task: ModelTask | null, reason: LeaveReason | null): void {
    const previous = hart.current;
    hart.current = task;
    hart.actAt = task === null ? Infinity : this.end + 1 + this.random(60);
    if (task !== null) {
      hart.slice = 2;
      task.state = "running";
      task.cpu = hart.cpu;
      if (task.lastCpu >= 0 && task.lastCpu !== hart.cpu)
        this.push(hart, { kind: "migrate", task: task.id, from: task.lastCpu });
      task.lastCpu = hart.cpu;
    }
    if (previous === task) return;
    const qos = task === null ? null : nameOf(task.qos);
    this.push(hart, { kind: "switch", previous: previous?.id ?? null, reason, next: task?.id ?? null, qos });
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

function nameOf(qos: number): QosName {
  return QOS[qos] ?? "Normal";
}

function nextAt(hart: ModelHart): number {
  return Math.max(hart.busyUntil, Math.min(hart.timerAt, hart.softAt, hart.current === null ? Infinity : hart.actAt));
}

function highestOf(hart: ModelHart): number {
  return hart.queues.findLastIndex((queue) => queue.length > 0);
}
