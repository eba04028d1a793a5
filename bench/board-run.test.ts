import { expect, test } from "vitest";
import { faultOf, numberIn, parseReading, type Reading } from "./board-run.ts";

const reading = (line: string): Reading => {
  const parsed = parseReading(line);
  if (parsed === undefined) throw new Error(`no reading: ${line}`);
  return parsed;
};

test("board: a line of the benchmark, from the image or from a user task: its fields", () => {
  expect(numberIn(reading("BENCH operation=enqueue depth=1 kernel=26 twin=26 same=1"), "kernel")).toBe(26);
  expect(reading("[1026] BENCH user=switch count=243").get("user")).toBe("switch");
});

test("board: any other line: no reading", () => {
  expect(parseReading("Boot HART ID : 0")).toBeUndefined();
  expect(parseReading("no BENCH operation=enqueue")).toBeUndefined();
});

test("board: good readings to the end: no fault", () => {
  expect(faultOf([reading("BENCH operation=pick depth=0 kernel=3 twin=4 same=1")], true)).toBeUndefined();
});

test("board: the memory of kernel and twin differs (planted): reported", () => {
  expect(faultOf([reading("BENCH operation=pick depth=1 kernel=33 twin=40 same=0")], true)).toContain(
    "left different memory",
  );
});

test.each(["kernel=-1 twin=40 same=0", "kernel=33 twin=-1 same=1"])(
  "board: an outcome other than expected (planted, %s): reported",
  (fields) => {
    expect(faultOf([reading(`BENCH operation=pick depth=1 ${fields}`)], true)).toMatch(/outcome|different memory/);
  },
);

test("board: the image stops half-way (planted): reported", () => {
  expect(faultOf([], false)).toContain("did not get to its end");
});

test("board: a field that is no number (planted): thrown, as a fault of ours", () => {
  expect(() => numberIn(reading("BENCH operation=pick kernel=x"), "kernel")).toThrow("no number kernel");
});
