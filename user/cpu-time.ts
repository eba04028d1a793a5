// CPU time: how a task uses the hart for a time of its own (`run`), or until a time (`runtime`).
//
// CPU time is measured, on each machine in the same way: the task computes in chunks and looks at the clock after each. A
// chunk that took more than twice its time was preempted: it counts as its time, and the rest was the others'. So a
// preemption adds at most one chunk to what is counted. Two such chunks in a row are taken for a slower hart, and count
// whole. How many turns of the loop a chunk takes follows from the chunks before.
// Owner: the calling task. Partners: workload-events.ts.

import { Block, ticksOf } from "./workload-memory";
import { time } from "./system-calls";

/** The longest chunk: a fifth of the kernel's tick. */
const CHUNK_MICROS: i32 = 200;
const FIRST_TURNS: i32 = 32;
const TURNS_MAX: i32 = 1 << 28;

/** Uses so much CPU time; false when the duration is over before. */
export function runFor(block: Block, micros: i32): bool {
  let left = ticksOf(micros);
  let last = time();
  // What the chunk before took, where that was too long; 0: it was not.
  let slow: i64 = 0;
  while (left > 0) {
    if (last >= block.end) return false;
    const chunk = compute(block, left);
    const now = time();
    const taken = now - last;
    last = now;
    if (taken <= 2 * chunk) {
      left -= taken;
      slow = 0;
      adapt(block, chunk, taken);
    } else if (slow == 0) {
      left -= chunk;
      slow = taken;
    } else {
      // Two in a row are no preemption: the hart is slower than it was. The first one counts as well, then.
      left -= taken + (slow < taken ? slow : taken) - chunk;
      slow = 0;
      slowDown(block, chunk, taken);
    }
  }
  return true;
}

/** Computes until so much time has passed; false when the duration is over before. */
export function runUntilPassed(block: Block, micros: i32): bool {
  let last = time();
  const until = last + ticksOf(micros);
  while (last < until) {
    if (last >= block.end) return false;
    const chunk = compute(block, until - last);
    const now = time();
    if (now - last <= 2 * chunk) adapt(block, chunk, now - last);
    last = now;
  }
  return true;
}

/** Computes for a chunk, at most so many ticks; the ticks that it should have taken. */
function compute(block: Block, left: i64): i64 {
  if (block.turns == 0) block.turns = FIRST_TURNS;
  const whole = ticksOf(CHUNK_MICROS);
  const chunk = left < whole ? left : whole;
  const turns = ((block.turns as i64) * chunk) / whole;
  let value = block.value;
  for (let turn: i64 = 0; turn <= turns; turn++) value = value * 1664525 + 1013904223;
  // Kept, so that no compiler leaves the loop out.
  block.value = value;
  return chunk;
}

/** Changes the number of turns towards what a whole chunk takes. */
function adapt(block: Block, chunk: i64, taken: i64): void {
  const turns = block.turns;
  if (taken * 4 < chunk) block.turns = turns < TURNS_MAX ? turns * 2 : turns;
  else if (taken * 4 < chunk * 3) block.turns = turns < TURNS_MAX ? turns + turns / 4 + 1 : turns;
  else if (taken * 4 > chunk * 5) block.turns = turns > 4 ? turns - turns / 4 : 1;
}

/** As many turns as take a chunk at the speed of the one that took so long. */
function slowDown(block: Block, chunk: i64, taken: i64): void {
  const turns = ((block.turns as i64) * chunk) / taken;
  block.turns = turns > 1 ? (turns as i32) : 1;
}
