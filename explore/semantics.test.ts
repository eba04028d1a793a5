import { describe, expect, test } from "vitest";
import { compileAssemblyScript } from "./fixtures/compile.ts";
import { example } from "./fixtures/example.ts";
import type { Exploration, ExploreOptions, Target } from "./index.ts";
import { explore } from "./index.ts";
import { STATUS } from "./instrument/engine-layout.ts";
import { prepare } from "./program/prepared-target.ts";

const threads = (...names: string[]): Target["threads"] => names.map((name) => ({ function: name }));

async function run(source: string, target: Omit<Target, "wasm">, options: ExploreOptions = {}): Promise<Exploration> {
  const { wasm } = await compileAssemblyScript(source);
  return explore({ wasm, ...target }, { collectFinals: true, ...options });
}

describe("wait and notify", () => {
  test("wait: with a time-out: woken, expired and not equal are all reached, and it is no deadlock", async () => {
    const source = `
      export function waiter(): void { atomic.store<i32>(8, 10 + atomic.wait<i32>(0, 0, 1000)); }
      export function waker(): void { atomic.store<i32>(0, 1); atomic.notify(0, 1); }
      export function is0(): i32 { return load<i32>(8) == 10 ? 1 : 0; }
      export function is1(): i32 { return load<i32>(8) == 11 ? 1 : 0; }
      export function is2(): i32 { return load<i32>(8) == 12 ? 1 : 0; }
      export function other(): i32 { return load<i32>(8) < 10 || load<i32>(8) > 12 ? 1 : 0; }`;
    const reached = [];
    for (const final of ["is0", "is1", "is2", "other"])
      reached.push((await run(source, { threads: threads("waiter", "waker"), final })).verdict.kind);
    expect(reached).toEqual(["violated", "violated", "violated", "passed"]);
  });

  const QUEUE = `
    export function sleeper(): void { atomic.store<i32>(8, 10 + atomic.wait<i32>(0, 0, -1)); }
    export function timed(): void { atomic.store<i32>(16, 10 + atomic.wait<i32>(0, 0, 1000)); }
    export function waker(): void { atomic.store<i32>(24, 1 + atomic.notify(0, 1)); }`;

  test("notify: two sleepers, one to wake: the one that slept first, whichever thread that is", async () => {
    const { wasm } = await compileAssemblyScript(QUEUE);
    const fingerprints = new Set<string>();
    for (const [first, second] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const program = prepare({
        wasm,
        threads: threads("sleeper", "timed", "waker"),
        reductions: { coalesceInvisible: false },
      }).newProgram();
      for (const choice of [0, 1, 2, first, second]) program.apply(choice);
      // Both sleep; the waker can step, and the time-out of thread 1 can come.
      expect(program.enabled).toBe((1 << 2) | (1 << (16 + 1)));
      fingerprints.add(`${program.high}:${program.low}`);
      program.apply(2);
      expect(program.status(first)).toBe(STATUS.ready);
      expect(program.status(second)).toBeGreaterThanOrEqual(STATUS.waiting);
      program.apply(2);
      expect(program.i32[(program.layout.userBase + 24) >> 2]).toBe(2);
    }
    // Who is first in the queue is part of the state.
    expect(fingerprints.size).toBe(2);
  });

  test("notify: the first sleeper has timed out: the second is woken", async () => {
    const { wasm } = await compileAssemblyScript(QUEUE);
    const program = prepare({
      wasm,
      threads: threads("sleeper", "timed", "waker"),
      reductions: { coalesceInvisible: false },
    }).newProgram();
    for (const choice of [0, 1, 2, 1, 0, 16 + 1, 2]) program.apply(choice);
    expect(program.status(0)).toBe(STATUS.ready);
    for (const choice of [0, 0, 1, 1, 2]) program.apply(choice);
    const words = [8, 16, 24].map((address) => program.i32[(program.layout.userBase + address) >> 2]);
    expect(words).toEqual([10, 12, 2]);
    expect(program.allFinished).toBe(true);
  });

  test("wait: unaligned and out of bounds: reported as such", async () => {
    const unaligned = await run("export function t(): void { atomic.load<i32>(2); }", { threads: threads("t") });
    expect(unaligned.verdict.kind === "violated" && unaligned.verdict.counterexample.violation).toEqual({
      kind: "unaligned",
      thread: 0,
      address: 2,
    });
    const outside = await run("export function t(): void { atomic.add<i32>(0x7ffffff0, 1); }", {
      threads: threads("t"),
    });
    expect(outside.verdict.kind === "violated" && outside.verdict.counterexample.violation.kind).toBe("trap");
  });
});

describe("compare and exchange", () => {
  // As V8, SpiderMonkey and wabt do: the expected value is wrapped to the width of the access.
  test.each([
    ["i32.atomic.rmw8.cmpxchg_u", "256"],
    ["i32.atomic.rmw16.cmpxchg_u", "0x10000"],
    ["i64.atomic.rmw8.cmpxchg_u", "0x100"],
    ["i64.atomic.rmw16.cmpxchg_u", "0x70000"],
    ["i64.atomic.rmw32.cmpxchg_u", "0x500000000"],
  ])("cmpxchg: %s on 0, expecting %s: swaps", async (operation, expected) => {
    const source = `
      export function t(): void { if (${operation}(8, ${expected}, 77) != 0) unreachable(); }
      export function swapped(): i32 { return load<i32>(8) == 77 ? 0 : 1; }`;
    const { verdict } = await run(source, { threads: threads("t"), final: "swapped" });
    expect(verdict).toEqual({ kind: "passed" });
  });
});

describe("set-up", () => {
  test("init: that traps or sleeps for ever: one line", async () => {
    const source = `
      export function t(): void { atomic.load<i32>(0); }
      export function broken(): void { unreachable(); }
      export function asleep(): void { atomic.wait<i32>(0, 0, -1); }`;
    await expect(run(source, { threads: threads("t"), init: "broken" })).rejects.toThrow(/^init trapped: unreachable$/);
    await expect(run(source, { threads: threads("t"), init: "asleep" })).rejects.toThrow(
      /^init waits, and nobody could wake it$/,
    );
  });

  test("globals: each thread is an instance: one thread's global is not another's", async () => {
    const source = `
      let mine: i32 = 3;
      export function t(step: i32): void { mine += step; atomic.add<i32>(0, mine); }
      export function sum(): i32 { return load<i32>(0) == 3 + 1 + 3 + 10 && mine == 3 ? 0 : 1; }`;
    const { wasm } = await compileAssemblyScript(source);
    const result = await explore({
      wasm,
      threads: [1, 10].map((step) => ({ function: "t", args: [step] })),
      final: "sum",
    });
    expect(result.verdict).toEqual({ kind: "passed" });
  });

  test("symmetry: four threads that are alike: a fraction of the states", async () => {
    const { wasm } = await example("ticket-lock");
    const target = { wasm, threads: threads("worker", "worker", "worker", "worker"), final: "counted" };
    const alike = await explore(target);
    const apart = await explore({ ...target, reductions: { symmetry: false } });
    expect(alike.verdict).toEqual(apart.verdict);
    expect(alike.states * 8).toBeLessThan(apart.states);
  });

  test("explore: the same target twice: the same numbers and the same counterexample", async () => {
    const { wasm } = await example("faults/aba");
    const target = { wasm, threads: threads("popper", "recycler"), init: "init", invariant: "owned" };
    const [one, two] = [await explore(target), await explore(target)];
    expect(two.verdict).toEqual(one.verdict);
    const seeded = await explore(target, { strategy: "random", seed: 7 });
    const again = await explore(target, { strategy: "random", seed: 7 });
    expect(again.verdict).toEqual(seeded.verdict);
    expect([again.states, again.transitions]).toEqual([seeded.states, seeded.transitions]);
  });
});
