// Scenarios: the first state of each, one exported function a scenario.
//
// Owner: init of the explored program. Pairs with: the .scenario.ts files, which name these and the threads.

import { Qos } from "../../../abi/qos";
import { Syscall } from "../../../abi/syscalls";
import { idOf, judged, online, ready, settle, task } from "./setup";

const FAR: i64 = 1000000;

/** CPU 1's task goes to sleep while CPU 0's wakes it. */
export function wakeAgainstSleep(): void {
  online(2);
  const sleeper = task(1, Qos.Normal);
  settle(1);
  const waker = task(0, Qos.Normal);
  settle(0);
  judged(sleeper, 0, Syscall.SleepUntil, FAR, 0, 1, 1);
  judged(waker, 0, Syscall.Wake, idOf(sleeper), 0, 0, 0);
  ready();
}
