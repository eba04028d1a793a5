// Work map: one bit a CPU, set while that CPU's run queues may hold tasks. A hart that looks for work reads this one
// word instead of a line of every other hart.
//
// A hart sets its bit when its first class is announced and takes it back at a tick of its own that finds none: so a
// hart whose tasks come and go writes the shared word at most twice a tick, and in steady state not at all.
//
// Owner: each hart its own bit. Thieves read.
// Invariant: the bit of a hart is set whenever a class of it is announced, but for the moment in which it announces.
// Pairs with: run-queue.ts (announces), scheduler.ts (steal), trap.ts (the tick).
// Clauses: S6.

import { Hart } from "./hart-local";
import { WORK_MAP } from "./layout";
import { and64, load64, or64 } from "./shared";

export function workMap(): i64 {
  return load64(WORK_MAP);
}

export function bitOf(cpu: i32): i64 {
  return (1 as i64) << cpu;
}

export function enterWorkMap(self: Hart): void {
  self.isOnWorkMap = 1;
  // S6: read by thieves, after the entry and its class: whoever sees the bit finds the task.
  or64(WORK_MAP, bitOf(self.cpu));
}

/** At a tick: a hart without work leaves the map, which others enter by themselves (S6). */
export function leaveWorkMap(self: Hart): void {
  if (self.occupied != 0 || self.isOnWorkMap == 0) return;
  self.isOnWorkMap = 0;
  and64(WORK_MAP, ~bitOf(self.cpu));
}
