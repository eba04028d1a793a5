// Words: what the harness reads from the kernel's packed words, in one place.
//
// Checks run between steps and read plainly; explored threads read what others write by an atomic access.
// Owner: none, it reads only. Pairs with: kernel/signals.ts and task.ts, which lay the words out.

import { has, requestedQos, Signal } from "../../../kernel/signals";
import { LIFE_OFFSET } from "../../../kernel/task";

/** A task's life word. */
export function signalsOf(task: i32): i64 {
  return load<i64>((task + LIFE_OFFSET) as usize);
}

/** The same for an explored thread. */
export function readSignals(task: i32): i64 {
  return atomic.load<i64>((task + LIFE_OFFSET) as usize);
}

export function hasPermit(life: i64): bool {
  return has(life, Signal.Permit);
}

export function isToEnd(life: i64): bool {
  return has(life, Signal.Kill);
}

/** The class that a task has been asked to have, else `otherwise`. */
export function askedClass(life: i64, otherwise: i32): i32 {
  return has(life, Signal.ChangeQos) ? requestedQos(life) : otherwise;
}
