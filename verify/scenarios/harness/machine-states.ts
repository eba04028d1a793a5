// Machine states: first states for IPIs that are refused or late, and for the ladder once all harts have joined.
//
// Owner: init of the explored program. Pairs with: ../machine.scenario.ts, which names these; setup.ts.

import { IDLE_SPACE } from "../../../abi/layout";
import { Qos } from "../../../abi/qos";
import { Syscall } from "../../../abi/syscalls";
import * as kernel from "./kernel";
import { become, hartIdOf } from "./machine";
import {
  expectQuiet,
  HARTS_STARTED,
  NOW,
  SEND_REFUSED,
  sendLate,
  setHartCount,
  setMode,
  setResters,
  setRungs,
} from "./model";
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
export function oneRefusedWake(): void {
  refusedWakes(1);
}
export function twoRefusedWakes(): void {
  refusedWakes(2);
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
export function quietChain(): void {
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

/** Every hart has booted and joined; the selftests begin with the boot hart's next tick. */
function joined(harts: i32): void {
  setHartCount(harts);
  setResters(harts);
  atomic.store<i64>(NOW as usize, 1);
  become(0);
  setMode(0, kernel.boot(hartIdOf(0)));
  for (let cpu = 1; cpu < harts; cpu++) {
    assert(((atomic.load<i32>(HARTS_STARTED as usize) >> cpu) & 1) != 0, "the boot hart has not started a hart");
    become(cpu);
    setMode(cpu, kernel.bootSecondary(cpu));
    assert(IDLE_SPACE == -1, "a hart that has joined is idle");
  }
  become(0);
  setRungs();
}
export function ladderOfTwoJoined(): void {
  joined(2);
}
export function ladderOfThreeJoined(): void {
  joined(3);
}
