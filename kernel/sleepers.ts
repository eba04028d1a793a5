// Sleepers: the tasks that went to sleep on this hart and when their time comes.
//
// Owner: the hart alone. A task that was woken early leaves its entry behind, which no longer equals the
// task's word and is dropped when it is met.
// Invariant: every task blocked on this hart has an entry here.
// Pairs with: sleep.ts (who goes to sleep and who wakes), trap.ts (the tick).
// Fulfils: Q1 (bounded), I6 (a sleeper's own time is an interrupt on its way).

import { addressOf, Hart } from "./hart-local";
import { HART_LOG2, HARTS, SLEEPERS_BASE, SLEEPERS_STRIDE_LOG2 } from "./layout";
import { freePosition, insert, NO_ROOM, ringOf } from "./run-queue";
import { load64 } from "./shared";
import { addressOfTask, qosOf, taskOfWord, TaskState, withQos, withState } from "./task";

/** Sleepers that one hart remembers. */
export const SLEEPERS_CAPACITY: i32 = 60;

export enum SleeperOutcome {
  Added = 0,
  SleepersFull = 1,
}

@unmanaged
export class Sleepers {
  count: i32;
  padding0: i32;
  /** No sleeper's time comes before this. */
  earliest: i64;
}

@unmanaged
export class Sleeper {
  deadline: i64;
  /** The task's word while it sleeps. */
  word: i64;
}

const NEVER: i64 = 0x7fffffffffffffff;
export const ENTRIES_OFFSET: i32 = 32;

function sleepersOf(self: Hart): Sleepers {
  return changetype<Sleepers>(base(self) as usize);
}

function base(self: Hart): i32 {
  return SLEEPERS_BASE + (((addressOf(self) - HARTS) >> HART_LOG2) << SLEEPERS_STRIDE_LOG2);
}

function sleeperAt(self: Hart, index: i32): Sleeper {
  return changetype<Sleeper>((base(self) + ENTRIES_OFFSET + (index << 4)) as usize);
}

/** Only before the hart is online. */
export function clearSleepers(self: Hart): void {
  sleepersOf(self).count = 0;
  sleepersOf(self).earliest = NEVER;
}

/** Remembers a task that is about to block with that word. */
export function addSleeper(self: Hart, word: i64, deadline: i64): SleeperOutcome {
  const sleepers = sleepersOf(self);
  if (sleepers.count == SLEEPERS_CAPACITY) dropAwake(self);
  if (sleepers.count == SLEEPERS_CAPACITY) return SleeperOutcome.SleepersFull;
  const sleeper = sleeperAt(self, sleepers.count);
  sleeper.deadline = deadline;
  sleeper.word = word;
  sleepers.count += 1;
  if (deadline < sleepers.earliest) sleepers.earliest = deadline;
  return SleeperOutcome.Added;
}

/** Lets the time of the sleeper added last come with the next tick. */
export function hastenLast(self: Hart): void {
  const sleepers = sleepersOf(self);
  sleeperAt(self, sleepers.count - 1).deadline = 0;
  sleepers.earliest = 0;
}

/** Queues every sleeper whose time has come; those whose queue is full wait for the next tick. */
export function wakeExpired(self: Hart, now: i64): void {
  const sleepers = sleepersOf(self);
  if (now < sleepers.earliest) return;
  let earliest = NEVER;
  // bound: SLEEPERS_CAPACITY; downward, because removing moves the last entry here.
  for (let i = sleepers.count - 1; i >= 0; i--) {
    const sleeper = sleeperAt(self, i);
    if (now >= sleeper.deadline && wakeIfAsleep(self, sleeper.word)) {
      remove(self, i);
    } else if (sleeper.deadline < earliest) {
      earliest = sleeper.deadline;
    }
  }
  sleepers.earliest = earliest;
}

/** Queues the task if it still sleeps the sleep that the word stands for; false when it has to wait for a tick more. */
function wakeIfAsleep(self: Hart, word: i64): bool {
  const task = taskOfWord(word);
  const now = load64(addressOfTask(task));
  if (!isSameSleep(now, word)) return true;
  const ring = ringOf(self, qosOf(now));
  const position = freePosition(ring);
  if (position == NO_ROOM) return false;
  // Fails when somebody else is about to wake or end it, or has given it another class: the next tick tells which.
  return insert(self, task, ring, position, now, withState(now, TaskState.Queued));
}

/** A sleeping task's class may change; all else in its word tells the sleep. */
export function isSameSleep(now: i64, word: i64): bool {
  return withQos(now, qosOf(word)) == word;
}

/** Drops the entries of tasks that do not sleep any more. */
function dropAwake(self: Hart): void {
  // bound: SLEEPERS_CAPACITY.
  for (let i = sleepersOf(self).count - 1; i >= 0; i--) {
    const word = sleeperAt(self, i).word;
    if (!isSameSleep(load64(addressOfTask(taskOfWord(word))), word)) remove(self, i);
  }
}

function remove(self: Hart, index: i32): void {
  const sleepers = sleepersOf(self);
  sleepers.count -= 1;
  const last = sleeperAt(self, sleepers.count);
  const sleeper = sleeperAt(self, index);
  sleeper.deadline = last.deadline;
  sleeper.word = last.word;
}
