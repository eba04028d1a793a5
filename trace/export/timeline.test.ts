import { describe, expect, it } from "vitest";
import type { TraceEvent } from "../event.ts";
import { checkTrace } from "../monitor/check-trace.ts";
import { traceOf } from "../testing/trace-edit.ts";
import { formatViolation } from "./monitor-window.ts";
import { formatTimeline } from "./timeline.ts";

const EVENTS: readonly TraceEvent[] = [
  { t: 0, cpu: 0, kind: "trap", cause: "timer", task: null },
  { t: 0, cpu: 1, kind: "trap", cause: "timer", task: null },
  { t: 100, cpu: 0, kind: "switch", previous: null, reason: null, next: 1, qos: "PerfBurst" },
  { t: 200, cpu: 0, kind: "switch", previous: 1, reason: "blocked", next: 2, qos: "Idle" },
  { t: 201, cpu: 0, kind: "switch", previous: 2, reason: "blocked", next: 3, qos: "Idle" },
  { t: 300, cpu: 1, kind: "switch", previous: null, reason: null, next: 4, qos: "Normal" },
  { t: 400, cpu: 0, kind: "trap", cause: "timer", task: 3 },
];

/** 4 for the label, 9 for the frame and the share: 40 columns of 10 ticks. */
const WIDTH = 40 + 4 + 9;

describe("timeline", () => {
  it("rows: one a hart: the class of each slice, small where several tasks ran, dots where the hart idles", () => {
    const lines = formatTimeline(traceOf(EVENTS), { width: WIDTH }).split("\n");
    expect(lines[0]).toBe("      0.0 µs to 40.0 µs, 1.0 µs a column");
    expect(lines[1]).toBe(`cpu0 |${".".repeat(10)}${"P".repeat(10)}l${"L".repeat(19)}|  75 %`);
    expect(lines[2]).toBe(`cpu1 |${".".repeat(30)}${"N".repeat(10)}|  25 %`);
    expect(lines[3]).toBe("P PerfBurst  I Interactive  N Normal  L Idle  . the hart idles  (small: several tasks)");
  });

  it("a part of the trace: from and to: only that", () => {
    const lines = formatTimeline(traceOf(EVENTS), { width: WIDTH, fromTicks: 290, toTicks: 310, marks: [300] }).split(
      "\n",
    );
    expect(lines[2]).toBe(`cpu1 |${".".repeat(20)}${"N".repeat(20)}|  50 %`);
    expect(lines[3]?.indexOf("^")).toBe("cpu1 |".length + 20);
  });

  it("colour: one span for each run of equal cells, and none of its own", () => {
    const painted = formatTimeline(traceOf(EVENTS), { width: WIDTH, paint: (cell, text) => `<${cell}:${text}>` });
    expect(painted).toContain(`|<hart-idle:${".".repeat(10)}><PerfBurst:${"P".repeat(10)}><Idle:l${"L".repeat(19)}>|`);
  });

  it("violation: the clause, its events by number and the timeline around them", () => {
    const steal = (t: number): TraceEvent => ({ t, cpu: 1, kind: "steal", task: 5, victim: 0 });
    const trace = traceOf([...EVENTS, steal(410), steal(420)]);
    const [violation] = checkTrace(trace);
    const text = violation === undefined ? "" : formatViolation(trace, violation, { width: WIDTH });
    expect(text).toContain("S1: cpu1 stole task 5 from cpu0, its second theft since its last tick");
    expect(text).toContain("event 9: t=420 cpu1 steal task=5 victim=0");
    expect(text).toMatch(/\n +\^ +\^\n/);
  });
});
