// The packed package, installed in a folder of its own, on each version of Node that people run.
//
// Owner: one temporary folder. What the newer versions print is compared with what this one prints, times left out.
// Pairs with: setup/engines.mjs, which fetches the versions.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { engines } from "./setup/engines.mjs";
import { root } from "./setup/step.mjs";

const COMPILE = "--runtime stub --enable threads --importMemory --sharedMemory --initialMemory 1 --maximumMemory 1 -O2";
const LIBRARY = `import { readFileSync } from "node:fs";
import { explore } from "hartbeat";
const wasm = new Uint8Array(readFileSync("peterson.wasm"));
const threads = [0, 1].map((n) => ({ function: "worker", args: [n] }));
const { verdict } = await explore({ wasm, threads, final: "counted" });
console.log(verdict.kind);
`;
const PACKAGE_TIMEOUT = 300_000;

let folder = "";
let installed = "";

function run(program, args, cwd) {
  const result = spawnSync(program, args, { cwd, encoding: "utf8", env: { ...process.env, NO_COLOR: "1" } });
  return { status: result.status, out: result.stdout ?? "", err: result.stderr ?? "" };
}

function mustRun(program, args, cwd) {
  const { status, out, err } = run(program, args, cwd);
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}: exit code ${status}\n${out}${err}`);
  return out;
}

/** Packs the package in `from`, as npm would publish it; the name of the file in `folder`. */
const pack = (from, ...flags) =>
  mustRun("npm", ["pack", "--silent", "--pack-destination", folder, ...flags], from)
    .trim()
    .split("\n")
    .at(-1);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hartbeat-engines-"));
  installed = join(folder, "elsewhere");
  mkdirSync(installed);
  // What prepack builds is built first, so that its messages are not mixed with the file's name.
  mustRun(process.execPath, [join("scripts", "build.mjs")], root);
  const dependencies = {
    hartbeat: `file:../${pack(root, "--ignore-scripts")}`,
    // The dependencies come from here too: a registry is not needed.
    ...Object.fromEntries(
      ["commander", "jsonc-parser", "pbf", "resolve-protobuf-schema", "protocol-buffers-schema"].map((name) => [
        name,
        `file:../${pack(join(root, "node_modules", name), "--ignore-scripts")}`,
      ]),
    ),
  };
  writeFileSync(join(installed, "package.json"), JSON.stringify({ private: true, type: "module", dependencies }));
  mustRun("npm", ["install", "--offline", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"], installed);
  for (const [source, name] of [
    ["peterson.ts", "peterson.wasm"],
    ["faults/lost-wakeup.ts", "lost-wakeup.wasm"],
  ]) {
    const asc = join("node_modules", "assemblyscript", "bin", "asc.js");
    const file = join("examples", "assemblyscript", source);
    mustRun(process.execPath, [asc, file, "--outFile", join(installed, name), ...COMPILE.split(" ")], root);
  }
  writeFileSync(join(installed, "library.mjs"), LIBRARY);
  writeFileSync(join(installed, "load.json"), `{"tasks": {"a": {"loop": 3, "run": 100, "sleep": 1000}}}`);
}, PACKAGE_TIMEOUT);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the installed command does on a version of Node. */
function hartbeat(node, command) {
  return run(node, [join("node_modules", "hartbeat", "bin", "hartbeat.js"), ...command.split(" ")], installed);
}

const COMMANDS = [
  { command: "prove --machine sim --smp 2", status: 0, prints: /^passed: 1 of 1 run$/m },
  { command: "run load.json --smp 2", status: 0, prints: /^a +Normal .* done +3 +3 +0$/m },
  {
    command: "explore peterson.wasm --thread worker:0 --thread worker:1 --final counted",
    status: 0,
    prints: /^PASS: peterson\.wasm$/m,
  },
  {
    command: "explore lost-wakeup.wasm --thread sleeper --thread waker",
    status: 1,
    prints: /^FAIL: deadlock/m,
  },
];

/** What this Node prints, by command. */
const expected = new Map();

const withoutTimes = (text) => text.replace(/[\d.,]+ m?s\b/g, "TIME").replace(/^.* a second.*$/gm, "RATE");

for (const { name, program } of [{ name: "this Node", program: process.execPath }, ...engines()]) {
  const isHere = existsSync(program);
  const label = isHere ? name : `${name} (skipped: not installed, \`npm test\` does it on Linux x64)`;
  describe.skipIf(!isHere)(label, () => {
    if (name.startsWith("node-"))
      test(`engine ${name}: its version: of that major`, () => {
        expect(mustRun(program, ["--version"], root)).toMatch(new RegExp(`^v${name.slice("node-".length)}\\.`));
      });

    for (const { command, status, prints } of COMMANDS)
      test(`package on ${name}: hartbeat ${command}: exit code ${status}, and what this Node prints`, () => {
        const found = hartbeat(program, command);
        expect(found, found.err).toMatchObject({ status });
        expect(found.out).toMatch(prints);
        if (program === process.execPath) expected.set(command, withoutTimes(found.out));
        expect(withoutTimes(found.out)).toBe(expected.get(command));
      });

    test(`package on ${name}: as a library: explores`, () => {
      expect(mustRun(program, ["library.mjs"], installed)).toBe("passed\n");
    });

    test(`package on ${name}: doctor: names the version that runs it, and that a newer one explores faster`, () => {
      const version = mustRun(program, ["--version"], root).trim().slice(1);
      const { out } = hartbeat(program, "doctor");
      expect(out).toContain(`Node.js         ${version}`);
      expect(out.includes("a newer one explores faster")).toBe(Number(version.split(".")[0]) < 26);
    });
  });
}
