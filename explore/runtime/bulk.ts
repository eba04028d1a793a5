// Bulk: memory.copy, memory.fill and memory.grow, by user addresses.
//
// Invariant: a bulk access that leaves the memory traps before it begins. Pairs with: store.ts, access-checks.ts.

import { CONTROL } from "./addresses";
import { recordPlainAccess } from "./access-checks";
import { inRange } from "./bounds";
import { putUser, store1, store8 } from "./store";
import { layout } from "./supplied";

export function copy(to: u32, from: u32, length: u32): void {
  inRange(to, length);
  inRange(from, length);
  if (to > from && to < from + length) {
    // From the end, so that no byte is overwritten before it is read.
    for (let i = length; i > 0; i--) copyByte(to + i - 1, from + i - 1);
    return;
  }
  let i: u32 = 0;
  for (; i + 8 <= length; i += 8) copyWord(to + i, from + i);
  for (; i < length; i++) copyByte(to + i, from + i);
}

function copyByte(to: u32, from: u32): void {
  recordPlainAccess(from, layout.userBase, shapeOf(1, 0));
  recordPlainAccess(to, layout.userBase, shapeOf(1, 1));
  store1(to, load<u8>(from + layout.userBase), layout.userBase);
}

function copyWord(to: u32, from: u32): void {
  recordPlainAccess(from, layout.userBase, shapeOf(8, 0));
  recordPlainAccess(to, layout.userBase, shapeOf(8, 1));
  store8(to, load<u64>(from + layout.userBase), layout.userBase);
}

// @inline: every use has constants.
function shapeOf(bytes: u32, write: u32): u32 {
  return (bytes << 1) | write;
}

export function fill(to: u32, byte: u32, length: u32): void {
  inRange(to, length);
  for (let i: u32 = 0; i < length; i++) {
    recordPlainAccess(to + i, layout.userBase, shapeOf(1, 1));
    store1(to + i, byte, layout.userBase);
  }
}

/** The number of pages before, or -1. */
export function grow(pages: u32): i32 {
  const before = load<u32>(CONTROL.pages);
  if (before + pages > layout.modulePages || pages > 65536) return -1;
  putUser(CONTROL.pages, before + pages);
  return before;
}
