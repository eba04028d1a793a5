// Scheduler: which task a hart runs next, and where a task goes that has become ready.
//
// Owner: each hart decides for itself; of another hart it touches the queue it steals from and the mailbox it
// posts to, nothing else. Performing a switch and ringing a hart is dispatch.ts's and the callers' part.
// Invariant: a task leaves the place that its word names only by a successful exchange of the word.
// Pairs with: run-queue.ts, mailbox.ts, task.ts.
// Fulfils: Q2 to Q6, S1 to S5, I6.

import { HART_STRIDE, MAILBOX_CAPACITY, RING_CAPACITY } from "../abi/layout";
import { Qos } from "../abi/qos";
import { addressOf, countersOf, Hart, hartAt, isOnline, OCCUPIED_OFFSET } from "./hart-local";
import { BANK_STRIDE_LOG2, HARTS } from "./layout";
import { dropLetter, EMPTY_LETTER, fill, peekLetter, reserve, ReserveOutcome } from "./mailbox";
import {
  clearOccupied,
  enqueue,
  EnqueueOutcome,
  hasRoom,
  headOf,
  retractVoid,
  ringOf,
  roomOf,
  slotAt,
  TAKE_ONE,
} from "./run-queue";
import { exchanged64, load32, load64, store64 } from "./shared";
import {
  addressOfTask,
  cpuOf,
  HELD_TO_QUEUED,
  NO_TASK,
  qosOf,
  stateOf,
  Task,
  taskFrom,
  taskOfWord,
  TaskState,
  withPlace,
  withState,
} from "./task";
import { cpuCount, hartsEnd } from "./topology";

/** Successful steals that a hart may make within one tick (S1). */
export const STEALS_PER_TICK: i32 = 1;

export enum StealOutcome {
  /** `self.stolen` is the task, held by this hart. */
  Stolen = 0,
  NothingThere = 1,
  /** Another hart was faster at every queue that had something. */
  Contended = 2,
  /** There is work, but only above the class that this hart may take. */
  AboveBound = 3,
  /** This hart has stolen in this tick already. */
  BudgetSpent = 4,
  /** The victim is this hart itself, no CPU, or offline. */
  InvalidVictim = 5,
}

export enum DrainOutcome {
  Emptied = 0,
  /** The oldest letter waits for room in its run queue. */
  WaitsForRoom = 1,
}

// The bank of the highest class in a mask of classes.
const HIGHEST_BANK: StaticArray<u16> = [
  0, 0, 1024, 1024, 2048, 2048, 2048, 2048, 3072, 3072, 3072, 3072, 3072, 3072, 3072, 3072,
];

function highestBank(classes: i32): i32 {
  return load<u16>(changetype<usize>(HIGHEST_BANK) + ((classes as usize) << 1)) as i32;
}

/** The next task of this hart, now held by it: the oldest of the highest class, or NO_TASK. */
export function pick(self: Hart): i32 {
  const occupied = self.occupied;
  if (occupied == 0) return NO_TASK;
  const ring = addressOf(self) + highestBank(occupied);
  const state = load64(ring);
  const room = state as i32;
  if (((room - 1) as u32) < ((RING_CAPACITY - 1) as u32)) {
    // This hart alone writes its slots, so it needs no atomic access to read one.
    const entry = load<i64>(slotAt(ring, (state >> 32) as i32) as usize);
    if (
      exchanged64(ring, state, state + TAKE_ONE) &&
      // Fails when the task was killed or reclassified after it was queued.
      exchanged64((entry >> 32) as i32, entry, entry - HELD_TO_QUEUED)
    ) {
      return (entry >> 32) as i32;
    }
  }
  return pickPatiently(self);
}

/** The same when a class is full, empty, contended or holds void entries. */
function pickPatiently(self: Hart): i32 {
  // bound: every turn takes an entry, or closes a class, or lost to a thief who took one: no more than all
  // entries, once each, and four classes.
  for (let turn = 0; turn < 2 * 4 * (RING_CAPACITY + 1); turn++) {
    const occupied = self.occupied;
    if (occupied == 0) return NO_TASK;
    const bank = highestBank(occupied);
    const ring = addressOf(self) + bank;
    const state = load64(ring);
    if (roomOf(state) == RING_CAPACITY) {
      clearOccupied(self, bank >> BANK_STRIDE_LOG2);
      continue;
    }
    const entry = load<i64>(slotAt(ring, headOf(state)) as usize);
    if (!exchanged64(ring, state, state + TAKE_ONE)) continue;
    if (exchanged64((entry >> 32) as i32, entry, entry - HELD_TO_QUEUED)) return (entry >> 32) as i32;
    retractVoid(ring);
  }
  return NO_TASK;
}

/** Takes one task of class `bound` or lower from another CPU, visiting each once from the next one on. */
export function steal(self: Hart, bound: Qos): StealOutcome {
  if (self.stealsInTick >= STEALS_PER_TICK) return StealOutcome.BudgetSpent;
  const allowed = (2 << bound) - 1;
  const count = cpuCount();
  let outcome = StealOutcome.NothingThere;
  let victim = addressOf(self);
  // bound: CPUS_MAX - 1 victims.
  for (let i = 1; i < count; i++) {
    victim += HART_STRIDE;
    if (victim == hartsEnd()) victim = HARTS;
    const occupied = load32(victim + OCCUPIED_OFFSET);
    if (occupied == 0) continue;
    const result = takeFrom(self, victim, occupied & allowed);
    if (result == StealOutcome.Stolen) return result;
    if (result != StealOutcome.NothingThere) outcome = result;
  }
  return outcome;
}

/** The same from one CPU. */
export function stealFrom(self: Hart, victimCpu: i32, bound: Qos): StealOutcome {
  if (victimCpu == self.cpu || !isOnline(victimCpu)) return StealOutcome.InvalidVictim;
  const victim = addressOf(hartAt(victimCpu));
  const occupied = load32(victim + OCCUPIED_OFFSET);
  if (occupied == 0) return StealOutcome.NothingThere;
  const classes = occupied & ((2 << bound) - 1);
  if (classes == 0) return StealOutcome.AboveBound;
  if (self.stealsInTick >= STEALS_PER_TICK) return StealOutcome.BudgetSpent;
  return takeFrom(self, victim, classes);
}

/** Takes the oldest task of the highest of `classes` from a hart: one exchange of its queue's state word. */
function takeFrom(self: Hart, victim: i32, classes: i32): StealOutcome {
  if (classes == 0) return StealOutcome.AboveBound;
  const ring = victim + highestBank(classes);
  const state = load64(ring);
  if (roomOf(state) == RING_CAPACITY) return StealOutcome.NothingThere;
  // The owner may overwrite the slot once the head has moved on; then the exchange fails.
  const entry = load64(slotAt(ring, headOf(state)));
  if (!exchanged64(ring, state, state + TAKE_ONE)) return StealOutcome.Contended;
  const task = (entry >> 32) as i32;
  if (!exchanged64(task, entry, withPlace(entry, TaskState.Held, self.cpu))) {
    // Killed or reclassified while it was queued.
    retractVoid(ring);
    return StealOutcome.Contended;
  }
  self.stealsInTick += 1;
  self.stolen = task;
  self.stolenFrom = cpuOf(entry);
  return StealOutcome.Stolen;
}

export enum YieldOutcome {
  /** Another task is to run; the one that yielded is queued. */
  Switched = 0,
  /** Its run queue is full: it goes on running (Q5). */
  Deferred = 1,
  /** No other task of its class or a higher one is ready: it goes on running. */
  Alone = 2,
}

/** Queues the running task behind its class and picks the next, into `self.current`. */
export function yieldCurrent(self: Hart): YieldOutcome {
  const current = self.current;
  if (self.occupied >> qosOf(taskFrom(current).word) == 0) return YieldOutcome.Alone;
  if (enqueue(self, taskFrom(current)) != EnqueueOutcome.Queued) {
    countersOf(self).deferredYields += 1;
    return YieldOutcome.Deferred;
  }
  // A thief may take any task from now on, the one that yielded as well: then nothing is left to run here.
  self.current = pick(self);
  return YieldOutcome.Switched;
}

/** Whether a task of a higher class than the running one is ready here. */
export function shouldPreempt(self: Hart): bool {
  const current = taskFrom(self.current);
  return self.occupied >> (qosOf(current.word) + 1) != 0;
}

/** Queues a task that this hart holds, on any CPU: here, or by that CPU's mailbox, which the caller then rings. */
export function place(self: Hart, cpu: i32, task: Task): EnqueueOutcome {
  if (cpu == self.cpu) return enqueue(self, task);
  if (!isOnline(cpu)) return EnqueueOutcome.InvalidCpu;
  const target = hartAt(cpu);
  const position = reserve(target);
  if (position < 0) {
    return position == ReserveOutcome.QueueFull ? EnqueueOutcome.QueueFull : EnqueueOutcome.Contended;
  }
  const mailed = withPlace(task.word, TaskState.Mailed, cpu);
  // This hart holds the task, so nobody else changes the word now.
  store64(addressOfTask(task), mailed);
  // Publishes the task to the target's drain.
  fill(target, position, mailed);
  return EnqueueOutcome.Queued;
}

/** Moves the letters of this hart's mailbox to its run queues. */
export function drainMailbox(self: Hart): DrainOutcome {
  // bound: each turn drops a letter, or meets a task that the boot hart has just killed or reclassified.
  for (let turn = 0; turn < 2 * MAILBOX_CAPACITY; turn++) {
    const letter = peekLetter(self);
    if (letter == 0) return DrainOutcome.Emptied;
    if (letter != EMPTY_LETTER) {
      const task = taskOfWord(letter);
      // Read anew: its class may have changed since it was posted.
      const word = load64(addressOfTask(task));
      if (stateOf(word) == TaskState.Mailed && cpuOf(word) == self.cpu) {
        if (!hasRoom(ringOf(self, qosOf(word)))) return DrainOutcome.WaitsForRoom;
        if (!exchanged64(addressOfTask(task), word, withState(word, TaskState.Held))) continue;
        assert(enqueue(self, task) == EnqueueOutcome.Queued);
      }
    }
    dropLetter(self);
  }
  return DrainOutcome.WaitsForRoom;
}
