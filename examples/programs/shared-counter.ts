// Shared counter: tasks that share their memory add to one word, each 100 times; the last of them writes the sum.
//
// The argument is how many tasks there are. Without the atomic addition, additions of two harts would be lost.
//
//   hartbeat boot --smp 4 --program examples/programs/shared-counter.ts:8 --count 8

import { addNumber, beginLine, endLine, yieldHart } from "hartbeat/user";

/** All tasks of this module have one memory. */
export const sharedMemory: bool = true;

const WORDS: usize = memory.data<i32>([0, 0]);
const SUM: usize = WORDS;
const FINISHED: usize = WORDS + 4;

const ADDITIONS: i32 = 100;

export function run(tasks: i64): i32 {
  for (let i = 0; i < ADDITIONS; i++) {
    atomic.add<i32>(SUM, 1);
    if (i % 10 == 0 && yieldHart() != 0) return 1;
  }
  if (atomic.add<i32>(FINISHED, 1) + 1 < (tasks as i32)) return 0;
  // Alone by now: the line's memory is shared, too.
  beginLine("sum ");
  addNumber(atomic.load<i32>(SUM));
  return endLine() == 0 && atomic.load<i32>(SUM) == (tasks as i32) * ADDITIONS ? 0 : 2;
}
