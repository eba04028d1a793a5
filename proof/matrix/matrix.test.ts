// The matrix of clauses, breaks and proofs: its plan, its verdicts, and a few of its rows; `npm run matrix` runs all.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { harness } from "../../kernel/scenarios/compile.ts";
import { readFileSync } from "node:fs";
import { packageRoot } from "../../toolchain/package-root.ts";
import { runScenario } from "../../kernel/scenarios/run.ts";
import { applyEdit } from "../counterfactuals/edit.ts";
import { compileBroken, runChecksOf } from "../counterfactuals/trial.ts";
import { allBreaks } from "./breaks.ts";
import { matrixPath, readMatrix, writeMatrix } from "./matrix-file.ts";
import { nameOf, planOf, type Row, unbreakable } from "./plan.ts";
import { matrixLines } from "./show.ts";
import { judgeMatrix } from "./verdicts.ts";

let machine: Uint8Array;
beforeAll(async () => {
  machine = await harness();
});

test("plan: every clause that a scenario lists: there is a break of the kernel about it", () => {
  expect(unbreakable()).toEqual([]);
});

test("plan: every break, the table's and the scenarios': fits the sources once", () => {
  const misfits = allBreaks().flatMap(({ title, edits }) =>
    edits.flatMap((edit) => {
      const outcome = applyEdit(readFileSync(join(packageRoot, edit.file), "utf8"), edit);
      return outcome.kind === "applied" ? [] : [`${title}: ${outcome.reason}`];
    }),
  );
  expect(misfits).toEqual([]);
});

test("plan: a scenario's planted fault: its clause is listed by that scenario, so that the matrix runs the pair", () => {
  for (const row of planOf([])) {
    if (row.break.plantedBy === undefined) continue;
    expect(row.proofs.map((proof) => nameOf(proof))).toContain(`scenario ${row.break.plantedBy}`);
  }
  expect(planOf([]).filter((row) => row.break.plantedBy !== undefined).length).toBe(
    allBreaks().filter((one) => one.plantedBy !== undefined).length,
  );
});

/** The rows of npm test: a break, by its title, and the scenario that has to find it. */
const SAMPLE: readonly (readonly [title: string, scenario: string])[] = [
  ["a lone hint is believed when the stack is nobody's", "impostor"],
  ["the fallback searches the stacks one by one", "impostor"],
  ["fallbacks are not counted", "impostor"],
];

test.each(SAMPLE)(
  "matrix: %s: red in %s, and in the checks of its clause",
  { timeout: 120_000 },
  async (title, name) => {
    const row = planOf([]).find((one) => one.break.title === title);
    const proof = row?.proofs.find((one) => nameOf(one) === `scenario ${name}`);
    if (row === undefined || proof?.kind !== "scenario") throw new Error("no such row");
    const broken = await compileBroken(row.clause, row.break.edits);
    if (typeof broken === "string") throw new Error(broken);
    try {
      const parts = { kernel: broken.image.wasm, harness: machine };
      expect(await runScenario(proof.scenario, proof.tier, parts, { shortest: false })).toMatchObject({
        kind: "violated",
      });
      expect(await runChecksOf(row.clause, broken.image)).toMatchObject({ kind: "red" });
    } finally {
      await broken.remove();
    }
  },
);

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
