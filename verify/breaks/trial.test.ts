// A few breaks of each section, as a sample; `npm run counterfactuals` tries all of them.

import { expect, test } from "vitest";
import { applyEdit } from "./edit.ts";
import { COUNTERFACTUALS } from "./table.ts";
import { allChecks } from "../clauses/index.ts";
import { tryCounterfactual } from "./trial.ts";

const SAMPLE = [
  "a full queue overwrites its oldest task",
  "the next pick overwrites a task whose yield was refused",
  "a thief's take is not atomic",
  "a refused IPI is taken for one that was sent",
  "a task falls asleep without looking for a wake again",
  "tp is preferred to the stack",
  "the runtime is granted on every hart",
];

test.each(SAMPLE)("counterfactual: %s: red", { timeout: 120_000 }, async (title) => {
  const found = COUNTERFACTUALS.find((one) => one.title === title);
  expect(found).toBeDefined();
  if (found !== undefined) expect(await tryCounterfactual(found)).toMatchObject({ kind: "red" });
});

test("counterfactuals: every clause of sections Q, S, I, C and T, and D4 to D6: has checks and at least one break", () => {
  const sections = ["Q9", "S6", "I9", "C5", "T8"].flatMap((last) =>
    Array.from({ length: Number(last[1]) }, (_, i) => `${last[0]}${i + 1}`),
  );
  const clauses = [...sections, "D4", "D5", "D6"];
  expect([...new Set(COUNTERFACTUALS.map((one) => one.clause))].toSorted()).toEqual(clauses.toSorted());
  expect([...new Set(allChecks.map((one) => one.clause))].toSorted()).toEqual(clauses.toSorted());
  expect(new Set(COUNTERFACTUALS.map((one) => one.title)).size).toBe(COUNTERFACTUALS.length);
});

test("trial: a break that changes nothing: green, which counts as a failure", { timeout: 120_000 }, async () => {
  const edits = [
    { file: "kernel/runtime.ts", old: "if (self.cpu == BOOT_CPU) return", new: "if (BOOT_CPU == self.cpu) return" },
  ];
  expect(await tryCounterfactual({ clause: "T1", title: "none", edits })).toEqual({ kind: "green" });
});

test(
  "trial: a break that does not compile, or whose text is gone: refused, not red",
  { timeout: 120_000 },
  async () => {
    const broken = [{ file: "kernel/runtime.ts", old: "if (self.cpu == BOOT_CPU) return", new: "if (nothing) return" }];
    expect(await tryCounterfactual({ clause: "T1", title: "none", edits: broken })).toMatchObject({
      kind: "refused",
      reason: expect.stringContaining("does not compile"),
    });
    const gone = [{ file: "kernel/runtime.ts", old: "no such text", new: "" }];
    expect(await tryCounterfactual({ clause: "T1", title: "none", edits: gone })).toMatchObject({
      kind: "refused",
      reason: expect.stringContaining("0 times"),
    });
  },
);

test("edit: text that stands twice: refused; other spaces and line ends: found", () => {
  const edit = { file: "f", old: "a  (b)", new: "c" };
  expect(applyEdit("a (b) a (b)", edit).kind).toBe("refused");
  expect(applyEdit("x a\n   (b) y", edit)).toEqual({ kind: "applied", text: "x c y" });
});
