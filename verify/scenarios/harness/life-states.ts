// Life states: first states in which calls mean one life of a task, or are outrun by their subject, and their like.
//
// Owner: init of the explored program. Pairs with: ../lives.scenario.ts, which names these; setup.ts.

import { SPACES_MAX } from "../../../abi/layout";
import { Qos } from "../../../abi/qos";
import { Syscall, SyscallError } from "../../../abi/syscalls";
import { COMPUTE, expectConservation, Fate, setFate, setTaskCount, taskCount, watchKill } from "./model";
import {
  advance,
  computes,
  FAR,
  held,
  idOf,
  judged,
  online,
  programmed,
  queued,
  ready,
  running,
  settle,
  spawnsNext,
  step,
  task,
} from "./setup";

/** CPU 1's task computes in the highest class, and two of another one are queued behind it; CPU 0 is idle. */
export function spinnerBefore(): void {
  online(2);
  const spinner = task(1, Qos.PerfBurst);
  settle(1);
  computes(spinner, 0);
  for (let i = 0; i < 2; i++) computes(queued(1, Qos.Normal), 0);
  expectConservation();
  ready();
}

/** Looks that an operation takes at a task at most: authority.ts, ATTEMPTS_MAX, and one before. */
const LOOKS_MAX: i32 = 9;
/** Fewer, for a search of seconds. */
const SOME_LOOKS: i32 = 4;

/**
 * CPU 0's task acts on one of CPU 1's that is queued, runs and is queued again as often as it is looked at. `last` is
 * what it does then, for ever: a step as stepAt keeps them.
 */
function outrun(looks: i32, call: i32, argument: i64, last: i32): i32 {
  online(2);
  const other = running(1, Qos.Normal);
  const subject = queued(1, Qos.Normal);
  const authority = running(0, Qos.Normal);
  for (let turn = 0; turn < looks; turn++) step(other, turn, Syscall.Yield, 0, 0);
  for (let turn = 0; turn < looks - 1; turn++) step(subject, turn, Syscall.Yield, 0, 0);
  step(subject, looks - 1, last, FAR, 0);
  // Where it has lost every look it is refused, and asks again once the subject has come to rest.
  judged(authority, 0, call, idOf(subject), argument, SyscallError.Contended, 0);
  judged(authority, 1, call, idOf(subject), argument, SyscallError.NotFound, 0);
  ready();
  return subject;
}

/** It is killed, and falls asleep after the last look. */
export function killOutrun(): void {
  setFate(outrun(SOME_LOOKS, Syscall.Kill, 0, Syscall.SleepUntil), Fate.Ended);
}
export function killOutrunAlways(): void {
  setFate(outrun(LOOKS_MAX, Syscall.Kill, 0, Syscall.SleepUntil), Fate.Ended);
}

/** It gets another class, and computes after the last look. */
function reclassifiedOutrun(looks: i32): void {
  const subject = outrun(looks, Syscall.SetQos, Qos.Interactive, COMPUTE);
  // What it is queued behind waits until it ends.
  for (let index = 0; index < taskCount(); index++) setFate(index, Fate.Any);
  setFate(subject, Fate.HasClass + Qos.Interactive);
}
export function classOutrun(): void {
  reclassifiedOutrun(SOME_LOOKS);
}
export function classOutrunAlways(): void {
  reclassifiedOutrun(LOOKS_MAX);
}

/**
 * CPU 0's task kills CPU 1's, which yields and never ends by itself: it was there, so the answer is 0. It runs no more
 * once its hart has trapped.
 */
export function killAnswered(): void {
  online(2);
  const victim = running(1, Qos.Normal);
  step(victim, 0, Syscall.Yield, 0, 0);
  computes(victim, 1);
  const authority = running(0, Qos.Normal);
  judged(authority, 0, Syscall.Kill, idOf(victim), 0, 0, 0);
  setFate(victim, Fate.Ended);
  watchKill();
  ready();
}

/** CPU 1's task falls asleep while CPU 0's gives it another class. */
export function classAndSleep(): void {
  online(2);
  const sleeper = running(1, Qos.Normal);
  step(sleeper, 0, Syscall.SleepUntil, FAR, 0);
  const authority = running(0, Qos.Normal);
  judged(authority, 0, Syscall.SetQos, idOf(sleeper), Qos.Interactive, 0, 0);
  setFate(sleeper, Fate.HasClass + Qos.Interactive);
  ready();
}

/** CPU 1 holds task 0, which is to fall asleep. */
export function oneToSleep(): void {
  online(3);
  held(1, Qos.Normal);
  ready();
}

/** Task 0 sleeps on CPU 1. */
export function oneAsleep(): void {
  online(3);
  const sleeper = running(1, Qos.Normal);
  setFate(sleeper, Fate.Any);
  step(sleeper, 0, Syscall.SleepUntil, FAR, 0);
  advance(1);
  ready();
}

/** Task 0 sleeps on CPU 1, which runs another of its class and has a third one queued. */
export function oneAsleepOneQueued(): void {
  oneAsleep();
  setFate(running(1, Qos.Normal), Fate.Any);
  queued(1, Qos.Normal);
  ready();
}

// Lives: an entry of the task table that serves another task, while somebody still means the one before.

/** The program of the task that gets the entry: it sleeps, and nobody wakes it. */
const HEIR: i32 = 1;

/** CPU 0's task ends, and another there spawns one in its place; both while CPU 1's wakes the first by its id. */
export function lateWake(): void {
  online(2);
  const gone = running(0, Qos.Normal);
  setFate(gone, Fate.Any);
  const spawner = queued(0, Qos.Normal);
  setFate(spawner, Fate.Ended);
  const waker = running(1, Qos.Normal);
  judged(waker, 0, Syscall.Wake, idOf(gone), 0, SyscallError.NotFound, 0);
  // Where an idle hart has stolen it, it is refused.
  judged(spawner, 0, Syscall.Spawn, HEIR, Qos.Normal, SyscallError.NotBootHart, 0x7fffffff);
  programmed(HEIR, 0, Syscall.SleepUntil, FAR, 0, 0, 0);
  endsWithHeir(gone);
}

/** The next task spawned on CPU 0 gets the entry of `gone`, once that is free, sleeps for ever and may not end. */
function endsWithHeir(gone: i32): void {
  setFate(SPACES_MAX + HEIR, Fate.Asleep);
  spawnsNext(gone, 0);
  setTaskCount(taskCount() + 1);
  ready();
}

/** CPU 1's task ends by itself, while CPU 0's kills it, spawns another in its place, and acts on the first once more. */
export function lateAuthority(): void {
  online(2);
  const gone = running(1, Qos.Normal);
  setFate(gone, Fate.Any);
  const authority = running(0, Qos.Normal);
  judged(authority, 0, Syscall.Kill, idOf(gone), 0, SyscallError.NotFound, 0);
  judged(authority, 1, Syscall.Spawn, HEIR, Qos.Normal, 0, 0x7fffffff);
  judged(authority, 2, Syscall.SetQos, idOf(gone), Qos.PerfBurst, SyscallError.NotFound, 0);
  judged(authority, 3, Syscall.Kill, idOf(gone), 0, SyscallError.NotFound, 0);
  judged(authority, 4, Syscall.Wake, idOf(gone), 0, SyscallError.NotFound, 0);
  programmed(HEIR, 0, Syscall.SleepUntil, FAR, 0, 0, 0);
  endsWithHeir(gone);
}
