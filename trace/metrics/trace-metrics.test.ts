import { describe, expect, it } from "vitest";
import { Syscall } from "../../abi/syscalls.ts";
import type { TraceEvent } from "../event.ts";
import { modelTrace } from "../testing/model-scheduler.ts";
import { traceOf } from "../testing/trace-edit.ts";
import { distributionOf } from "./distribution.ts";
import { formatCsv, rowsOf } from "./metric-rows.ts";
import { formatMetrics } from "./metrics-table.ts";
import { metricsOf } from "./trace-metrics.ts";

/** Two harts: cpu0 wakes task 2, which cpu1 runs from tick 130 to 150; task 1 is preempted at 120 and runs on at 160. */
const EVENTS: readonly TraceEvent[] = [
  { t: 0, cpu: 0, kind: "trap", cause: "timer", task: null },
  { t: 10, cpu: 0, kind: "spawn", task: 1, program: 0, qos: "Normal", target: 0 },
  { t: 10, cpu: 0, kind: "switch", previous: null, reason: null, next: 1, qos: "Normal" },
  { t: 50, cpu: 1, kind: "trap", cause: "timer", task: null },
  { t: 100, cpu: 0, kind: "trap", cause: "system-call", task: 1, call: Syscall.Wake, a0: 2 },
  { t: 110, cpu: 0, kind: "wake", task: 2, by: 1 },
  { t: 120, cpu: 0, kind: "switch", previous: 1, reason: "preempted", next: 3, qos: "PerfBurst" },
  { t: 130, cpu: 1, kind: "migrate", task: 2, from: 0 },
  { t: 130, cpu: 1, kind: "switch", previous: null, reason: null, next: 2, qos: "Interactive" },
  { t: 150, cpu: 1, kind: "switch", previous: 2, reason: "blocked", next: null, qos: null },
  { t: 160, cpu: 0, kind: "switch", previous: 3, reason: "exited", next: 1, qos: "Normal" },
  { t: 160, cpu: 0, kind: "reject", task: 1, why: "queue-full" },
  { t: 190, cpu: 0, kind: "trap", cause: "timer", task: 1 },
];

const sleep = (t: number, a0: number): TraceEvent => ({
  t,
  cpu: 0,
  kind: "trap",
  cause: "system-call",
  task: 1,
  call: Syscall.SleepUntil,
  a0,
});

describe("trace metrics", () => {
  it("times: a trace by hand: each as defined", () => {
    const metrics = metricsOf(traceOf(EVENTS));
    const [first, second] = metrics.tasks;
    expect(first?.runDelay.ticks).toEqual({ p50: 0, p95: 40, p99: 40, max: 40 });
    expect(second?.wakeLatency.ticks).toEqual({ p50: 20, p95: 20, p99: 20, max: 20 });
    expect(second?.wakeLatency.microseconds?.p50).toBe(2);
    expect([first?.runTicks, second?.runTicks]).toEqual([140, 20]);
    expect([first?.preemptions, second?.migrations]).toEqual([1, 1]);
    expect(first?.rejects).toEqual({ "queue-full": 1 });
    expect(metrics.harts.map((hart) => [hart.runTicks, hart.idleTicks])).toEqual([
      [180, 10],
      [20, 120],
    ]);
    expect(metrics.classes.map(({ qos }) => qos)).toEqual(["PerfBurst", "Interactive", "Normal"]);
  });

  it("latency: the run is written before the wake, whose trap lasts longer: 0 ticks, and the next wake counts as usual", () => {
    const events: readonly TraceEvent[] = [
      { t: 0, cpu: 0, kind: "spawn", task: 2, program: 0, qos: "Normal", target: 1 },
      { t: 5, cpu: 1, kind: "switch", previous: null, reason: null, next: 2, qos: "Normal" },
      { t: 10, cpu: 1, kind: "switch", previous: 2, reason: "blocked", next: null, qos: null },
      { t: 20, cpu: 0, kind: "trap", cause: "timer", task: null },
      { t: 25, cpu: 1, kind: "switch", previous: null, reason: null, next: 2, qos: "Normal" },
      { t: 30, cpu: 0, kind: "wake", task: 2, by: null },
      { t: 40, cpu: 1, kind: "switch", previous: 2, reason: "blocked", next: null, qos: null },
      { t: 50, cpu: 0, kind: "trap", cause: "timer", task: null },
      { t: 51, cpu: 0, kind: "wake", task: 2, by: null },
      { t: 58, cpu: 1, kind: "switch", previous: null, reason: null, next: 2, qos: "Normal" },
    ];
    expect(metricsOf(traceOf(events)).run.wakeLatency).toMatchObject({ count: 2, ticks: { p50: 0, max: 7 } });
  });

  it("response: periodic task: from release to the next call, misses counted, a sleep within the job is none", () => {
    const info: TraceEvent = {
      t: 0,
      cpu: 0,
      kind: "task-info",
      task: 1,
      name: "audio",
      periodTicks: 100,
      deadlineTicks: 60,
    };
    const calls = [sleep(10, 100), sleep(120, 130), sleep(150, 200), sleep(270, 300), sleep(310, 400)];
    const end: TraceEvent = { t: 700, cpu: 0, kind: "trap", cause: "timer", task: null };
    const [task] = metricsOf(traceOf([info, ...calls, end])).tasks;
    expect(task?.response).toMatchObject({ time: { count: 3, ticks: { p50: 50, max: 70 } }, jobs: 4, missed: 2 });
    expect(task?.name).toBe("audio");
  });

  it("sums: traces of the model scheduler: classes, tasks and harts agree with the run and its totals", () => {
    for (let seed = 1; seed <= 10; seed++) {
      const trace = modelTrace({ seed, cpus: 3, tasks: 9 });
      const { run, classes, tasks, harts } = metricsOf(trace);
      for (const groups of [classes, tasks]) {
        const sum = groups.reduce((total, { runTicks }) => total + runTicks, 0);
        expect(sum, `seed ${seed}`).toBe(run.runTicks);
        expect(groups.reduce((total, { runDelay }) => total + runDelay.count, 0)).toBe(run.runDelay.count);
      }
      expect(harts.reduce((total, { runTicks }) => total + runTicks, 0)).toBe(run.runTicks);
      expect(run.runDelay.count).toBe(trace.events.filter((e) => e.kind === "switch" && e.next !== null).length);
      const ipis = harts.map(({ accepted, sent, trapped, acked }) => [accepted, sent, trapped, acked]);
      expect(ipis).toEqual(trace.totals?.harts.map((hart) => [hart.accepted, hart.sent, hart.trapped, hart.acked]));
    }
  });

  it("lost records: counted, and what was open is dropped", () => {
    const lost: TraceEvent = { t: 115, cpu: 1, kind: "lost", count: 4 };
    const metrics = metricsOf(traceOf([...EVENTS.slice(0, 6), lost, ...EVENTS.slice(6)]));
    expect(metrics.lost).toBe(4);
    expect(metrics.run.wakeLatency.count).toBe(0);
    expect(formatMetrics(metrics)).toContain("INCOMPLETE: 4 records");
  });

  it("quantiles: nearest rank", () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(distributionOf(values, 1_000_000).ticks).toEqual({ p50: 50, p95: 95, p99: 99, max: 100 });
    expect(distributionOf([], 1).ticks).toBeNull();
  });

  it("table and CSV: every group has a row", () => {
    const metrics = metricsOf(traceOf(EVENTS));
    const table = formatMetrics(metrics);
    for (const name of ["all tasks", "PerfBurst", "task 2", "cpu1"]) expect(table).toContain(name);
    const lines = formatCsv(rowsOf(metrics)).split("\n");
    expect(lines[0]).toBe("scope,id,metric,unit,value");
    expect(lines).toContain("task,2,wake latency p50,µs,2");
    expect(lines).toContain("hart,cpu0,IPIs accepted,count,0");
  });
});
