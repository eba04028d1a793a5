import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packageRoot } from "../toolchain/package-root.ts";
import { example } from "./fixtures/example.ts";

const TSC = join(packageRoot, "node_modules", "typescript", "bin", "tsc");
let folder: string;

/** What a user of the package has: it under node_modules, without its sources and without its development packages. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "hartbeat-package-"));
  const installed = join(folder, "node_modules", "hartbeat");
  mkdirSync(installed, { recursive: true });
  cpSync(join(packageRoot, "package.json"), join(installed, "package.json"));
  const build = ["-p", join(packageRoot, "tsconfig.build.json"), "--outDir", join(installed, "dist")];
  expect(node(TSC, ...build)).toMatchObject({ status: 0, stdout: "" });
  const runtime = join("explore", "instrument", "runtime-bytes.js");
  cpSync(join(packageRoot, runtime), join(installed, "dist", runtime));
  symlinkSync(join(packageRoot, "node_modules", "@types"), join(folder, "node_modules", "@types"));
  const options = { module: "nodenext", target: "es2023", lib: ["es2023", "dom"], strict: true, types: ["node"] };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: options, include: ["*.ts"] }));
  writeFileSync(join(folder, "package.json"), `{ "type": "module" }`);
  writeFileSync(join(folder, "counter.wasm"), (await example("faults/counter")).wasm);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const node = (...args: string[]) => spawnSync(process.execPath, args, { encoding: "utf8", cwd: folder });

const PROGRAM = `import { readFileSync } from "node:fs";
import { explore, renderCounterexample, type Exploration } from "hartbeat";

const wasm = new Uint8Array(readFileSync("counter.wasm"));
const result: Exploration = await explore(
  { wasm, threads: [{ function: "torn" }, { function: "torn" }], final: "two" },
  { workers: 2, walks: 0 },
);
if (result.verdict.kind === "violated") console.log(renderCounterexample(result.verdict.counterexample, { width: 80 }));
`;

test("package: a program imports the explorer by the package's name: it has types, runs, and finds the fault", () => {
  writeFileSync(join(folder, "program.ts"), PROGRAM);
  expect(node(TSC, "-p", ".")).toMatchObject({ status: 0, stdout: "" });
  const { status, stdout, stderr } = node("program.js");
  expect(stderr).toBe("");
  expect(stdout).toContain("FAIL: the final check does not hold (it returned 1)");
  expect(status).toBe(0);
});

test("package: a program that misuses it: refused by its types", () => {
  writeFileSync(join(folder, "program.ts"), PROGRAM.replace(`function: "torn"`, "function: 1"));
  const { status, stdout } = node(TSC, "-p", ".");
  expect(status).not.toBe(0);
  expect(stdout).toContain("program.ts(6,");
});
