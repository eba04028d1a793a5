// CPU identity: which CPU runs this code. The `tp` register is a hint and is believed only when the block it
// points at carries the stamp of the stack that the hart is on; else the stack decides; else it is BOOT.
//
// Owner: each hart asks for itself; the only write is its own fallback counter.
// Invariant: no loop, no wait, no access outside the hart regions, whatever `tp` holds.
// Pairs with: hart-local.ts (the stamp); the machine's trap entry, which loads `tp`.
// Clauses: C1, C2, C3, C4, C5.

import { CPUS_MAX } from "../abi/layout";
import { countersOf, hartAt, Hart, STAMP_MAGIC } from "./hart-local";
import { HARTS, HART_LOG2 } from "./layout";
import * as machine from "./machine";

/** The CPU index of the caller's hart. */
export function cpuId(): i32 {
  const hint = machine.hartPointer();
  return isBlockOf(hint, machine.stackSlot()) ? (cpuOfBlock(hint) as i32) : cpuIdFromStack();
}

/** Whether a pointer is the block of the online hart that runs on that stack. */
export function isBlockOf(hint: i64, slot: i32): bool {
  // C1: all 64 bits are compared: a pointer whose low half alone is a block's is refused.
  if (cpuOfBlock(hint) >= (CPUS_MAX as u64)) return false;
  if (hint << (64 - HART_LOG2) != 0) return false;
  // C1, C2: the stamp names one stack, so a block of another hart and a block of an offline CPU fail this comparison.
  return changetype<Hart>(hint as i32 as usize).stamp == slot + STAMP_MAGIC;
}

/** Any number for a pointer that is no block. */
function cpuOfBlock(hint: i64): u64 {
  return ((hint as u64) >> HART_LOG2) - ((HARTS >> HART_LOG2) as u64);
}

/** The hart block of the caller's hart, when `tp` cannot be believed. */
export function hartFromStack(): Hart {
  return hartAt(cpuIdFromStack());
}

// C4: no loop, and no access to what others write but the stamp.
function cpuIdFromStack(): i32 {
  const slot = machine.stackSlot();
  const cpu = slot - machine.stackSlotFirst();
  const known = (cpu as u32) < (CPUS_MAX as u32) && hartAt(cpu).stamp == slot + STAMP_MAGIC;
  // C2: the stack decides. C3: a stack that is nobody's is the boot hart's. C5: each such answer is counted.
  const answer = known ? cpu : 0;
  countersOf(hartAt(answer)).identityFallbacks += 1;
  return answer;
}
