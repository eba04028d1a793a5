// Sleep: how a task blocks until a time, and how any task on any CPU wakes it without losing the wake.
//
// The sleeper writes Blocked and then looks for a permit; the waker leaves a permit and then looks for
// Blocked. Both accesses are sequentially consistent, so at least one of the two sees the other, and the
// exchange of the word decides who acts.
//
// Owner: the hart that runs the task puts it to sleep; any hart wakes it.
// Pairs with: sleepers.ts (the time), mailbox.ts (a wake of a task on another CPU), dispatch.ts (the result).
// Fulfils: I6.

import { Hart, hartAt } from "./hart-local";
import { EMPTY_LETTER, fill, reserve, ReserveOutcome } from "./mailbox";
import { freePosition, insert, NO_ROOM, readyPosition, ringHere, ringOf } from "./run-queue";
import { and32, exchanged64, load32, load64, or32, store64 } from "./shared";
import { notify } from "./resched";
import { addSleeper, hastenLast, isSameSleep, SleeperOutcome } from "./sleepers";
import {
  addressOfTask,
  cpuOf,
  isAt,
  placeLike,
  NO_TASK,
  qosOf,
  renewed,
  SAME_STATE,
  Signal,
  SIGNALS_OFFSET,
  stateOf,
  Task,
  taskFrom,
  TaskState,
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
  /** Its queue or mailbox is full; it sleeps on. */
  QueueFull = 3,
  /** Other harts posted to its CPU or changed its class all the while; it sleeps on. */
  Contended = 4,
  /** There is no such task. */
  NotFound = 5,
}

/** Puts this hart's running task to sleep until `deadline` or a wake. */
export function sleepCurrent(self: Hart, deadline: i64): SleepOutcome {
  const task = taskFrom(self.current);
  const signals = addressOfTask(task) + SIGNALS_OFFSET;
  if ((and32(signals, ~Signal.Permit) & Signal.Permit) != 0) return SleepOutcome.AlreadyWoken;
  // A new generation, so that an entry left by an earlier sleep does not end this one.
  const blocked = renewed(withState(task.word, TaskState.Blocked), SAME_STATE);
  if (addSleeper(self, blocked, deadline) != SleeperOutcome.Added) return SleepOutcome.SleepersFull;
  task.asleep = 1;
  store64(addressOfTask(task), blocked);
  // From here on a waker may have taken it: no plain access any more, unless it is taken back.
  if ((load32(signals) & (Signal.Permit | Signal.Kill)) != 0 && takeBack(self, task, blocked)) {
    task.asleep = 0;
    and32(signals, ~Signal.Permit);
    return SleepOutcome.AlreadyWoken;
  }
  self.current = NO_TASK;
  return SleepOutcome.Blocked;
}

/** Takes back the task that this hart has just put to sleep; false when somebody else has taken it. */
function takeBack(self: Hart, task: Task, blocked: i64): bool {
  let seen = blocked;
  // bound: ATTEMPTS_MAX; each failed exchange means that the boot hart has changed its class once more.
  for (let i = 0; i < ATTEMPTS_MAX; i++) {
    if (exchanged64(addressOfTask(task), seen, withState(seen, TaskState.Held))) return true;
    seen = load64(addressOfTask(task));
    if (!isSameSleep(seen, blocked)) return false;
  }
  // Past it the next tick wakes the task; whoever woke it before is remembered by the permit.
  hastenLast(self);
  return false;
}

/** Looks at a task that seemed to be woken by others, or had another class suddenly, before a waker gives up. */
const ATTEMPTS_MAX: i32 = 4;

/** Wakes a task, or lets its next sleep return at once. */
export function wake(self: Hart, task: Task): WakeOutcome {
  const word = load64(addressOfTask(task));
  if (isAt(word, placeLike(self.heldHere, TaskState.Blocked))) {
    const ring = ringHere(self, word);
    const position = readyPosition(ring);
    if (position == NO_ROOM) return WakeOutcome.QueueFull;
    if (position >= 0) {
      or32(addressOfTask(task) + SIGNALS_OFFSET, Signal.Permit);
      if (insert(self, task, ring, position, word, withState(word, TaskState.Queued))) return WakeOutcome.Queued;
    }
  }
  return wakeAnywhere(self, task);
}

// out of line: it calls and tries again, and the common case would save registers for that.
function wakeAnywhere(self: Hart, task: Task): WakeOutcome {
  const address = addressOfTask(task);
  let seen = load64(address);
  // bound: ATTEMPTS_MAX.
  for (let i = 0; i < ATTEMPTS_MAX; i++) {
    const state = stateOf(seen);
    if (state == TaskState.Free || state == TaskState.Exited) return WakeOutcome.NotFound;
    if (state == TaskState.Blocked) {
      const outcome = wakeBlocked(self, task, seen);
      if (outcome != WakeOutcome.Remembered) return outcome;
    } else {
      or32(address + SIGNALS_OFFSET, Signal.Permit);
    }
    // It may have gone to sleep in between without having seen the permit, or sleep on in another class.
    seen = load64(address);
    if (stateOf(seen) != TaskState.Blocked) return WakeOutcome.Remembered;
  }
  return WakeOutcome.Contended;
}

function wakeBlocked(self: Hart, task: Task, blocked: i64): WakeOutcome {
  return cpuOf(blocked) == self.cpu ? wakeHere(self, task, blocked) : wakeThere(self, task, blocked);
}

function wakeHere(self: Hart, task: Task, blocked: i64): WakeOutcome {
  const ring = ringOf(self, qosOf(blocked));
  const position = freePosition(ring);
  if (position == NO_ROOM) return WakeOutcome.QueueFull;
  or32(addressOfTask(task) + SIGNALS_OFFSET, Signal.Permit);
  // Fails when another waker or its time was faster, and then it keeps the permit, or when its class has changed.
  const moved = insert(self, task, ring, position, blocked, withState(blocked, TaskState.Queued));
  return moved ? WakeOutcome.Queued : WakeOutcome.Remembered;
}

function wakeThere(self: Hart, task: Task, blocked: i64): WakeOutcome {
  const cpu = cpuOf(blocked);
  const target = hartAt(cpu);
  const position = reserve(target);
  if (position < 0) return position == ReserveOutcome.QueueFull ? WakeOutcome.QueueFull : WakeOutcome.Contended;
  const address = addressOfTask(task);
  or32(address + SIGNALS_OFFSET, Signal.Permit);
  const mailed = withState(blocked, TaskState.Mailed);
  // Fails when another waker or its time was faster, and then it keeps the permit, or when its class has changed.
  const moved = exchanged64(address, blocked, mailed);
  // Publishes the task to the target's drain.
  fill(target, position, moved ? mailed : EMPTY_LETTER);
  self.posted = cpu;
  if (moved) return WakeOutcome.Posted;
  // The place may have held up a letter behind it, whose own IPI found it reserved and not yet filled.
  notify(self, cpu);
  return WakeOutcome.Remembered;
}
