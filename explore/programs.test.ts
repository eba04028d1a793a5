import { describe, expect, test } from "vitest";
import { compileAssemblyScript } from "./fixtures/compile.ts";
import { example } from "./fixtures/example.ts";
import type { Exploration, Target, ThreadSpec } from "./index.ts";
import { explore } from "./index.ts";

const thread = (name: string, ...args: number[]): ThreadSpec => ({ function: name, args });

async function run(name: string, target: Omit<Target, "wasm">): Promise<Exploration> {
  const { wasm, sourceMap } = await example(name);
  return explore({ wasm, ...target }, { sourceMap });
}

describe("correct programs pass", () => {
  const programs: [string, string, Omit<Target, "wasm">][] = [
    [
      "Peterson's lock, two threads, two rounds",
      "peterson",
      { threads: [thread("worker", 0), thread("worker", 1)], final: "counted" },
    ],
    [
      "ticket lock, four threads",
      "ticket-lock",
      { threads: [1, 2, 3, 4].map(() => thread("worker")), final: "counted" },
    ],
    [
      "Chase-Lev deque, an owner and two thieves",
      "chase-lev",
      { threads: [thread("owner"), thread("thief"), thread("thief")], invariant: "twice", final: "lost" },
    ],
    [
      "Vyukov's bounded queue, two producers and two consumers",
      "bounded-queue",
      {
        threads: [thread("producer", 1), thread("producer", 2), thread("consumer"), thread("consumer")],
        init: "init",
        final: "summed",
      },
    ],
    [
      "eventcount, two waiters and two wakers",
      "eventcount",
      { threads: [thread("waiter"), thread("waiter"), thread("waker"), thread("waker")], final: "done" },
    ],
  ];
  for (const [title, name, target] of programs)
    test(`explorer: ${title}: passes`, async () => {
      const result = await run(name, target);
      expect(result.verdict).toEqual({ kind: "passed" });
      expect(result.states).toBeGreaterThan(20);
    });
});

describe("planted faults are found", () => {
  // Title, module, target, what is reported, and the length of the shortest schedule (each thread's start counts one step).
  const faults: [string, string, Omit<Target, "wasm">, string, number][] = [
    [
      "lost wake-up, tested before cleared",
      "faults/lost-wakeup",
      { threads: [thread("sleeper"), thread("waker")] },
      "deadlock",
      8,
    ],
    [
      "owner and thief take the last task",
      "faults/last-task",
      { threads: [thread("taker"), thread("taker")], init: "init", invariant: "once" },
      "invariant",
      10,
    ],
    [
      "acknowledged before the trap",
      "faults/ack-before-trap",
      { threads: [thread("sender"), thread("target")], invariant: "causal" },
      "invariant",
      4,
    ],
    [
      "pending flag cleared after the scan",
      "faults/cleared-after-scan",
      { threads: [thread("handler"), thread("requester"), thread("requester")] },
      "deadlock",
      15,
    ],
    [
      "silent drop on a full ring",
      "faults/silent-drop",
      { threads: [thread("producer"), thread("producer")], final: "kept" },
      "final",
      7,
    ],
    [
      "generation check removed",
      "faults/generation",
      { threads: [thread("killer"), thread("picker")], init: "init", final: "current" },
      "final",
      4,
    ],
    [
      "plain load where an atomic is needed",
      "faults/plain-flag",
      { threads: [thread("writer"), thread("reader")] },
      "race",
      4,
    ],
    ["wait on a stale value", "faults/stale-wait", { threads: [thread("waiter"), thread("waker")] }, "deadlock", 8],
    [
      "two spin locks in opposite order",
      "faults/lock-order",
      { threads: [thread("spinning", 0), thread("spinning", 8)] },
      "livelock",
      4,
    ],
    [
      "two sleeping locks in opposite order",
      "faults/lock-order",
      { threads: [thread("sleeping", 0), thread("sleeping", 8)] },
      "deadlock",
      8,
    ],
    [
      "ABA on a stack with node reuse",
      "faults/aba",
      { threads: [thread("popper"), thread("recycler")], init: "init", invariant: "owned" },
      "invariant",
      22,
    ],
    [
      "a race on a branch that few schedules reach",
      "faults/rare-race",
      { threads: [thread("counting"), thread("looking")] },
      "race",
      12,
    ],
    [
      "atomics of two widths on one word",
      "faults/mixed-width",
      { threads: [thread("wide"), thread("narrow")] },
      "mixed-width",
      3,
    ],
    [
      "plain counter on two threads",
      "faults/counter",
      { threads: [thread("plain"), thread("plain"), thread("torn")] },
      "race",
      2,
    ],
    [
      "increments lost between load and store",
      "faults/counter",
      { threads: [thread("torn"), thread("torn")], final: "two" },
      "final",
      6,
    ],
    [
      "an access out of bounds on one schedule",
      "faults/counter",
      { threads: [thread("stray"), thread("stray")] },
      "trap",
      4,
    ],
    ["a failed assertion", "faults/counter", { threads: [thread("failing"), thread("failing")] }, "assertion", 4],
  ];
  for (const [title, name, target, kind, length] of faults)
    test(`explorer: ${title}: reported as ${kind}`, async () => {
      const { verdict } = await run(name, target);
      if (verdict.kind !== "violated") throw new Error(`not found: ${JSON.stringify(verdict)}`);
      const { counterexample } = verdict;
      expect(counterexample.violation.kind).toBe(kind);
      expect(counterexample.shortest).toBe(true);
      expect(counterexample.schedule.length).toBe(length);
    });
});

test("explorer: a plain loop past the bound: incomplete, whatever the strategy; with a higher bound it passes", async () => {
  const source = `
    export function looping(): void { atomic.add<i32>(0, 1); for (let i = 0; i < 1000; i++) store<i32>(8, i); }
    export function other(): void { atomic.add<i32>(0, 1); }`;
  const { wasm } = await compileAssemblyScript(source, { optimize: false });
  const target = { wasm, threads: [thread("looping"), thread("other")] };
  for (const strategy of ["exhaustive", "preemptions"] as const)
    expect((await explore({ ...target, plainLoopMax: 999 }, { strategy })).verdict, strategy).toEqual({
      kind: "incomplete",
      reason: "plain-loop",
    });
  expect((await explore({ ...target, plainLoopMax: 1001 })).verdict).toEqual({ kind: "passed" });
});
