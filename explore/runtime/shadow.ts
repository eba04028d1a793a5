// Shadow: who touched a word of user memory, and what follows: that it is race-tracked, and that it is contended.
//
// A word is contended once two threads touch it and one of them writes, or one writes what a check reads. Until then atomic
// accesses to it are no pause points; when one becomes contended, what was explored took it for invisible, and the search
// begins again.
// Owner: the threads' bits in the shadow. Invariant: bits are only added within a search.
// Pairs with: invisible.ts, access-checks.ts, explore/program/word-knowledge.ts (learns the same of all words).

import { CONTENDED_BIT, CONTROL, GHOST_BIT, RACE_TRACKED_MAX, SHADOW, SHADOW_BYTES } from "./addresses";
import { wide } from "./log";
import { engine, layout } from "./supplied";

/** Bits of a lane among who touched a word. */
const LANE_BITS = 16;
/** Where the shadow of a page of user memory ends. */
const PAGE_SHADOW_LOG2 = 17;

/** Words of user memory. */
// @inline: one constant shifted.
export function userWords(): u32 {
  return (layout.userPages << 16) >> 3;
}

/** Address of a word's shadow. */
// @inline: part of every access.
export function shadowOf(word: u32): u32 {
  return word * SHADOW_BYTES + layout.shadow;
}

// @inline: part of every access.
export function isGhostWord(who: u64): bool {
  return (who as i64) < 0;
}

// @inline: part of every atomic access.
export function isContended(who: u64): bool {
  return (who & ((1 as u64) << CONTENDED_BIT)) != 0;
}

// @inline: part of every access.
function bitOf(lane: u32): u32 {
  return lane * LANE_BITS + engine.thread;
}

/** Has this thread not yet touched a word in that way? */
// @inline: part of every access.
export function isNew(who: u64, lane: u32): bool {
  return (((who >> (bitOf(lane) as u64)) as u32) & 1) == 0;
}

/** Marks a page of user memory as one with access summaries. */
// @inline: of most modules it is nothing.
export function markSummarized(page: u32): void {
  if (layout.hasSummaries) store<u8>(layout.summarized + page, 1);
}

/** How many threads of a set touched a word, in whatever way. */
function countThreads(who: u64, set: u64): u64 {
  return popcnt<u64>((who | (who >> 16) | (who >> 32) | (who >> 48)) & set);
}

/** Records that this thread touches the word whose shadow that is. */
// @outline: a thread touches a word for the first time once.
export function recordAccessor(shadow: u32, lane: u32): void {
  markSummarized((shadow - layout.shadow) >> PAGE_SHADOW_LOG2);
  const who = load<u64>(shadow, SHADOW.who) | ((1 as u64) << (bitOf(lane) as u64));
  store<u64>(shadow, who, SHADOW.who);
  const judged = layout.coalesceInvisible ? markContended(shadow, who) : who;
  if (load<u32>(shadow, SHADOW.raceTracked) == 0) startRaceTracking(shadow, judged);
}

/** Among who touched a word: what writes, and what is plain. */
// @inline: a constant.
function writers(): u64 {
  return wide(0xffff0000, 0xffff0000);
}
const PLAIN: u64 = 0xffffffff;

/** Marks the word as contended where it is that now. Returns who touched it, with the mark. */
function markContended(shadow: u32, who: u64): u64 {
  if (isContended(who)) return who;
  const writing = who & writers() & ~((1 as u64) << GHOST_BIT);
  // The bit of thread 15 is no thread's.
  if (writing == 0 || countThreads(who, 0x7fff) <= 1) return who;
  const contended = who | ((1 as u64) << CONTENDED_BIT);
  store<u64>(shadow, contended, SHADOW.who);
  store<u32>(CONTROL.raceTrackedNew, 1);
  return contended;
}

/**
 * A word becomes race-tracked when two threads touch it, one of them plainly, and somebody writes. The mark of a contended word
 * counts as a thread: another one touched it in an earlier search.
 */
function startRaceTracking(shadow: u32, who: u64): void {
  if ((who & PLAIN) == 0 || (who & writers()) == 0 || countThreads(who, 0xffff) <= 1) return;
  const raceTracked = load<u32>(CONTROL.raceTracked);
  if (raceTracked >= (RACE_TRACKED_MAX as u32)) {
    store<u32>(CONTROL.raceTrackedFull, 1);
    return;
  }
  store<u32>(shadow, raceTracked + 1, SHADOW.raceTracked);
  store<u32>(CONTROL.raceTracked, raceTracked + 1);
  store<u32>(CONTROL.raceTrackedNew, 1);
}
