// npm test: the whole proof on this machine. Sets up, runs every check, then the tests, and counts.
//
// A skipped test is named and never counted as passed; where CI=true nothing may be skipped. The counts go to
// .hartbeat/test/count.json, from which .ci/run takes its last line. Arguments are handed to vitest.

import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { ensureDebianPackages } from "./setup/debian.mjs";
import { ensureEngines } from "./setup/engines.mjs";
import { ensureReady } from "./setup.mjs";
import { root, runNode, say } from "./setup/step.mjs";
import { countTests } from "./setup/test-count.mjs";

const FOLDER = join(root, ".hartbeat", "test");
const RESULTS = join(FOLDER, "results.json");
const bin = (...path) => join("node_modules", ...path);

const CHECKS = [
  { name: "format", args: [bin("prettier", "bin", "prettier.cjs"), "--check", "--log-level=warn", "."] },
  { name: "lint", args: [bin("oxlint", "bin", "oxlint"), "--deny-warnings"] },
  { name: "typecheck", args: [join("scripts", "typecheck.mjs")] },
  { name: "dep-gate", args: [join("dist", "toolchain", "dep-gate.js")] },
  { name: "diag-os", args: [join("dist", "toolchain", "diag-os.js")] },
];

/** How a check reports that a tool it needs is missing: it did not run, so it is skipped. */
const MISSING_TOOL = 3;

rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
ensureDebianPackages();
ensureReady();
ensureEngines();

say(`checking: ${CHECKS.map(({ name }) => name).join(", ")}`);
const checks = await Promise.all(CHECKS.map(runCheck));
const tests = runTests(process.argv.slice(2));

const failedChecks = checks.filter(({ status }) => status !== 0 && status !== MISSING_TOOL);
const skipped = [
  ...checks.filter(({ status }) => status === MISSING_TOOL).map(({ name }) => name),
  ...tests.skipped.map((name) => name.replace(`${root}`, "")),
];
const skipsAllowed = process.env.CI !== "true";
for (const name of skipped) say(`skipped: ${name}`);
if (skipped.length > 0 && !skipsAllowed) say("CI=true: what is skipped counts as failed");
for (const { name } of failedChecks) say(`failed: ${name}`);

const failed = tests.failed + failedChecks.length + (skipsAllowed ? 0 : skipped.length);
const passed = tests.passed + checks.filter(({ status }) => status === 0).length;
writeFileSync(join(FOLDER, "count.json"), JSON.stringify({ passed, failed, skipped: skipped.length }));
const skippedMessage = skipped.length > 0 ? `, ${skipped.length} skipped` : "";
process.stdout.write(`${passed} passed, ${failed} failed${skippedMessage} (checks included)\n`);
process.exitCode = failed === 0 ? 0 : 1;

/** All checks run side by side; what one prints comes out together, once it has ended. */
function runCheck({ name, args }) {
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: root, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      process.stderr.write(stdout + stderr);
      resolve({ name, status: error === null ? 0 : error.code });
    });
  });
}

function runTests(args) {
  say("running the tests (vitest)");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${relative(root, RESULTS)}`];
  const { ok } = runNode([bin("vitest", "vitest.mjs"), "run", ...reporters, ...args]);
  const count = readCount();
  // A run that broke outside any test must not come out as a success either.
  if (!ok && count.failed === 0) count.failed = 1;
  return count;
}

function readCount() {
  try {
    const count = countTests(JSON.parse(readFileSync(RESULTS, "utf8")));
    if (count.passed + count.failed === 0) say("no test ran");
    return count.passed + count.failed === 0 ? { ...count, failed: 1 } : count;
  } catch {
    say("vitest left no results");
    return { passed: 0, failed: 1, skipped: [] };
  }
}
