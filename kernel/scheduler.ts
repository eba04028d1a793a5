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
  freePosition,
  headOf,
  insert,
  NO_ROOM,
  publish,
  retractVoid,
  ringOf,
  ROTATE,
  roomOf,
  slotAt,
  TAKE_ONE,
} from "./run-queue";
import { exchanged64, load32, load64, store64, swap64 } from "./shared";
import {
  addressOfTask,
  cpuOf,
  HELD_TO_QUEUED,
  movedTo,
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
import { hartsEnd } from "./topology";

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
  // Neither empty (a room of RING_CAPACITY) nor with void entries (a room below 0).
  if ((state as u32) < (RING_CAPACITY as u32)) {
    // This hart alone writes its slots, so it needs no atomic access to read one.
    const entry = load<i64>(slotAt(ring, (state >> 32) as i32) as usize);
    if (exchanged64(ring, state, state + TAKE_ONE)) {
      if (exchanged64((entry >> 32) as i32, entry, entry - HELD_TO_QUEUED)) return (entry >> 32) as i32;
      // The task was killed or reclassified since the state was read.
      retractVoid(ring);
    }
  }
  return pickPatiently(self);
}

/** The same when a class is empty, contended or holds void entries. */
// out of line: it needs more registers than the common case, which would save them for it.
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
  const own = addressOf(self);
  const end = hartsEnd();
  // bound: CPUS_MAX - 1 victims.
  for (let victim = addressAfter(own, end); victim != own; victim = addressAfter(victim, end)) {
    const occupied = load32(victim + OCCUPIED_OFFSET);
    if (occupied != 0) return stealAmong(self, bound, victim, occupied, own);
  }
  return StealOutcome.NothingThere;
}

/** Tries the victims from the first, which has these classes occupied, to the one before `last`, each once. */
function stealAmong(self: Hart, bound: Qos, first: i32, firstOccupied: i32, last: i32): StealOutcome {
  let outcome = StealOutcome.NothingThere;
  let victim = first;
  let occupied = firstOccupied;
  // bound: CPUS_MAX - 1 victims.
  while (true) {
    const result = takeFrom(self, victim, occupied & ((2 << bound) - 1));
    if (result == StealOutcome.Stolen) return result;
    if (result != StealOutcome.NothingThere) outcome = result;
    // bound: the same victims; those without work are passed by.
    do {
      victim = addressAfter(victim, hartsEnd());
      if (victim == last) return outcome;
      occupied = load32(victim + OCCUPIED_OFFSET);
    } while (occupied == 0);
  }
}

/** The hart region after another; the first one follows the last. */
function addressAfter(region: i32, end: i32): i32 {
  return region + HART_STRIDE == end ? HARTS : region + HART_STRIDE;
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
  return stealAmong(self, bound, victim, occupied, addressAfter(victim, hartsEnd()));
}

/** Takes the oldest task of the highest of `classes` from a hart: one exchange of its queue's state word. */
function takeFrom(self: Hart, victim: i32, classes: i32): StealOutcome {
  if (classes == 0) return StealOutcome.AboveBound;
  const ring = victim + highestBank(classes);
  const state = load64(ring);
  let oldest = slotAt(ring, (state >> 32) as i32);
  if ((state as u32) >= (RING_CAPACITY as u32)) {
    // Empty, or void entries have borrowed from the head.
    if (roomOf(state) == RING_CAPACITY) return StealOutcome.NothingThere;
    oldest = slotAt(ring, headOf(state));
  }
  // The owner may overwrite the slot once the head has moved on; then the exchange fails.
  const entry = load64(oldest);
  if (!exchanged64(ring, state, state + TAKE_ONE)) return StealOutcome.Contended;
  const task = (entry >> 32) as i32;
  if (!exchanged64(task, entry, movedTo(entry, self.heldHere))) {
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
  const held = load<i64>(current as usize);
  const qos = qosOf(held);
  const ready = self.occupied >> qos;
  if (ready == 0) return YieldOutcome.Alone;
  // Any bit but the lowest: a higher class goes first.
  return ready == 1 ? rotate(self, current, held, ringOf(self, qos)) : yieldByQueue(self);
}

// out of line: it calls, and the common case below would save registers for it.
function yieldByQueue(self: Hart): YieldOutcome {
  if (enqueue(self, taskFrom(self.current)) != EnqueueOutcome.Queued) return defer(self);
  // A thief may take any task from now on, the one that yielded as well: then nothing is left to run here.
  self.current = pick(self);
  return YieldOutcome.Switched;
}

/** No room for the running task: it stays. */
function defer(self: Hart): YieldOutcome {
  countersOf(self).deferredYields += 1;
  return YieldOutcome.Deferred;
}

/** The same within one class: one exchange publishes the running task's entry and takes the oldest. */
function rotate(self: Hart, current: i32, held: i64, ring: i32): YieldOutcome {
  const state = load64(ring);
  const room = state as i32;
  // Neither full (then its last slot is also the oldest entry's), nor empty, nor with void entries.
  if (((room - 1) as u32) >= ((RING_CAPACITY - 1) as u32)) return room == 0 ? defer(self) : yieldByQueue(self);
  const head = (state >> 32) as i32;
  const oldest = load<i64>(slotAt(ring, head) as usize);
  const queued = held + HELD_TO_QUEUED;
  swap64(slotAt(ring, head - room), queued);
  // Before the entry can be taken: whoever takes it finds the word equal to it.
  swap64(current, queued);
  if (!exchanged64(ring, state, state + ROTATE)) return finishYield(self, ring, qosOf(held));
  // Fails when the task was killed or reclassified after it was queued.
  if (!exchanged64((oldest >> 32) as i32, oldest, oldest - HELD_TO_QUEUED)) return replaceVoid(self, ring);
  self.current = (oldest >> 32) as i32;
  return YieldOutcome.Switched;
}

// out of line: a thief was faster. The running task's entry stands in its slot, which stays the next free one.
function finishYield(self: Hart, ring: i32, qos: Qos): YieldOutcome {
  publish(self, ring, qos);
  self.current = pick(self);
  return YieldOutcome.Switched;
}

// out of line: what was taken is void.
function replaceVoid(self: Hart, ring: i32): YieldOutcome {
  retractVoid(ring);
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
  return peekLetter(self) == 0 ? DrainOutcome.Emptied : drainLetters(self);
}

// out of line: most mailboxes are empty when they are looked at.
function drainLetters(self: Hart): DrainOutcome {
  // bound: each turn drops a letter, or meets a task that the boot hart has just killed or reclassified.
  for (let turn = 0; turn < 2 * MAILBOX_CAPACITY; turn++) {
    const letter = peekLetter(self);
    if (letter == 0) return DrainOutcome.Emptied;
    if (letter != EMPTY_LETTER) {
      const task = taskOfWord(letter);
      // Read anew: its class may have changed since it was posted.
      const word = load64(addressOfTask(task));
      if (stateOf(word) == TaskState.Mailed && cpuOf(word) == self.cpu) {
        const ring = ringOf(self, qosOf(word));
        const position = freePosition(ring);
        if (position == NO_ROOM) return DrainOutcome.WaitsForRoom;
        if (!insert(self, task, ring, position, word, withState(word, TaskState.Queued))) continue;
      }
    }
    dropLetter(self);
  }
  return DrainOutcome.WaitsForRoom;
}
