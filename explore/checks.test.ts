import { beforeAll, describe, expect, test } from "vitest";
import { compileAssemblyScript } from "./fixtures/compile.ts";
import type { Target } from "./index.ts";
import { explore } from "./index.ts";

/** What is looked at depends on the state, lies across words, and is written across words. */
const SOURCE = `
const AT: usize = 0, SECRET: usize = 64, WIDE: usize = 100, ACROSS: usize = 133;

export function moves(): void {
  atomic.store<i32>(AT, 8);
  atomic.store<i32>(AT, 16);
  atomic.store<i32>(AT, 24);
  atomic.store<i32>(AT, 8);
}
export function adds(): void {
  for (let i: i32 = 1; i <= 3; i++) {
    atomic.add<i32>(8, 1);
    atomic.add<i32>(16, i);
    atomic.add<i32>(24, 5);
  }
}
/** Plain stores, each across two words. */
export function writesAcross(): void {
  atomic.load<i32>(32);
  store<i64>(WIDE, 0x0000000500000000);
  atomic.load<i32>(32);
  store<i32>(ACROSS, 0x07000000);
  atomic.load<i32>(32);
  store<i32>(ACROSS, 0);
  store<i64>(WIDE, 0);
}
export function grows(): void {
  atomic.load<i32>(32);
  memory.grow(1);
  atomic.load<i32>(32);
}

${Array.from({ length: 12 }, (_, secret) => `export function init${secret}(): void { store<i32>(SECRET, ${secret}); }`).join("\n")}

export function pointed(): i32 {
  const at = atomics ? atomic.load<i32>(AT) : load<i32>(AT);
  return at != 0 && load<i32>(at) == load<i32>(SECRET) ? 1 + at : 0;
}
/** Reads the second word of what was stored across two. */
export function wide(): i32 {
  return load<u8>(WIDE + 4) == load<i32>(SECRET) ? 1 : 0;
}
/** Reads across two words, of which only the second is written. */
export function across(): i32 {
  return load<u32>(ACROSS + 2) >> 8 == load<u32>(SECRET) ? 1 : 0;
}
export function roomy(): i32 {
  return memory.size() + 8 == load<i32>(SECRET) ? 1 : 0;
}
/** Writes while it looks: all of it is taken back. */
export function scribbles(): i32 {
  for (let at: usize = 200; at < 240; at += 4) store<i32>(at, 9);
  return load<i32>(8) == load<i32>(SECRET) ? 1 : 0;
}`;

const threads = ["moves", "adds", "writesAcross", "grows"];
const builds = new Map<string, Uint8Array>();

beforeAll(async () => {
  for (const atomics of [false, true]) {
    const source = SOURCE.replace("atomics ?", `${atomics} ?`);
    builds.set(`${atomics}`, (await compileAssemblyScript(source)).wasm);
  }
});

async function outcome(target: Omit<Target, "wasm" | "threads">, atomics = false) {
  const wasm = builds.get(`${atomics}`);
  if (wasm === undefined) throw new Error("not built");
  const { verdict } = await explore(
    { ...target, wasm, threads: threads.map((name) => ({ function: name })) },
    { walks: 0 },
  );
  // Which of several violations is met first, and after how many steps, depends on where the steps are cut.
  return verdict.kind === "violated" ? { violation: verdict.counterexample.violation.kind } : { kind: verdict.kind };
}

describe("checks are asked only after a step that touched what they read", () => {
  for (const invariant of ["pointed", "wide", "across", "roomy", "scribbles"])
    test(`checks: ${invariant}, for every value it may wait for: the verdict of asking in every state`, async () => {
      const kinds = new Set<string>();
      for (let secret = 0; secret < 12; secret++) {
        const target = { init: `init${secret}`, invariant };
        const asked = await outcome({ ...target, reductions: { incrementalInvariant: false } });
        expect(await outcome(target), `${invariant} ${secret}`).toEqual(asked);
        kinds.add("violation" in asked ? "violated" : "passed");
      }
      expect([...kinds].toSorted()).toEqual(["passed", "violated"]);
    });

  test("checks: one that reads atomically, which runs step by step: the same verdict", async () => {
    for (let secret = 0; secret < 12; secret++) {
      const target = { init: `init${secret}`, invariant: "pointed" };
      const { reductions, ...plain } = { ...target, reductions: { coalesceInvisible: false } };
      expect(await outcome(target, true), `${secret}`).toEqual(await outcome({ ...plain, reductions }));
    }
  });

  test("checks: a value that one thread alone writes and takes back at once: the invariant sees it", async () => {
    const { wasm } = await compileAssemblyScript(`
      export function worker(): void { atomic.store<i32>(8, 7); atomic.store<i32>(8, 0); }
      export function other(): void { atomic.store<i32>(16, 1); }
      export function invariant(): i32 { return load<i32>(8); }`);
    const target = { wasm, threads: [{ function: "worker" }, { function: "other" }], invariant: "invariant" };
    for (const walks of [0, 200]) {
      const { verdict } = await explore(target, { walks });
      expect(verdict, `${walks} walks`).toMatchObject({
        kind: "violated",
        counterexample: { violation: { kind: "invariant", result: 7 } },
      });
    }
  });
});
