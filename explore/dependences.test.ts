// What makes two steps depend on each other: a sleeping step must wake for it, or an order is left out.

import { describe, expect, test } from "vitest";
import { compileAssemblyScript } from "./fixtures/compile.ts";
import type { Exploration, Reductions, Target } from "./index.ts";
import { explore } from "./index.ts";

async function kinds(source: string, target: Omit<Target, "wasm">): Promise<string[]> {
  const { wasm } = await compileAssemblyScript(source, { pagesMax: 3 });
  const found: string[] = [];
  const switches: Partial<Reductions>[] = [{}, { coalesceInvisible: false }, { sleepSets: false }, { zeroDead: false }];
  for (const reductions of switches) {
    const { verdict } = await explore({ wasm, ...target, reductions }, { walks: 0 });
    found.push(kindOf(verdict));
  }
  return found;
}

const kindOf = (verdict: Exploration["verdict"]): string =>
  verdict.kind === "violated" ? verdict.counterexample.violation.kind : verdict.kind;

describe("a step's plain accesses", () => {
  test.each(["store", "add"])(
    "sleep sets: an atomic %s before a plain load of another step: the race is found in the other order",
    async (operation) => {
      const source = `
        export function first(): void { atomic.add<i32>(0, 1); }
        export function writer(): void { atomic.${operation}<i32>(8, 1); }
        export function reader(): void { atomic.add<i32>(0, 1); load<i32>(8); }`;
      const threads = ["first", "writer", "reader"].map((name) => ({ function: name }));
      expect(await kinds(source, { threads })).toEqual(["race", "race", "race", "race"]);
    },
  );

  test("sleep sets: a narrow atomic store, a plain load of the byte beside it: no race, and none is reported", async () => {
    const source = `
      export function first(): void { atomic.add<i32>(0, 1); }
      export function writer(): void { atomic.store<u8>(9, 1); }
      export function reader(): void { atomic.add<i32>(0, 1); load<u8>(8); load<u8>(10); }`;
    const threads = ["first", "writer", "reader"].map((name) => ({ function: name }));
    expect(await kinds(source, { threads })).toEqual(["passed", "passed", "passed", "passed"]);
  });
});

describe("the size of memory", () => {
  test("memory.grow: one thread grows, another traps while the size is still the old one: found", async () => {
    const source = `
      export function grower(): void { memory.grow(1); }
      export function looker(): void { atomic.load<i32>(0); if (memory.size() == 1) unreachable(); }`;
    const threads = ["grower", "looker"].map((name) => ({ function: name }));
    expect(await kinds(source, { threads })).toEqual(["trap", "trap", "trap", "trap"]);
  });

  test("memory.grow: two threads grow, each must see its own size before: both orders end", async () => {
    const source = `
      export function grower(slot: i32): void { atomic.store<i32>(slot, memory.grow(1)); }`;
    const { wasm } = await compileAssemblyScript(source, { pagesMax: 3 });
    const threads = [8, 16].map((slot) => ({ function: "grower", args: [slot] }));
    const { verdict, finals } = await explore({ wasm, threads }, { walks: 0, collectFinals: true });
    expect(verdict).toEqual({ kind: "passed" });
    expect(finals?.size).toBe(2);
  });

  test("memory.grow: an access to a page that another thread may not have grown yet: traps", async () => {
    const source = `
      export function grower(): void { memory.grow(1); }
      export function plain(): void { atomic.load<i32>(0); store<i32>(65536, 1); }
      export function atomically(): void { atomic.store<i32>(65536, 1); }
      export function notifying(): void { atomic.notify(65536, 1); }
      export function filling(): void { atomic.load<i32>(0); memory.fill(65534, 0, 4); }`;
    for (const name of ["plain", "atomically", "notifying", "filling"]) {
      const threads = ["grower", name].map((each) => ({ function: each }));
      expect(await kinds(source, { threads }), name).toEqual(["trap", "trap", "trap", "trap"]);
    }
  });

  test("memory.grow: a thread that has seen the new size uses the new page: passes", async () => {
    const source = `
      export function grower(): void { memory.grow(1); }
      export function careful(): void { if (memory.size() == 2) store<i32>(65536, 1); }`;
    const threads = ["grower", "careful"].map((name) => ({ function: name }));
    expect(await kinds(source, { threads })).toEqual(["passed", "passed", "passed", "passed"]);
  });
});
