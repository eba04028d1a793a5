import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import type { KernelCertificate } from "../verify/scenarios/run.ts";
import { type Tier, questionOf } from "../verify/scenarios/scenario.ts";
import { scenarios } from "../verify/scenarios/suite.ts";
import { certificateFolder, dropCertificate, keepCertificate } from "./certificate-store.ts";
import { coverageFor } from "./clause-coverage.ts";
import { captureOutput, workInOwnFolder } from "./testing/captured-command.ts";

const HARNESS = new Uint8Array([1, 2, 3]);
const harness = createHash("sha256").update(HARNESS).digest("hex");
const KERNEL = "a".repeat(64);

const output = captureOutput();
workInOwnFolder("coverage");

function keep(name: string, tier: Tier, states: number, changes: Partial<KernelCertificate> = {}): void {
  const scenario = scenarios.find((one) => one.name === name);
  if (scenario === undefined) throw new Error(`no scenario ${name}`);
  const certificate = {
    format: "hartbeat-certificate",
    version: 1,
    scenario: name,
    tier,
    states,
    target: questionOf(scenario, tier),
    kernel: { sha256: KERNEL, bytes: 1 },
    harness: { sha256: harness, bytes: 3 },
    ...changes,
  };
  keepCertificate(certificate as KernelCertificate, "<!doctype html>");
}

const ask = (kernel = KERNEL) => coverageFor(kernel, async () => HARNESS);
const exploredFor = async (clause: string, kernel = KERNEL) =>
  (await ask(kernel)).clauses.find((fact) => fact.clause === clause)?.explored;

test("coverage: nothing was ever explored: nothing is reported, the command is, and no harness is asked for", async () => {
  const findHarness = vi.fn(async () => HARNESS);
  const coverage = await coverageFor(KERNEL, findHarness);
  expect(coverage).toMatchObject({ explored: 0, of: scenarios.length, next: "npx hartbeat explore --kernel" });
  expect(findHarness).not.toHaveBeenCalled();
});

test("coverage: fast and full were explored: the full one counts; another kernel has none of it", async () => {
  keep("full-queue", "fast", 461);
  expect(await exploredFor("Q1")).toEqual([{ name: "full-queue", tier: "fast", states: 461 }]);
  keep("full-queue", "full", 9000);
  expect(await exploredFor("Q1")).toEqual([{ name: "full-queue", tier: "full", states: 9000 }]);
  expect(await exploredFor("Q1", "b".repeat(64))).toEqual([]);
  expect((await ask()).next).toBe("npx hartbeat explore --kernel --full");
  expect(output.err).toBe("");
});

test("coverage: refuted after it was shown: it no longer counts", async () => {
  keep("full-queue", "fast", 461);
  dropCertificate({ kernel: KERNEL, harness }, "full-queue", "fast");
  expect(await exploredFor("Q1")).toEqual([]);
});

test.each<[string, Partial<KernelCertificate>]>([
  ["other bounds", { target: { threads: [{ function: "owner", args: [1, 2] }] } }],
  // The folder has only the beginning of the hash.
  ["another kernel with the same beginning", { kernel: { sha256: `${"a".repeat(60)}bbbb`, bytes: 1 } }],
])("coverage: a certificate about %s: does not count", async (_, changes) => {
  keep("full-queue", "fast", 461, changes);
  expect(await exploredFor("Q1")).toEqual([]);
  expect(output.err).toBe("");
});

test("coverage: certificates that are cut short or something else: ignored, with one line", async () => {
  for (const name of ["full-queue", "no-victim", "owner-thieves", "identity"]) keep(name, "fast", 5);
  const file = (name: string): string => join(certificateFolder({ kernel: KERNEL, harness }), `${name}.fast.json`);
  writeFileSync(file("full-queue"), readFileSync(file("full-queue"), "utf8").slice(0, 40));
  writeFileSync(file("no-victim"), "null");
  writeFileSync(file("owner-thieves"), '{"format":"another"}');
  expect((await ask()).explored).toBe(1);
  expect(output.err).toMatch(/^hartbeat: .*\.fast\.json and 2 more: not a whole certificate, so it does not count\n$/);
});

test("certificates: of more kernels than are kept: the oldest go", () => {
  for (let index = 0; index < 12; index += 1) {
    const kernel = { sha256: index.toString(16).repeat(64), bytes: 1 };
    keep("no-victim", "fast", 1, { kernel });
    const time = new Date(2020, 0, 1 + index);
    utimesSync(certificateFolder({ kernel: kernel.sha256, harness }), time, time);
  }
  expect(readdirSync(join(".hartbeat", "certificates"))).toHaveLength(8);
  expect(existsSync(certificateFolder({ kernel: "b".repeat(64), harness }))).toBe(true);
  expect(existsSync(certificateFolder({ kernel: "3".repeat(64), harness }))).toBe(false);
});
