import { expect, test } from "vitest";
import { changesBetween, parseFigures } from "./figures.ts";

test("figures: saved and read again: the same", () => {
  expect(parseFigures(JSON.stringify({ version: 1, figures: { a: 1, b: 2.5 } }))).toEqual({ a: 1, b: 2.5 });
});

test.each(["", "{", "[]", "null", '{"version":2,"figures":{}}', '{"version":1}', '{"version":1,"figures":{"a":"1"}}'])(
  "figures: a file that is none (planted, %s): refused",
  (text) => {
    expect(parseFigures(text)).toBeUndefined();
  },
);

test("figures: one grew, one stayed, one is new: only the first is reported", () => {
  expect(changesBetween({ a: 20, b: 7 }, { a: 30, b: 7, c: 1 })).toEqual(["changed: a 20 -> 30 (+50%)"]);
});
