// A few of the real bugs, as a sample; `npm run counterfactuals -- museum` tries all of them.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packageRoot } from "../../toolchain/package-root.ts";
import { applyEdit } from "./edit.ts";
import { MUSEUM } from "./museum.ts";
import { tryInScenario, tryRealBug } from "./museum-trial.ts";

const SAMPLE = ["seL4/seL4 PR#1387", "rcore-os/tgoskits PR#1426 and PR#1381", "AlessandroSangiuliano/Uros#316"];

test.each(SAMPLE)("museum: %s: red", { timeout: 120_000 }, async (source) => {
  const bug = MUSEUM.find((one) => one.source === source);
  expect(bug).toBeDefined();
  if (bug !== undefined) expect(await tryRealBug(bug)).toMatchObject({ kind: "red" });
});

test("museum: every entry: its texts stand in the sources once", () => {
  const misfits = MUSEUM.flatMap(({ title, edits }) =>
    edits.flatMap((edit) => {
      const outcome = applyEdit(readFileSync(join(packageRoot, edit.file), "utf8"), edit);
      return outcome.kind === "applied" ? [] : [`${title}: ${outcome.reason}`];
    }),
  );
  expect(misfits).toEqual([]);
});

test("museum: every entry: a source with a number or a commit, a title of its own, at least one edit", () => {
  for (const { source, title, edits } of MUSEUM) {
    expect(source, title).toMatch(/#\d+|[0-9a-f]{12}/);
    expect(edits.length, title).toBeGreaterThan(0);
  }
  expect(new Set(MUSEUM.map(({ title }) => title)).size).toBe(MUSEUM.length);
  expect(MUSEUM.length).toBeGreaterThanOrEqual(18);
});

test(
  "museum trial: a break that changes nothing, in a scenario: green; a scenario that there is not: refused",
  {
    timeout: 120_000,
  },
  async () => {
    const edits = [
      { file: "kernel/runtime.ts", old: "if (self.cpu == BOOT_CPU) return", new: "if (BOOT_CPU == self.cpu) return" },
    ];
    expect(await tryInScenario(edits, "no-victim")).toEqual({ kind: "green" });
    expect(await tryInScenario(edits, "no-such")).toMatchObject({ kind: "refused" });
  },
);
