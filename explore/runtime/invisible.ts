// Invisible: whether an atomic access can be noticed by anybody else; where it cannot, it is no pause point.
//
// Owner: the marks of invisible writes. Pairs with: shadow.ts, explore/instrument/pause-points.ts (asks),
// explore/program/word-knowledge.ts (looks the marks up).

import { LANE, LOG_ENTRY_BYTES, PAUSES_AFTER, SHADOW, CONTROL } from "./addresses";
import { isContended, isGhostWord, isNew, markSummarized, recordAccessor, shadowOf, userWords } from "./shadow";
import { engine, layout } from "./supplied";

/** Words of user memory in one page, as a power of two. */
const PAGE_WORDS_LOG2 = 13;

/** Can other threads notice this atomic access? offset: holds the base already. lane: a LANE. */
export function contended(address: u32, offset: u32, lane: u32): bool {
  if (!layout.coalesceInvisible) return true;
  if (engine.thread >= layout.threads) return false;
  const there = address + offset;
  if (there < offset) return true;
  const word = (there - layout.userBase) >> 3;
  if (word >= userWords()) return true;
  const shadow = shadowOf(word);
  let who = load<u64>(shadow, SHADOW.who);
  if (isGhostWord(who)) return false;
  if (isNew(who, lane)) {
    recordAccessor(shadow, lane);
    who = load<u64>(shadow, SHADOW.who);
  }
  if (isContended(who)) return true;
  // A check may want to see what the step has made of memory so far, and it alone.
  if ((engine.touched & PAUSES_AFTER) != 0) return true;
  // A thread that waits for what another has not written yet must not wait within one step.
  if (engine.invisible == 0) return true;
  engine.invisible--;
  hide();
  // A check may want to see every value of the word: whether one does is looked up later.
  if (lane == LANE.atomicWrite) markInvisible(word);
  return false;
}

/**
 * The step goes on behind an invisible access. A check may want to see the words that it has changed so far: whether one does is
 * looked up later.
 */
function hide(): void {
  const end = load<u32>(CONTROL.logTop);
  let entry = engine.stepLog;
  engine.stepLog = end;
  for (; entry < end; entry += LOG_ENTRY_BYTES) {
    const word = (load<u32>(entry) - layout.userBase) >> 3;
    if (word < userWords()) markInvisible(word);
  }
}

// @inline: a store.
function markInvisible(word: u32): void {
  store<u8>(layout.invisibly + word, 1);
  markSummarized(word >> PAGE_WORDS_LOG2);
}
