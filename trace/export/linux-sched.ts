// Linux sched: a trace as the scheduling events of a Linux kernel, which its viewers know: switch, waking, a new task's
// wake-up, migration. Exporters write them in their formats.
//
// A task is a thread; its pid is its id plus one, since 0 is the idle thread. A class is a priority: nice -20, -10, 0, and
// the lowest. Times are nanoseconds since power-on.

import type { LeaveReason, QosName, Trace, TraceEvent } from "../event.ts";

export interface Thread {
  readonly pid: number;
  /** At most COMM_LENGTH_MAX characters. */
  readonly comm: string;
  readonly prio: number;
}

interface At {
  readonly ns: bigint;
  readonly cpu: number;
  /** Whose context it was: the waker, the one that left. */
  readonly context: Thread;
}

export type SchedEvent = At &
  (
    | { readonly kind: "sched_switch"; readonly prev: Thread; readonly prevState: PrevState; readonly next: Thread }
    | { readonly kind: "sched_waking" | "sched_wakeup_new"; readonly thread: Thread; readonly targetCpu: number }
    | { readonly kind: "sched_migrate_task"; readonly thread: Thread; readonly from: number; readonly to: number }
  );

/** Ready, preempted, sleeping, dead: as ftrace prints them. */
export type PrevState = "R" | "R+" | "S" | "X";

/** TASK_COMM_LEN less its end. */
export const COMM_LENGTH_MAX = 15;

export const PRIORITIES: Readonly<Record<QosName, number>> = {
  PerfBurst: 100,
  Interactive: 110,
  Normal: 120,
  Idle: 139,
};

const STATES: Readonly<Record<LeaveReason, PrevState>> = {
  yielded: "R",
  preempted: "R+",
  blocked: "S",
  exited: "X",
  faulted: "X",
  killed: "X",
};

export function idleThread(cpu: number): Thread {
  return { pid: 0, comm: `swapper/${cpu}`, prio: 120 };
}

export function nanosecondsOf(ticks: number, ticksPerSecond: number): bigint {
  return (BigInt(ticks) * 1_000_000_000n) / BigInt(ticksPerSecond);
}

/** In the order of the trace. */
export function schedEventsOf(trace: Trace): SchedEvent[] {
  const threads = new ThreadTable(trace);
  return trace.events.flatMap((event) => threads.take(event) ?? []);
}

export class ThreadTable {
  private readonly trace: Trace;
  private readonly names = new Map<number, string>();
  private readonly qos = new Map<number, QosName>();
  /** What each CPU runs, and the CPU that each task was put on. */
  private readonly current = new Map<number, number | null>();
  private readonly cpuOf = new Map<number, number>();

  constructor(trace: Trace) {
    this.trace = trace;
    const { programs } = trace.header;
    for (const event of trace.events) {
      if (event.kind === "spawn") this.names.set(event.task, programs[event.program] ?? `program${event.program}`);
    }
    for (const event of trace.events) if (event.kind === "task-info") this.names.set(event.task, event.name);
  }

  /** Whose name is longer than the format allows keeps its id. */
  threadOf(task: number | null, cpu: number): Thread {
    if (task === null) return idleThread(cpu);
    const suffix = `-${task}`;
    const name = (this.names.get(task) ?? "task").replaceAll(/[^\w./:-]/g, "_");
    const comm = name.slice(0, COMM_LENGTH_MAX - suffix.length) + suffix;
    return { pid: task + 1, comm, prio: PRIORITIES[this.qos.get(task) ?? "Normal"] };
  }

  /** The Linux event that an event is, if any. Events are to come in the order of the trace. */
  take(event: TraceEvent): SchedEvent | null {
    const { t, cpu } = event;
    const at = {
      ns: nanosecondsOf(t, this.trace.header.ticksPerSecond),
      cpu,
      context: this.threadOf(this.current.get(cpu) ?? null, cpu),
    };
    switch (event.kind) {
      case "trap":
        this.current.set(cpu, event.task);
        return null;
      case "enqueue":
      case "qos":
      case "park":
        this.qos.set(event.task, event.qos);
        if (event.kind !== "qos") this.cpuOf.set(event.task, cpu);
        return null;
      case "spawn":
        this.qos.set(event.task, event.qos);
        this.cpuOf.set(event.task, event.target);
        return { ...at, kind: "sched_wakeup_new", thread: this.threadOf(event.task, cpu), targetCpu: event.target };
      case "wake": {
        const targetCpu = this.cpuOf.get(event.task) ?? cpu;
        const context = this.threadOf(event.by, cpu);
        return { ...at, context, kind: "sched_waking", thread: this.threadOf(event.task, cpu), targetCpu };
      }
      case "migrate":
        // From -1: not known.
        if (event.from < 0) return null;
        return { ...at, kind: "sched_migrate_task", thread: this.threadOf(event.task, cpu), from: event.from, to: cpu };
      case "switch":
        return { ...at, ...this.change(event) };
      default:
        return null;
    }
  }

  private change(
    event: TraceEvent & { readonly kind: "switch" },
  ): Omit<SchedEvent & { kind: "sched_switch" }, keyof At> {
    const { cpu, previous, reason, next, qos } = event;
    const prev = this.threadOf(previous, cpu);
    if (next !== null && qos !== null) this.qos.set(next, qos);
    if (next !== null) this.cpuOf.set(next, cpu);
    this.current.set(cpu, next);
    const prevState = reason === null ? "R" : STATES[reason];
    return { kind: "sched_switch", prev, prevState, next: this.threadOf(next, cpu) };
  }
}
