import { appendFileSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { buildArtifacts, buildElf, type BuildOutcome } from "./build.ts";
import { whileLocked } from "./build-cache.ts";
import { findCompiler } from "./gcc.ts";
import { SMALL_SYSTEM } from "./testing/small-system.ts";
import { withSources } from "./testing/sources.ts";

const silent = (): void => {};
const built = (root: string): Promise<BuildOutcome> => buildArtifacts({ root, progress: silent });

test("build: the same inputs twice: the second call reuses and compiles nothing", async () => {
  await withSources(SMALL_SYSTEM, async (root) => {
    const steps: string[] = [];
    const progress = (line: string): void => void steps.push(line);
    const first = await buildArtifacts({ root, progress });
    expect(first).toMatchObject({ kind: "built", reused: false });
    expect(steps).not.toEqual([]);
    steps.length = 0;
    const made = statSync(join(root, "build/kernel.wasm")).mtimeMs;
    const second = await buildArtifacts({ root, progress });
    expect(second).toMatchObject({ kind: "built", reused: true });
    expect(steps).toEqual([]);
    expect(statSync(join(root, "build/kernel.wasm")).mtimeMs).toBe(made);
    for (const path of ["kernel.wasm", "user.wasm", "kernel.sim.wasm", "user.sim.wasm"])
      expect(WebAssembly.validate(new Uint8Array(readFileSync(join(root, "build", path)))), path).toBe(true);
    expect(JSON.parse(readFileSync(join(root, "build/loops.json"), "utf8"))).toMatchObject([
      { bound: { kind: "proven", turns: 4 } },
    ]);
  });
});

test("build: an input or an output changed: built again, with another hash where the input changed", async () => {
  await withSources(SMALL_SYSTEM, async (root) => {
    const first = await built(root);
    truncateSync(join(root, "build/user.wasm"), 10);
    expect(await built(root)).toMatchObject({ reused: false });
    appendFileSync(join(root, "toolchain/version.ts"), "// changed\n");
    const changed = await built(root);
    expect(changed).toMatchObject({ reused: false });
    if (first.kind === "built" && changed.kind === "built")
      expect(changed.artifacts.hash).not.toBe(first.artifacts.hash);
    mkdirSync(join(root, "wasm"));
    writeFileSync(join(root, "wasm/decode.ts"), "// The library is an input.\n");
    expect(await built(root)).toMatchObject({ reused: false });
    writeFileSync(join(root, "kernel/trap.test.ts"), "// A test is no input.\n");
    expect(await built(root)).toMatchObject({ reused: true });
    writeFileSync(join(root, "build/artifacts.stamp.json"), "{ broken");
    expect(await built(root)).toMatchObject({ reused: false });
  });
});

test.each([
  [
    "a discarded outcome",
    "export function f(): void { sendIpi(1); }",
    "must-use gate",
    "the result of machine/sendIpi is discarded",
  ],
  [
    "a loop without a bound",
    "export function f(n: i32): void { for (let i = 0; i < n; i++) add32(8192, i); }",
    "loop bounds",
    "a loop without a bound",
  ],
  [
    "recursion",
    "export function f(n: i32): i32 { return n == 0 ? 0 : n * f(n - 1) + sendIpi(n); }",
    "artifact gate",
    "recursion",
  ],
  ["an unknown name", "export function f(): i32 { return g(); }", "asc", "Cannot find name 'g'"],
])("build: %s: refused by its gate, and nothing is written", async (_, planted, step, message) => {
  const index = `import { sendIpi } from "./machine";\n${SMALL_SYSTEM["kernel/index.ts"]}${planted}\n`;
  await withSources({ ...SMALL_SYSTEM, "kernel/index.ts": index }, async (root) => {
    const outcome = await built(root);
    expect(outcome).toMatchObject({ kind: "refused", step });
    if (outcome.kind === "refused") expect(outcome.lines.join("\n")).toMatch(message);
    expect(() => statSync(join(root, "build/kernel.wasm"))).toThrow();
  });
});

test("build: a published package, artifacts without sources: reused while complete, refused else", async () => {
  await withSources(SMALL_SYSTEM, async (root) => {
    await built(root);
    for (const name of ["abi", "kernel", "user", "toolchain"]) rmSync(join(root, name), { recursive: true });
    expect(await built(root)).toMatchObject({ kind: "built", reused: true });
    rmSync(join(root, "build/user.sim.wasm"));
    expect(await built(root)).toMatchObject({ kind: "refused", step: "build" });
  });
});

test("build: two at once: the second waits and finds it done", async () => {
  await withSources(SMALL_SYSTEM, async (root) => {
    const outcomes = await Promise.all([built(root), built(root)]);
    expect(outcomes.map((one) => one.kind === "built" && one.reused).toSorted()).toEqual([false, true]);
  });
});

test("build: a lock left by a process that is gone: taken over", async () => {
  await withSources({ "build/build.lock": "999999999" }, async (root) => {
    expect(await whileLocked(join(root, "build"), async () => "done")).toBe("done");
    expect(() => statSync(join(root, "build/build.lock"))).toThrow();
  });
});

const compiler = await findCompiler();

test.skipIf(compiler === undefined)(
  "build: the image for virt: made, then reused, then made again when it is gone",
  async () => {
    await withSources(SMALL_SYSTEM, async (root) => {
      expect(await buildElf({ root, progress: silent })).toMatchObject({ kind: "built", reused: false });
      expect(await buildElf({ root, progress: silent })).toMatchObject({ kind: "built", reused: true });
      const stack = JSON.parse(readFileSync(join(root, "build/stack.json"), "utf8")) as { bytes: number };
      expect(stack.bytes).toBeGreaterThan(0);
      rmSync(join(root, "build/hartbeat.elf"));
      expect(await buildElf({ root, progress: silent })).toMatchObject({ kind: "built", reused: false });
    });
  },
);
