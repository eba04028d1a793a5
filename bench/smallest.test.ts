// Every benchmark once, at its smallest size: that they still work. What they measure then means nothing.

import { spawnSync } from "node:child_process";
import { beforeAll, describe, expect, test } from "vitest";
import { findQemu } from "../machines/virt/qemu.ts";
import { findCompiler } from "../toolchain/gcc.ts";
import { packageRoot } from "../toolchain/package-root.ts";

const NEEDS_BOARD = ["operations", "scaling", "chains", "observation", "boot"] as const;
const NEEDS_NOTHING = ["sim", "exploration", "sizes"] as const;
const hasBoard = (await findQemu()) !== undefined && (await findCompiler()) !== undefined;
const TIMEOUT = 300_000;

function bench(group: string): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  const args = ["dist/bench/main.js", "--only", group, "--smallest", "--json"];
  return spawnSync(process.execPath, args, { cwd: packageRoot, encoding: "utf8" });
}

/** The group's figures are there, and each is a number. */
function expectFigures(group: string): void {
  const { status, stdout, stderr } = bench(group);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  const { figures } = JSON.parse(stdout) as { readonly figures: Readonly<Record<string, unknown>> };
  expect(Object.keys(figures).length).toBeGreaterThan(0);
  for (const figure of Object.values(figures)) expect(figure).toSatisfy(Number.isFinite);
}

beforeAll(() => {
  const { status, stderr } = spawnSync(process.execPath, ["scripts/build.mjs"], { cwd: packageRoot, encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
}, TIMEOUT);

test.each(NEEDS_NOTHING)("bench: %s at its smallest: exit code 0, and figures", expectFigures, TIMEOUT);

describe.skipIf(!hasBoard)(hasBoard ? "on virt" : "on virt (skipped: no QEMU or no RISC-V gcc)", () => {
  test.each(NEEDS_BOARD)("bench: %s at its smallest: exit code 0, and figures", expectFigures, TIMEOUT);
});
