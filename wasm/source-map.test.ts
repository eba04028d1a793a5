import { expect, test } from "vitest";
import { readSourceMap, writeSourceMap } from "./source-map.ts";

const map = (mappings: string): string => JSON.stringify({ version: 3, sources: ["a.ts", "b.ts"], mappings });

test("source map: numbers of one and two digits, both signs, a segment without a place: each offset's place", () => {
  // 16, a.ts, line 5, column 2; 17, none; 57, b.ts, line 3, column 1.
  const { placeOf } = readSourceMap(map("gBAIC,C,wCCFD"));
  expect(placeOf(15)).toBeNull();
  expect(placeOf(16)).toEqual({ file: "a.ts", line: 5, column: 2 });
  expect(placeOf(17)).toBeNull();
  expect(placeOf(56)).toBeNull();
  expect(placeOf(57)).toEqual({ file: "b.ts", line: 3, column: 1 });
  expect(placeOf(1_000_000)).toEqual({ file: "b.ts", line: 3, column: 1 });
});

test("source map: written and read: the same rows", () => {
  const rows = [
    { offset: 3, file: "a.ts", line: 12 },
    { offset: 70_000, file: "b.ts", line: 1 },
    { offset: 70_001, file: "a.ts", line: 100_000 },
    { offset: 2 ** 31 + 5, file: "a.ts", line: 99_999 },
  ];
  const { mappings } = readSourceMap(writeSourceMap(rows));
  expect(mappings).toEqual(rows.map(({ offset, file, line }) => ({ offset, place: { file, line, column: 1 } })));
});

test.each([
  ["another version", JSON.stringify({ version: 2, sources: [], mappings: "" }), /not a version 3 source map/],
  ["no mappings", JSON.stringify({ version: 3, sources: [] }), /not a version 3 source map/],
  ["a digit that is none", map("A!AA"), /"!" is no base64 digit/],
])("source map: %s: one line", (_, text, message) => {
  expect(() => readSourceMap(text)).toThrow(message);
});
