import { expect, test } from "vitest";
import { countTests } from "./test-count.mjs";

const file = (status, ...tests) => ({
  name: "a.test.ts",
  status,
  assertionResults: tests.map((ending) => ({ status: ending, fullName: `subject: ${ending}` })),
});

test("test count: passed, failed and skipped: each its own", () => {
  const count = countTests({ testResults: [file("failed", "passed", "failed", "passed"), file("passed", "passed")] });
  expect(count).toEqual({ passed: 3, failed: 1, skipped: [] });
});

test.each(["skipped", "pending", "todo", "disabled"])(
  "test count: a test that is %s: named, never passed",
  (status) => {
    expect(countTests({ testResults: [file("passed", status)] })).toEqual({
      passed: 0,
      failed: 0,
      skipped: [`subject: ${status} (a.test.ts)`],
    });
  },
);

test("test count: a file that broke before its first test: a failure", () => {
  expect(countTests({ testResults: [file("failed")] }).failed).toBe(1);
});

test("test count: a file whose hook broke after its tests passed: a failure", () => {
  expect(countTests({ testResults: [file("failed", "passed")] })).toMatchObject({ passed: 1, failed: 1 });
});

test("test count: no results at all: nothing passed", () => {
  expect(countTests({})).toEqual({ passed: 0, failed: 0, skipped: [] });
});
