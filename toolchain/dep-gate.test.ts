import { expect, test } from "vitest";
import { checkDependencies } from "./dep-gate.ts";
import { packageRoot } from "./package-root.ts";
import { type Sources, withSources } from "./testing/sources.ts";

const check = (sources: Sources): Promise<string[]> => withSources(sources, checkDependencies);

test("dep-gate: this package: every import is in its place", async () => {
  expect(await checkDependencies(packageRoot)).toEqual([]);
});

test.each([
  [
    "the kernel imports a machine",
    "kernel/trap.ts",
    'import { a } from "./a";\nimport {\n  b,\n} from "../machines/machine-run";\n',
    "kernel/trap.ts:2: kernel/ must not import machines/machine-run; it may import kernel/, abi/",
  ],
  [
    "the kernel imports a user program",
    "kernel/trap.ts",
    'import { a } from "../user/index";',
    "kernel/trap.ts:1: kernel/ must not import user/index",
  ],
  [
    "the kernel imports a package",
    "kernel/trap.ts",
    'import { a } from "binaryen";',
    "kernel/trap.ts:1: kernel/ must not import the package binaryen",
  ],
  [
    "abi imports the kernel",
    "abi/qos.ts",
    'export * from "../kernel/task";',
    "abi/qos.ts:1: abi/ must not import kernel/task",
  ],
  [
    "a user program imports the kernel",
    "user/index.ts",
    'import { a } from "../kernel/task";',
    "user/index.ts:1: user/ must not import kernel/task",
  ],
  [
    "a machine imports the kernel's source",
    "machines/virt/qemu.ts",
    'import { a } from "../../kernel/task.ts";',
    "machines/virt/qemu.ts:1: machines/ must not import kernel/task.ts",
  ],
  [
    "the toolchain imports a machine",
    "toolchain/asc.ts",
    'const a = await import("../machines/machine-run.ts");',
    "toolchain/asc.ts:1: toolchain/ must not import machines/machine-run.ts",
  ],
  [
    "the explorer's library imports Node",
    "explore/report/replay.ts",
    'import { createHash } from "node:crypto";',
    "explore/report/replay.ts:1: explore/report/ must not import node:crypto; it runs without Node",
  ],
  [
    "the explorer imports a machine",
    "explore/search/parallel.ts",
    'import { bootSim } from "../../machines/sim/machine-boot.ts";',
    "explore/search/parallel.ts:1: explore/search/parallel.ts must not import machines/sim/machine-boot.ts",
  ],
  [
    "the instrumenter imports the searches",
    "explore/instrument/rewrite.ts",
    'import { StateTable } from "../search/state-table.ts";',
    "explore/instrument/rewrite.ts:1: explore/instrument/ must not import explore/search/state-table.ts",
  ],
  [
    "a program imports what searches it",
    "explore/program/program.ts",
    'import type { Session } from "../search/session.ts";',
    "explore/program/program.ts:1: explore/program/ must not import explore/search/session.ts",
  ],
  [
    "a search imports a report",
    "explore/search/session.ts",
    'import { renderCounterexample } from "../report/render.ts";',
    "explore/search/session.ts:1: explore/search/ must not import explore/report/render.ts",
  ],
  [
    "the embedded machine imports Node",
    "machines/sim/clock.ts",
    'import { readFile } from "node:fs";',
    "machines/sim/clock.ts:1: machines/sim/ must not import node:fs; it runs without Node",
  ],
  [
    "the proof imports the kernel's tests",
    "proof/verdict.ts",
    'import { allChecks } from "../verify/clauses/index.ts";',
    "proof/verdict.ts:1: proof/ must not import verify/clauses/index.ts",
  ],
  [
    "a folder that only its parts have rules for, the mutants, imports the command",
    "verify/mutants/mutant-trial.ts",
    'import { a } from "../../cli/main.ts";',
    "verify/mutants/mutant-trial.ts:1: verify/mutants/ must not import cli/main.ts",
  ],
  [
    "the library of the binary format imports the explorer",
    "wasm/decode.ts",
    'import { savable } from "../explore/program/target.ts";',
    "wasm/decode.ts:1: wasm/ must not import explore/program/target.ts; it may import wasm/",
  ],
  [
    "the command imports the kernel",
    "cli/explore-kernel.ts",
    'import { a } from "../kernel/task.ts";',
    "cli/explore-kernel.ts:1: cli/ must not import kernel/task.ts",
  ],
  [
    "a machine imports the command line's package",
    "machines/machine-run.ts",
    'import { Command } from "commander";',
    "machines/machine-run.ts:1: machines/ must not import the package commander",
  ],
])("dep-gate: %s: refused with file and line", async (_, file, text, message) => {
  const lines = await check({ [file]: text });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain(message);
});

test("dep-gate: imports within the rules, in comments, and in tests: not refused", async () => {
  const sources = {
    "kernel/trap.ts":
      '// import { x } from "../machines/machine-run";\n/* import "node:fs"; */\nimport { Qos } from "../abi/qos";\nexport { a } from "./a";\n',
    "kernel/trap.test.ts": 'import { test } from "vitest";\nimport { x } from "../machines/machine-run.ts";\n',
    "verify/clauses/rig.ts": 'import { x } from "../../machines/machine-run.ts";\n',
    "cli/main.ts":
      'import { Command } from "commander";\nimport { a } from "../proof/gate.ts";\nimport { join } from "node:path";\n',
  };
  expect(await check(sources)).toEqual([]);
});

test("dep-gate: files import one another, types and dynamic imports included: one line with the circle", async () => {
  const lines = await check({
    "verify/scenarios/run.ts": 'import { a } from "./scenario.ts";\nconst b = await import("./costs.ts");\n',
    "verify/scenarios/costs.ts": 'import type { Parts } from "./parts.ts";\n',
    "verify/scenarios/parts.ts": 'import type { Run } from "./run.ts";\n',
    "verify/scenarios/scenario.ts": "export {};\n",
    // The kernel's dialect names files without their suffix.
    "kernel/task.ts": 'import { a } from "./queue";\n',
    "kernel/queue.ts": 'export { b } from "./task";\n',
  });
  expect(lines).toEqual([
    "kernel/queue.ts: is in a circle of imports: kernel/task.ts, kernel/queue.ts",
    "verify/scenarios/costs.ts: is in a circle of imports: verify/scenarios/parts.ts, verify/scenarios/run.ts, verify/scenarios/costs.ts",
  ]);
});
