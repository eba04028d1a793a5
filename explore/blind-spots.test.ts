// What the explorer does not see, pinned: each of these programs is wrong in some way, and passes.

import { expect, test } from "vitest";
import { compileAssemblyScript } from "./fixtures/compile.ts";
import { explore } from "./index.ts";

test("blind spots: a thread that an unfair schedule can starve for ever: passes, because it can still finish", async () => {
  const { wasm } = await compileAssemblyScript(`
    export function greedy(): void {
      for (;;) {
        while (atomic.cmpxchg<i32>(0, 0, 1) != 0) {}
        const done = atomic.load<i32>(8);
        atomic.store<i32>(0, 0);
        if (done) return;
      }
    }
    export function starved(): void {
      while (atomic.cmpxchg<i32>(0, 0, 1) != 0) {}
      atomic.store<i32>(8, 1);
      atomic.store<i32>(0, 0);
    }`);
  const { verdict } = await explore({ wasm, threads: [{ function: "greedy" }, { function: "starved" }] });
  expect(verdict).toEqual({ kind: "passed" });
});

test("blind spots: an access out of bounds that lands in the memory kept for thread stacks: passes; without stacks: a trap", async () => {
  const stray = "export function stray(): void { atomic.load<i32>(0); store<i32>(70000, 1); }";
  const target = { threads: [{ function: "stray" }] };
  const stacked = await compileAssemblyScript(`export let __stack_pointer: i32 = 1024; ${stray}`, { pagesMax: 4 });
  expect((await explore({ wasm: stacked.wasm, ...target })).verdict).toEqual({ kind: "passed" });
  const without = await compileAssemblyScript(stray, { pagesMax: 4 });
  expect((await explore({ wasm: without.wasm, ...target })).verdict.kind).toBe("violated");
});

test("blind spots: the schedule of a mixed width: shows one of the two accesses, not both", async () => {
  const { wasm } = await compileAssemblyScript(`
    export function wide(): void { atomic.store<i32>(8, 1); }
    export function narrow(): void { atomic.load<u8>(8); }`);
  const { verdict } = await explore({ wasm, threads: [{ function: "wide" }, { function: "narrow" }] });
  if (verdict.kind !== "violated") throw new Error("not found");
  expect(verdict.counterexample.violation.kind).toBe("mixed-width");
  expect(verdict.counterexample.schedule.length).toBe(3);
});
