// Advance: a step, and which pending accesses of other threads commute with it, for sleep sets.
//
// Two steps commute unless their atomic accesses conflict, or the plain accesses of the one conflict with the atomic access
// of the other. The step's own plain accesses are known after it. Those of the other are not asked for: it was taken before
// from here or further up, and then this thread's step met its open footprint, which is a race.
// Pairs with: step.ts, explore/search/depth-first.ts (calls this).

import { ACCESS, BLOCK, SHADOW } from "./addresses";
import { footprintOf } from "./access-checks";
import { undo } from "./log";
import { BOTH_CHOICES, blockOf } from "./settle";
import { shadowOf, userWords } from "./shadow";
import { step } from "./step";
import { layout } from "./supplied";

/**
 * Undoes to the mark, then steps. Returns those of the threads `among` whose pending access commutes with the step; both bits of
 * a thread, for its step and for its time-out.
 */
export function advance(mark: u32, thread: u32, among: u32): u32 {
  undo(mark);
  const mine = blockOf(thread);
  const others = (among | (among >> 16)) & 0xffff;
  const address = load<u32>(mine, BLOCK.pendingAddress);
  let result: u32 = 0;
  for (let left = others; left != 0; left &= left - 1) {
    const other = ctz<u32>(left);
    if (commute(blockOf(other), mine, address)) result |= BOTH_CHOICES << other;
  }
  step(thread);
  if (!layout.races) return result;
  for (let left = result & 0xffff; left != 0; left &= left - 1) {
    const other = ctz<u32>(left);
    if (meets(blockOf(other), mine)) result &= ~(BOTH_CHOICES << other);
  }
  return result;
}

// @inline: part of every comparison.
function kindOf(block: u32): u32 {
  return load<u32>(block, BLOCK.pendingSite) & 15;
}

/** Do the pending accesses of two threads commute? address: that of `mine`. */
// @inline: part of every step.
function commute(theirs: u32, mine: u32, address: u32): bool {
  // Where races are judged one width a location is enforced; else accesses of one word may overlap.
  const differing = load<u32>(theirs, BLOCK.pendingAddress) ^ address;
  const isElsewhere = (layout.races ? differing : differing & -8) != 0;
  const a = kindOf(theirs);
  const b = kindOf(mine);
  return (
    (isElsewhere && a != ACCESS.bulk && b != ACCESS.bulk) ||
    a == ACCESS.none ||
    b == ACCESS.none ||
    (a == ACCESS.read && b == ACCESS.read) ||
    (a == ACCESS.plainRead && b == ACCESS.plainRead)
  );
}

/** Does the pending atomic access of `theirs` conflict with the open footprint of `mine`? */
function meets(theirs: u32, mine: u32): bool {
  const kind = kindOf(theirs);
  if (kind - ACCESS.read >= (ACCESS.wait as u32)) return false;
  const address = load<u32>(theirs, BLOCK.pendingAddress);
  const word = address >> 3;
  if (word >= userWords()) return false;
  const raceTracked = load<u32>(shadowOf(word), SHADOW.raceTracked);
  if (raceTracked == 0) return false;
  const footprint: u32 = load<u16>(footprintOf(mine, raceTracked));
  const conflicting = (footprint >> 8) | (kind == ACCESS.write ? footprint : 0);
  const width = (1 as u32) << ((load<u32>(theirs, BLOCK.pendingSite) >> 4) & 3);
  const bytes = (((1 as u32) << width) - 1) << (address & 7);
  return (conflicting & bytes & 255) != 0;
}
