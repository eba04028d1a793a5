// Work map: one bit a CPU, set while that CPU's run queues may hold tasks. A hart that looks for work reads this one
// word instead of a line of every other hart.
//
// A hart sets its bit when its first class is announced and takes it back at a tick of its own that finds none: so a
// hart whose tasks come and go writes the shared word at most twice a tick, and in steady state not at all.
//
// Owner: each hart its own bit. Thieves read.
// Invariant: the bit of a hart is set whenever a class of it is announced, but for the moment in which it announces.
// Pairs with: run-queue.ts (announces), scheduler.ts (steal), trap.ts (the tick).
// Fulfils: S6, S4.

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
  // Read by thieves, after the entry and its class: whoever sees the bit finds the task.
  or64(WORK_MAP, bitOf(self.cpu));
}

/** At a tick: a hart without work leaves the map. */
export function leaveWorkMap(self: Hart): void {
  if (self.occupied != 0 || self.isOnWorkMap == 0) return;
  self.isOnWorkMap = 0;
  and64(WORK_MAP, ~bitOf(self.cpu));
}

// The CPU of a word with one bit set: the product with this de Bruijn sequence begins with six bits of its own for each
// of 64 shifts. RISC-V's base instructions have no count of zeroes.
const SEQUENCE: i64 = 0x022fdd63cc95386d;
const CPU_OF_PRODUCT: StaticArray<u8> = [
  0, 1, 2, 53, 3, 7, 54, 27, 4, 38, 41, 8, 34, 55, 48, 28, 62, 5, 39, 46, 44, 42, 22, 9, 24, 35, 59, 56, 49, 18, 29, 11,
  63, 52, 6, 26, 37, 40, 33, 47, 61, 45, 43, 21, 23, 58, 17, 10, 51, 25, 36, 32, 60, 20, 57, 16, 50, 31, 19, 15, 30, 14,
  13, 12,
];

/** The lowest CPU of a map that is not empty. */
export function lowestCpu(map: i64): i32 {
  const product = ((map & -map) * SEQUENCE) as u64;
  return load<u8>(changetype<usize>(CPU_OF_PRODUCT) + ((product >> 58) as usize)) as i32;
}
