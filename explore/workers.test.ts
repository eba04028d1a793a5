import { pathToFileURL } from "node:url";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { bundleWorker } from "./fixtures/bundle.ts";
import { compileAssemblyScript } from "./fixtures/compile.ts";
import { example } from "./fixtures/example.ts";
import { explore } from "./index.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let bundle: { readonly worker: string };

beforeAll(async () => {
  bundle = { worker: await bundleWorker() };
});

describe("several workers", () => {
  const thread = (name: string): { function: string } => ({ function: name });
  test("workers: correct programs: the states and final memories of one worker", async () => {
    for (const [name, target] of [
      [
        "chase-lev",
        { threads: [thread("owner"), thread("thief"), thread("thief")], invariant: "twice", final: "lost" },
      ],
      [
        "bounded-queue",
        {
          threads: [{ function: "producer", args: [1] }, { function: "producer", args: [2] }, thread("consumer")],
          init: "init",
        },
      ],
    ] as const) {
      const { wasm } = await example(name);
      const options = { collectFinals: true, memoryMax: 2 ** 26 };
      const alone = await explore({ wasm, ...target }, options);
      const together = await explore(
        { wasm, ...target },
        { ...options, workers: 2, workerModule: pathToFileURL(bundle.worker) },
      );
      expect(together.verdict).toEqual(alone.verdict);
      expect(together.finals).toEqual(alone.finals);
      expect(together.states).toBe(alone.states);
    }
  });

  test("workers: a word that one thread touches in one worker's part, and another in another's: contended all the same", async () => {
    const one = (name: string): string => `export function ${name}(): void {
      if (atomic.add<i32>(0, 1) == 0) { atomic.store<i32>(64, 1); atomic.add<i32>(0, 4); }
      for (let i = 0; i < 200; i++) atomic.add<i32>(8, 1);
    }`;
    const { wasm } = await compileAssemblyScript(`${one("left")} ${one("right")}`);
    const target = { wasm, threads: [thread("left"), thread("right")] };
    const alone = await explore(target, { walks: 0 });
    // Which worker gets what is the clock's to say: without the comparison, one run in a few had fewer states.
    for (let run = 0; run < 4; run++) {
      const options = { walks: 0, workers: 2, memoryMax: 2 ** 24, workerModule: pathToFileURL(bundle.worker) };
      expect((await explore(target, options)).states).toBe(alone.states);
    }
  });

  test("workers: a planted fault: found, with the same shortest length", async () => {
    const { wasm } = await example("faults/aba");
    const target = { wasm, threads: [thread("popper"), thread("recycler")], init: "init", invariant: "owned" };
    const { verdict } = await explore(target, {
      walks: 0,
      workers: 2,
      memoryMax: 2 ** 24,
      workerModule: pathToFileURL(bundle.worker),
    });
    expect(verdict.kind === "violated" && verdict.counterexample.schedule.length).toBe(22);
  });

  test("workers: a table too small for the states: incomplete, not passed", async () => {
    const { wasm } = await example("chase-lev");
    const target = { wasm, threads: [thread("owner"), thread("thief"), thread("thief"), thread("thief")] };
    for (const workers of [1, 2]) {
      const { verdict } = await explore(target, {
        walks: 5,
        workers,
        memoryMax: 2 ** 12,
        workerModule: pathToFileURL(bundle.worker),
      });
      expect(verdict, `${workers} workers`).toEqual({ kind: "incomplete", reason: "memory" });
    }
  });
});
