// The oracle sees what it was made for: with a mend taken out of the explorer's source, it reports a mismatch.
//
// The explorer is bundled from its source with one text replaced, in a temporary folder; nothing in the product knows of it.
// Where the text is the runtime's, the runtime is compiled again.

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, expect, test } from "vitest";
import { build } from "vite";
import { runtimeBytesModule } from "../../toolchain/explorer-runtime.ts";
import type * as OracleRun from "./oracle-run.ts";
import { ALL_CONFIGURATIONS } from "./configurations.ts";

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** One text of one file, and what stands there instead. */
type Patch = readonly [file: string, text: string, by: string];

/** The oracle with an explorer in which texts stand for others. */
async function patched(patches: readonly Patch[]): Promise<typeof OracleRun> {
  const folder = mkdtempSync(join(tmpdir(), "oracle-"));
  folders.push(folder);
  const placed = patches.map(([file, text, by]) => ({ path: source(file), text, by }));
  for (const { path, text } of placed)
    if (readFileSync(path, "utf8").split(text).length !== 2) throw new Error(`${path}: "${text}" does not occur once`);
  const runtimeBytes = await patchedRuntime(folder, placed);
  const load = (id: string): string | undefined => (id.endsWith("/runtime-bytes.js") ? runtimeBytes : undefined);
  const transform = (code: string, id: string): string | undefined => {
    const here = placed.filter(({ path }) => path === id);
    return here.length === 0 ? undefined : here.reduce((all, { text, by }) => all.replace(text, () => by), code);
  };
  await build({
    configFile: false,
    logLevel: "silent",
    root: folder,
    plugins: [{ name: "plant", enforce: "pre", load, transform }],
    build: {
      ssr: true,
      outDir: join(folder, "out"),
      target: "node20",
      rollupOptions: {
        input: { "oracle-run": source("./oracle-run.ts") },
        output: { entryFileNames: "[name].mjs" },
      },
    },
  });
  return (await import(pathToFileURL(join(folder, "out", "oracle-run.mjs")).href)) as typeof OracleRun;
}

/** The module of the runtime's bytes; undefined where none of the patches is to the runtime. */
async function patchedRuntime(
  folder: string,
  placed: readonly { readonly path: string; readonly text: string; readonly by: string }[],
): Promise<string | undefined> {
  const mine = placed.filter(({ path }) => path.startsWith(source("../runtime/")));
  if (mine.length === 0) return undefined;
  const runtime = join(folder, "explore", "runtime");
  cpSync(source("../runtime/"), runtime, { recursive: true });
  for (const { path, text, by } of mine)
    writeFileSync(
      join(runtime, basename(path)),
      readFileSync(path, "utf8").replace(text, () => by),
    );
  return runtimeBytesModule(folder, "patched");
}

const ALL_ON = ALL_CONFIGURATIONS.slice(0, 1);
const PROGRAMS_MAX = 4000;

/** Plants a fault; the first mismatch, as text. */
async function mismatchWith(patches: readonly Patch[], seed: number, candidatesMax: number): Promise<string> {
  const { runOracle, describeMismatch } = await patched(patches);
  const options = { statesMax: 3000, mismatchesMax: 1, configurations: ALL_ON, candidatesMax };
  const { tally } = await runOracle(seed, PROGRAMS_MAX, options);
  return tally.mismatches.map(describeMismatch).join("\n");
}

/** The seed is one shortly before the first mismatch, which saves time; others would do. */
const PLANTED: readonly {
  readonly title: string;
  readonly seed: number;
  readonly patches: readonly Patch[];
  readonly message: RegExp;
}[] = [
  {
    title: "a sleeping step does not wake for plain accesses",
    seed: 100,
    patches: [["../runtime/advance.ts", "if (meets(blockOf(other), mine))", "if (false)"]],
    message: /the explorer passes, the interpreter finds race/,
  },
  {
    title: "memory.size and memory.grow are no steps",
    seed: 900,
    patches: [
      ["../instrument/index-plan.ts", "(grows && isSizeAccess(op)) ||", ""],
      [
        "../instrument/instructions.ts",
        "if (isSizeAccess(op) && context.grows) return this.sizeAccess(instruction, index);",
        "",
      ],
    ],
    message: /trap|final|memories|invariant/,
  },
  {
    title: "a narrow cmpxchg does not wrap what it expects",
    seed: 100,
    patches: [["../instrument/pause-points.ts", "if (width < (wide ? 8 : 4)) {", "if (width < 0) {"]],
    message: /memories|finds/,
  },
  {
    title: "values that pass behind an invisible access are not looked up",
    seed: 2500,
    patches: [["../program/word-knowledge.ts", "if (this.u8[invisibly + word] === 0 ||", "if (word >= 0 ||"]],
    message: /the explorer passes, the interpreter finds invariant/,
  },
  {
    title: "where a step ends depends on what checks have read in other schedules",
    seed: 170,
    patches: [["../runtime/invisible.ts", "(engine.touched & PAUSES_AFTER) != 0", "engine.touched != 0"]],
    message: /does not replay/,
  },
  {
    title: "data.drop does nothing",
    seed: 765,
    patches: [
      ["../instrument/rewrite.ts", `code.i64(1n).i32(context.segmentDropped(a)).call(helper("setGlobal"));`, "return;"],
    ],
    message: /trap|memories/,
  },
];

test.each(PLANTED)(
  "oracle: planted fault: $title: reported",
  { timeout: 600_000 },
  async ({ seed, patches, message }) => {
    const report = await mismatchWith(patches, seed, 25);
    if (process.env["ORACLE_SHOW"] !== undefined) process.stdout.write(`${report}\n`);
    expect(report).toMatch(/^seed \d+, (all reductions|an exception): /);
    expect(report).toMatch(message);
    expect(report).toMatch(/replay: npm run oracle/);
  },
);
