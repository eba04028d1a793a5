// Queue states: first states for changes on the boot hart's own queues, and for tasks that find their class full.
//
// Owner: init of the explored program. Pairs with: ../saturation.scenario.ts, which names these; setup.ts.

import { RING_CAPACITY } from "../../../abi/layout";
import { Qos } from "../../../abi/qos";
import { Syscall } from "../../../abi/syscalls";
import { Fate, setFate } from "./model";
import {
  advance,
  computes,
  FAR,
  fillersCompute,
  idOf,
  judged,
  online,
  queued,
  ready,
  running,
  settle,
  step,
  task,
} from "./setup";

/** Task 0 is queued on the boot hart's CPU, before two others of its class and one of a higher. */
export function fourQueuedHere(): void {
  online(4);
  for (let i = 0; i < 3; i++) queued(0, Qos.Normal);
  queued(0, Qos.Interactive);
  ready();
}

/** The same; task 0 is to end. */
export function fourQueuedOneToEnd(): void {
  fourQueuedHere();
  setFate(0, Fate.Ended);
}

/** Task 0 is queued on the boot hart's CPU, whose Interactive class is full. */
export function fullClassHere(): void {
  fullClassOf(0);
}

/** Task 0 is queued on CPU 1, whose Interactive class is full. */
export function fullClassThere(): void {
  fullClassOf(1);
}

function fullClassOf(cpu: i32): void {
  online(3);
  queued(cpu, Qos.Normal);
  queued(cpu, Qos.Normal);
  for (let i = 0; i < RING_CAPACITY; i++) queued(cpu, Qos.Interactive);
  ready();
}

/** Four tasks of one class are queued on CPU 0. */
export function fourOfOneClass(): void {
  online(3);
  for (let i = 0; i < 4; i++) queued(0, Qos.Normal);
  ready();
}

/** CPU 1's task runs, its class is full, and one of a higher class that sleeps there is woken from CPU 0. */
export function preemptWhenFull(): void {
  online(2);
  const sleeper = task(1, Qos.Interactive);
  settle(1);
  judged(sleeper, 0, Syscall.SleepUntil, FAR, 0, 1, 1);
  setFate(sleeper, Fate.Ended);
  advance(1);
  const current = task(1, Qos.Normal);
  settle(1);
  computes(current, 0);
  fillersCompute();
  const waker = running(0, Qos.Normal);
  judged(waker, 0, Syscall.Wake, idOf(sleeper), 0, 0, 0);
  step(waker, 1, Syscall.SleepUntil, FAR, 0);
  setFate(waker, Fate.Asleep);
  for (let i = 0; i < RING_CAPACITY; i++) queued(1, Qos.Normal);
  ready();
}

/** CPU 0's task gives CPU 1's one class and then another, while that one yields to a third and runs again. */
export function classTwice(): void {
  online(2);
  const subject = running(1, Qos.Normal);
  const other = queued(1, Qos.Normal);
  setFate(subject, Fate.Any);
  computes(other, 0);
  const authority = running(0, Qos.Normal);
  for (let turn = 0; turn < 2; turn++) step(subject, turn, Syscall.Yield, 0, 0);
  computes(subject, 2);
  judged(authority, 0, Syscall.SetQos, idOf(subject), Qos.Interactive, 0, 0);
  judged(authority, 1, Syscall.SetQos, idOf(subject), Qos.PerfBurst, 0, 0);
  setFate(subject, Fate.HasClass + Qos.PerfBurst);
  ready();
}
