// Runtime: the mutable kernel handle. Whoever has it may spawn, reap and kill tasks and change another task's
// class; it is granted on the boot hart only.
//
// Owner: the boot hart, for the length of one trap. Traps run to completion there, so no two borrows overlap
// and the handle needs no lock.
// Invariant: only `borrowRuntime` yields a Runtime; where it answers NOT_BOOT_HART nothing has changed but the
// evidence.
// Pairs with: authority.ts, whose functions take the handle and can be called no other way.
// Clauses: T1.

import { EventKind } from "../abi/events";
import { record } from "./evidence";
import { countersOf, Hart } from "./hart-local";
import { GLOBALS_BASE } from "./layout";
import { add64, load64 } from "./shared";

/** The boot hart's CPU index: the first hart to enter the kernel becomes CPU 0. */
export const BOOT_CPU: i32 = 0;

/** What only the holder of the handle reads and writes. */
@unmanaged
export class Runtime {
  /** Tasks ever spawned, and those of them that have been reaped. */
  spawned: i64;
  reaped: i64;
  /** The CPU that gets the next spawned task. */
  nextCpu: i32;
  /** Where the search for a free task begins. */
  nextTask: i32;
}

/** What a hart other than the boot hart gets. */
export const NOT_BOOT_HART: i32 = 0;

/** Asks for the handle; `isGranted` reports whether it was given. */
export function borrowRuntime(self: Hart): Runtime {
  // T1: on the boot hart only; elsewhere nothing changes but the evidence.
  if (self.cpu == BOOT_CPU) return changetype<Runtime>(GLOBALS_BASE as usize);
  countersOf(self).runtimeDenied += 1;
  record(self, EventKind.RuntimeDenied, 0, 0);
  return changetype<Runtime>(NOT_BOOT_HART as usize);
}

export function isGranted(runtime: Runtime): bool {
  return (changetype<usize>(runtime) as i32) != NOT_BOOT_HART;
}

/** Tasks that have ended, on whichever hart: what shows the boot hart that there is something to reap. */
const EXITS: i32 = GLOBALS_BASE + 128;

/** Called once a task's word is Exited. */
export function countExit(): void {
  // Read by the boot hart, which then finds the word.
  add64(EXITS, 1);
}

export function exitCount(): i64 {
  return load64(EXITS);
}
