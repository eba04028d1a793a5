// Memory sum: the number by which the explorer knows a final memory, from the bytes that the interpreter has.
//
// The explorer adds up mixed words as they change; here the sum is made from the bytes before and after, by a writing of its
// own of the mixing (splitmix64's finisher).
// Owner: none, pure. Pairs with: compare.ts; the explorer's is in explore/runtime/log.ts and store.ts.

import type { FinalMemory, Meaning } from "./interpret.ts";

const MASK = (1n << 64n) - 1n;
/** Where the explorer keeps the size of memory. */
const PAGES_AT = 208;

function mixed(place: number, word: bigint): bigint {
  let x = word ^ ((BigInt(place) * 0x9e3779b97f4a7c15n) & MASK);
  x = ((x ^ (x >> 32n)) * 0xbf58476d1ce4e5b9n) & MASK;
  x = ((x ^ (x >> 29n)) * 0x94d049bb133111ebn) & MASK;
  return x ^ (x >> 32n);
}

export function memorySum(
  { windows, bytes, pages }: FinalMemory,
  { loaded }: Meaning,
  userBase: number,
  pagesBefore: number,
): string {
  const before = new DataView(loaded.buffer, loaded.byteOffset);
  const after = new DataView(bytes.buffer, bytes.byteOffset);
  let sum = mixed(PAGES_AT, BigInt(pages)) - mixed(PAGES_AT, BigInt(pagesBefore));
  let at = 0;
  for (const [from, length] of windows)
    for (let offset = 0; offset < length; offset += 8, at += 8) {
      const [old, now] = [before.getBigUint64(at, true), after.getBigUint64(at, true)];
      if (old !== now) sum += mixed(userBase + from + offset, now) - mixed(userBase + from + offset, old);
    }
  sum &= MASK;
  return `${sum >> 32n}:${sum & 0xffffffffn}`;
}
