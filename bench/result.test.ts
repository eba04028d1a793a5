import { expect, test } from "vitest";
import { renderSection, verdictOf } from "./result.ts";
import { bareBytes } from "./sizes.ts";

test("result: at the target, above it, without one: met, missed, nothing", () => {
  expect([verdictOf(26, 26), verdictOf(27, 26), verdictOf(27, undefined)]).toEqual(["met", "missed", ""]);
});

test("result: a section: columns as wide as their widest cell, numbers to the right", () => {
  const text = renderSection({ title: "T", note: "n", header: ["what", "kernel"], rows: [["pick", "3"]] });
  expect(text.split("\n").slice(3, 6)).toEqual(["what  kernel", "----  ------", "pick       3"]);
});

test("sizes: a module with a custom section: counted without it", () => {
  const empty = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  // A type section of one byte, and a custom section of three.
  expect(bareBytes(new Uint8Array([...empty, 1, 1, 0, 0, 3, 1, 97, 0]))).toBe(empty.length + 3);
});
