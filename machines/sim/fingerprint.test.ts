import { describe, expect, it } from "vitest";
import { Fingerprint } from "./fingerprint.ts";
import { Random } from "./random.ts";

function hashOf(bytes: Uint8Array): string {
  const print = new Fingerprint();
  print.addBytes(0, bytes);
  return print.hex();
}

describe("fingerprint", () => {
  it("fingerprint: every single bit of a random memory flipped: every hash differs from every other", () => {
    const random = new Random(5);
    const bytes = Uint8Array.from({ length: 1027 }, () => (random.below(3) === 0 ? random.below(256) : 0));
    const seen = new Set([hashOf(bytes)]);
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = bytes.slice();
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      seen.add(hashOf(changed));
    }
    expect(seen.size).toBe(bytes.length * 8 + 1);
  });

  it("fingerprint: small counters at neighbouring places: no two of 160,000 states share a hash", () => {
    const seen = new Set<string>();
    for (let one = 0; one < 400; one += 1) {
      for (let two = 0; two < 400; two += 1) {
        const print = new Fingerprint();
        print.addWord(100, one);
        print.addWord(101, two);
        seen.add(print.hex());
      }
    }
    expect(seen.size).toBe(160_000);
  });

  it("fingerprint: order of adding: does not matter; place of a value: does", () => {
    const make = (entries: readonly [number, number][]) => {
      const print = new Fingerprint();
      for (const [place, value] of entries) print.addNumber(place, value);
      return print.hex();
    };
    const one = make([
      [1, 5],
      [9, Infinity],
    ]);
    expect(
      make([
        [9, Infinity],
        [1, 5],
      ]),
    ).toBe(one);
    expect(
      make([
        [3, 5],
        [9, Infinity],
      ]),
    ).not.toBe(one);
  });
});
