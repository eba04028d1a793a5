// The lint's bounds on files and functions: a planted file that is too long is refused, one at the bound is not.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "./setup/step.mjs";

/** The bounds that a file breaks, by the lint's own configuration. */
function broken(name, text) {
  const folder = mkdtempSync(join(tmpdir(), "hartbeat-lint-"));
  try {
    writeFileSync(join(folder, name), text);
    const oxlint = join(root, "node_modules", "oxlint", "bin", "oxlint");
    const run = spawnSync(process.execPath, [oxlint, "-c", join(root, ".oxlintrc.json"), "-f", "unix", folder], {
      encoding: "utf8",
    });
    if (run.error !== undefined) throw run.error;
    const rules = [...run.stdout.matchAll(/eslint\((max-lines[\w-]*)\)/g)].map(([, rule]) => rule);
    expect(run.status, run.stdout).toBe(rules.length === 0 ? 0 : 1);
    return rules;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const lines = (count) => Array.from({ length: count }, () => "  f();\n").join("");
/** A function of so many lines, the first and the last included. */
const functionOf = (count) => `export function f(): void {\n${lines(count - 2)}}\n`;

test.each([
  ["a file of 401 lines", "a.ts", "// A line.\n".repeat(400) + "export const a = 1;\n", ["max-lines"]],
  ["a file of 400 lines", "a.ts", "// A line.\n".repeat(399) + "export const a = 1;\n", []],
  ["a function of 81 lines", "a.ts", functionOf(81), ["max-lines-per-function"]],
  [
    "a function of 80 lines, blank ones and comments between",
    "a.ts",
    functionOf(80).replace("  f();\n", "  f();\n\n  // A.\n"),
    [],
  ],
  ["a function of 251 lines in a test", "a.test.ts", functionOf(251), ["max-lines-per-function"]],
])("lint: %s: what breaks a bound is refused", (_, name, text, rules) => {
  expect(broken(name, text)).toEqual(rules);
});
