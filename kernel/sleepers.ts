// Sleepers: the tasks that went to sleep on this hart, by the time at which each is to wake, soonest first.
//
// Owner: the hart alone. A task that was woken early leaves its entry behind, which no longer equals the task's word.
// Such entries are dropped when they are met, and one is looked at each tick, so that none outlives the generations.
// Invariant: every task blocked on this hart has an entry here; deadlines ascend, equal ones in the order of the sleeps.
// Pairs with: sleep.ts (who goes to sleep and who wakes), signals.ts (who has a sleep), trap.ts (the tick).
// Clauses: Q1, Q6, S3, I6, I9.

import { addressOf, Hart } from "./hart-local";
import { HART_LOG2, HARTS, SLEEPERS_BASE, SLEEPERS_STRIDE_LOG2 } from "./layout";
import { freePosition, NO_ROOM, put, ringOf } from "./run-queue";
import { exchanged64, load64 } from "./shared";
import { claimed, has, Signal } from "./signals";
import { addressOfTask, lifeOf, qosOf, taskOfWord, TaskState, withClassAsked, withState } from "./task";

/** Sleepers that one hart remembers. */
export const SLEEPERS_CAPACITY: i32 = 60;

export enum SleeperOutcome {
  Added = 0,
  SleepersFull = 1,
}

@unmanaged
export class Sleepers {
  count: i32;
  /** The entry that the next tick looks at. */
  swept: i32;
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
  sleepersOf(self).swept = 0;
  sleepersOf(self).earliest = NEVER;
}

/** Remembers a task that is about to block with that word. */
export function addSleeper(self: Hart, word: i64, deadline: i64): SleeperOutcome {
  const sleepers = sleepersOf(self);
  if (sleepers.count == SLEEPERS_CAPACITY) dropAwake(self);
  // Q1: a capacity of the build; past it the sleep is refused.
  if (sleepers.count == SLEEPERS_CAPACITY) return SleeperOutcome.SleepersFull;
  insert(self, word, deadline);
  return SleeperOutcome.Added;
}

function insert(self: Hart, word: i64, deadline: i64): void {
  const sleepers = sleepersOf(self);
  let index = sleepers.count;
  // Q6: behind those of the same time.
  // bound: SLEEPERS_CAPACITY.
  while (index > 0 && sleeperAt(self, index - 1).deadline > deadline) {
    copy(self, index - 1, index);
    index -= 1;
  }
  sleeperAt(self, index).deadline = deadline;
  sleeperAt(self, index).word = word;
  sleepers.count += 1;
  if (index == 0) sleepers.earliest = deadline;
}

/** Lets the time of a sleeper come with the next tick. */
export function hasten(self: Hart, word: i64): void {
  const sleepers = sleepersOf(self);
  // bound: SLEEPERS_CAPACITY.
  for (let i = 0; i < sleepers.count; i++) {
    if (sleeperAt(self, i).word != word) continue;
    removeAt(self, i);
    return insert(self, word, 0);
  }
}

/** Queues every sleeper whose time has come (I6), in their order (Q6); those whose queue is full wait for a tick. */
export function wakeExpired(self: Hart, now: i64): void {
  const sleepers = sleepersOf(self);
  if (now < sleepers.earliest) return;
  const count = sleepers.count;
  let kept = 0;
  // bound: SLEEPERS_CAPACITY.
  for (let i = 0; i < count; i++) {
    const sleeper = sleeperAt(self, i);
    if (now >= sleeper.deadline && expire(self, sleeper.word) != ExpireOutcome.Waits) continue;
    if (kept != i) copy(self, i, kept);
    kept += 1;
  }
  settleCount(self, kept);
}

/** At a tick: drops the next entry, in turn, if its task is awake, so that none outlives the generations (I9). */
export function sweepSleepers(self: Hart): void {
  const sleepers = sleepersOf(self);
  if (sleepers.count == 0) return;
  if (sleepers.swept >= sleepers.count) sleepers.swept = 0;
  if (isAwake(sleeperAt(self, sleepers.swept).word)) removeAt(self, sleepers.swept);
  else sleepers.swept += 1;
}

enum ExpireOutcome {
  /** The task is queued. */
  Queued = 0,
  /** It does not sleep this sleep any more. */
  Awake = 1,
  /** There is no room for it, or it is just being asked for another class: the next tick looks again. */
  Waits = 2,
}

/** Queues a task whose time has come if it still sleeps the sleep that the word stands for. */
function expire(self: Hart, word: i64): ExpireOutcome {
  const task = taskOfWord(word);
  const life = load64(lifeOf(task));
  if (load64(addressOfTask(task)) != word || !has(life, Signal.Asleep)) return ExpireOutcome.Awake;
  const woken = withClassAsked(life, word);
  const ring = ringOf(self, qosOf(woken));
  const position = freePosition(ring);
  if (position == NO_ROOM) return ExpireOutcome.Waits;
  // S3: fails when somebody else wakes or ends it, or asks for another class: the next tick finds out which.
  if (!exchanged64(lifeOf(task), life, claimed(life, Signal.Expired))) return ExpireOutcome.Waits;
  put(self, task, ring, position, withState(woken, TaskState.Queued));
  return ExpireOutcome.Queued;
}

function isAwake(word: i64): bool {
  return load64(addressOfTask(taskOfWord(word))) != word;
}

/** Drops the entries of tasks that do not sleep any more. */
function dropAwake(self: Hart): void {
  const count = sleepersOf(self).count;
  let kept = 0;
  // bound: SLEEPERS_CAPACITY.
  for (let i = 0; i < count; i++) {
    if (isAwake(sleeperAt(self, i).word)) continue;
    if (kept != i) copy(self, i, kept);
    kept += 1;
  }
  settleCount(self, kept);
}

function removeAt(self: Hart, index: i32): void {
  const last = sleepersOf(self).count - 1;
  // bound: SLEEPERS_CAPACITY.
  for (let i = index; i < last; i++) copy(self, i + 1, i);
  settleCount(self, last);
}

function settleCount(self: Hart, count: i32): void {
  sleepersOf(self).count = count;
  sleepersOf(self).earliest = count == 0 ? NEVER : sleeperAt(self, 0).deadline;
}

function copy(self: Hart, from: i32, to: i32): void {
  const source = sleeperAt(self, from);
  const target = sleeperAt(self, to);
  target.deadline = source.deadline;
  target.word = source.word;
}
