// What an invariant sees: every state between atomic accesses, those included that no other thread can notice.

import { describe, expect, test, vi } from "vitest";
import { compileAssemblyScript } from "./fixtures/compile.ts";
import { explore } from "./index.ts";

vi.setConfig({ testTimeout: 60_000 });

async function findsInvariant(source: string, threads: readonly string[]): Promise<string[]> {
  const { wasm } = await compileAssemblyScript(source);
  const found: string[] = [];
  for (const reductions of [{}, { quietInStep: false }, { askOnTouch: false }]) {
    const target = { wasm, threads: threads.map((name) => ({ function: name })), invariant: "invariant", reductions };
    const { verdict } = await explore(target, { walks: 0 });
    found.push(verdict.kind === "violated" ? verdict.counterexample.violation.kind : verdict.kind);
  }
  return found;
}

const ALL = ["invariant", "invariant", "invariant"];

describe("states behind quiet accesses", () => {
  test("quiet accesses: a plain value that the next plain store replaces, an access of the thread's own between: seen", async () => {
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

  test("quiet accesses: one word is ahead of another for one state: seen", async () => {
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
