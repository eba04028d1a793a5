import { expect, test, vi } from "vitest";
import { compileAssemblyScript } from "./fixtures/compile.ts";
import { example } from "./fixtures/example.ts";
import { assertDefined } from "../wasm/assert-defined.ts";
import { type Progress, decodeSearch, encodeSearch, explore, parseCounterexample, replay } from "./index.ts";

/** Five of these have 31^5 states: more than any test waits for. */
const LONG = `export function worker(id: i32): void { for (let i = 0; i < 30; i++) atomic.add<i32>(0, 1); }`;

test("explore: preemption bounds: the fault that needs one preemption is found with one, not with none", async () => {
  const { wasm } = await example("faults/counter");
  const target = { wasm, threads: [{ function: "torn" }, { function: "torn" }], final: "two" };
  const without = await explore(target, { strategy: "preemptions", preemptionsMax: 0, walks: 0 });
  expect(without.verdict).toEqual({ kind: "incomplete", reason: "preemptions" });
  const with1 = await explore(target, { strategy: "preemptions", preemptionsMax: 1, walks: 0 });
  expect(with1.verdict.kind).toBe("violated");
});

test("explore: a bound on steps: the exact worst case, and a fault one below it", async () => {
  const { wasm } = await example("faults/counter");
  const target = { wasm, threads: [{ function: "torn" }, { function: "torn" }] };
  const enough = await explore({ ...target, stepsMax: 10 });
  expect(enough.verdict.kind).toBe("passed");
  // The start and two atomic accesses.
  expect(enough.worstSteps).toEqual([3, 3]);
  const tight = await explore({ ...target, stepsMax: 2 });
  expect(tight.verdict.kind === "violated" && tight.verdict.counterexample.violation.kind).toBe("steps");
});

test("explore: stopped at a bound, saved, resumed and again: ends with the states of one run", async () => {
  const { wasm } = await example("chase-lev");
  const target = {
    wasm,
    threads: [{ function: "owner" }, { function: "thief" }, { function: "thief" }],
    invariant: "twice",
    final: "lost",
  };
  const whole = await explore(target, { collectFinals: true });
  let part = await explore(target, { transitionsMax: 300 });
  let rounds = 1;
  for (; part.verdict.kind === "incomplete"; rounds++) {
    if (!part.unfinished) throw new Error("nothing to go on with");
    const resume = decodeSearch(encodeSearch(part.unfinished));
    if (!resume) throw new Error("the saved search cannot be read");
    part = await explore(target, { transitionsMax: 300, resume });
  }
  expect(rounds).toBeGreaterThan(3);
  expect(part.verdict).toEqual({ kind: "passed" });
  expect(part.states).toBe(whole.states);
  const other = { ...target, threads: [{ function: "owner" }, { function: "thief" }] };
  const small = await explore(target, { transitionsMax: 300 });
  await expect(explore(other, { resume: assertDefined(small.unfinished) })).rejects.toThrow(/about another module/);
  expect(decodeSearch(Uint8Array.of(1, 2, 3, 4, 5))).toBeUndefined();
  const saved = encodeSearch(assertDefined(small.unfinished));
  const older = Buffer.from(saved)
    .toString("latin1")
    .replace('"version":6', '"version":5')
    .replace('"raceTracked":', '"watched":    ');
  expect(decodeSearch(Uint8Array.from(Buffer.from(older, "latin1")))).toEqual(decodeSearch(saved));
});

test("explore: too little memory for the shortest schedule: the fault as it was found; with enough, the shortest", async () => {
  const { wasm } = await example("faults/aba");
  const target = {
    wasm,
    threads: [{ function: "popper" }, { function: "recycler" }],
    init: "init",
    invariant: "owned",
  };
  for (const [memoryMax, shortest] of [
    [2 ** 8, false],
    [2 ** 14, false],
    [2 ** 20, true],
  ] as const) {
    // A walk finds it, whatever the table.
    const { verdict } = await explore(target, { memoryMax });
    if (verdict.kind !== "violated") throw new Error(`not found with ${memoryMax} bytes`);
    expect(verdict.counterexample.shortest, `${memoryMax} bytes`).toBe(shortest);
    if (shortest) expect(verdict.counterexample.schedule).toHaveLength(22);
    expect(replay(verdict.counterexample, wasm).kind).toBe("reproduced");
  }
});

test("explore: too little memory: incomplete in every strategy that keeps states, never an exception", async () => {
  const { wasm } = await example("chase-lev");
  const target = { wasm, threads: [{ function: "owner" }, { function: "thief" }, { function: "thief" }] };
  for (const strategy of ["exhaustive", "preemptions"] as const) {
    const { verdict } = await explore(target, { strategy, memoryMax: 1, preemptionsMax: 2 });
    expect(verdict, strategy).toEqual({ kind: "incomplete", reason: "memory" });
  }
});

test("explore: stopped between the threads that share a word: the word is contended all the same", async () => {
  // Whoever comes first writes the word: no schedule has both of them do it, so each part of the search sees one.
  const one = (name: string): string =>
    `export function ${name}(): void { if (atomic.add<i32>(0, 1) == 0) { atomic.store<i32>(64, 1); atomic.add<i32>(0, 4); } }`;
  const { wasm } = await compileAssemblyScript(`${one("left")} ${one("right")}`);
  const target = { wasm, threads: [{ function: "left" }, { function: "right" }] };
  const whole = await explore(target, { walks: 0 });
  let part = await explore(target, { walks: 0, transitionsMax: 1 });
  let contended = 0;
  while (part.unfinished) {
    const resume = decodeSearch(encodeSearch(part.unfinished));
    if (!resume) throw new Error("the saved search cannot be read");
    contended = Math.max(contended, resume.raceTracked.filter((word) => word === -1 - 64 / 8).length);
    part = await explore(target, { walks: 0, transitionsMax: 1, resume });
  }
  expect(contended).toBe(1);
  expect(part.verdict).toEqual({ kind: "passed" });
  expect(part.states).toBe(whole.states);
});

test("explore: stopped while it looks for livelocks, resumed: passes with the states of the search", async () => {
  const { wasm } = await compileAssemblyScript(`export function worker(id: i32): void {
    for (let i = 0; i < 16; i++) atomic.add<i32>(0, 1);
    if (id == 0) atomic.store<i32>(4, 1);
    while (atomic.load<i32>(4) == 0) {}
  }`);
  const target = { wasm, threads: [0, 1, 2, 3].map((id) => ({ function: "worker", args: [id] })) };
  const whole = await explore(target);
  let isStopped = false;
  const stopped = await explore(target, {
    onProgress: ({ phase }) => {
      isStopped ||= phase === "livelock";
      return !isStopped;
    },
  });
  expect(stopped.verdict).toEqual({ kind: "incomplete", reason: "interrupted" });
  const resume = decodeSearch(encodeSearch(assertDefined(stopped.unfinished)));
  const end = await explore(target, resume ? { resume } : {});
  expect(end.verdict).toEqual({ kind: "passed" });
  expect([end.states, end.transitions]).toEqual([whole.states, whole.transitions]);
  expect(end.seconds).toBeGreaterThan(stopped.seconds);
});

test("explore: progress: what is seen of a sample grows; a stop keeps the search, which sees the whole at its end", async () => {
  const { wasm } = await compileAssemblyScript(LONG);
  const threadsOf = (count: number) => Array.from({ length: count }, (_, id) => ({ function: "worker", args: [id] }));
  const seen: Progress[] = [];
  const options = { walks: 0, onProgress: (progress: Progress) => seen.push(progress) < 4 };
  const stopped = await explore({ wasm, threads: threadsOf(5) }, options);
  expect(stopped.verdict).toEqual({ kind: "incomplete", reason: "interrupted" });
  expect(stopped.unfinished?.rest).toMatchObject({ kind: "search", branches: { length: 1 } });
  const shares = seen.map((progress) => assertDefined(progress.seen));
  expect(shares).toHaveLength(4);
  expect(shares).toEqual(shares.toSorted((a, b) => a - b));
  expect(assertDefined(shares.at(-1))).toBeLessThan(1);
  seen.length = 0;
  // Each time that a report is asked for one is due.
  let milliseconds = 0;
  vi.spyOn(performance, "now").mockImplementation(() => (milliseconds += 250));
  const whole = await explore({ wasm, threads: threadsOf(4) }, { walks: 0, onProgress: (now) => void seen.push(now) });
  expect(whole.verdict.kind).toBe("passed");
  expect(assertDefined(seen.at(-1)?.seen)).toBeGreaterThan(0.5);
  vi.restoreAllMocks();
});

test("replay: a changed module: reports which step no longer fits, or that the fault is gone", async () => {
  const { wasm } = await example("faults/lost-wakeup");
  const { verdict } = await explore({ wasm, threads: [{ function: "sleeper" }, { function: "waker" }] });
  if (verdict.kind !== "violated") throw new Error("not found");
  const reread = parseCounterexample(JSON.stringify(verdict.counterexample));
  if (reread.kind !== "ok") throw new Error(reread.reason);
  const source = (clearFirst: boolean): string => `
    export function sleeper(): void {
      for (;;) {
        ${clearFirst ? "atomic.store<i32>(0, 0);" : ""}
        if (atomic.load<i32>(8) != 0) return;
        ${clearFirst ? "" : "atomic.store<i32>(0, 0);"}
        atomic.wait<i32>(0, 0, ${clearFirst ? "-1" : "1000"});
      }
    }
    export function waker(): void { atomic.store<i32>(8, 1); if (atomic.xchg<i32>(0, 1) == 0) atomic.notify(0, 1); }`;
  const mended = await compileAssemblyScript(source(true));
  expect(replay(reread.counterexample, mended.wasm)).toMatchObject({
    kind: "diverged",
    step: 3,
    reason: expect.stringContaining("i32.atomic.store"),
  });
  const timed = await compileAssemblyScript(source(false));
  expect(replay(reread.counterexample, timed.wasm)).toEqual({ kind: "different", violation: undefined });
  expect(replay(reread.counterexample, wasm).kind).toBe("reproduced");
});
