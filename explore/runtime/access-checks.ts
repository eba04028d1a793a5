// Access: what is checked and recorded about each access of a thread.
//
// Owner: the shapes in the shadow, and the open footprints, which are state: the plain accesses of each thread since its last
// atomic one, one bit a byte.
// Pairs with: shadow.ts, explore/instrument/rewrite.ts and pause-points.ts (call these), explore/program/faults.ts.

import { ACCESS, BLOCK, BLOCK_BYTES, CONTROL, FAULT, LANE, SHADOW } from "./addresses";
import { fail } from "./fault";
import { isGhostWord, isNew, markSummarized, recordAccessor, shadowOf, userWords } from "./shadow";
import { put, sum } from "./store";
import { engine, layout } from "./supplied";

/** Address of a thread's open footprint at a race-tracked word: 8 bits what it read, 8 bits what it wrote. */
// @inline: part of every access to a race-tracked word.
export function footprintOf(block: u32, raceTracked: u32): u32 {
  return block + (raceTracked << 1) + (layout.footprint - 2);
}

/** bytes: one bit each, of the word. lane: a LANE. */
function recordWord(word: u32, bytes: u32, lane: u32): void {
  if (word >= userWords()) return;
  const shadow = shadowOf(word);
  const who = load<u64>(shadow, SHADOW.who);
  if (layout.ghosts && isGhostWord(who)) return;
  if (isNew(who, lane)) recordAccessor(shadow, lane);
  const raceTracked = load<u32>(shadow, SHADOW.raceTracked);
  if (raceTracked != 0) recordRaceTracked(word, raceTracked, bytes, lane);
}

/** Judges the access against the other threads' open footprints; a plain one is added to this thread's own. */
// @outline: few words are race-tracked.
function recordRaceTracked(word: u32, raceTracked: u32, bytes: u32, lane: u32): void {
  const isWrite = (lane & 1) != 0;
  let other: u32 = 0;
  do {
    if (other == engine.thread) continue;
    const theirs: u32 = load<u16>(footprintOf(layout.blocks + other * BLOCK_BYTES, raceTracked));
    const conflicting = (theirs >> 8) | (isWrite ? theirs : 0);
    if ((conflicting & bytes) == 0) continue;
    store<u32>(CONTROL.faultAddress, word << 3);
    store<u32>(CONTROL.faultOther, other);
    fail(FAULT.race);
  } while (++other < layout.threads);
  if (lane > (LANE.plainWrite as u32)) return;
  const at = footprintOf(engine.block, raceTracked);
  const own = (bytes << (lane << 3)) as u64;
  put(at & -8, load<u64>(at & -8) | (own << (((at & 7) << 3) as u64)));
}

/** Returns the address. offset: holds the base of user memory already. shape: bytes << 1, and 1 for a write. */
export function recordPlainAccess(address: u32, offset: u32, shape: u32): u32 {
  if (engine.raceTracking == 0) return address;
  const at = address + offset - layout.userBase;
  // One bit a byte of two words: an access may begin in one and end in the next.
  const mask = (((1 as u32) << (shape >> 1)) - 1) << (at & 7);
  recordWord(at >> 3, mask & 255, shape & 1);
  const beyond = mask >> 8;
  if (beyond != 0) recordWord((at >> 3) + 1, beyond, shape & 1);
  return address;
}

/** Judges an atomic access: alignment, one width a location, races with plain accesses. offset: holds the base already. */
export function atomicAccess(address: u32, offset: u32, width: u32, write: u32): void {
  const at = sum(address, offset) - layout.userBase;
  store<u32>(CONTROL.faultAddress, at);
  if ((at & (width - 1)) != 0) fail(FAULT.unaligned);
  if (engine.raceTracking == 0) return;
  if (at >= layout.userPages << 16) return;
  recordShape(at, width);
  recordWord(at >> 3, (((1 as u32) << width) - 1) << (at & 7), write | LANE.atomicRead);
}

/** Of each byte four bits: how wide the access is that it is part of. */
// @inline: of each atomic access.
function recordShape(at: u32, width: u32): void {
  const range = ((((1 as u64) << ((width << 2) as u64)) - 1) << (((at & 7) << 2) as u64)) as u32;
  const pattern = (0x11111111 * (32 - clz<u32>(width))) & range;
  const shadow = shadowOf(at >> 3);
  const known = load<u32>(shadow, SHADOW.shape);
  if ((known & range) == pattern) return;
  if ((known & range) != 0) fail(FAULT.mixedWidth);
  store<u32>(shadow, known | pattern, SHADOW.shape);
  markSummarized(at >> 16);
}

/** Records what the thread will access next. site: the word at BLOCK.pendingSite. */
export function pend(address: u32, offset: u32, site: u32): void {
  const at = address + offset - layout.userBase;
  const isAcross = !layout.plainInStep && isAcrossWords(at, site);
  const recorded = isAcross ? site | ACCESS.bulk : site;
  put(engine.block + BLOCK.pendingAddress, (at as u64) | ((recorded as u64) << 32));
}

/** A plain access that begins in one word and ends in the next. */
function isAcrossWords(at: u32, site: u32): bool {
  return (site & 15) >= (ACCESS.plainRead as u32) && (at & 7) + ((1 as u32) << ((site >> 4) & 3)) > 8;
}
