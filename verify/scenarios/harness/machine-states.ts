// Machine states: first states for IPIs that are refused or late.
//
// Owner: init of the explored program. Pairs with: ../machine.scenario.ts, which names these; setup.ts.

import { Qos } from "../../../abi/qos";
import { Syscall } from "../../../abi/syscalls";
import { expectQuiet, SEND_REFUSED, sendLate, setResters } from "./model";
import { advance, FAR, idOf, judged, keptChain, online, ready, running, step } from "./setup";

/** CPU 0's task wakes a sleeper of each other CPU, and the machine refuses every IPI until the tick. */
function refusedWakes(sleepers: i32): void {
  online(sleepers + 1);
  // The others never run: what is looked at is who has been rung.
  setResters(1);
  for (let cpu = 1; cpu <= sleepers; cpu++) {
    step(running(cpu, Qos.Normal), 0, Syscall.SleepUntil, FAR, 0);
    advance(cpu);
  }
  const waker = running(0, Qos.Normal);
  for (let index = 0; index < sleepers; index++) judged(waker, index, Syscall.Wake, idOf(index), 0, 0, 0);
  store<i32>(SEND_REFUSED as usize, -1);
  ready();
}
export function threeRefusedWakes(): void {
  refusedWakes(3);
}

/** CPU 1's task goes to sleep while CPU 0's wakes it; IPIs arrive late. */
export function lateIpi(): void {
  online(2);
  const sleeper = running(1, Qos.Normal);
  const waker = running(0, Qos.Normal);
  judged(sleeper, 0, Syscall.SleepUntil, FAR, 0, 1, 1);
  judged(waker, 0, Syscall.Wake, idOf(sleeper), 0, 0, 0);
  sendLate();
  ready();
}

/** Three CPUs, idle, with their evidence; no IPI is sent to one that has one pending. */
export function quiescentChain(): void {
  keptChain();
  expectQuiet();
  ready();
}

/** The same, with IPIs that arrive late. */
export function lateChain(): void {
  keptChain();
  sendLate();
  ready();
}
