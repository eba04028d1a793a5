import { describe, expect, test } from "vitest";
import { example } from "./fixtures/example.ts";
import { NO_REDUCTIONS } from "./program/reductions.ts";
import type { Exploration, Reductions, Target, ThreadSpec } from "./index.ts";
import { explore } from "./index.ts";
import { assertDefined } from "../wasm/assert-defined.ts";

const thread = (name: string, ...args: number[]): ThreadSpec => ({ function: name, args });

/** Small enough to enumerate every interleaving without merging a single state; none of them spins. */
const programs: [string, string, Omit<Target, "wasm">][] = [
  ["torn counter, two threads", "faults/counter", { threads: [thread("torn"), thread("torn")] }],
  ["torn counter, three threads", "faults/counter", { threads: [thread("torn"), thread("torn"), thread("torn")] }],
  ["takers of the last task", "faults/last-task", { threads: [thread("taker"), thread("taker")], init: "init" }],
  ["killer and picker", "faults/generation", { threads: [thread("killer"), thread("picker")], init: "init" }],
  ["producers into one slot", "faults/silent-drop", { threads: [thread("producer"), thread("producer")] }],
  ["thieves of a deque", "chase-lev", { threads: [thread("thief"), thread("thief")] }],
];

async function finals(
  name: string,
  target: Omit<Target, "wasm">,
  reductions: Partial<Reductions>,
): Promise<Exploration> {
  const { wasm } = await example(name);
  const result = await explore({ wasm, ...target, reductions }, { collectFinals: true, walks: 5 });
  expect(result.verdict).toEqual({ kind: "passed" });
  return result;
}

describe("reductions keep the set of final memories", () => {
  const switches = Object.keys(NO_REDUCTIONS) as (keyof Reductions)[];
  for (const [title, name, target] of programs)
    test(`reductions: ${title}: each alone, all together and none reach the same ends`, async () => {
      const plain = await finals(name, target, NO_REDUCTIONS);
      expect(assertDefined(plain.finals).size).toBeGreaterThan(0);
      for (const reduction of switches)
        expect((await finals(name, target, { ...NO_REDUCTIONS, [reduction]: true })).finals, reduction).toEqual(
          plain.finals,
        );
      for (const reduction of switches)
        expect((await finals(name, target, { [reduction]: false })).finals, `without ${reduction}`).toEqual(
          plain.finals,
        );
      const all = await finals(name, target, {});
      expect(all.finals).toEqual(plain.finals);
      expect(all.transitions).toBeLessThanOrEqual(plain.transitions);
    });

  test("reductions: programs that spin or sleep: with and without sleep sets and symmetry the same states end them", async () => {
    for (const [name, target] of [
      ["peterson", { threads: [thread("worker", 0), thread("worker", 1)] }],
      ["ticket-lock", { threads: [thread("worker"), thread("worker"), thread("worker")] }],
      ["eventcount", { threads: [thread("waiter"), thread("waiter"), thread("waker"), thread("waker")] }],
      ["chase-lev", { threads: [thread("owner"), thread("thief"), thread("thief")] }],
    ] as [string, Omit<Target, "wasm">][]) {
      const plain = await finals(name, target, { sleepSets: false, symmetry: false, zeroDead: false });
      const all = await finals(name, target, {});
      expect(all.finals, name).toEqual(plain.finals);
      const noSymmetry = await finals(name, target, { symmetry: false });
      const noSleep = await finals(name, target, { symmetry: false, sleepSets: false });
      // Sleep sets leave out transitions, never states.
      expect(noSymmetry.states, name).toBe(noSleep.states);
      expect(noSymmetry.transitions, name).toBeLessThan(noSleep.transitions);
    }
  });

  test("reductions: a torn counter on three threads: every number of lost increments is reached", async () => {
    const result = await finals("faults/counter", { threads: [thread("torn"), thread("torn"), thread("torn")] }, {});
    expect(assertDefined(result.finals).size).toBe(3);
  });
});

describe("reductions keep the faults", () => {
  const faults: [string, Omit<Target, "wasm">, string][] = [
    ["faults/rare-race", { threads: [thread("counting"), thread("looking")] }, "race"],
    ["faults/plain-flag", { threads: [thread("writer"), thread("reader")] }, "race"],
    ["faults/lock-order", { threads: [thread("sleeping", 0), thread("sleeping", 8)] }, "deadlock"],
    ["faults/lock-order", { threads: [thread("spinning", 0), thread("spinning", 8)] }, "livelock"],
    ["faults/lost-wakeup", { threads: [thread("sleeper"), thread("waker")] }, "deadlock"],
  ];
  for (const [name, target, kind] of faults)
    test(`reductions: ${name} as ${kind}: found with and without sleep sets, symmetry and zeroing, without a first look`, async () => {
      const { wasm } = await example(name);
      const lengths = new Set<number>();
      for (const reductions of [
        {},
        { sleepSets: false },
        { symmetry: false },
        { zeroDead: false },
        { sleepSets: false, symmetry: false, zeroDead: false },
      ]) {
        const { verdict } = await explore({ wasm, ...target, reductions }, { walks: 0 });
        if (verdict.kind !== "violated") throw new Error(`not found with ${JSON.stringify(reductions)}`);
        expect(verdict.counterexample.violation.kind).toBe(kind);
        lengths.add(verdict.counterexample.schedule.length);
      }
      expect(lengths.size).toBe(1);
    });
});
