// What an invariant sees: every state between atomic accesses, those included that no other thread can notice.

import { describe, expect, test } from "vitest";
import { compileAssemblyScript } from "../fixtures/compile.ts";
import { explore, replay } from "../index.ts";
import { prepare } from "./prepared-target.ts";

async function findsInvariant(source: string, threads: readonly string[]): Promise<string[]> {
  const { wasm } = await compileAssemblyScript(source);
  const found: string[] = [];
  for (const reductions of [{}, { coalesceInvisible: false }, { incrementalInvariant: false }]) {
    const target = { wasm, threads: threads.map((name) => ({ function: name })), invariant: "invariant", reductions };
    const { verdict } = await explore(target, { walks: 0 });
    found.push(verdict.kind === "violated" ? verdict.counterexample.violation.kind : verdict.kind);
    if (verdict.kind === "violated") expect(replay(verdict.counterexample, wasm).kind).toBe("reproduced");
  }
  return found;
}

const ALL = ["invariant", "invariant", "invariant"];

describe("states behind invisible accesses", () => {
  test("invisible accesses: a plain value that the next plain store replaces, an access of the thread's own between: seen", async () => {
    const source = `
      export function t(): void {
        atomic.add<i32>(0, 1);
        store<i32>(8, 7);
        atomic.add<i32>(16, 1);
        store<i32>(8, 0);
      }
      export function other(): void { atomic.add<i32>(0, 1); }
      export function invariant(): i32 { return load<i32>(8); }`;
    expect(await findsInvariant(source, ["t", "other"])).toEqual(ALL);
  });

  test("invisible accesses: one word is ahead of another for one state: seen", async () => {
    const source = `
      export function t(): void {
        if (atomic.add<i32>(0, 1) == 1) {
          store<i32>(24, 1);
          atomic.add<i32>(16, 1);
          store<i32>(32, 1);
        }
      }
      export function other(): void { atomic.add<i32>(0, 1); atomic.add<i32>(0, 2); }
      // Looks at the second word only where the first is set.
      export function invariant(): i32 { return load<i32>(24) == 1 && load<i32>(32) == 0 ? 1 : 0; }`;
    expect(await findsInvariant(source, ["t", "other"])).toEqual(ALL);
  });

  test("starts: a thread stores plainly before its first atomic access: one start is seen without the other", async () => {
    const source = `
      export function left(): void { store<i32>(8, 1); atomic.add<i32>(0, 1); }
      export function right(): void { store<i32>(16, 1); atomic.add<i32>(0, 1); }
      export function invariant(): i32 { return load<i32>(8) == 1 && load<i32>(16) == 0 ? 1 : 0; }`;
    expect(await findsInvariant(source, ["left", "right"])).toEqual(ALL);
  });
});

describe("one schedule, one meaning", () => {
  const SOURCE = `
    export function t(): void {
      atomic.add<i32>(0, 1);
      store<i32>(8, 7);
      atomic.add<i32>(16, 1);
      store<i32>(8, 0);
      atomic.add<i32>(0, 1);
    }
    export function other(): void { atomic.add<i32>(0, 1); }
    export function invariant(): i32 { return load<i32>(8) == 9 ? 1 : 0; }`;
  const threads = [{ function: "t" }, { function: "other" }];

  test("steps: a check reads a word for the first time between two runs: they pause at the same accesses", async () => {
    const { wasm } = await compileAssemblyScript(SOURCE);
    for (const traced of [false, true]) {
      const program = prepare({ wasm, threads, invariant: "invariant" }, traced).newProgram();
      // The counter is shared; of the rest only the check's reading is new.
      program.words.trackRaces([-1]);
      const run = (): number[] => {
        program.restart();
        return [0, 0, 1].map((thread) => {
          program.apply(thread);
          return program.pendingAddress(thread);
        });
      };
      const before = run();
      program.judge();
      expect(run(), traced ? "traced" : "as searched").toEqual(before);
      // Known to be read by a check, the word ends a step; a program that knows the same words agrees.
      if (traced) continue;
      expect(program.words.contendChecked()).toBe(true);
      const after = run();
      expect(after).not.toEqual(before);
      const other = prepare({ wasm, threads, invariant: "invariant" }, true).newProgram();
      other.words.trackRaces(program.words.known);
      expect([0, 0, 1].map((thread) => (other.apply(thread), other.pendingAddress(thread)))).toEqual(after);
    }
  });
});
