// The table as a whole: every break fits the sources, and is a break of its own. The breaks themselves run in
// trials-*.test.ts.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packageRoot } from "../../toolchain/package-root.ts";
import { allChecks } from "../clauses/index.ts";
import { scenarios } from "../scenarios/suite.ts";
import type { Break } from "./break.ts";
import { MUSEUM } from "./museum.ts";
import { applyEdit } from "./patch.ts";
import { BREAKS, breakNamed } from "./table.ts";
import { GROUPS } from "./trials.test-support.ts";

/** One line for each edit whose old text does not stand in its file once. */
function misfits(breaks: readonly Break[]): string[] {
  return breaks.flatMap(({ title, edits }) =>
    edits.flatMap((edit) => {
      const outcome = applyEdit(readFileSync(join(packageRoot, edit.file), "utf8"), edit);
      return outcome.kind === "applied" ? [] : [`${title}: ${outcome.reason}`];
    }),
  );
}

test("table: every break: its texts stand in the sources once", () => {
  expect(misfits(BREAKS)).toEqual([]);
});

test("table: planted fault: a text that is gone: reported with title and file", () => {
  const stale: Break = {
    clauses: ["T1"],
    title: "stale",
    edits: [{ file: "kernel/runtime.ts", old: "no such text", new: "" }],
  };
  expect(misfits([stale])).toEqual(['stale: kernel/runtime.ts: "no such text" stands there 0 times, not once']);
});

test("table: two breaks: other titles and other edits", () => {
  const keyOf = ({ edits }: Break): string =>
    JSON.stringify(edits.map((edit) => [edit.file, edit.old, edit.new].map((text) => text.replace(/\s+/g, ""))));
  expect(new Set(BREAKS.map(({ title }) => title)).size).toBe(BREAKS.length);
  expect(new Set(BREAKS.map((one) => keyOf(one))).size).toBe(BREAKS.length);
});

test("table: every clause of sections Q, S, I, C and T, and D4 to D6: has checks and at least one break that is not another kernel's", () => {
  const sections = ["Q9", "S6", "I9", "C5", "T8"].flatMap((last) =>
    Array.from({ length: Number(last[1]) }, (_, i) => `${last[0]}${i + 1}`),
  );
  const clauses = [...sections, "D4", "D5", "D6"];
  const ours = BREAKS.filter(({ source }) => source === undefined);
  expect([...new Set(ours.flatMap((one) => one.clauses))].toSorted()).toEqual(clauses.toSorted());
  expect([...new Set(allChecks.map((one) => one.clause))].toSorted()).toEqual(clauses.toSorted());
});

test("table: the faults that scenarios plant: each is a break of a clause that the scenario lists", () => {
  for (const { name, clauses, faults } of scenarios)
    for (const fault of faults) {
      const broken = breakNamed(fault.break).clauses;
      expect(
        broken.some((clause) => clauses.includes(clause)),
        `${name}: ${fault.break}`,
      ).toBe(true);
    }
});

test("table: the groups of trials: every break is in one, and each group has a test file", () => {
  const grouped = Object.values<readonly Break[]>(GROUPS).flat();
  expect(grouped.map(({ title }) => title).toSorted()).toEqual(BREAKS.map(({ title }) => title).toSorted());
  const files = Object.keys(GROUPS).map((group) => join(packageRoot, "verify", "breaks", `trials-${group}.test.ts`));
  expect(files.filter((file) => !existsSync(file))).toEqual([]);
});

test("museum: every entry: a source with a number or a commit, at least one edit; only its entries have a source", () => {
  for (const { source, title, edits } of MUSEUM) {
    expect(source, title).toMatch(/#\d+|[0-9a-f]{12}/);
    expect(edits.length, title).toBeGreaterThan(0);
  }
  expect(MUSEUM.length).toBeGreaterThanOrEqual(18);
  expect(BREAKS.filter(({ source }) => source !== undefined)).toEqual(MUSEUM);
});

test("edit: text that stands twice: refused; other spaces and line ends: found", () => {
  const edit = { file: "f", old: "a  (b)", new: "c" };
  expect(applyEdit("a (b) a (b)", edit).kind).toBe("refused");
  expect(applyEdit("x a\n   (b) y", edit)).toEqual({ kind: "applied", text: "x c y" });
});
