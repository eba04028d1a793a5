// Ticker: sleeps a millisecond and writes a line, as many times as its argument.
//
//   hartbeat boot --program examples/programs/ticker.ts:3 --qos Interactive --cpu 1

import { addNumber, beginLine, endLine, sleepUntil, TICKS_PER_MILLISECOND, time } from "hartbeat/user";

export function run(argument: i64): i32 {
  let deadline = time();
  for (let round: i64 = 1; round <= argument; round++) {
    deadline += TICKS_PER_MILLISECOND;
    if (sleepUntil(deadline) != 0) return 1;
    beginLine("tick ");
    addNumber(round);
    if (endLine() != 0) return 2;
  }
  return 0;
}
