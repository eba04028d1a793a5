import { pathToFileURL } from "node:url";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { wholeFrom } from "./branch.ts";
import { bundleWorker } from "../fixtures/worker-bundle.ts";
import { compileAssemblyScript } from "../fixtures/compile.ts";
import { example } from "../fixtures/example.ts";
import { type Exploration, type ExploreOptions, type Progress, decodeSearch, encodeSearch, explore } from "../index.ts";
import { outcomeOf } from "./parallel.ts";

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

/** A clock that a report is due by whenever one is asked for, in this thread. */
function reportAtEachLook(): void {
  let milliseconds = 0;
  vi.spyOn(performance, "now").mockImplementation(() => (milliseconds += 250));
}
afterEach(() => vi.restoreAllMocks());

describe("progress of several workers", () => {
  const threads = (count: number) => Array.from({ length: count }, (_, id) => ({ function: "worker", args: [id] }));

  test("workers: progress of the search: depth, frontier and rate of all workers, a share seen that grows", async () => {
    // 41^5 states: the search is stopped when it has reported what is asked for.
    const source = `export function worker(id: i32): void { for (let i = 0; i < 40; i++) atomic.add<i32>(0, 1); }`;
    const { wasm } = await compileAssemblyScript(source);
    const reports: Progress[] = [];
    const isWhole = ({ depth, frontier, transitionsPerSecond }: Progress): boolean =>
      depth > 4 && frontier > 4 && transitionsPerSecond > 0;
    const { verdict } = await explore(
      { wasm, threads: threads(5) },
      {
        workers: 2,
        workerModule: pathToFileURL(bundle.worker),
        walks: 0,
        onProgress: (progress) => {
          reports.push(progress);
          return reports.length < 4 || !reports.some(isWhole);
        },
      },
    );
    expect(verdict).toEqual({ kind: "incomplete", reason: "interrupted" });
    expect(new Set(reports.map(({ phase }) => phase))).toEqual(new Set(["search"]));
    const seen = reports.map((progress) => progress.seen ?? Number.NaN);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(seen.at(-1)).toBeGreaterThan(0);
    expect(seen.at(-1)).toBeLessThan(1);
  });

  test("workers: progress of the livelock pass: depth, frontier and rate, a share seen that grows to the whole", async () => {
    reportAtEachLook();
    const source = `
      export function worker(id: i32): void {
        for (let i = 0; i < 16; i++) atomic.add<i32>(0, 1);
        // Waits for the others: a cycle, so the livelock pass is made.
        while (atomic.load<i32>(0) < 64) {}
      }`;
    const { wasm } = await compileAssemblyScript(source);
    const reports: Progress[] = [];
    const { verdict, states } = await explore(
      { wasm, threads: threads(4) },
      {
        workers: 2,
        workerModule: pathToFileURL(bundle.worker),
        walks: 0,
        memoryMax: 2 ** 26,
        onProgress: (progress) => void (progress.phase === "livelock" && reports.push(progress)),
      },
    );
    expect(verdict).toEqual({ kind: "passed" });
    const seen = reports.map((progress) => progress.seen ?? Number.NaN);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(seen.at(-1)).toBeGreaterThan(0.3);
    expect(seen.at(-1)).toBeLessThanOrEqual(1);
    const isWhole = reports.some(
      ({ depth, frontier, transitionsPerSecond }) => depth > 4 && frontier > 4 && transitionsPerSecond > 0,
    );
    expect(isWhole).toBe(true);
    expect(reports.every((progress) => progress.states <= states)).toBe(true);
  });
});

describe("searches that stop", () => {
  const DEQUE = {
    threads: [{ function: "owner" }, { function: "thief" }, { function: "thief" }],
    invariant: "twice",
    final: "lost",
    stepsMax: 60,
  };
  /** Four of these have 21^4 states. */
  const LONG = `export function worker(id: i32): void { for (let i = 0; i < 34; i++) atomic.add<i32>(0, 1); }`;
  const workersOf = (workers: number): ExploreOptions => ({ workers, workerModule: pathToFileURL(bundle.worker) });

  /** What was kept, as it comes back from a file. */
  const kept = ({ unfinished }: Exploration) => {
    const read = unfinished && decodeSearch(encodeSearch(unfinished));
    if (!read) throw new Error("nothing to go on with");
    return read;
  };

  test.each([
    ["two workers throughout", [2]],
    ["one worker, then three, then one", [1, 3]],
    ["four workers, then one", [4, 1]],
  ])("resume: %s: stopped again and again, the states, ends and worst steps of one search", async (_, workers) => {
    const { wasm } = await example("chase-lev");
    const whole = await explore({ wasm, ...DEQUE }, { collectFinals: true });
    expect(whole.verdict.kind).toBe("passed");
    const finals = new Set<string>();
    let part: Exploration | undefined;
    let rounds = 0;
    do {
      part = await explore(
        { wasm, ...DEQUE },
        {
          ...workersOf(workers[rounds % workers.length] ?? 1),
          collectFinals: true,
          transitionsMax: 400,
          memoryMax: 2 ** 24,
          ...(part ? { resume: kept(part) } : {}),
        },
      );
      for (const final of part.finals ?? []) finals.add(final);
      if (part.verdict.kind === "incomplete") expect(part.verdict.reason).toBe("transitions");
      rounds++;
    } while (part.verdict.kind === "incomplete" && rounds < 100);
    expect(part.verdict).toEqual({ kind: "passed" });
    expect(rounds).toBeGreaterThan(3);
    expect(part.states).toBe(whole.states);
    expect(part.worstSteps).toEqual(whole.worstSteps);
    expect(finals).toEqual(whole.finals);
  });

  test("resume: two workers, interrupted: both hand back their branches, and one worker ends the search", async () => {
    const { wasm } = await compileAssemblyScript(LONG);
    const target = { wasm, threads: [0, 1, 2, 3].map((id) => ({ function: "worker", args: [id] })) };
    const whole = await explore(target, { walks: 0 });
    reportAtEachLook();
    const stopAt = async (statesMax: number): Promise<Exploration> =>
      explore(target, {
        ...workersOf(2),
        walks: 0,
        memoryMax: 2 ** 26,
        onProgress: ({ states }) => states < statesMax,
      });
    const branchesOf = (one: Exploration): number => {
      const { rest: left } = kept(one);
      return left.kind === "search" ? left.branches.length : 0;
    };
    let stopped = await stopAt(1000);
    // A worker that had not begun by then has nothing to hand back: the search is stopped later.
    for (const statesMax of [10_000, 100_000, 400_000]) {
      if (branchesOf(stopped) < 2) stopped = await stopAt(statesMax);
    }
    expect(stopped.verdict).toEqual({ kind: "incomplete", reason: "interrupted" });
    expect(stopped.states).toBeLessThan(whole.states);
    expect(branchesOf(stopped)).toBeGreaterThan(1);
    const rest = await explore(target, { resume: kept(stopped) });
    expect(rest.verdict).toEqual({ kind: "passed" });
    expect(rest.states).toBe(whole.states);
  });

  test("resume: two workers, interrupted before their first step: nothing is lost", async () => {
    const { wasm } = await example("chase-lev");
    const whole = await explore({ wasm, ...DEQUE });
    const stopped = await explore(
      { wasm, ...DEQUE },
      { ...workersOf(2), walks: 0, memoryMax: 2 ** 20, onProgress: () => false },
    );
    expect(stopped).toMatchObject({ verdict: { kind: "incomplete", reason: "interrupted" }, states: 0 });
    const rest = await explore({ wasm, ...DEQUE }, { ...workersOf(2), memoryMax: 2 ** 20, resume: kept(stopped) });
    expect(rest.verdict).toEqual({ kind: "passed" });
    expect(rest.states).toBe(whole.states);
  });

  test("resume: the table is full: with a larger one the same states as without the stop", async () => {
    const { wasm } = await example("chase-lev");
    const whole = await explore({ wasm, ...DEQUE });
    for (const workers of [1, 2]) {
      const small = await explore({ wasm, ...DEQUE }, { ...workersOf(workers), memoryMax: 2 ** 12 });
      expect(small.verdict).toEqual({ kind: "incomplete", reason: "memory" });
      const again = await explore(
        { wasm, ...DEQUE },
        { ...workersOf(workers), memoryMax: 2 ** 10, resume: kept(small) },
      );
      expect(again.verdict, "a table that does not hold what was kept").toEqual({
        kind: "incomplete",
        reason: "memory",
      });
      const large = await explore(
        { wasm, ...DEQUE },
        { ...workersOf(3 - workers), memoryMax: 2 ** 24, resume: kept(again) },
      );
      expect(large.verdict).toEqual({ kind: "passed" });
      expect(large.states).toBe(whole.states);
    }
  });

  test("resume: the step back of a livelock lies before the stop, or leads behind it: found all the same", async () => {
    const { wasm } = await compileAssemblyScript(`
      export function turning(): void { for (;;) for (let i = 1; i < 6; i++) atomic.store<i32>(0, i % 5); }`);
    const target = { wasm, threads: [{ function: "turning" }], reductions: { coalesceInvisible: false } };
    for (let transitionsMax = 1; transitionsMax < 8; transitionsMax++) {
      const options = { walks: 0, shortest: false, transitionsMax };
      let part = await explore(target, options);
      while (part.verdict.kind === "incomplete") part = await explore(target, { ...options, resume: kept(part) });
      expect(part.verdict.kind === "violated" && part.verdict.counterexample.violation.kind).toBe("livelock");
    }
  });

  test("resume: walks meet a word that footprints must be kept of, and the saved states know none: begins again", async () => {
    // The reader reads plainly only if the writer was first, which a depth-first search tries last.
    const { wasm } = await compileAssemblyScript(`
      export function reader(): void {
        const isReady = atomic.load<i32>(0) == 1;
        for (let i = 0; i < 5; i++) atomic.add<i32>(16, 1);
        if (isReady) load<i32>(8);
        atomic.add<i32>(16, 1);
      }
      export function writer(): void {
        for (let i = 0; i < 3; i++) atomic.add<i32>(16, 1);
        store<i32>(8, 1);
        atomic.store<i32>(0, 1);
        for (let i = 0; i < 3; i++) atomic.add<i32>(16, 1);
      }`);
    const target = { wasm, threads: [{ function: "reader" }, { function: "writer" }] };
    const whole = await explore(target, { walks: 0 });
    expect(whole.verdict).toEqual({ kind: "passed" });
    const stopped = await explore(target, { walks: 0, transitionsMax: 30 });
    expect(kept(stopped).raceTracked.some((word) => word >= 0)).toBe(false);
    for (const workers of [1, 2]) {
      const rest = await explore(target, {
        ...workersOf(workers),
        memoryMax: 2 ** 20,
        resume: kept(stopped),
        onProgress: () => true,
      });
      expect(rest.verdict).toEqual({ kind: "passed" });
      expect(rest.states).toBe(whole.states);
    }
  });

  test("workers: a value that one thread alone writes and takes back: found, however often the search stops", async () => {
    const { wasm } = await compileAssemblyScript(`
      export function worker(): void { atomic.add<i32>(16, 1); atomic.store<i32>(8, 7); atomic.store<i32>(8, 0); }
      export function other(): void { for (let i = 0; i < 6; i++) { atomic.add<i32>(16, 1); atomic.add<i32>(24, 1); } }
      export function late(): void { for (let i = 0; i < 6; i++) { atomic.add<i32>(16, 1); atomic.add<i32>(24, 1); } }
      // Looks at the value only in the end: until then nobody knows that it is looked at.
      export function invariant(): i32 { return load<i32>(24) == 12 ? load<i32>(8) : 0; }`);
    const target = {
      wasm,
      threads: [{ function: "other" }, { function: "late" }, { function: "worker" }],
      invariant: "invariant",
    };
    for (const [workers, bounds] of [
      [1, [25, Infinity]],
      [2, [150, Infinity]],
    ] as const)
      for (const transitionsMax of bounds) {
        let part = await explore(target, { ...workersOf(workers), walks: 0, transitionsMax });
        for (let parts = 0; part.unfinished && parts < 1000; parts++)
          part = await explore(target, { ...workersOf(workers), walks: 0, transitionsMax, resume: part.unfinished });
        expect(part.verdict, `${workers} workers, ${transitionsMax} at a time`).toMatchObject({
          kind: "violated",
          counterexample: { violation: { kind: "invariant", result: 7 } },
        });
      }
  });

  test("a round: how it ended: nothing is passed by that was left, and what made the others stop is reported", () => {
    const exhausted = { outcome: { kind: "exhausted", cycles: true, cut: false } } as const;
    const stopped = (reason: "memory" | "interrupted") => ({ outcome: { kind: "stopped", reason } }) as const;
    const restart = { outcome: { kind: "restart" } } as const;
    const left = [wholeFrom([0])];
    expect(outcomeOf([exhausted, exhausted], [], true, () => true)).toEqual(exhausted.outcome);
    expect(outcomeOf([exhausted, exhausted], left, true, () => false)).toEqual({
      kind: "stopped",
      reason: "interrupted",
    });
    expect(outcomeOf([stopped("interrupted"), stopped("memory")], left, false, () => false)).toEqual(
      stopped("memory").outcome,
    );
    expect(outcomeOf([stopped("interrupted"), stopped("memory")], left, true, () => false)).toEqual(
      stopped("interrupted").outcome,
    );
    expect(outcomeOf([stopped("memory"), restart], left, false, () => false)).toEqual(restart.outcome);
  });

  test("resume: bytes that were cut short or are something else: refused", async () => {
    const { wasm } = await example("chase-lev");
    const stopped = await explore({ wasm, ...DEQUE }, { transitionsMax: 50 });
    const bytes = encodeSearch(kept(stopped));
    expect(decodeSearch(bytes)?.states).toEqual(stopped.unfinished?.states);
    expect(decodeSearch(bytes.subarray(0, bytes.length - 12))).toBeUndefined();
    expect(decodeSearch(Uint8Array.of(1, 2, 3, 4, 5))).toBeUndefined();
    const target = { wasm, threads: DEQUE.threads.slice(1) };
    await expect(explore(target, { resume: kept(stopped) })).rejects.toThrow(/about another module/);
    for (const strategy of ["random", "preemptions"] as const)
      await expect(explore({ wasm, ...DEQUE }, { strategy, resume: kept(stopped) })).rejects.toThrow(
        /goes on exhaustively/,
      );
    await expect(explore(target, { workers: 1000 })).rejects.toThrow(/1000 workers are asked for/);
  });
});
