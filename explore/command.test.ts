import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { bundleExplorer } from "./fixtures/bundle.ts";
import { compileAssemblyScript } from "./fixtures/compile.ts";
import { example } from "./fixtures/example.ts";
import type { Output } from "./command.ts";
import { exploreCommand, replayCommand } from "./command.ts";
import { certain } from "./certain.ts";
import { decodeSearch, encodeSearch, explore, parseCounterexample, replay } from "./index.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let bundle: Awaited<ReturnType<typeof bundleExplorer>>;
let faulty: string;
let correct: string;

beforeAll(async () => {
  bundle = await bundleExplorer();
  faulty = join(bundle.folder, "lost-wakeup.wasm");
  correct = join(bundle.folder, "peterson.wasm");
  const { wasm, sourceMap } = await example("faults/lost-wakeup");
  writeFileSync(faulty, wasm);
  writeFileSync(`${faulty}.map`, sourceMap);
  writeFileSync(correct, (await example("peterson")).wasm);
});

function captured(lines: string[] = []): Output & { readonly text: string[]; readonly errors: string[] } {
  const text: string[] = [];
  const errors: string[] = [];
  async function* given(): AsyncGenerator<string> {
    yield* lines;
  }
  return { text, errors, out: (line) => text.push(line), err: (line) => errors.push(line), lines: given() };
}

describe("explore command", () => {
  test("explore: a correct program: PASS with its numbers, a certificate, exit 0", async () => {
    const output = captured();
    const certificate = join(bundle.folder, "certificate.json");
    const code = await exploreCommand(
      [correct, "--thread", "worker:0", "--thread", "worker:1", "--final", "counted", "--certificate", certificate],
      output,
    );
    expect(code).toBe(0);
    expect(output.text[0]).toBe(`PASS: ${correct}`);
    expect(output.text[1]).toMatch(/^\d+ states, \d+ transitions/);
    const saved = JSON.parse(readFileSync(certificate, "utf8")) as { checked: string[]; states: number };
    expect(saved.checked).toContain("data races");
    expect(saved.states).toBeGreaterThan(100);
  });

  test("explore: bounds that cut something off: INCOMPLETE, exit 5, never PASS, no certificate", async () => {
    for (const bound of [
      ["--preemptions", "0"],
      ["--strategy", "random", "--walks", "50"],
    ]) {
      const output = captured();
      const certificate = join(bundle.folder, "none.json");
      expect(
        await exploreCommand(
          [correct, "--thread", "worker:0", "--thread", "worker:1", "--certificate", certificate, ...bound],
          output,
        ),
      ).toBe(5);
      expect(output.text[0]).toMatch(/^INCOMPLETE: /);
      expect(() => readFileSync(certificate)).toThrow();
    }
  });

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

  test("explore: stopped at a bound, saved, taken up again and again: ends with the states of one run", async () => {
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
    await expect(explore(other, { resume: certain(small.unfinished) })).rejects.toThrow(/about another module/);
    expect(decodeSearch(Uint8Array.of(1, 2, 3, 4, 5))).toBeUndefined();
  });

  test("explore: user mistakes: one line, exit 2", async () => {
    for (const [words, complaint] of [
      [[], /usage/],
      [[join(bundle.folder, "none.wasm"), "--thread", "f"], /no such file/],
      [[correct], /no thread is given/],
      [[correct, "--thread", "worker:x"], /"x" is not an integer/],
      [[correct, "--thread", "nobody"], /exports no function "nobody"/],
      [[correct, "--thread", "worker", "--memory", "many"], /give a size/],
      [[correct, "--thread", "worker", "--bogus"], /--bogus/],
      [[correct, "--thread", "worker", "--strategy", "luck"], /exhaustive, random or preemptions/],
    ] as [string[], RegExp][]) {
      const output = captured();
      expect(await exploreCommand(words, output)).toBe(2);
      expect(output.errors.join("")).toMatch(complaint);
      expect(output.errors.join("").trim().split("\n")).toHaveLength(1);
      expect(output.text).toEqual([]);
    }
  });
});

describe("replay command", () => {
  test("replay: after a process restart: byte for byte what explore printed", () => {
    const saved = join(bundle.folder, "saved.json");
    const words = [bundle.command, "explore", faulty, "--thread", "sleeper", "--thread", "waker", "--save", saved];
    const first = spawnSync(process.execPath, words, { encoding: "utf8" });
    expect(first.status).toBe(1);
    const again = spawnSync(process.execPath, [bundle.command, "replay", saved], { encoding: "utf8" });
    expect(again.status).toBe(1);
    expect(first.stdout).toBe(`${again.stdout}hartbeat replay ${saved}\n`);
    expect(first.stdout).toContain("sleeper module.ts:6");
    const repeated = spawnSync(process.execPath, words, { encoding: "utf8" });
    expect(repeated.stdout).toBe(first.stdout);
  });

  test("replay: a changed module: says which step no longer fits, or that the fault is gone", async () => {
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

  test("replay: --step: forward and back through it", async () => {
    const saved = join(bundle.folder, "stepped.json");
    await exploreCommand([faulty, "--thread", "sleeper", "--thread", "waker", "--save", saved], captured());
    const output = captured(["n", "n", "n", "p", "p", "n", "q"]);
    expect(await replayCommand([saved, "--step"], output)).toBe(0);
    const positions = output.text.map((text) => /step (\d+) of/.exec(text)?.[1]);
    expect(positions).toEqual(["0", "1", "2", "3", "2", "1", "2"]);
    const all = captured(Array.from({ length: 20 }, () => "n"));
    expect(await replayCommand([saved, "--step"], all)).toBe(1);
    expect(all.text.at(-1)).toContain("FAIL: deadlock");
  });

  test("replay: files that are none: one line, exit 2", async () => {
    const bad = join(bundle.folder, "bad.json");
    for (const [contents, complaint] of [
      ["{", /not JSON/],
      ["{}", /not a counterexample/],
      ['{"format":"hartbeat-counterexample","version":2}', /version 2/],
      ['{"format":"hartbeat-counterexample","version":1}', /incomplete/],
    ] as const) {
      writeFileSync(bad, contents);
      const output = captured();
      expect(await replayCommand([bad], output)).toBe(2);
      expect(output.errors.join("")).toMatch(complaint);
    }
  });
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
