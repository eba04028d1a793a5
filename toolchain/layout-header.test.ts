// layout.h, and the structures of the benchmarks that are held to it.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { TASKS_BASE } from "../kernel/layout.ts";
import { abiHeader } from "./abi-header.ts";
import { RISCV_FLAGS } from "./c-flags.ts";
import { findCompiler } from "./gcc.ts";
import { layoutHeader } from "./layout-header.ts";
import { packageRoot } from "./package-root.ts";

const compiler = await findCompiler();

test("layout header: constants of kernel/layout.ts and fields of its classes: each as a number, once", () => {
  const lines = layoutHeader().split("\n");
  expect(lines).toContain(`#define LAYOUT_TASKS_BASE ${TASKS_BASE}`);
  expect(lines).toContain("#define TASK_EXIT_CODE_AT 48");
  expect(lines).toContain("#define HART_STAMP_AT 64");
  const names = lines.flatMap((line) => /^#define (\w+) \d+$/.exec(line)?.[1] ?? []);
  expect(names.length).toBeGreaterThan(70);
  expect(new Set(names).size).toBe(names.length);
});

/** What the compiler reports of bench/native/state.h beside that layout.h. */
function compileState(layout: string): string {
  const folder = mkdtempSync(join(tmpdir(), "hartbeat-layout-"));
  try {
    writeFileSync(join(folder, "abi.h"), abiHeader());
    writeFileSync(join(folder, "layout.h"), layout);
    writeFileSync(join(folder, "state.c"), '#include "state.h"\n');
    const include = ["-I", folder, "-I", join(packageRoot, "bench", "native")];
    const args = [...RISCV_FLAGS, ...include, "-fsyntax-only", join(folder, "state.c")];
    return spawnSync(`${compiler?.prefix}gcc`, args, { encoding: "utf8" }).stderr;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test.skipIf(compiler === undefined)("layout header: the benchmarks' structures: where the kernel has them", () => {
  expect(compileState(layoutHeader())).toBe("");
});

test.skipIf(compiler === undefined).each([
  ["a field of a task", /TASK_EXIT_CODE_AT \d+/, "TASK_EXIT_CODE_AT 52", "exit_code of task"],
  ["a counter", /COUNTERS_ACKED_AT \d+/, "COUNTERS_ACKED_AT 0", "acked of hart"],
  ["the slots of a queue", /LAYOUT_BANK_SLOTS \d+/, "LAYOUT_BANK_SLOTS 256", "slots of ring"],
])("layout header: planted: %s moves in the kernel: the structure does not compile", (_, from, to, label) => {
  const changed = layoutHeader().replace(from, to);
  expect(changed).not.toBe(layoutHeader());
  expect(compileState(changed)).toContain(`the kernel has ${label} elsewhere`);
});
