// The matrix of clauses, breaks and proofs: its plan, its verdicts, and a few of its rows; `npm run matrix` runs all.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { harness } from "../scenarios/harness-build.ts";
import { runScenario } from "../scenarios/run.ts";
import { scenarios } from "../scenarios/suite.ts";
import { brokenKernel } from "../breaks/patch.ts";
import { plantsOf } from "../breaks/plants.ts";
import { BREAKS, breakNamed, isOfKernel } from "../breaks/table.ts";
import { matrixPath, readMatrix, writeMatrix } from "./matrix-file.ts";
import { nameOf, planOf, type Row, unbreakable } from "./plan.ts";
import { matrixLines } from "./show.ts";
import { SUPPORTS } from "./supports.ts";
import { nextNeeded } from "./needed.ts";
import { judgeMatrix } from "./verdicts.ts";

let machine: Uint8Array;
beforeAll(async () => {
  machine = await harness();
});

test("plan: every clause that a scenario lists: there is a break of the kernel about it", () => {
  expect(unbreakable()).toEqual([]);
});

test("plan: a scenario's planted fault: a break of a clause that the scenario lists, so that the matrix runs the pair", () => {
  const plan = planOf([]);
  for (const { name, faults } of scenarios)
    for (const fault of faults) {
      const rows = plan.filter((row) => row.break === breakNamed(fault.break));
      const proofs = rows.flatMap((row) => row.proofs).map((proof) => nameOf(proof));
      expect(proofs, fault.break).toContain(`scenario ${name}`);
    }
});

test("plan: every clause that a scenario lists: a fault that it plants, or one break in supports.ts, is to turn it red", () => {
  const claims = scenarios.flatMap(({ name, clauses, faults }) =>
    clauses
      .filter((clause) => !faults.some((fault) => breakNamed(fault.break).clauses.includes(clause)))
      .map((clause) => `${name} ${clause}`),
  );
  const supported = SUPPORTS.flatMap(({ clause, scenarios: names }) => names.map((name) => `${name} ${clause}`));
  expect(supported.toSorted()).toEqual(claims.toSorted());
  for (const { clause, break: title } of SUPPORTS) {
    const found = BREAKS.filter((one) => one.clauses.includes(clause) && one.title === title);
    expect(found.map(isOfKernel), `${clause} ${title}`).toEqual([true]);
  }
});

/**
 * The rows of npm test: of each clause the first supporting break with the first of its scenarios, but of those clauses
 * of which a scenario plants a break: verify/breaks puts those before it.
 */
const SAMPLE: readonly (readonly [title: string, scenario: string])[] = SUPPORTS.filter(
  ({ clause }, index) =>
    SUPPORTS.findIndex((one) => one.clause === clause) === index &&
    !BREAKS.some((one) => one.clauses.includes(clause) && plantsOf(one).length > 0),
).flatMap(({ break: title, scenarios: [first] }) => (first === undefined ? [] : [[title, first] as const]));

/** Far more than any of these takes: what is not found within them is not found. */
const TRANSITIONS_MAX = 1_000_000;

test.each(SAMPLE)("matrix: %s: red in %s", async (title, name) => {
  const row = planOf([]).find((one) => one.break.title === title);
  const proof = row?.proofs.find((one) => nameOf(one) === `scenario ${name}`);
  if (row === undefined || proof?.kind !== "scenario") throw new Error("no such row");
  const { wasm } = await brokenKernel(row.break.edits);
  const options = { shortest: false, transitionsMax: TRANSITIONS_MAX };
  const result = await runScenario(proof.scenario, proof.tier, { kernel: wasm, harness: machine }, options);
  expect(result).toMatchObject({ kind: "violated" });
});

const rows = (): readonly Row[] => planOf(["C3"]);
const key = "k";

test("verdict: a break that nothing turned red, a scenario that turned none red, a pair that was not run: each reported", () => {
  const [row] = rows();
  if (row === undefined) throw new Error("C3 has no break");
  const entryFor = (proof: string, red: boolean | null) => ({ break: row.break.title, proof, red, how: "", key });
  const names = row.proofs.map((proof) => nameOf(proof));
  const all = (red: boolean | null) => ({
    version: 1 as const,
    artifact: "a",
    harness: "h",
    clauses: { C3: names.map((name) => entryFor(name, red)) },
  });
  expect(judgeMatrix([row], all(true))).toMatchObject({ survivors: [], emptyClaims: [], undecided: [] });
  const none = judgeMatrix([row], all(false));
  expect(none.survivors).toHaveLength(1);
  expect(none.emptyClaims).toHaveLength(names.length - 1);
  const open = judgeMatrix([row], all(null));
  expect(open).toMatchObject({ emptyClaims: [], red: 0 });
  expect(open.undecided).toHaveLength(names.length);
  expect(judgeMatrix([row], { ...all(true), clauses: {} }).undecided).toHaveLength(names.length);
});

test("needed: a break red somewhere and a claim made good: no pair is left; else the cheapest one first", () => {
  const all = planOf(["C3"]);
  const [row] = all;
  if (row === undefined) throw new Error("C3 has no break");
  const found = new Map<string, boolean | null>();
  const next = () =>
    nextNeeded(all, (_, proof) => (found.has(nameOf(proof)) ? { red: found.get(nameOf(proof)) ?? null } : undefined));
  expect(next()?.proof).toMatchObject({ kind: "checks" });
  found.set("checks of C3", true);
  expect(next()?.proof).toMatchObject({ kind: "scenario" });
  for (const proof of row.proofs) found.set(nameOf(proof), true);
  expect(next()).toBeUndefined();
  // All run, and none red: nothing is left to run; the verdict reports it.
  for (const proof of row.proofs) found.set(nameOf(proof), null);
  expect(next()).toBeUndefined();
});

test("matrix file: of another artifact, or not whole: nothing of it counts", () => {
  const folder = mkdtempSync(join(tmpdir(), "hartbeat-matrix-"));
  try {
    const entry = { break: "b", proof: "checks of Q1", red: true, how: "found", key };
    writeMatrix(folder, { version: 1, artifact: "a", harness: "h", clauses: { Q1: [entry] } });
    expect(readMatrix(folder, "a", "h").clauses).toEqual({ Q1: [entry] });
    expect(readMatrix(folder, "b", "h").clauses).toEqual({});
    expect(readMatrix(folder, "a", "i").clauses).toEqual({});
    writeFileSync(matrixPath(folder), '{"version":1,');
    expect(readMatrix(folder, "a", "h").clauses).toEqual({});
    expect(matrixLines({ version: 1, artifact: "a", harness: "h", clauses: { Q1: [entry] } })).toEqual([
      "Q1  checks of Q1  1 of 1 red: b",
    ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
