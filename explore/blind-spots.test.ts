// What the explorer does not see, pinned: each of these programs is wrong in some way, and passes.

import { expect, test, vi } from "vitest";
import { compileAssemblyScript } from "./fixtures/compile.ts";
import { explore } from "./index.ts";

vi.setConfig({ testTimeout: 60_000 });

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

test("blind spots: an access out of bounds that lands in the room kept for memory.grow: passes; beyond it: a trap", async () => {
  const source = (address: number): string =>
    `export function stray(): void { atomic.load<i32>(0); store<i32>(${address}, 1); }`;
  const within = await compileAssemblyScript(source(70000), { pagesMax: 4 });
  const target = { threads: [{ function: "stray" }] };
  expect((await explore({ wasm: within.wasm, ...target })).verdict).toEqual({ kind: "passed" });
  expect((await explore({ wasm: within.wasm, ...target, growPages: 0 })).verdict.kind).toBe("violated");
  const beyond = await compileAssemblyScript(source(5 * 65536), { pagesMax: 4 });
  expect((await explore({ wasm: beyond.wasm, ...target })).verdict.kind).toBe("violated");
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
