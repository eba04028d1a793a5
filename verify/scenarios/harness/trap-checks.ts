// Trap checks: what holds of each whole trap, from the moment at which a hart enters the kernel to its exit.
//
// Owner: each hart its own trap; what it reads is its own, but for the signals of its task.
// Pairs with: hart.ts, which calls both; kernel/dispatch.ts (slices), scheduler.ts (steals), task.ts (signals).
// Clauses: S1 across whole traps, T6 (a killed task runs no more once its hart has trapped), slices of Q6.

import { IDLE_SPACE } from "../../../abi/layout";
import { TrapCause } from "../../../abi/traps";
import { SLICE_TICKS } from "../../../kernel/dispatch";
import { Hart } from "../../../kernel/hart-local";
import { STEALS_PER_TICK } from "../../../kernel/scheduler";
import { spaceOf, taskFrom } from "../../../kernel/task";
import { forgetTrap, recordTrap, Watch } from "./ack-checks";
import { hartAddress, isKillWatched, setOutside, setSteals, stealsOf, watchOf } from "./model";
import { isToEnd, readSignals } from "./words";

const CURRENT: i32 = offsetof<Hart>("current") as i32;
const STOLEN: i32 = offsetof<Hart>("stolen") as i32;
const SLICE: i32 = offsetof<Hart>("sliceTicks") as i32;

/** The task that ran when the trap came, or 0, and whether it had been killed by then. */
let ranBefore: i32 = 0;
let wasKilled: bool = false;

export function beforeTrap(cpu: i32, cause: i32): void {
  ranBefore = load<i32>((hartAddress(cpu) + CURRENT) as usize);
  if (cause == TrapCause.TimerInterrupt) setSteals(cpu, 0);
  if (cause == TrapCause.SoftInterrupt) recordTrap(changetype<Watch>(watchOf(cpu)), hartAddress(cpu));
  if (ranBefore != 0 && isKillWatched()) wasKilled = isToEnd(readSignals(ranBefore));
}

export function afterTrap(cpu: i32, mode: i32): void {
  const hart = hartAddress(cpu);
  const current = load<i32>((hart + CURRENT) as usize);
  assert(
    mode == (current == 0 ? IDLE_SPACE : spaceOf(taskFrom(current))),
    "a hart enters another space than its task's",
  );
  if (current != 0 && current != ranBefore)
    assert(load<i32>((hart + SLICE) as usize) == SLICE_TICKS, "a task begins with another slice than a whole one");
  assert(!wasKilled || current != ranBefore, "a task runs on after a trap that found it killed");
  countSteals(cpu);
  forgetTrap(changetype<Watch>(watchOf(cpu)));
  setOutside(cpu, mode == IDLE_SPACE);
  // Dead until the next trap: no part of the state.
  ranBefore = 0;
  wasKilled = false;
}

/** The kernel names the task of the last successful steal, and reads it in the same trap only. */
function countSteals(cpu: i32): void {
  const stolen = (hartAddress(cpu) + STOLEN) as usize;
  if (load<i32>(stolen) == 0) return;
  store<i32>(stolen, 0);
  setSteals(cpu, stealsOf(cpu) + 1);
  assert(stealsOf(cpu) <= STEALS_PER_TICK, "a hart has stolen more often in a tick than it may");
}
