import { expect, test } from "vitest";
import type { AccessRecord, StepRecord } from "./counterexample.ts";
import { findDisagreements } from "./disagreements.ts";
import { explore } from "../explore.ts";
import { example } from "../fixtures/example.ts";
import { renderCounterexample } from "./render.ts";

async function rendered(name: string, functions: readonly string[], checks: object): Promise<string> {
  const { wasm, sourceMap } = await example(name);
  const threads = functions.map((each) => ({ function: each }));
  const { verdict } = await explore({ wasm, threads, ...checks }, { sourceMap });
  if (verdict.kind !== "violated") throw new Error("the planted fault was not found");
  return renderCounterexample(verdict.counterexample, { width: 100 });
}

test.each([
  [
    "testing before clearing",
    "faults/lost-wakeup",
    ["sleeper", "waker"],
    {},
    "! [0x8] is 0x1 by now, not 0x0",
    "sleeper #0 knows [0x8] as 0x0 (step 3, module.ts:6); waker #1 made it 0x1 in step 4; step 7 is taken without looking again",
  ],
  [
    "a node that is used again",
    "faults/aba",
    ["popper", "recycler"],
    { init: "init", invariant: "owned" },
    "! [0x0] had changed, and come back",
    "popper #0 knows [0x0] as 0x1 (step 3, module.ts:15); it changed, and recycler #1 made it 0x1 in step 16 again; step 17 takes it for unchanged",
  ],
  [
    "a torn increment",
    "faults/counter",
    ["torn", "torn"],
    { final: "two" },
    "! [0x0] was 0x1, unseen",
    "torn #0 knows [0x0] as 0x0 (step 3, module.ts:8); torn #1 made it 0x1 in step 5; step 6 overwrites that unseen",
  ],
] as const)(
  "disagreements: %s: the act is marked, and reported below (%s)",
  async (_, name, functions, checks, mark, reported) => {
    const text = await rendered(name, functions, checks);
    expect(text).toContain(mark);
    expect(text).toContain(`Where they disagree:\n`);
    expect(text).toContain(reported);
  },
);

const access = (address: number, read?: string, wrote?: string): AccessRecord => ({
  function: "f",
  operation: wrote === undefined ? "i32.atomic.load" : "i32.atomic.store",
  address,
  atomic: true,
  at: 0,
  ...(read === undefined ? {} : { read }),
  ...(wrote === undefined ? {} : { wrote }),
});
const step = (thread: number, ...accesses: AccessRecord[]): StepRecord => ({
  choice: thread,
  thread,
  accesses,
  omitted: 0,
});

test("disagreements: a thread that looks again, or only reads on: none", () => {
  const changed = [step(0, access(8, "0x0")), step(1, access(8, undefined, "0x1"))];
  const elsewhere = step(0, access(16, undefined, "0x5"));
  const readers = [step(1, access(16, "0x5"))];
  expect(findDisagreements([...changed, elsewhere, ...readers])).toMatchObject([
    { address: 8, how: "acts", actsIn: 3 },
  ]);
  expect(findDisagreements([...changed, step(0, access(8, "0x1")), elsewhere, ...readers])).toEqual([]);
  expect(findDisagreements([...changed, step(0, access(16, "0x0")), step(1, access(16, undefined, "0x2"))])).toEqual(
    [],
  );
});

test("disagreements: the same value written again: none; a thread that fails on what it read: reported", () => {
  expect(
    findDisagreements([step(0, access(8, "0x1")), step(1, access(8, undefined, "0x1")), step(0)], { failing: [0] }),
  ).toEqual([]);
  const steps = [step(0, access(8, "0x0")), step(1, access(8, undefined, "0x1")), step(0)];
  expect(findDisagreements(steps)).toEqual([]);
  expect(findDisagreements(steps, { failing: [0] })).toMatchObject([
    { thread: 0, writer: 1, actual: "0x1", actsIn: 3 },
  ]);
});

test("disagreements: a thread that waits for ever on what has changed since: reported at the end", () => {
  const steps = [step(0, access(8, "0x0", "0x2")), step(0), step(1, access(8, "0x2", "0x0"))];
  expect(findDisagreements(steps)).toEqual([]);
  expect(findDisagreements(steps, { waiting: [0] })).toMatchObject([
    { thread: 0, how: "waits", actual: "0x0", actsIn: 3 },
  ]);
});
