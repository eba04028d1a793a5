// Wait: memory.atomic.wait and notify, first in, first out, and time-outs.
//
// Owner: the wait word of each thread's block: rank and address while it sleeps, then what its wait returns.
// Pairs with: explore/instrument/pause-points.ts (falls asleep and wakes), settle.ts.

import { BLOCK, FAULT, STATUS } from "./addresses";
import { atomicAccess } from "./access-checks";
import { fail } from "./fault";
import { rawLog } from "./log";
import { blockOf, settle, sumUp } from "./settle";
import { put, sum } from "./store";
import { engine, layout } from "./supplied";

/** What a wait returns. */
const WOKEN: u64 = 0;
const NOT_EQUAL = 1;
const TIMED_OUT: u64 = 2;
const SLEEPING = -1;

/** NOT_EQUAL, or the thread sleeps now. offset: holds the base of user memory already. */
export function wait(address: u32, expected: u64, timeout: i64, offset: u32, width: u32): i32 {
  atomicAccess(address, offset, width, 0);
  const at = address + offset;
  const found = width == 8 ? load<u64>(at) : (load<u32>(at) as u64);
  if (found != expected) return NOT_EQUAL;
  let rank: u32 = 0;
  for (let thread: u32 = 0; thread < layout.threads; thread++) if (waitsAt(blockOf(thread), at)) rank++;
  engine.pauseStatus = timeout < 0 ? STATUS.waiting : STATUS.waitingTimed;
  put(engine.block + BLOCK.wait, (rank as u64) | ((at as u64) << 32));
  return SLEEPING;
}

/** How many were woken. offset: holds the base of user memory already. */
export function notify(address: u32, count: u32, offset: u32): u32 {
  const at = sum(address, offset);
  if (((at - layout.userBase) & 3) != 0) fail(FAULT.unaligned);
  // Out of bounds it traps, though it reads nothing.
  load<u32>(at);
  let woken: u32 = 0;
  for (let thread: u32 = 0; thread < layout.threads; thread++) {
    const block = blockOf(thread);
    if (!waitsAt(block, at)) continue;
    if (load<u32>(block, BLOCK.wait) < count) {
      wake(block, WOKEN);
      woken++;
    } else putOther(block, BLOCK.wait, load<u64>(block, BLOCK.wait) - (count as u64));
    settle(thread);
  }
  return woken;
}

/** The time-out of the thread's wait comes. */
export function expire(thread: u32): void {
  const mine = blockOf(thread);
  const at = load<u32>(mine, BLOCK.waitAddress);
  for (let other: u32 = 0; other < layout.threads; other++) {
    const block = blockOf(other);
    if (!waitsAt(block, at) || load<u32>(block, BLOCK.wait) <= load<u32>(mine, BLOCK.wait)) continue;
    putOther(block, BLOCK.wait, load<u64>(block, BLOCK.wait) - 1);
    settle(other);
  }
  wake(mine, TIMED_OUT);
  settle(thread);
  engine.touched = 0;
  sumUp();
}

function waitsAt(block: u32, at: u32): bool {
  return load<u32>(block, BLOCK.status) >= (STATUS.waiting as u32) && load<u32>(block, BLOCK.waitAddress) == at;
}

/** The thread can go on, and its wait returns the result. */
function wake(block: u32, result: u64): void {
  const status = load<u64>(block, BLOCK.status);
  putOther(block, BLOCK.status, ((status >> 32) << 32) | STATUS.ready);
  putOther(block, BLOCK.wait, result);
  putOther(block, BLOCK.pendingAddress, 0);
}

/** Stores a word of another thread's block. */
function putOther(block: u32, offset: u32, word: u64): void {
  const own = engine.block;
  engine.block = block;
  rawLog(block);
  put(block + offset, word);
  engine.block = own;
}
