import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import type { Counterexample } from "../explore/report/counterexample.ts";
import { explore } from "../explore/explore.ts";
import { compileAssemblyScript } from "../explore/fixtures/compile.ts";
import { example } from "../explore/fixtures/example.ts";
import { main } from "./main.ts";
import { stepThrough } from "./step-through.ts";
import { captureOutput, workInOwnFolder } from "./testing/captured-command.ts";

const output = captureOutput();
const folder = workInOwnFolder("replay");
let counterexample: Counterexample;
let wasm: Uint8Array;

beforeEach(async () => {
  ({ wasm } = await example("faults/lost-wakeup"));
  const { verdict } = await explore({ wasm, threads: [{ function: "sleeper" }, { function: "waker" }] });
  if (verdict.kind !== "violated") throw new Error("the planted fault was not found");
  ({ counterexample } = verdict);
  writeFileSync(join(folder(), "module.wasm"), wasm);
  save({ ...counterexample, module: join(folder(), "module.wasm") });
});

const file = (): string => join(folder(), "saved.json");
const save = (value: object): void => writeFileSync(file(), JSON.stringify(value));
const replaying = (...args: string[]): Promise<number> => main(["replay", file(), ...args]);

/** The planted fault, mended, or with a wait that times out. */
function changed(clearFirst: boolean): Promise<{ readonly wasm: Uint8Array }> {
  return compileAssemblyScript(`
    export function sleeper(): void {
      for (;;) {
        ${clearFirst ? "atomic.store<i32>(0, 0);" : ""}
        if (atomic.load<i32>(8) != 0) return;
        ${clearFirst ? "" : "atomic.store<i32>(0, 0);"}
        atomic.wait<i32>(0, 0, ${clearFirst ? "-1" : "1000"});
      }
    }
    export function waker(): void { atomic.store<i32>(8, 1); if (atomic.xchg<i32>(0, 1) == 0) atomic.notify(0, 1); }`);
}

describe("hartbeat replay", () => {
  test("the same module: shown again, exit code 1", async () => {
    expect(await replaying()).toBe(1);
    expect(output.out).toContain("FAIL: deadlock: sleeper #0 waits");
    expect(output.err).toBe("");
  });

  test("a file of version 1, which has another name for the race-tracked words: the same", async () => {
    const { raceTracked, ...rest } = counterexample;
    writeFileSync(
      file(),
      JSON.stringify({ ...rest, version: 1, watched: raceTracked, module: join(folder(), "module.wasm") }),
    );
    expect(await replaying()).toBe(1);
    expect(output.err).toBe("");
  });

  test("a changed module: which step no longer fits; or that the fault is gone, exit code 0", async () => {
    const other = join(folder(), "other.wasm");
    writeFileSync(other, (await changed(true)).wasm);
    expect(await replaying(other)).toBe(1);
    expect(output.out).toMatch(
      /^DIVERGED: step 3 no longer fits: sleeper #0 did i32\.atomic\.load .* does i32\.atomic\.store/,
    );
    expect(output.err).toContain("other.wasm has changed since");
    writeFileSync(other, (await changed(false)).wasm);
    output.out = "";
    expect(await replaying(other)).toBe(0);
    expect(output.out).toMatch(/^GONE: /);
  });

  test("--json: one versioned object for each outcome", async () => {
    await replaying("--json");
    const other = join(folder(), "other.wasm");
    writeFileSync(other, (await changed(true)).wasm);
    await replaying(other, "--json");
    writeFileSync(other, (await changed(false)).wasm);
    await replaying(other, "--json");
    const [same, diverged, gone] = output.out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(same).toMatchObject({ kind: "replayed", format: "hartbeat-replay", version: 2, outcome: "reproduced" });
    expect(same.steps).toEqual(JSON.parse(JSON.stringify(counterexample.steps)));
    expect(diverged).toMatchObject({ outcome: "diverged", step: 3 });
    expect(gone).toMatchObject({ outcome: "gone", violation: null });
  });

  test.each([
    ["{", /not JSON/],
    ["{}", /not a counterexample/],
    ['{"format":"hartbeat-counterexample","version":3}', /version 3/],
    ['{"format":"hartbeat-counterexample","version":2}', /incomplete/],
  ])("a file that is none (%s): one line, exit code 2", async (contents, complaint) => {
    writeFileSync(file(), contents);
    expect(await replaying()).toBe(2);
    expect(output.err).toMatch(complaint);
    expect(output.err.trimEnd().split("\n")).toHaveLength(1);
  });

  test("a file without the place of its module: one line that explains how to name it", async () => {
    save(counterexample);
    expect(await replaying()).toBe(2);
    expect(output.err).toMatch(/name it: replay .*saved\.json MODULE\.wasm/);
  });

  test("a file whose module is gone: one line, exit code 2", async () => {
    rmSync(join(folder(), "module.wasm"));
    expect(await replaying()).toBe(2);
    expect(output.err).toMatch(/module\.wasm: there is no such file/);
  });
});

describe("hartbeat replay --step", () => {
  async function stepped(commands: readonly string[], module = wasm) {
    const shown: string[] = [];
    async function* lines(): AsyncGenerator<string> {
      yield* commands;
    }
    const stepConsole = { lines: lines(), print: (text: string) => void shown.push(text), plain: false };
    const ending = await stepThrough(counterexample, module, undefined, stepConsole);
    const positions = shown.map((text) => /^step (\d+) of/m.exec(text)?.[1]);
    return { ending, shown, positions };
  }

  test("forward, back, to a step, a word that is none: shown where it stands; left before the end: exit code 0", async () => {
    const { ending, positions, shown } = await stepped(["n", "", "n", "p", "p", "n", "5", "back", "1", "q", "n"]);
    expect(positions).toEqual(["0", "1", "2", "3", "2", "1", "2", "5", undefined, "1"]);
    expect(shown[8]).toContain(`"back" is no command`);
    expect(ending).toEqual({ kind: "done" });
    // Going back shows what was shown there before.
    expect(shown[4]).toBe(shown[2]);
  });

  test("to the end and back and to the end: the same text as replay gives, exit code 1", async () => {
    const { ending, shown } = await stepped(["99", "2", "99"]);
    expect(ending).toEqual({ kind: "red" });
    await replaying();
    expect(`${shown.at(-1)}\n`).toBe(output.out);
    expect(shown.at(-1)).toBe(shown[1]);
  });

  test("a changed module: stops at the step that no longer fits", async () => {
    const { ending, shown } = await stepped(["99"], (await changed(true)).wasm);
    expect(ending).toEqual({ kind: "red" });
    expect(shown.at(-1)).toMatch(/^DIVERGED: step 3 no longer fits/);
  });
});

test("replay: what is saved: the format's fields and nothing of the module's bytes", () => {
  const saved = JSON.parse(readFileSync(file(), "utf8"));
  expect(saved).toMatchObject({ format: "hartbeat-counterexample", version: 2 });
  expect(saved.target.wasm).toBeUndefined();
});
