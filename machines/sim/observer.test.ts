// What the observer sees of real boots, against what the kernel counts itself; with planted faults.

import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { Program } from "../../abi/programs.ts";
import { Qos } from "../../abi/qos.ts";
import { CPUS_IN_TURN } from "../../abi/task-table.ts";
import { PowerOff } from "../../abi/results.ts";
import { buildArtifacts } from "../../toolchain/build.ts";
import { ConsoleTotals } from "../../trace/console-totals.ts";
import { checkConsistency } from "../../trace/consistency.ts";
import type { Trace, TraceEvent } from "../../trace/event.ts";
import { checkTrace } from "../../trace/monitor/check-trace.ts";
import { parseTrace, traceLines } from "../../trace/trace-file.ts";
import { bootSim, type BootOptions } from "./machine-boot.ts";

let modules: { kernel: WebAssembly.Module; user: WebAssembly.Module };

beforeAll(async () => {
  const outcome = await buildArtifacts();
  if (outcome.kind === "refused") throw new Error(outcome.lines.join("\n"));
  const { kernelSim, userSim } = outcome.artifacts;
  const compile = async (path: string) => WebAssembly.compile(await readFile(path));
  modules = { kernel: await compile(kernelSim), user: await compile(userSim) };
}, 120_000);

interface Observed {
  readonly trace: Trace;
  readonly lines: readonly string[];
}

async function observe(options: Omit<BootOptions, "kernel" | "user">): Promise<Observed> {
  const run = bootSim({ ...modules, observe: true, ...options });
  const totals = new ConsoleTotals();
  const lines: string[] = [];
  for await (const line of run.lines) {
    lines.push(line);
    totals.take(line);
  }
  expect(await run.outcome).toEqual({ kind: "powered-off", result: PowerOff.Passed });
  const events = [...(run.events?.() ?? [])];
  const { harts, seed = 0 } = options;
  const header = {
    ...({ format: "hartbeat-trace", version: 1, machine: "sim", cpus: harts } as const),
    ...{ ticksPerSecond: 10_000_000, seed, kernel: "0".repeat(64), programs: ["probe", "worker"] },
  };
  return { trace: { header, events, totals: totals.totals(0) }, lines };
}

const CONSISTENT = { kind: "consistent" };

/** Sleepers, and wakers that wake them at the same time as others and the clock do; workers between, and a climber. */
const BUSY_TABLE = [
  24,
  ...Array.from({ length: 8 }, (_, index) => [Program.Sleeper, index % 4, CPUS_IN_TURN, 5, 0]).flat(),
  ...Array.from({ length: 8 }, (_, index) => [Program.Waker, Qos.Normal, CPUS_IN_TURN, 1024 + index + 3, 0]).flat(),
  ...Array.from({ length: 6 }, (_, index) => [Program.Worker, index % 3, CPUS_IN_TURN, 8, 0]).flat(),
  ...[Program.Climber, Qos.Idle, CPUS_IN_TURN, 0, 0],
  ...[Program.Intruder, Qos.Normal, CPUS_IN_TURN, 0, 0],
];

describe("observer: real boots", () => {
  const boots = [1, 2, 8].flatMap((harts) => [1, 2, 3].map((seed) => ({ harts, seed })));
  test.each([...boots, { harts: 64, seed: 1 }])(
    "observer: default tasks: events add up to the kernel's counters, and no monitor fires (harts=$harts, seed=$seed)",
    async ({ harts, seed }) => {
      const { trace } = await observe({ harts, seed });
      expect(checkConsistency(trace)).toEqual(CONSISTENT);
      expect(checkTrace(trace)).toEqual([]);
      expect(trace.totals?.harts.length).toBe(harts);
    },
    60_000,
  );

  test.each([1, 2, 8])(
    "observer: tasks that wake each other: likewise (harts=%i)",
    async (harts) => {
      const { trace } = await observe({ harts, seed: 5, taskTable: BUSY_TABLE });
      expect(checkConsistency(trace)).toEqual(CONSISTENT);
      expect(checkTrace(trace)).toEqual([]);
    },
    60_000,
  );

  test("observer: one seed with and without it: the same console, and the same trace twice", async () => {
    const observed = await observe({ harts: 3, seed: 4 });
    const run = bootSim({ ...modules, harts: 3, seed: 4 });
    const lines: string[] = [];
    for await (const line of run.lines) lines.push(line);
    expect(lines).toEqual(observed.lines);
    expect(run.events).toBeUndefined();
    expect((await observe({ harts: 3, seed: 4 })).trace).toEqual(observed.trace);
  });

  test("observer: events of a hart: in the order of time, and a switch leaves the task that the one before began", async () => {
    const { trace } = await observe({ harts: 4, seed: 6 });
    const running = new Map<number, number | null>();
    const clock = new Map<number, number>();
    let switches = 0;
    for (const event of trace.events) {
      expect(event.t).toBeGreaterThanOrEqual(clock.get(event.cpu) ?? 0);
      clock.set(event.cpu, event.t);
      if (event.kind === "trap") expect(event.task).toBe(running.get(event.cpu) ?? null);
      if (event.kind !== "switch") continue;
      expect(event.previous).toBe(running.get(event.cpu) ?? null);
      running.set(event.cpu, event.next);
      switches += 1;
    }
    expect(switches).toBeGreaterThan(50);
  });

  test("observer: trace as a file: read back as it was", async () => {
    const { trace } = await observe({ harts: 2, seed: 1 });
    const text = [...traceLines(trace.header, trace.events, trace.totals)].join("\n");
    expect(parseTrace(`${text}\n`)).toEqual({ kind: "read", trace });
  });
});

describe("observer: planted faults", () => {
  /** What the check reports of the same trace with its events changed. */
  const differencesOf = (trace: Trace, change: (events: TraceEvent[]) => TraceEvent[]): string[] => {
    const found = checkConsistency({ ...trace, events: change([...trace.events]) });
    return found.kind === "different" ? found.differences.map(({ of, what }) => `${of} ${what}`) : [];
  };

  test("observer: an event is dropped, doubled or moved to another hart: reported, for every kind that is counted", async () => {
    const { trace } = await observe({ harts: 8, seed: 1, taskTable: BUSY_TABLE });
    const counted = ["switch", "steal", "wake", "end", "accepted", "sent", "send-failed", "trapped", "acked"] as const;
    for (const kind of counted) {
      const index = trace.events.findIndex(
        (event) => event.kind === kind && (event.kind !== "switch" || event.next !== null),
      );
      const event = trace.events[index];
      if (event === undefined) throw new Error(`the trace has no ${kind}`);
      const elsewhere = { ...event, cpu: (event.cpu + 1) % 8 };
      expect(differencesOf(trace, (events) => events.toSpliced(index, 1))).not.toEqual([]);
      expect(differencesOf(trace, (events) => events.toSpliced(index, 0, event))).not.toEqual([]);
      // A wake is counted on the task, wherever it comes from.
      if (kind !== "wake") expect(differencesOf(trace, (events) => events.with(index, elsewhere))).not.toEqual([]);
    }
  });

  test("observer: a counter of the kernel differs by one: reported with both numbers", async () => {
    const { trace } = await observe({ harts: 2, seed: 1 });
    const [first, ...others] = trace.totals?.harts ?? [];
    if (first === undefined || trace.totals === null) throw new Error("the trace has no totals");
    const wrong = { ...trace.totals, harts: [{ ...first, picks: first.picks + 1 }, ...others] };
    const differences = [{ of: `cpu${first.cpu}`, what: "picks", events: first.picks, counted: first.picks + 1 }];
    expect(checkConsistency({ ...trace, totals: wrong })).toEqual({ kind: "different", differences });
  });

  test("observer: records were lost, or the run ended early: not comparable, and why", async () => {
    const { trace } = await observe({ harts: 1, seed: 1 });
    const { totals } = trace;
    if (totals === null) throw new Error("the trace has no totals");
    expect(checkConsistency({ ...trace, totals: { ...totals, lost: 3 } })).toMatchObject({ kind: "not-comparable" });
    expect(checkConsistency({ ...trace, totals: { ...totals, harts: [] } })).toMatchObject({ kind: "not-comparable" });
    expect(checkConsistency({ ...trace, totals: null })).toMatchObject({ kind: "not-comparable" });
  });
});
