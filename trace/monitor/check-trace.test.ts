import { describe, expect, it } from "vitest";
import type { Trace, TraceEvent, TrapKind } from "../event.ts";
import { modelTrace } from "../testing/model-scheduler.ts";
import { doubled, indexOf, replaced, traceOf, without } from "../testing/trace-edit.ts";
import { checkTrace } from "./check-trace.ts";

const SIZES = [1, 2, 8, 64];

/** Of a real trace: long enough that the event has what follows it. */
const model = modelTrace({ seed: 7, cpus: 4, tasks: 12, endTicks: 2500 });

function clausesOf(trace: Trace): string[] {
  return [...new Set(checkTrace(trace).map(({ clause }) => clause))];
}

const isKind =
  (kind: TraceEvent["kind"]) =>
  (event: TraceEvent): boolean =>
    event.kind === kind;

const trap = (t: number, cpu: number, cause: TrapKind, task: number | null = null): TraceEvent => ({
  t,
  cpu,
  kind: "trap",
  cause,
  task,
});
const begin = (t: number, cpu: number, next: number | null, previous: number | null = null): TraceEvent => ({
  t,
  cpu,
  kind: "switch",
  previous,
  reason: previous === null ? null : "blocked",
  next,
  qos: next === null ? null : "Normal",
});
const queue = (t: number, cpu: number, task: number, qos: "Normal" | "PerfBurst" = "Normal"): TraceEvent => ({
  t,
  cpu,
  kind: "enqueue",
  task,
  qos,
  depth: 1,
});
type Step = Extract<TraceEvent, { readonly n: number }>;
const step = (t: number, cpu: number, kind: Step["kind"], n: number, request = 1, of = 1, detail = 0): Step => ({
  t,
  cpu,
  kind,
  of,
  n,
  request,
  detail,
});
/** A task runs, so the selftests are over. */
const running = [trap(1, 0, "timer"), queue(2, 0, 9), begin(2, 0, 9)];
const ask = [trap(10, 0, "system-call", 9), step(12, 0, "accepted", 1), step(12, 0, "sent", 2)];
const answer = [trap(20, 1, "soft"), step(22, 1, "trapped", 3), step(22, 1, "acked", 4)];
const later = [trap(30, 1, "timer"), trap(40, 1, "timer"), trap(50, 1, "timer")];

describe("check trace", () => {
  for (const cpus of SIZES) {
    it(`monitors: traces of the model scheduler: no violation (harts=${cpus})`, () => {
      for (let seed = 1; seed <= 2; seed++) {
        const trace = modelTrace({ seed, cpus, tasks: 3 * cpus + 3, endTicks: cpus === 64 ? 500 : 2000, capacity: 3 });
        expect(checkTrace(trace).slice(0, 3), `seed ${seed}`).toEqual([]);
      }
    });
  }

  it.each([
    ["a send that is missing", "sent", "I3"],
    ["an acceptance that is missing", "accepted", "I3"],
    ["a trap of a request that is missing", "trapped", "I3"],
    ["an ack that is missing", "acked", "I6"],
  ] as const)("chain: planted: %s: reported", (_, kind, clause) => {
    for (let count = 1; count < 6; count++)
      expect(clausesOf(without(model, indexOf(model, isKind(kind), count))), `${kind} ${count}`).toContain(clause);
  });

  it("chain: planted: the ack has a smaller number than its trap: I3", () => {
    const swapped = [trap(20, 1, "soft"), step(22, 1, "trapped", 4), step(22, 1, "acked", 3)];
    expect(clausesOf(traceOf([...ask, ...swapped, ...later]))).toEqual(["I3"]);
  });

  it("chain: planted: the sender acks in the target's place: I3", () => {
    const acked = [...ask, step(12, 0, "acked", 3)];
    expect(clausesOf(traceOf([...acked, ...later]))).toContain("I3");
  });

  it("chain: planted: a number is given twice: I3", () => {
    const index = indexOf(model, isKind("sent"), 2);
    const event = model.events[index];
    expect(clausesOf(doubled(model, index, event ?? trap(0, 0, "soft")))).toContain("I3");
  });

  it("chain: planted: a trap that was entered before the send of its request: no violation, ticks of two harts tie", () => {
    const early = answer.map((event) => ({ ...event, t: 12 }));
    expect(clausesOf(traceOf([...early, ...ask, ...later]))).toEqual([]);
  });

  it("refused send: the request is never sent again: I4", () => {
    const refusal = step(12, 0, "send-failed", 3);
    const ticks = [30, 40, 50].map((t) => trap(t, 0, "timer", 9));
    expect(clausesOf(traceOf([...running, ...ask, refusal, ...ticks]))).toEqual(["I4"]);
    const again = [trap(30, 0, "timer", 9), step(32, 0, "sent", 4), trap(40, 0, "timer", 9), trap(50, 0, "timer", 9)];
    expect(clausesOf(traceOf([...running, ...ask, refusal, ...again]))).toEqual([]);
  });

  it("refused send: a trap rests on it: I4", () => {
    const took = [trap(20, 1, "soft"), step(22, 1, "trapped", 4), step(22, 1, "acked", 5)];
    expect(clausesOf(traceOf([...running, ...ask, step(12, 0, "send-failed", 3), ...took]))).toEqual(["I4"]);
  });

  it("S_SOFT without a request: acked all the same: I5", () => {
    const spurious = [trap(20, 1, "soft"), step(22, 1, "no-pending-request", 1, 0), step(22, 1, "acked", 2)];
    expect(clausesOf(traceOf([...spurious, ...later]))).toContain("I5");
    expect(clausesOf(traceOf([...spurious.slice(0, 2), ...later]))).toEqual([]);
  });

  it("S_SOFT without a request: nothing is recorded: I5", () => {
    expect(clausesOf(traceOf([trap(20, 1, "soft"), ...later]))).toEqual(["I5"]);
  });

  it("lost wake-up: an IPI never arrives while its hart takes ticks: I6", () => {
    const next = trap(25, 0, "timer", 9);
    expect(clausesOf(traceOf([...ask, next, ...later]))).toEqual(["I6"]);
    // The sender's trap may last.
    expect(clausesOf(traceOf([...ask, ...later]))).toEqual([]);
    expect(
      clausesOf(traceOf([...ask, next, ...later.slice(0, 1), ...answer.map((event) => ({ ...event, t: 35 }))])),
    ).toEqual([]);
  });

  it("lost wake-up: accepted, and nobody rings: I6", () => {
    expect(clausesOf(traceOf([...ask.slice(0, 2), trap(30, 0, "timer", 9)]))).toEqual(["I6"]);
  });

  it("lost wake-up: a hart idles while its own queue holds a task: I6", () => {
    const idles = [trap(20, 1, "timer"), queue(22, 1, 5), trap(30, 1, "timer"), trap(40, 1, "timer"), begin(42, 1, 5)];
    expect(clausesOf(traceOf([...running, ...idles]))).toEqual(["I6"]);
    const [first = idles[0], ...others] = idles.slice(1);
    expect(
      clausesOf(
        traceOf([...running, ...(first === undefined ? [] : [trap(20, 1, "timer"), first]), ...others.slice(2)]),
      ),
    ).toEqual([]);
  });

  it("covered request: the trap leaves out one that was accepted before it was entered: I7", () => {
    const second = [trap(14, 0, "system-call", 9), step(15, 0, "accepted", 3, 2, 1, 1)];
    const took = [trap(20, 1, "soft"), step(22, 1, "trapped", 4), step(22, 1, "acked", 5)];
    expect(clausesOf(traceOf([...ask, ...second, ...took]))).toEqual(["I7"]);
    expect(clausesOf(traceOf([...ask, ...second.map((event) => ({ ...event, t: 21 })), ...took]))).toEqual([]);
  });

  it("covered request: a second IPI while one is on its way: I7", () => {
    const second = [trap(14, 0, "system-call", 9), step(15, 0, "accepted", 3, 2), step(15, 0, "sent", 4, 2)];
    const took = [trap(20, 1, "soft"), step(22, 1, "trapped", 5, 2), step(22, 1, "acked", 6, 2)];
    const third = [trap(30, 0, "system-call", 9), step(31, 0, "accepted", 7, 3), step(31, 0, "sent", 8, 3)];
    expect(clausesOf(traceOf([...ask, ...second, ...took, ...third]))).toEqual(["I7"]);
  });

  it("steals: two within a tick: S1", () => {
    const index = indexOf(model, isKind("steal"), 1);
    const event = model.events[index];
    expect(clausesOf(doubled(model, index, event ?? trap(0, 0, "soft")))).toEqual(["S1"]);
  });

  it("steals: a tick of another hart between two: S1, and none after a tick of the thief's own", () => {
    const theft = (t: number, task: number): TraceEvent[] => [
      trap(t, 1, "system-call"),
      { t, cpu: 1, kind: "steal", task, victim: 0 },
      begin(t, 1, task),
    ];
    const ended = (t: number, task: number): TraceEvent[] => [
      trap(t, 1, "system-call", task),
      { t, cpu: 1, kind: "end", task, reason: "exited", code: 0 },
      { t, cpu: 1, kind: "switch", previous: task, reason: "exited", next: null, qos: null },
    ];
    const between = (cpu: number): TraceEvent[] => [
      ...[...theft(10, 4), ...ended(12, 4)],
      trap(14, cpu, "timer"),
      ...[...theft(16, 5), ...ended(18, 5)],
    ];
    expect(clausesOf(traceOf(between(0)))).toEqual(["S1"]);
    expect(clausesOf(traceOf(between(1)))).toEqual([]);
  });

  it("steals: a lower class than what waits in the thief's own queue: S2", () => {
    const theft: TraceEvent = { t: 32, cpu: 1, kind: "steal", task: 4, victim: 0 };
    const own = [
      trap(20, 1, "timer"),
      queue(22, 1, 5, "PerfBurst"),
      trap(30, 1, "system-call"),
      theft,
      begin(32, 1, 4),
    ];
    const next = [trap(40, 1, "system-call", 4), begin(42, 1, 5, 4)];
    expect(clausesOf(traceOf([...own, ...next]))).toEqual(["S2"]);
  });

  it("yield: a task is dropped: Q5", () => {
    const gaveUp = (event: TraceEvent, index: number): boolean => {
      const next = model.events.slice(index + 1).find((one) => one.cpu === event.cpu && one.kind === "switch");
      return event.kind === "enqueue" && next?.kind === "switch" && next.t === event.t && next.previous === event.task;
    };
    for (let count = 0; count < 5; count++)
      expect(clausesOf(without(model, indexOf(model, gaveUp, count))), `enqueue ${count}`).toContain("Q5");
  });

  it("yield: the hart enters the kernel from another task than it ran: Q5", () => {
    const index = indexOf(model, (event) => event.kind === "trap" && event.task !== null, 20);
    const event = model.events[index];
    if (event?.kind !== "trap") throw new Error("no trap");
    expect(clausesOf(replaced(model, index, { ...event, task: 77 }))).toContain("Q5");
  });

  it("order: a higher class waits while a lower one runs: Q6", () => {
    const waits = [trap(20, 1, "timer"), queue(22, 1, 5, "PerfBurst"), queue(22, 1, 6), begin(22, 1, 6)];
    const next = [trap(40, 1, "system-call", 6), begin(42, 1, 5, 6)];
    expect(clausesOf(traceOf([...waits, ...next]))).toEqual(["Q6"]);
  });

  it("order: the younger of a class runs first: Q6", () => {
    const waits = [trap(20, 1, "timer"), queue(22, 1, 5), queue(22, 1, 6), begin(22, 1, 6)];
    expect(clausesOf(traceOf([...waits, trap(40, 1, "system-call", 6), begin(42, 1, 5, 6)]))).toEqual(["Q6"]);
  });

  it("order: what was passed by is stolen: Q6 only if the thief's trap was entered after the pick", () => {
    const waits = [trap(20, 1, "timer"), queue(22, 1, 5), queue(22, 1, 6), begin(22, 1, 6)];
    const theft = (entered: number): TraceEvent[] => [
      trap(entered, 0, "timer"),
      { t: 40, cpu: 0, kind: "steal", task: 5, victim: 1 },
      begin(40, 0, 5),
    ];
    const inOrder = (events: TraceEvent[]): Trace => traceOf(events.toSorted((a, b) => a.t - b.t));
    expect(clausesOf(inOrder([...waits, ...theft(30)]))).toEqual(["Q6"]);
    expect(clausesOf(inOrder([...waits, ...theft(22)]))).toEqual([]);
    const moved: TraceEvent[] = [trap(25, 2, "system-call", 9), { t: 45, cpu: 2, kind: "qos", task: 5, qos: "Idle" }];
    expect(clausesOf(inOrder([...waits, ...theft(30), ...moved]))).toEqual([]);
  });

  it("lost records: what is missing proves nothing", () => {
    const index = indexOf(model, isKind("sent"), 2);
    const event = model.events[index] ?? trap(0, 0, "soft");
    const lost: TraceEvent = { t: event.t, cpu: event.cpu, kind: "lost", count: 1 };
    expect(clausesOf(replaced(model, index, lost))).toEqual([]);
  });
});
