// What a trial reports of a break that is at fault itself, and of one that nothing finds.

import { expect, test } from "vitest";
import type { Break, Edit } from "./break.ts";
import { brokenKernel } from "./patch.ts";
import { plantsOf } from "./plants.ts";
import { breakNamed } from "./table.ts";
import { tryBreak, tryPlant } from "./trial.ts";

const NO_CHANGE: Edit = {
  file: "kernel/runtime.ts",
  old: "if (self.cpu == BOOT_CPU) return",
  new: "if (BOOT_CPU == self.cpu) return",
};

function breakWith(edit: Edit): Break {
  return { clauses: ["T1"], title: "none", edits: [edit] };
}

test("trial: a break that changes nothing: green, which counts as a failure", async () => {
  expect(await tryBreak(breakWith(NO_CHANGE))).toEqual({ kind: "green" });
});

test("trial: a break that does not compile, or whose text is gone: refused, not red", async () => {
  expect(await tryBreak(breakWith({ ...NO_CHANGE, new: "if (nothing) return" }))).toMatchObject({
    kind: "refused",
    reason: expect.stringContaining("does not compile"),
  });
  expect(await tryBreak(breakWith({ ...NO_CHANGE, old: "no such text" }))).toMatchObject({
    kind: "refused",
    reason: expect.stringContaining("0 times"),
  });
});

test("trial: two clauses, of which the checks of one find nothing: green though the other is red", async () => {
  const { edits } = breakNamed("the runtime is granted on every hart");
  expect(await tryBreak({ clauses: ["T1"], title: "one", edits })).toMatchObject({ kind: "red" });
  expect(await tryBreak({ clauses: ["T1", "C3"], title: "two", edits })).toEqual({ kind: "green" });
});

test("trial: in a scenario: a kernel without a break: green; another violation than the one named: refused", async () => {
  const one = breakNamed("stealing from oneself is let through");
  const [plant] = plantsOf(one);
  if (plant === undefined) throw new Error("no scenario plants it");
  const [whole, broken] = [await brokenKernel([]), await brokenKernel(one.edits)];
  expect(await tryPlant(plant, whole.wasm)).toEqual({ kind: "green" });
  expect(await tryPlant(plant, broken.wasm)).toMatchObject({ kind: "red", check: "scenario no-victim" });
  const other = { ...plant, fault: { ...plant.fault, reported: "race" as const } };
  expect(await tryPlant(other, broken.wasm)).toMatchObject({
    kind: "refused",
    reason: expect.stringContaining("reports another violation than it names: assertion"),
  });
});
