import { expect, test } from "vitest";
import { scenarios } from "../../verify/scenarios/suite.ts";
import { clauseFacts } from "../clauses.ts";
import { clauseTable } from "./clause-lines.ts";

const plain = (_: unknown, text: string): string => text;
const explored = new Map(
  scenarios
    .filter(({ clauses }) => !clauses.includes("I4"))
    .map(({ name }) => [name, { name, tier: "full", states: 12_345_678 }] as const),
);

test.each([80, 100, 300])("clause table: a line a clause, aligned, within the columns (columns=%i)", (columns) => {
  const facts = clauseFacts(scenarios, explored);
  const [heading = "", ...lines] = clauseTable(facts, plain, columns);
  expect(lines).toHaveLength(facts.length);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(Math.min(columns, 100));
  const covered = heading.indexOf("covered by");
  for (const line of lines.filter((text) => /[✓·]/.test(text))) expect(line.slice(covered - 2)).toMatch(/^ {2}\S/);
});

test("clause table: explored, by a test, and not explored: a tick, a dot, and the command that explores", () => {
  const lines = clauseTable(clauseFacts(scenarios, explored), plain, 80);
  const of = (clause: string): string => lines.find((line) => line.startsWith(`  ${clause} `)) ?? "";
  expect(of("Q5")).toBe("  Q5  ✓ a refused yield keeps all      24,691,356  yield-when-full and 1 more");
  expect(of("S3")).toMatch(/ owner-thieves and \d+ more$/);
  expect(of("T2")).toMatch(/· .* kernel\/trap\.test\.ts$/);
  expect(of("I4")).toMatch(/^ {2}I4 {2}\? not explored: npx hartbeat explore --kernel refused-send/);
});
