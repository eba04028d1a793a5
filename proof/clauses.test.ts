import { describe, expect, test } from "vitest";
import { scenarios } from "../verify/scenarios/suite.ts";
import { allChecks } from "../verify/clauses/index.ts";
import { packageRoot } from "../toolchain/package-root.ts";
import { CLAUSES, OTHER_CHECKS, type NamedCheck, clauseFacts } from "./clauses.ts";
import { missingIn } from "./testing/named-check.ts";
import { CLAUSE_IDS } from "../verify/clause-id.ts";

test("clauses: those of sections Q, S, I, C and T that the kernel's checks have: listed, each in few words", () => {
  const checked = [...new Set(allChecks.map(({ clause }) => clause))].toSorted();
  const ofKernel = CLAUSE_IDS.filter((id) => !id.startsWith("D"));
  expect(ofKernel.filter((id) => !checked.some((one) => one === id))).toEqual([]);
  expect(checked.filter((id) => !Object.hasOwn(CLAUSES, id))).toEqual([]);
  for (const label of Object.values(CLAUSES)) expect(label.length).toBeLessThanOrEqual(28);
});

test("clauses: every one: covered by a scenario of the suite, a gate or a test", () => {
  const facts = clauseFacts(scenarios, new Map());
  expect(facts.filter(({ unexplored, others }) => unexplored.length + others.length === 0)).toEqual([]);
});

test("clauses: every one that a scenario names: in the list", () => {
  const named = new Set(scenarios.flatMap(({ clauses }) => clauses));
  expect([...named].filter((clause) => !Object.hasOwn(CLAUSES, clause))).toEqual([]);
});

test("clauses: a scenario that was explored covers, one that was not is listed apart", () => {
  const facts = clauseFacts(
    scenarios,
    new Map([["yield-when-full", { name: "yield-when-full", tier: "fast", states: 7 }]]),
  );
  const [yields, bound] = ["Q5", "S2"].map((id) => facts.find(({ clause }) => clause === id));
  expect(yields).toMatchObject({
    explored: [{ name: "yield-when-full", states: 7 }],
    unexplored: ["preempt-when-full"],
  });
  expect(bound?.explored).toEqual([]);
  expect(bound?.unexplored).toContain("owner-thieves");
});

describe("checks that are no scenarios", () => {
  test.each(Object.entries(OTHER_CHECKS))("clause %s: its gates and tests exist", async (_, checks) => {
    for (const named of checks) expect(await missingIn(named, packageRoot)).toBeUndefined();
  });

  test.each<[string, NamedCheck, RegExp]>([
    ["a gate that the build lacks", { kind: "gate", name: "no gate", file: "toolchain/gates.ts" }, /no gate "no gate"/],
    ["a gate without its file", { kind: "gate", name: "must-use gate", file: "toolchain/none.ts" }, /no such file/],
    ["a file that is gone", { kind: "test", title: "t", file: "kernel/gone.test.ts" }, /gone\.test\.ts: there is no/],
    [
      "a title that is gone",
      { kind: "test", title: "trap: gone", file: "kernel/trap.test.ts" },
      /no test "trap: gone"/,
    ],
  ])("named check: %s: reported", async (_, named, message) => {
    expect(await missingIn(named, packageRoot)).toMatch(message);
  });
});
