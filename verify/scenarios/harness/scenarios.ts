// Scenarios: the first state of each, one exported function a scenario.
//
// Owner: init of the explored program. Pairs with: the .scenario.ts files, which name these and the threads.

import { Qos } from "../../../abi/qos";
import { Syscall, SyscallError } from "../../../abi/syscalls";
import {
  ENDS_AT_RAISE,
  FAULT,
  Fate,
  HARTS_REFUSED,
  setFate,
  setHartCount,
  setResters,
  setRungs,
  setTaskCount,
  EXPECTED_RESULT,
  taskCount,
} from "./model";
import {
  FAR,
  advance,
  computes,
  fillersCompute,
  held,
  idOf,
  judged,
  keptChain,
  oneMoreOffline,
  online,
  queued,
  ready,
  running,
  settle,
  spawnsNext,
  step,
  task,
  litter,
  leaveTombstone,
} from "./setup";

// Queues and thieves: bare operations.

/** CPU 0 runs and queues; the others steal. Three tasks of two classes. */
export function ownerAndThreeThieves(): void {
  online(4);
  queued(0, Qos.Normal);
  queued(0, Qos.Normal);
  queued(0, Qos.Interactive);
  ready();
}

/** CPU 1's Normal queue is full, and it holds one task more. */
export function fullQueue(): void {
  online(3);
  held(1, Qos.Normal);
  for (let i = 0; i < 64; i++) queued(1, Qos.Normal);
  ready();
}

/** CPU 1's Normal queue is full, and three of its entries are tombstones. */
export function fullOfTombstones(): void {
  online(4);
  held(1, Qos.Normal);
  const first = queued(1, Qos.Normal);
  for (let i = 0; i < 62; i++) queued(1, Qos.Normal);
  const last = queued(1, Qos.Normal);
  leaveTombstone(first);
  leaveTombstone(first + 1);
  leaveTombstone(last);
  ready();
}

/** A short queue with tombstones at its head and behind it. */
export function someTombstones(): void {
  online(4);
  held(1, Qos.Normal);
  const first = queued(1, Qos.Normal);
  queued(1, Qos.Normal);
  const second = queued(1, Qos.Normal);
  queued(1, Qos.Normal);
  leaveTombstone(first);
  leaveTombstone(second);
  ready();
}

/** Task 0 and another are queued on CPU 1. */
export function twoQueued(): void {
  online(4);
  queued(1, Qos.Normal);
  queued(1, Qos.Normal);
  ready();
}

/** The same; task 0 is to end. */
export function twoQueuedOneToEnd(): void {
  twoQueued();
  setFate(0, Fate.Ended);
}

/** The same; task 0 is to have the Idle class. */
export function twoQueuedOneToIdle(): void {
  twoQueued();
  setFate(0, Fate.HasClass + Qos.Idle);
}

/** CPU 1's mailbox has one place left; CPUs 0, 2 and 3 hold a task each. */
export function nearlyFullMailbox(): void {
  online(4);
  held(0, Qos.Normal);
  held(2, Qos.Normal);
  held(3, Qos.Normal);
  for (let i = 0; i < 31; i++) task(1, Qos.Normal);
  ready();
}

// Sleep and wake: whole traps.

/** CPU 1's task goes to sleep while CPU 0's wakes it. */
export function wakeAgainstSleep(): void {
  online(2);
  const sleeper = running(1, Qos.Normal);
  const waker = running(0, Qos.Normal);
  judged(sleeper, 0, Syscall.SleepUntil, FAR, 0, 1, 1);
  judged(waker, 0, Syscall.Wake, idOf(sleeper), 0, 0, 0);
  ready();
}

/** The same, twice each: the second wake may come before, in or after the second sleep. */
export function wakeAgainstSleepTwice(): void {
  online(2);
  const sleeper = task(1, Qos.Normal);
  settle(1);
  const waker = running(0, Qos.Normal);
  judged(sleeper, 0, Syscall.SleepUntil, FAR, 0, 1, 1);
  judged(sleeper, 1, Syscall.SleepUntil, FAR, 0, 1, 1);
  judged(waker, 0, Syscall.Wake, idOf(sleeper), 0, SyscallError.NotFound, 0);
  judged(waker, 1, Syscall.Wake, idOf(sleeper), 0, SyscallError.NotFound, 0);
  ready();
}

/** The same, with other numbers in what is no part of the state: whatever reads them would go another way. */
export function wakeAgainstSleepTwiceLittered(): void {
  wakeAgainstSleepTwice();
  for (let cpu = 0; cpu < 2; cpu++) litter(cpu);
}

/** Two tasks on CPUs 0 and 2 wake the one that goes to sleep on CPU 1. */
export function twoWakers(): void {
  online(3);
  const sleeper = running(1, Qos.Normal);
  const first = running(0, Qos.Normal);
  const second = running(2, Qos.Interactive);
  judged(sleeper, 0, Syscall.SleepUntil, FAR, 0, 1, 1);
  judged(first, 0, Syscall.Wake, idOf(sleeper), 0, SyscallError.NotFound, 0);
  judged(second, 0, Syscall.Wake, idOf(sleeper), 0, SyscallError.NotFound, 0);
  ready();
}

/** Two sleepers of CPU 1 are woken by one task on CPU 0. */
export function twoEntries(): void {
  online(2);
  const first = running(1, Qos.Normal);
  step(first, 0, Syscall.SleepUntil, FAR, 0);
  advance(1);
  const second = running(1, Qos.Interactive);
  step(second, 0, Syscall.SleepUntil, FAR, 0);
  advance(1);
  const waker = running(0, Qos.Normal);
  judged(waker, 0, Syscall.Wake, idOf(first), 0, 0, 0);
  judged(waker, 1, Syscall.Wake, idOf(second), 0, 0, 0);
  ready();
}

/** Two sleepers of CPU 1 are woken from CPUs 0 and 2: two mailbox entries, two requests, one IPI or two. */
export function twoSleepers(): void {
  online(3);
  const sleeper = running(1, Qos.Normal);
  step(sleeper, 0, Syscall.SleepUntil, FAR, 0);
  advance(1);
  const other = running(1, Qos.Normal);
  step(other, 0, Syscall.SleepUntil, FAR, 0);
  advance(1);
  const first = running(0, Qos.Normal);
  const second = running(2, Qos.Normal);
  judged(first, 0, Syscall.Wake, idOf(sleeper), 0, 0, 0);
  judged(second, 0, Syscall.Wake, idOf(other), 0, 0, 0);
  ready();
}

/** The task's time comes while another wakes it. */
export function timerAgainstWaker(): void {
  online(2);
  const sleeper = running(1, Qos.Normal);
  const waker = running(0, Qos.Normal);
  judged(sleeper, 0, Syscall.SleepUntil, 5, 0, 0, 1);
  judged(waker, 0, Syscall.Wake, idOf(sleeper), 0, SyscallError.NotFound, 0);
  ready();
}

// Ends, authority and classes: whole traps.

/** CPU 1's task ends, as another there has that is not reaped yet, while CPU 0's spawns one, which may get its entry. */
export function exitAndReap(): void {
  online(2);
  running(1, Qos.Normal);
  advance(1);
  const gone = running(1, Qos.Normal);
  const spawner = running(0, Qos.Normal);
  judged(spawner, 0, Syscall.Spawn, 0, Qos.Normal, 0, 0x7fffffff);
  spawnsNext(gone, 1);
  // The one that is spawned counts, too.
  setTaskCount(taskCount() + 1);
  ready();
}

/** CPU 1's task asks for what only the boot hart may do, while CPU 0's does it. */
export function authorityContended(): void {
  online(2);
  const petitioner = running(1, Qos.Normal);
  const authority = running(0, Qos.Normal);
  const denied: i64 = SyscallError.NotBootHart;
  judged(petitioner, 0, Syscall.Spawn, 0, Qos.Normal, denied, denied);
  judged(petitioner, 1, Syscall.Kill, idOf(authority), 0, SyscallError.NotFound + denied, denied);
  judged(petitioner, 2, Syscall.SetQos, idOf(petitioner), Qos.Interactive, 0, 0);
  judged(authority, 0, Syscall.SetQos, idOf(petitioner), Qos.PerfBurst, SyscallError.NotFound, 0);
  judged(authority, 1, Syscall.Spawn, 0, Qos.Normal, 0, 0x7fffffff);
  setTaskCount(taskCount() + 1);
  ready();
}

/** CPU 0's task kills CPU 1's, which yields, sleeps and ends in the meantime. */
export function killInMotion(): void {
  online(2);
  const victim = running(1, Qos.Normal);
  const other = queued(1, Qos.Normal);
  setFate(other, Fate.Ended);
  const assassin = running(0, Qos.Normal);
  step(victim, 0, Syscall.Yield, 0, 0);
  step(victim, 1, Syscall.SleepUntil, FAR, 0);
  judged(assassin, 0, Syscall.Kill, idOf(victim), 0, SyscallError.NotFound, 0);
  ready();
}

/** CPU 0's task gives CPU 1's another class while that one yields, and CPU 2 looks for work. */
export function classInMotion(): void {
  online(3);
  const subject = running(1, Qos.Normal);
  const other = queued(1, Qos.Normal);
  setFate(other, Fate.Ended);
  const authority = running(0, Qos.Normal);
  step(subject, 0, Syscall.Yield, 0, 0);
  judged(authority, 0, Syscall.SetQos, idOf(subject), Qos.Interactive, SyscallError.NotFound, 0);
  ready();
}

/** CPU 1's task yields while its class is full; CPU 2 steals. */
export function yieldWhenFull(): void {
  online(3);
  const current = task(1, Qos.Normal);
  settle(1);
  step(current, 0, Syscall.Yield, 0, 0);
  computes(current, 1);
  fillersCompute();
  for (let i = 0; i < 64; i++) queued(1, Qos.Normal);
  const waiter = task(2, Qos.Idle);
  settle(2);
  computes(waiter, 0);
  const still = task(0, Qos.Normal);
  settle(0);
  computes(still, 0);
  ready();
}

/** CPU 1's task faults while CPU 0 is idle; another one waits behind it. */
export function faultAndGoOn(): void {
  online(2);
  const faulty = running(1, Qos.Normal);
  step(faulty, 0, FAULT, 0, 0);
  const next = queued(1, Qos.Normal);
  setFate(next, Fate.Ended);
  ready();
}

/** A task writes two lines of two bytes while its memory changes; the first may be refused, the memory not being there. */
export function writeLines(): void {
  online(2);
  const writer = running(1, Qos.Normal);
  step(writer, 0, Syscall.WriteLine, 0x1000, 2);
  step(writer, 1, Syscall.WriteLine, 0x1000, 1);
  const other = running(0, Qos.Normal);
  step(other, 0, Syscall.WriteLine, 0x1000, 1);
  ready();
}

/** Two IPIs of one hart are refused: CPU 0's task wakes one sleeper of CPU 1 and one of CPU 2. */
export function twoRefused(): void {
  online(3);
  const first = running(1, Qos.Normal);
  step(first, 0, Syscall.SleepUntil, FAR, 0);
  advance(1);
  const second = running(2, Qos.Normal);
  step(second, 0, Syscall.SleepUntil, FAR, 0);
  advance(2);
  const waker = running(0, Qos.Normal);
  judged(waker, 0, Syscall.Wake, idOf(first), 0, 0, 0);
  judged(waker, 1, Syscall.Wake, idOf(second), 0, 0, 0);
  ready();
}

// The resched chain, with its evidence in the state.

/** Three CPUs, idle. */
export function chain(): void {
  keptChain();
  ready();
}

/** Three CPUs, two of which hold a task, and one that is there and offline. */
export function oneOffline(): void {
  online(3);
  held(0, Qos.Normal);
  held(2, Qos.Normal);
  oneMoreOffline();
  ready();
}

// Boot.

/** Nothing has run yet: the boot hart boots, the others wait to be started. */
export function coldStart(harts: i32, refused: i32, result: i32): void {
  setHartCount(harts);
  setResters(harts - popcnt(refused));
  store<i32>(HARTS_REFUSED as usize, refused);
  store<i32>(EXPECTED_RESULT as usize, result);
}
/** Up to where all harts are online and the selftests ring for the first time. */
function bringUp(harts: i32): void {
  coldStart(harts, 0, 0);
  store<i32>(ENDS_AT_RAISE as usize, 1);
}
export function bringUpOfTwo(): void {
  bringUp(2);
}
export function bringUpOfThree(): void {
  bringUp(3);
}
export function bringUpOfFour(): void {
  bringUp(4);
}

/** Two harts, up to the end of the ladder: the two probes are spawned, the default tasks are not. */
export function ladderOfTwo(): void {
  coldStart(2, 0, 0);
  setRungs();
}
/** The same with a third hart, which joins at any time, or late. */
export function ladderOfThree(): void {
  coldStart(3, 0, 0);
  setRungs();
}
export function coldStartRefused(): void {
  coldStart(3, 4, 1);
}
