// Cost counter: counts the atomic accesses of the kernel within one operation, where linking puts these calls in.
//
// The count is part of the state, so every way through an operation is distinguished; the highest of each slot is kept in
// words that are no state, and the explorer reads these after each step.
// Owner: `count` and `slot` are each thread's own. Invariant: without the cost counter nothing here is called or written.
// Pairs with: hart.ts (states which trap it is), ../cost-slots.ts.

import { TrapCause } from "../../../abi/traps";
import { KERNEL_PAGES } from "../../../abi/layout";
import { ACCESSES_MAX, CALLS, COST_COUNTERS_OFFSET, INTERRUPTS, COUNTING_OFFSET, SLOTS, TRAPS } from "../cost-slots";

/** Set by linking, and never written. */
const COUNTING: i32 = (KERNEL_PAGES << 16) + COUNTING_OFFSET;
const COST_COUNTERS: i32 = (KERNEL_PAGES << 16) + COST_COUNTERS_OFFSET;

let count: i32 = 0;
let slot: i32 = 0;
/** The slot of the trap that comes next; 0: the next operation is no trap. */
let trapSlot: i32 = 0;

/** The next operation is this trap. */
export function announceTrap(cause: i32, call: i32): void {
  if (load<i32>(COUNTING as usize) == 0) return;
  if (cause == TrapCause.SystemCall) trapSlot = CALLS + (call & 31);
  else trapSlot = cause < 0 ? INTERRUPTS + (cause & 15) : TRAPS + (cause & 15);
}

export function beginOperation(operation: i32): void {
  slot = trapSlot != 0 ? trapSlot : operation;
  trapSlot = 0;
  count = 0;
}

export function countAccess(): void {
  count += 1;
  if (count <= ACCESSES_MAX) return;
  endOperation();
  assert(false, "an operation of the kernel goes round without end");
}

export function endOperation(): void {
  const address = (COST_COUNTERS + (slot << 2)) as usize;
  if (load<i32>(address) < count) store<i32>(address, count);
  count = 0;
  slot = 0;
}

/** Forgets what the set-up took. */
export function clearCostCounters(): void {
  if (load<i32>(COUNTING as usize) == 0) return;
  for (let index = 0; index < SLOTS; index++) store<i32>((COST_COUNTERS + (index << 2)) as usize, 0);
}

/** An operation ends where the machine is powered off, too. */
export function endAtPowerOff(): void {
  if (load<i32>(COUNTING as usize) != 0) endOperation();
}
