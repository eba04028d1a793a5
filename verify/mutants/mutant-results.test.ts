// What is kept of a run, and what of it a run with other stages or other checks may use.

import { mkdtempSync, appendFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { Results } from "./mutant-results.ts";

let path: string;
beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), "results-")), "kept", "results.ndjson");
  const unit = new Results(path, "key", "unit");
  unit.keep("killed", { kind: "killed", stage: "unit", by: "Q1", reason: "" });
  unit.keep("survived", { kind: "survived", checks: 3 });
  new Results(path, "key", "sim").keep("late", { kind: "killed", stage: "explored", by: "scenario", reason: "" });
});

test("results: the same stages again: every outcome is known", () => {
  const again = new Results(path, "key", "unit");
  expect(again.outcomeOf("killed")).toMatchObject({ kind: "killed" });
  expect(again.outcomeOf("survived")).toEqual({ kind: "survived", checks: 3 });
});

test("results: more stages: a kill holds, a survivor is tried again", () => {
  const more = new Results(path, "key", "sim");
  expect(more.outcomeOf("killed")).toMatchObject({ kind: "killed" });
  expect(more.outcomeOf("survived")).toBeUndefined();
});

test("results: fewer stages: a kill of a later stage is tried again", () => {
  expect(new Results(path, "key", "unit").outcomeOf("late")).toBeUndefined();
  expect(new Results(path, "key", "paused").outcomeOf("late")).toMatchObject({ kind: "killed" });
});

test("results: other checks, or a line that was cut short: nothing is known", () => {
  expect(new Results(path, "other", "sim").outcomeOf("killed")).toBeUndefined();
  appendFileSync(path, '{"key":"key","id":"cut');
  expect(new Results(path, "key", "unit").outcomeOf("cut")).toBeUndefined();
});
