import { describe, expect, test } from "vitest";
import { compileAssemblyScript } from "../fixtures/compile.ts";
import { example } from "../fixtures/example.ts";
import { type Exploration, type Progress, decodeSearch, encodeSearch, explore } from "../index.ts";

const spinning = [0, 8].map((first) => ({ function: "spinning", args: [first] }));
/** One goes round in circles of several states until the other has made its steps, or has met it at one place of them. */
const CIRCLES = `
  export function turning(): void {
    while (atomic.load<i32>(8) < 60) for (let i = 1; i < 5; i++) atomic.store<i32>(0, i % 4);
  }
  export function counting(): void { for (let i = 0; i < 60; i++) atomic.add<i32>(8, 1); }
  export function meeting(): void { while (atomic.load<i32>(0) != 1) {} atomic.store<i32>(8, 60); }`;
const circles = async (other: "counting" | "meeting") => ({
  wasm: (await compileAssemblyScript(CIRCLES)).wasm,
  threads: [{ function: "turning" }, { function: other }],
  reductions: { coalesceInvisible: false },
});

/** What was kept, as it comes back from a file. */
const kept = ({ unfinished }: Exploration) => {
  const read = unfinished && decodeSearch(encodeSearch(unfinished));
  if (!read) throw new Error("nothing to go on with");
  return read;
};
const phaseOf = (part: Exploration): string | undefined => part.unfinished?.rest.kind;

describe("livelock pass", () => {
  test("livelock pass: stopped again and again: goes on where it was, and passes with the states of one run", async () => {
    const target = await circles("meeting");
    const whole = await explore(target, { walks: 0 });
    expect(whole.verdict).toEqual({ kind: "passed" });
    const transitionsMax = 1;
    let part = await explore(target, { walks: 0, transitionsMax });
    const phases = [phaseOf(part)];
    const transitions: number[] = [];
    while (part.verdict.kind === "incomplete") {
      expect(part.verdict.reason).toBe("transitions");
      part = await explore(target, { transitionsMax, resume: kept(part) });
      phases.push(phaseOf(part));
      const rest = part.unfinished?.rest;
      if (rest?.kind === "livelock") transitions.push(rest.stack.counts.transitions);
    }
    expect(part.verdict).toEqual({ kind: "passed" });
    expect([part.states, part.transitions, part.depthMax]).toEqual([whole.states, whole.transitions, whole.depthMax]);
    expect(phases.filter((phase) => phase === "livelock").length).toBeGreaterThan(5);
    // Never from the start again.
    expect(transitions).toEqual(transitions.map((_, round) => transitionsMax * (round + 1)));
  });

  test("livelock pass: stopped wherever it can be: the livelock is found with the same states", async () => {
    const { wasm } = await example("faults/lock-order");
    const target = { wasm, threads: spinning };
    const options = { walks: 0, shortest: false } as const;
    const whole = await explore(target, options);
    if (whole.verdict.kind !== "violated") throw new Error("not found");
    expect(whole.verdict.counterexample.violation.kind).toBe("livelock");
    let stops = 0;
    for (const transitionsMax of [1, 2, 3, 5, 8]) {
      // The search at once, so that every stop is one of the pass.
      const stopping = { ...options, onProgress: ({ phase }: Progress) => phase !== "livelock" };
      let part = await explore(target, stopping);
      expect(part.verdict).toEqual({ kind: "incomplete", reason: "interrupted" });
      for (; part.verdict.kind === "incomplete"; stops++) {
        expect(phaseOf(part)).toBe("livelock");
        part = await explore(target, { ...options, transitionsMax, resume: kept(part) });
      }
      expect(part.verdict).toEqual(whole.verdict);
    }
    expect(stops).toBeGreaterThan(10);
  });

  test("livelock pass: its table is full: incomplete, and a larger one lets it end", async () => {
    const target = await circles("counting");
    const begun = await explore(target, { walks: 0, onProgress: ({ phase }) => phase !== "livelock" });
    expect(phaseOf(begun)).toBe("livelock");
    const memoryMax = 2 ** 12;
    const small = await explore(target, { memoryMax, resume: kept(begun) });
    expect(small.verdict).toEqual({ kind: "incomplete", reason: "memory" });
    const again = await explore(target, { memoryMax: memoryMax / 2, resume: kept(small) });
    expect(again.verdict, "a table that does not hold what was kept").toEqual({ kind: "incomplete", reason: "memory" });
    expect((await explore(target, { resume: kept(again) })).verdict).toEqual({ kind: "passed" });
  });
});
