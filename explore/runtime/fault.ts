// Fault: how the engine ends a step that is a violation or reaches a bound.
//
// Pairs with: explore/program/faults.ts, which reads the reason after the trap.

import { CONTROL, FAULT, TRACE_ENTRY_BYTES } from "./addresses";
import { layout } from "./supplied";

/** Records why the step fails, and traps. */
export function fail(reason: FAULT): void {
  store<u32>(CONTROL.fault, reason);
  unreachable();
}

export function outOfFuel(): void {
  fail(FAULT.plainLoop);
}

export function tooDeep(): void {
  fail(FAULT.stackDepth);
}

/** Records one access: traced builds only. What does not fit is left out. */
export function trace(site: u32, address: u32, word: u64): void {
  const entry = load<u32>(CONTROL.traceTop);
  store<u32>(entry, site);
  store<u32>(entry, address, 4);
  store<u64>(entry, word, 8);
  if (entry + TRACE_ENTRY_BYTES < layout.scratchEnd) store<u32>(CONTROL.traceTop, entry + TRACE_ENTRY_BYTES);
}
