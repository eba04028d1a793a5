import { describe, expect, it } from "vitest";
import { CONSOLE_SLOTS, CONSOLE_TURN_BYTES, CONSOLE_USER_SLOTS, LINE_LENGTH_MAX } from "../../abi/layout.ts";
import { LineOutcome } from "../../abi/results.ts";
import { Console } from "./console-device.ts";

const LONG = "x".repeat(LINE_LENGTH_MAX);

function open(bytesMax?: number): { readonly console: Console; readonly shown: string[] } {
  const shown: string[] = [];
  return { console: new Console((line) => shown.push(line), bytesMax), shown };
}

describe("console", () => {
  it("console: the longest lines of the kernel's: none is sent before a turn, and a turn sends two", () => {
    const { console, shown } = open();
    for (let n = 0; n < 5; n++) expect(console.write(LONG)).toBe(true);
    expect(shown).toEqual([]);
    console.takeTurn();
    expect(shown).toHaveLength(CONSOLE_TURN_BYTES / (LINE_LENGTH_MAX + 1));
  });

  it("console: a turn that ends within a line: the next one goes on there, and the line comes out once, whole", () => {
    const { console, shown } = open(4);
    for (const line of ["abcdefg", "h"]) console.write(line);
    const after = Array.from({ length: 3 }, () => {
      console.takeTurn();
      return shown.join();
    });
    expect(after).toEqual(["", "abcdefg", "abcdefg,h"]);
  });

  it("console: a user's line and a device that takes nothing: accepted up to the bound, then refused, and nothing is added", () => {
    const { console } = open(0);
    const outcomes = Array.from({ length: CONSOLE_USER_SLOTS + 3 }, (_, n) => console.offer(`line ${n}`));
    expect(outcomes.slice(0, CONSOLE_USER_SLOTS).every((one) => one === LineOutcome.Accepted)).toBe(true);
    expect(outcomes.slice(CONSOLE_USER_SLOTS)).toEqual(Array.from({ length: 3 }, () => LineOutcome.ConsoleFull));
    expect(console.room()).toBe(CONSOLE_SLOTS - CONSOLE_USER_SLOTS);
  });

  it("console: users have filled their part: the kernel's lines still find slots, up to the last one", () => {
    const { console } = open(0);
    for (let n = 0; n < CONSOLE_USER_SLOTS; n++) console.offer("user");
    expect(console.room()).toBe(CONSOLE_SLOTS - CONSOLE_USER_SLOTS);
    for (let n = CONSOLE_USER_SLOTS; n < CONSOLE_SLOTS; n++) expect(console.write("kernel")).toBe(true);
    expect([console.room(), console.write("one more")]).toEqual([0, false]);
  });

  it("console: flush: everything comes out in order; with a device that takes nothing it fails", () => {
    const { console, shown } = open(1);
    for (const line of ["a", "b", "c"]) console.write(line);
    expect(console.flush()).toBe(true);
    expect(shown).toEqual(["a", "b", "c"]);
    const broken = open(0).console;
    broken.write("lost");
    expect(broken.flush()).toBe(false);
  });
});
