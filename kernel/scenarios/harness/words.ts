// Words: what the harness reads from the kernel's packed words, in one place.
//
// Checks run between steps and read plainly; explored threads read what others write by an atomic access.
// Owner: none, it reads only. Pairs with: kernel/task.ts, which lays the words out.

import { Signal, SIGNAL_QOS_SHIFT, SIGNALS_OFFSET } from "../../task";

export function signalsOf(task: i32): i32 {
  return load<i32>((task + SIGNALS_OFFSET) as usize);
}

/** The same for an explored thread. */
export function readSignals(task: i32): i32 {
  return atomic.load<i32>((task + SIGNALS_OFFSET) as usize);
}

export function hasPermit(signals: i32): bool {
  return (signals & Signal.Permit) != 0;
}

export function isToEnd(signals: i32): bool {
  return (signals & Signal.Kill) != 0;
}

/** The class that a task has been asked to have, else `otherwise`. */
export function askedClass(signals: i32, otherwise: i32): i32 {
  return (signals & Signal.ChangeQos) != 0 ? (signals >> SIGNAL_QOS_SHIFT) & 3 : otherwise;
}
