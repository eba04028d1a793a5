// Bounds: accesses held against the memory's size of the moment, which grows. What lies behind the pages that the module may
// have (stacks, thread-local variables) is there from the start.
//
// Pairs with: explore/instrument/rewrite.ts and pause-points.ts (call these), bulk.ts.

import { CONTROL } from "./addresses";
import { layout } from "./supplied";

/** The address. Traps where the access is out of bounds. */
export function inBounds(address: u32, offset: u32, bytes: u32): u32 {
  const from = (address as u64) + (offset as u64);
  const end = from + (bytes as u64);
  if (end > load<u64>(CONTROL.pages) << 16 && from < (layout.modulePages as u64) << 16) unreachable();
  return address;
}

/** The same for bulk accesses, which trap before they begin, even where they are empty. */
export function inRange(address: u32, bytes: u32): void {
  if ((address as u64) + (bytes as u64) > (layout.userPages as u64) << 16) unreachable();
  if (layout.grows) inBounds(address, 0, bytes);
}
