// Sleep: how a task blocks until a time, and how any task on any CPU wakes it without losing the wake.
//
// One bit of the task's life word decides. The sleeper makes its word Blocked and then sets Asleep; a waker that finds
// Asleep clear leaves a permit, which the sleeper sees when it sets the bit; one that finds it set reserves a place for
// the task, and whoever clears the bit by exchange has the task and puts it there. A wake that finds no place has
// changed nothing (Q9), and one for a life that has ended finds another life in the same word (T6).
//
// Owner: the hart that runs the task puts it to sleep; any hart wakes it.
// Pairs with: signals.ts (the bit), sleepers.ts (the time), mailbox.ts (a wake on another CPU), dispatch.ts (the answer).
// Clauses: Q9, I6, T6.

import { Hart, hartAt } from "./hart-local";
import { EMPTY_ENTRY, fill, reserve, ReserveOutcome } from "./mailbox";
import { freePosition, NO_ROOM, put, readyPosition, ringHere, ringOf } from "./run-queue";
import { add64, and64, exchanged64, load64, store64 } from "./shared";
import { notify } from "./resched";
import {
  claimed,
  FALL_ASLEEP,
  has,
  incarnationOf,
  isOfLife,
  isPlainSleep,
  isSameSleep,
  Signal,
  WITHOUT_PERMIT,
} from "./signals";
import { addSleeper, hasten, SleeperOutcome } from "./sleepers";
import {
  addressOfTask,
  cpuOf,
  isAt,
  isLive,
  lifeOf,
  placeLike,
  NO_TASK,
  qosOf,
  renewed,
  SAME_STATE,
  Task,
  taskFrom,
  TaskState,
  withClassAsked,
  withState,
} from "./task";

export enum SleepOutcome {
  /** The task sleeps; this hart has no current task. */
  Blocked = 0,
  /** A wake had come before: it goes on at once. */
  AlreadyWoken = 1,
  SleepersFull = 2,
}

export enum WakeOutcome {
  /** It is queued on this CPU. */
  Queued = 0,
  /** It is in the mailbox of the CPU on which it slept: `self.posted`, which the caller rings. */
  Posted = 1,
  /** It was awake: its next sleep returns at once. */
  Remembered = 2,
  /** Its queue or mailbox is full; it sleeps on, and nothing has changed. */
  QueueFull = 3,
  /** Other harts posted to its CPU or sent it signals all the while; nothing has changed. */
  Contended = 4,
  /** There is no such task. */
  NotFound = 5,
}

/** Puts this hart's running task to sleep until `deadline` or a wake. */
export function sleepCurrent(self: Hart, deadline: i64): SleepOutcome {
  const task = taskFrom(self.current);
  const life = lifeOf(task);
  if (has(load64(life), Signal.Permit)) {
    and64(life, WITHOUT_PERMIT);
    return SleepOutcome.AlreadyWoken;
  }
  // A new generation, so that an entry left by an earlier sleep does not end this one.
  const blocked = renewed(withState(task.word, TaskState.Blocked), SAME_STATE);
  if (addSleeper(self, blocked, deadline) != SleeperOutcome.Added) return SleepOutcome.SleepersFull;
  store64(addressOfTask(task), blocked);
  // From here on a waker may have it: no plain access any more, unless it is taken back.
  // I6: a permit that was left before this is in `before`; a waker after this finds Asleep.
  const before = add64(life, FALL_ASLEEP);
  if (has(before, Signal.Permit | Signal.Kill) && takeBack(self, task, before + FALL_ASLEEP, blocked)) {
    return SleepOutcome.AlreadyWoken;
  }
  self.current = NO_TASK;
  return SleepOutcome.Blocked;
}

/** Takes back the task that this hart has just put to sleep; false when somebody else has taken it. */
function takeBack(self: Hart, task: Task, asleep: i64, blocked: i64): bool {
  const life = lifeOf(task);
  let seen = asleep;
  // bound: TAKE_BACKS_MAX; each failed exchange means that the boot hart has asked for another class once more.
  for (let i = 0; i < TAKE_BACKS_MAX; i++) {
    if (exchanged64(life, seen, seen & ~((Signal.Asleep | Signal.Permit) as i64))) {
      store64(addressOfTask(task), withState(blocked, TaskState.Held));
      return true;
    }
    seen = load64(life);
    if (!isSameSleep(seen, asleep) || !has(seen, Signal.Asleep)) return false;
  }
  // I6: past it the next tick wakes the task; whoever woke it before is remembered by the permit.
  hasten(self, blocked);
  return false;
}

/** Looks at a life word that changes all the while, before a waker gives up: twice what one sleep can go through. */
const WAKES_MAX: i32 = 8;

/** The same for a sleeper, whose word only requests of the boot hart's change now. */
const TAKE_BACKS_MAX: i32 = 4;

/** Wakes that life of a task, or lets its next sleep return at once. */
export function wake(self: Hart, task: Task, incarnation: i32): WakeOutcome {
  const life = load64(lifeOf(task));
  const word = load64(addressOfTask(task));
  // T6: of that life, or not a plain sleep.
  if (!isPlainSleep(life, incarnation)) return wakeAnywhere(self, task, incarnation);
  if (!isAt(word, placeLike(self.heldHere, TaskState.Blocked))) return wakePlainThere(self, task, life, word);
  const ring = ringHere(self, word);
  const position = readyPosition(ring);
  // Q9: the place is known before the sleep is claimed.
  if (position < 0 || !exchanged64(lifeOf(task), life, claimed(life, Signal.Woken))) {
    return wakeAnywhere(self, task, incarnation);
  }
  put(self, task, ring, position, withState(word, TaskState.Queued));
  return WakeOutcome.Queued;
}

// @outline: a wake on the same CPU shall not pay for it.
function wakePlainThere(self: Hart, task: Task, life: i64, word: i64): WakeOutcome {
  const cpu = cpuOf(word);
  // Q9: reserved before the sleep is claimed.
  const position = reserve(hartAt(cpu));
  if (position < 0) return refusedBy(position);
  if (!exchanged64(lifeOf(task), life, claimed(life, Signal.Woken))) return wakeAgain(self, task, life, word, position);
  return post(self, cpu, task, withState(word, TaskState.Mailed), position);
}

// @outline: somebody was faster.
function wakeAgain(self: Hart, task: Task, life: i64, word: i64, position: i32): WakeOutcome {
  giveBack(self, cpuOf(word), position);
  return wakeAnywhere(self, task, incarnationOf(life));
}

// @outline: it calls and tries again, and the common case would save registers for that.
function wakeAnywhere(self: Hart, task: Task, incarnation: i32): WakeOutcome {
  const address = lifeOf(task);
  // Q9: past the last look nothing is left, no permit either.
  // bound: WAKES_MAX.
  for (let i = 0; i < WAKES_MAX; i++) {
    const life = load64(address);
    // T6: of this life, if an exchange of its life word succeeds; of this sleep, if it sleeps.
    const word = load64(addressOfTask(task));
    if (!isOfLife(life, incarnation) || !isLive(word)) return WakeOutcome.NotFound;
    if (has(life, Signal.Asleep)) {
      const outcome = cpuOf(word) == self.cpu ? wakeHere(self, task, life, word) : wakeThere(self, task, life, word);
      if (outcome != WakeOutcome.Remembered) return outcome;
    } else if (has(life, Signal.Permit) || exchanged64(address, life, life | (Signal.Permit as i64))) {
      return WakeOutcome.Remembered;
    }
  }
  return WakeOutcome.Contended;
}

/** Remembered: somebody else was faster, or it is to have another class; the caller looks again. */
function wakeHere(self: Hart, task: Task, life: i64, blocked: i64): WakeOutcome {
  const word = withClassAsked(life, blocked);
  const ring = ringOf(self, qosOf(word));
  const position = freePosition(ring);
  // Q9: no permit is left.
  if (position == NO_ROOM) return WakeOutcome.QueueFull;
  if (!exchanged64(lifeOf(task), life, claimed(life, Signal.Woken))) return WakeOutcome.Remembered;
  put(self, task, ring, position, withState(word, TaskState.Queued));
  return WakeOutcome.Queued;
}

function wakeThere(self: Hart, task: Task, life: i64, blocked: i64): WakeOutcome {
  const cpu = cpuOf(blocked);
  const position = reserve(hartAt(cpu));
  if (position < 0) return refusedBy(position);
  if (exchanged64(lifeOf(task), life, claimed(life, Signal.Woken))) {
    return post(self, cpu, task, withState(withClassAsked(life, blocked), TaskState.Mailed), position);
  }
  giveBack(self, cpu, position);
  return WakeOutcome.Remembered;
}

function refusedBy(reserved: i32): WakeOutcome {
  return reserved == ReserveOutcome.QueueFull ? WakeOutcome.QueueFull : WakeOutcome.Contended;
}

/** Puts a task whose sleep this hart has claimed into a reserved place of the mailbox of its CPU. */
function post(self: Hart, cpu: i32, task: Task, mailed: i64, position: i32): WakeOutcome {
  // This hart has the task now, so nobody else changes the word.
  store64(addressOfTask(task), mailed);
  // Publishes the task to the target's drain.
  fill(hartAt(cpu), position, mailed);
  self.posted = cpu;
  return WakeOutcome.Posted;
}

/**
 * A reserved place of another CPU's mailbox that is not needed: it may have held up an entry behind it, whose own IPI
 * found it not yet filled (I6).
 */
export function giveBack(self: Hart, cpu: i32, position: i32): void {
  fill(hartAt(cpu), position, EMPTY_ENTRY);
  notify(self, cpu);
}
