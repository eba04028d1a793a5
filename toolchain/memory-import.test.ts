import { describe, expect, it } from "vitest";
import { readMemoryImport, replaceMemoryImport } from "./memory-import.ts";

const HEADER = [0, 97, 115, 109, 1, 0, 0, 0];
const name = (text: string) => [text.length, ...Array.from(text, (character) => character.charCodeAt(0))];
const TYPES = [1, 4, 1, 0x60, 0, 0];

/** Imports a function, a global and a table before the memory, whose limits are given. */
function moduleWith(limits: readonly number[]): Uint8Array {
  const imports = [
    [...name("a"), ...name("f"), 0, 0],
    [...name("a"), ...name("g"), 3, 0x7f, 0],
    [...name("a"), ...name("t"), 1, 0x70, 1, 1, 2],
    [...name("env"), ...name("memory"), 2, ...limits],
  ];
  const content = [imports.length, ...imports.flat()];
  return Uint8Array.from([...HEADER, ...TYPES, 2, content.length, ...content, 0, 3, ...name("x"), 9]);
}

describe("memory import", () => {
  it.each([
    [[0, 5], { initialPages: 5, shared: false }],
    [[1, 5, 8], { initialPages: 5, maximumPages: 8, shared: false }],
    [[3, 8, 8], { initialPages: 8, maximumPages: 8, shared: true }],
    [[1, 0x80, 0x02, 0x80, 0x80, 0x04], { initialPages: 256, maximumPages: 65536, shared: false }],
  ])("memory import: limits %j: read", (bytes, limits) => {
    expect(readMemoryImport(moduleWith(bytes))).toEqual(limits);
  });

  it("memory import: limits replaced by longer ones: everything else stays byte for byte", () => {
    const module = replaceMemoryImport(moduleWith([3, 8, 8]), { initialPages: 300, maximumPages: 300, shared: false });
    expect(module).toEqual(moduleWith([1, 0xac, 0x02, 0xac, 0x02]));
    expect(WebAssembly.validate(module as Uint8Array<ArrayBuffer>)).toBe(true);
  });

  it("memory import: module without one: undefined; replacing it, or a module cut short: an error", () => {
    const bare = Uint8Array.from(HEADER);
    expect(readMemoryImport(bare)).toBeUndefined();
    expect(() => replaceMemoryImport(bare, { initialPages: 1, maximumPages: 1, shared: false })).toThrow(
      "imports no memory",
    );
    expect(() => readMemoryImport(moduleWith([3, 8, 8]).subarray(0, 30))).toThrow("ends in the middle");
  });
});
