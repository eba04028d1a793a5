// Trace metrics: latencies, run times and counts of a run, by task, by QoS class and by hart.
//
// docs/running.md defines each of them. Times are ticks of the trace, with microseconds beside them.
// Invariant: METRICS_VERSION is raised when a field changes its meaning or goes.

import type { QosName, RejectReason, Trace, TraceEvent, TraceHeader } from "../event.ts";
import { type Distribution, distributionOf } from "./distribution.ts";
import { HartCounter, type HartMetrics } from "./hart-metrics.ts";
import { JobClock } from "./job-clock.ts";
import { type ScheduleSink, ScheduleWalk, type Stretch, type Wait } from "./schedule-walk.ts";

export const METRICS_VERSION = 1;

export interface TraceMetrics {
  readonly format: "hartbeat-metrics";
  readonly version: typeof METRICS_VERSION;
  readonly machine: TraceHeader["machine"];
  readonly cpus: number;
  readonly seed: number | null;
  readonly kernel: string;
  readonly title: string | null;
  readonly ticksPerSecond: number;
  /** From the first event to the last. */
  readonly durationTicks: number;
  readonly events: number;
  /** Records that were overwritten before they were read: above 0, all that follows is incomplete. */
  readonly lost: number;
  readonly run: GroupMetrics;
  readonly classes: readonly ClassMetrics[];
  readonly tasks: readonly TaskMetrics[];
  readonly harts: readonly HartMetrics[];
}

/** Of one task, of the tasks of one class, or of all. */
export interface GroupMetrics {
  /** Wake to run. */
  readonly wakeLatency: Distribution;
  /** Ready to run. */
  readonly runDelay: Distribution;
  /** Stretches on a hart. */
  readonly runTime: Distribution;
  readonly runTicks: number;
  readonly preemptions: number;
  readonly migrations: number;
  readonly steals: number;
  readonly rejects: Readonly<Partial<Record<RejectReason, number>>>;
  /** Release to completion of a periodic task's jobs; null: none is periodic. */
  readonly response: ResponseMetrics | null;
}

export interface ResponseMetrics {
  readonly time: Distribution;
  /** Jobs that ended, and those whose deadline passed before the trace ended. */
  readonly jobs: number;
  readonly missed: number;
}

export interface ClassMetrics extends GroupMetrics {
  readonly qos: QosName;
}

export interface TaskMetrics extends GroupMetrics {
  readonly task: number;
  readonly name: string;
  /** The class that it had last. */
  readonly qos: QosName | null;
}

const CLASSES: readonly QosName[] = ["PerfBurst", "Interactive", "Normal", "Idle"];

export function metricsOf(trace: Trace): TraceMetrics {
  const collector = new Collector(trace);
  for (const event of trace.events) collector.take(event);
  return collector.finish();
}

/** What belongs to one group while the trace is read. */
class Group {
  readonly wakeLatencies: number[] = [];
  readonly runDelays: number[] = [];
  readonly runTimes: number[] = [];
  readonly responses: number[] = [];
  readonly rejects: Partial<Record<RejectReason, number>> = {};
  runTicks = 0;
  preemptions = 0;
  migrations = 0;
  steals = 0;
  jobs = 0;
  missed = 0;
  isPeriodic = false;

  metrics(ticksPerSecond: number): GroupMetrics {
    const of = (values: readonly number[]): Distribution => distributionOf(values, ticksPerSecond);
    const { runTicks, preemptions, migrations, steals, rejects, jobs, missed } = this;
    return {
      wakeLatency: of(this.wakeLatencies),
      runDelay: of(this.runDelays),
      runTime: of(this.runTimes),
      runTicks,
      preemptions,
      migrations,
      steals,
      rejects,
      response: this.isPeriodic ? { time: of(this.responses), jobs, missed } : null,
    };
  }
}

class Collector implements ScheduleSink {
  private readonly trace: Trace;
  private readonly walk = new ScheduleWalk(this);
  private readonly all = new Group();
  private readonly classes = new Map<QosName, Group>();
  private readonly tasks = new Map<number, Group>();
  private readonly harts: HartCounter;
  private readonly qosOf = new Map<number, QosName>();
  private readonly programOf = new Map<number, number>();
  private readonly names = new Map<number, string>();
  private readonly jobs: JobClock;
  private lost = 0;

  constructor(trace: Trace) {
    this.trace = trace;
    this.harts = new HartCounter(trace.header.cpus);
    this.jobs = new JobClock(trace.events, (task, responseTicks, isMissed) => {
      for (const group of this.groupsOf(task)) {
        if (responseTicks !== null) group.responses.push(responseTicks);
        group.jobs += 1;
        if (isMissed) group.missed += 1;
      }
    });
  }

  take(event: TraceEvent): void {
    this.learn(event);
    this.walk.take(event);
    this.harts.take(event);
    this.jobs.take(event);
    switch (event.kind) {
      case "switch":
        if (event.reason === "preempted") this.count(event.previous, (group) => (group.preemptions += 1));
        return;
      case "migrate":
        return this.count(event.task, (group) => (group.migrations += 1));
      case "steal":
        return this.count(event.task, (group) => (group.steals += 1));
      case "reject":
        return this.count(event.task, ({ rejects }) => (rejects[event.why] = (rejects[event.why] ?? 0) + 1));
      case "lost":
        this.lost += event.count;
        return;
      default:
        return;
    }
  }

  finish(): TraceMetrics {
    const { header, events } = this.trace;
    const { ticksPerSecond } = header;
    const last = events.at(-1)?.t ?? 0;
    this.walk.finish();
    this.jobs.finish(last);
    for (const task of this.jobs.tasks) for (const group of this.groupsOf(task)) group.isPeriodic = true;
    return {
      format: "hartbeat-metrics",
      version: METRICS_VERSION,
      machine: header.machine,
      cpus: header.cpus,
      seed: header.seed ?? null,
      kernel: header.kernel,
      title: header.title ?? null,
      ticksPerSecond,
      durationTicks: last - (events[0]?.t ?? 0),
      events: events.length,
      lost: Math.max(this.lost, this.trace.totals?.lost ?? 0),
      run: this.all.metrics(ticksPerSecond),
      classes: CLASSES.flatMap((qos) => {
        const group = this.classes.get(qos);
        return group === undefined ? [] : [{ qos, ...group.metrics(ticksPerSecond) }];
      }),
      tasks: [...this.tasks]
        .toSorted(([a], [b]) => a - b)
        .map(([task, group]) => ({
          task,
          name: this.nameOf(task),
          qos: this.qosOf.get(task) ?? null,
          ...group.metrics(ticksPerSecond),
        })),
      harts: this.harts.metrics(),
    };
  }

  ran({ task, cpu, qos, from, to, isOpen }: Stretch): void {
    this.harts.ran(cpu, to - from);
    for (const group of this.groupsOf(task, qos)) {
      group.runTicks += to - from;
      if (!isOpen) group.runTimes.push(to - from);
    }
  }

  began({ task, qos, cause, from, to }: Wait): void {
    const delay = Math.max(0, to - from);
    for (const group of this.groupsOf(task, qos)) {
      group.runDelays.push(delay);
      if (cause === "wake") group.wakeLatencies.push(delay);
    }
  }

  idled(cpu: number, fromTicks: number, toTicks: number): void {
    this.harts.idled(cpu, toTicks - fromTicks);
  }

  private learn(event: TraceEvent): void {
    if (event.kind === "spawn") this.programOf.set(event.task, event.program);
    if (event.kind === "task-info") this.names.set(event.task, event.name);
    if (event.kind === "spawn" || event.kind === "enqueue" || event.kind === "qos" || event.kind === "park")
      this.qosOf.set(event.task, event.qos);
    if (event.kind === "switch" && event.next !== null && event.qos !== null) this.qosOf.set(event.next, event.qos);
  }

  private nameOf(task: number): string {
    const program = this.programOf.get(task);
    return this.names.get(task) ?? (program === undefined ? "" : (this.trace.header.programs[program] ?? ""));
  }

  private count(task: number | null, change: (group: Group) => void): void {
    if (task === null) change(this.all);
    else for (const group of this.groupsOf(task)) change(group);
  }

  /** The groups that a task is in; its class is the one that it has now, where none is given. */
  private groupsOf(task: number, qos = this.qosOf.get(task)): Group[] {
    const groups = [this.all, groupOf(this.tasks, task)];
    return qos === undefined ? groups : [...groups, groupOf(this.classes, qos)];
  }
}

function groupOf<Key>(groups: Map<Key, Group>, key: Key): Group {
  let group = groups.get(key);
  if (group === undefined) groups.set(key, (group = new Group()));
  return group;
}
