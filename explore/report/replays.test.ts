// Every counterexample replays: what the explorer reports is what another program does, whatever phase found it.

import { pathToFileURL } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { bundleWorker } from "../fixtures/worker-bundle.ts";
import { compileAssemblyScript } from "../fixtures/compile.ts";
import {
  type Counterexample,
  type ExploreOptions,
  explore,
  parseCounterexample,
  renderCounterexample,
  replay,
} from "../index.ts";
import { recordSteps } from "./replay.ts";
import { decide } from "../explore.ts";
import type { Target } from "../program/target.ts";

let worker: URL;
beforeAll(async () => {
  worker = pathToFileURL(await bundleWorker());
});

const WAYS: readonly (readonly [string, () => ExploreOptions])[] = [
  ["one worker", () => ({ walks: 0 })],
  ["random walks", () => ({ strategy: "random" })],
  ["two workers", () => ({ walks: 0, workers: 2, workerModule: worker, memoryMax: 2 ** 24 })],
  ["not shortened", () => ({ walks: 0, shortest: false })],
  ["no memory for the shortest", () => ({ walks: 0, memoryMax: 2 ** 14 })],
];

async function violationIn(target: Target, options: ExploreOptions): Promise<Counterexample> {
  const { verdict } = await explore(target, options);
  if (verdict.kind !== "violated") throw new Error(`nothing found: ${verdict.kind}`);
  // As it comes back from a file.
  const parsed = parseCounterexample(JSON.stringify(verdict.counterexample));
  if (parsed.kind !== "ok") throw new Error(parsed.reason);
  return parsed.counterexample;
}

/** A thread waits, and the invariant reads words that change before accesses of the thread's own. */
const WAITS = `
  export function sleeper(): void {
    atomic.add<i32>(0, 1);
    store<i32>(24, 1);
    atomic.add<i32>(16, 1);
    store<i32>(24, 2);
    atomic.wait<i32>(8, 0, -1);
    store<i32>(24, 3);
    atomic.add<i32>(16, 1);
    store<i32>(24, 4);
    atomic.add<i32>(0, 8);
  }
  export function waker(): void {
    atomic.add<i32>(0, 1);
    atomic.store<i32>(8, 1);
    atomic.notify(8, 1);
    atomic.add<i32>(0, 1);
  }
  export function invariant(): i32 {
    return load<i32>(24) > 8 ? 1 : 0;
  }
  export function atEnd(): i32 { return atomic.load<i32>(0) == 11 ? 5 : 0; }`;

describe("replays", () => {
  test.each(WAYS)(
    "replays: an invariant reads what changes before invisible accesses, %s: reproduced",
    async (_, ways) => {
      const { wasm } = await compileAssemblyScript(WAITS);
      const threads = [{ function: "sleeper" }, { function: "waker" }];
      const counterexample = await violationIn({ wasm, threads, invariant: "invariant", final: "atEnd" }, ways());
      expect(counterexample.violation.kind).toBe("final");
      expect(replay(counterexample, wasm).kind).toBe("reproduced");
    },
  );

  test.each(WAYS)("replays: two widths, each in schedules of its own, %s: reproduced", async (_, ways) => {
    const { wasm } = await compileAssemblyScript(`
      export function narrow(): void { if (atomic.add<i32>(0, 1) == 0) atomic.store<i32>(8, 1); }
      export function wide(): void { if (atomic.add<i32>(0, 1) == 0) atomic.store<i64>(8, 1); }`);
    const threads = [{ function: "narrow" }, { function: "wide" }];
    const counterexample = await violationIn({ wasm, threads }, ways());
    expect(counterexample.violation.kind).toBe("mixed-width");
    expect(replay(counterexample, wasm).kind).toBe("reproduced");
  });

  test("replays: the invariant does not hold before the first step: reproduced, with no step", async () => {
    const { wasm } = await compileAssemblyScript(`
      export function counting(): void { atomic.add<i32>(0, 1); atomic.add<i32>(0, 1); }
      export function invariant(): i32 { return load<i32>(0) == 2 ? 0 : 1; }`);
    const threads = [{ function: "counting" }, { function: "counting" }];
    for (const [, ways] of WAYS) {
      const counterexample = await violationIn({ wasm, threads, invariant: "invariant" }, ways());
      expect(counterexample.violation.kind).toBe("invariant");
      expect(counterexample.schedule).toEqual([]);
      expect(replay(counterexample, wasm).kind).toBe("reproduced");
      expect(renderCounterexample(counterexample, { width: 120 })).toContain("0 steps");
    }
  });

  test("replays: a livelock beside a thread that ends before any atomic access: reproduced, the shortest", async () => {
    // The two share a word, and no byte of it.
    const { wasm } = await compileAssemblyScript(`
      export function plain(): void { store<i32>(64, 1); }
      export function spinning(): void {
        atomic.add<i32>(0, 1);
        store<i32>(68, 1);
        while (atomic.load<i32>(8) == 0) {}
      }`);
    const target = { wasm, threads: [{ function: "plain" }, { function: "spinning" }] };
    for (const shortest of [true, false]) {
      const counterexample = await violationIn(target, { walks: 0, shortest });
      expect(counterexample.violation.kind).toBe("livelock");
      if (shortest) expect(counterexample.shortest).toBe(true);
      expect(replay(counterexample, wasm).kind).toBe("reproduced");
    }
  });

  test("replays: the step that fails shows that a word is shared, too: reproduced", async () => {
    const { wasm } = await compileAssemblyScript(`
      export function left(): void { atomic.add<i32>(0, 1); atomic.store<i32>(8, 1); atomic.add<i32>(0, 1); }
      export function right(): void {
        if (atomic.add<i32>(0, 1) == 2 && load<i32>(8) == 1) unreachable();
      }`);
    const target = { wasm, threads: [{ function: "left" }, { function: "right" }] };
    for (let seed = 1; seed <= 20; seed++) {
      const counterexample = await violationIn(target, { strategy: "random", shortest: false, seed });
      expect(replay(counterexample, wasm).kind, `seed ${seed}`).toBe("reproduced");
    }
  });

  test("replays: a schedule that does not fit, planted: an internal error that names the step", async () => {
    const { wasm } = await compileAssemblyScript(WAITS);
    const target = { wasm, threads: [{ function: "sleeper" }, { function: "waker" }], final: "atEnd" };
    const { session, ending } = await decide(target, { walks: 0 });
    if (ending.kind !== "violated") throw new Error("nothing found");
    const { violation, schedule, known } = ending.found;
    expect(session.target).toBe(target);
    const recorded = { raceTracked: known, violation };
    expect(recordSteps(target, recorded, schedule).violation).toEqual(violation);
    // The sleeper is asked to go on while it waits; the last step is missing.
    expect(() => recordSteps(target, recorded, [0, 0, 0, 0, 0, 0, 0, 0])).toThrow(
      /does not replay: step \d+: choice 0 cannot be made/,
    );
    expect(() => recordSteps(target, recorded, schedule.slice(0, -1))).toThrow(
      /does not replay: step \d+: nothing is wrong after it/,
    );
  });
});
