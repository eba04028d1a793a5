// Scheduler: which task a hart runs next, and where a task goes that has become ready.
//
// Owner: each hart decides for itself; of another hart it touches the queue it steals from and the mailbox it
// posts to, nothing else. Performing a switch and ringing a hart is dispatch.ts's and the callers' part.
// Invariant: a task leaves the place that its word names only by a successful exchange of the word.
// Pairs with: run-queue.ts, mailbox.ts, task.ts, parking.ts, work-map.ts.
// Clauses: Q2, Q3, Q5, Q6, Q7, Q8, S1, S2, S3, S4, S5, S6, D4.

import { RING_CAPACITY } from "../abi/layout";
import { Qos, QOS_COUNT } from "../abi/qos";
import { addressOf, countersOf, Hart, hartAt, isOnline, OCCUPIED_OFFSET } from "./hart-local";
import { BANK_STRIDE_LOG2 } from "./layout";
import { fill, reserve, ReserveOutcome } from "./mailbox";
import { park, unpark } from "./parking";
import { honourQosRequest, queueHeld } from "./qos-requests";
import {
  clearOccupied,
  EnqueueOutcome,
  freePosition,
  hasParked,
  headOf,
  NO_ROOM,
  publish,
  put,
  retractTombstone,
  ringHere,
  ringOf,
  ROTATE,
  roomOf,
  slotAt,
  TAKE_ONE,
  TOMBSTONE,
} from "./run-queue";
import { exchanged64, load32, load64, store64, swap64 } from "./shared";
import { has, Signal } from "./signals";
import {
  addressOfTask,
  cpuOf,
  HELD_TO_QUEUED,
  lifeOf,
  movedTo,
  NO_TASK,
  qosOf,
  Task,
  taskFrom,
  TaskState,
  withPlace,
} from "./task";
import { cpuCount } from "./topology";
import { bitOf, workMap } from "./work-map";

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

// The bank of the highest class in a mask of classes.
const HIGHEST_BANK: StaticArray<u16> = [
  0, 0, 1024, 1024, 2048, 2048, 2048, 2048, 3072, 3072, 3072, 3072, 3072, 3072, 3072, 3072,
];

function highestBank(classes: i32): i32 {
  return load<u16>(changetype<usize>(HIGHEST_BANK) + ((classes as usize) << 1)) as i32;
}

/** The next task of this hart, now held by it: the oldest of the highest class (Q6), or NO_TASK. */
export function pick(self: Hart): i32 {
  const occupied = self.occupied;
  if (occupied == 0) return NO_TASK;
  const ring = addressOf(self) + highestBank(occupied);
  const state = load64(ring);
  // Neither empty (a room of RING_CAPACITY) nor with tombstones (a room below 0).
  if ((state as u32) < (RING_CAPACITY as u32)) {
    // This hart alone writes its slots, so it needs no atomic access to read one.
    const entry = load<i64>(slotAt(ring, (state >> 32) as i32) as usize);
    // S3: one exchange for the entry, one for the task.
    if (exchanged64(ring, state, state + TAKE_ONE)) {
      if (exchanged64((entry >> 32) as i32, entry, entry - HELD_TO_QUEUED)) return (entry >> 32) as i32;
      // The task was killed or reclassified since the state was read.
      retractTombstone(ring);
    }
  }
  return pickPatiently(self, ALL_CLASSES);
}

const ALL_CLASSES: i32 = (1 << QOS_COUNT) - 1;

/** The same among some classes, when one of them is empty or contended, holds tombstones or has parked tasks. */
// @outline: it needs more registers than the common case, which would save them for it.
function pickPatiently(self: Hart, classes: i32): i32 {
  // bound: every turn takes an entry, or closes a class, or lost to a thief who took one: no more than all
  // entries, once each, and four classes.
  for (let turn = 0; turn < 2 * 4 * (RING_CAPACITY + 1); turn++) {
    const occupied = self.occupied & classes;
    if (occupied == 0) return NO_TASK;
    const bank = highestBank(occupied);
    const ring = addressOf(self) + bank;
    // Q5, Q8: a parked task goes before the others of its class.
    if (hasParked(ring)) return unpark(ring);
    const state = load64(ring);
    if (roomOf(state) == RING_CAPACITY) {
      clearOccupied(self, ring, bank >> BANK_STRIDE_LOG2);
      continue;
    }
    const entry = load<i64>(slotAt(ring, headOf(state)) as usize);
    if (!exchanged64(ring, state, state + TAKE_ONE)) continue;
    if (exchanged64((entry >> 32) as i32, entry, entry - HELD_TO_QUEUED)) return (entry >> 32) as i32;
    retractTombstone(ring);
  }
  return NO_TASK;
}

/**
 * Takes one task of class `bound` or lower from another CPU, visiting each with work once, from the next one on. The
 * common case, in which the first such CPU has a task, is here; all else out of line.
 */
export function steal(self: Hart, bound: Qos): StealOutcome {
  // S1: the budget of this tick is spent.
  if (self.stealsInTick >= STEALS_PER_TICK) return StealOutcome.BudgetSpent;
  const map = workMap() as u64;
  // The CPUs after this one, and if there is none, those before it.
  let left = (map >> self.cpu) >> 1;
  let cpu = self.cpu + 1;
  if (left == 0) {
    left = map & ((bitOf(self.cpu) - 1) as u64);
    cpu = 0;
    // D4: always so on one CPU.
    if (left == 0) return StealOutcome.NothingThere;
  }
  // bound: CPUS_MAX.
  for (; (left & 1) == 0; left >>= 1) cpu += 1;
  const victim = addressOf(hartAt(cpu));
  // S2: of the classes allowed, the highest.
  const classes = load32(victim + OCCUPIED_OFFSET) & ((2 << bound) - 1);
  const ring = victim + highestBank(classes);
  const state = load64(ring);
  // Neither no class that is allowed, nor an empty one, nor one with tombstones.
  if (classes == 0 || (state as u32) >= (RING_CAPACITY as u32)) {
    return stealOneOf(self, bound, map as i64, StealOutcome.NothingThere);
  }
  const outcome = take(self, ring, state, slotAt(ring, (state >> 32) as i32), state + TAKE_ONE);
  if (outcome == StealOutcome.Stolen) return outcome;
  // S4: each victim once: not this one again.
  return stealOneOf(self, bound, (map as i64) & ~bitOf(cpu), outcome);
}

/** Tries the CPUs of a map, each once, from the next one on. `before`: what was met so far. */
// @outline: a second victim, or one that is not the common case.
function stealOneOf(self: Hart, bound: Qos, map: i64, before: StealOutcome): StealOutcome {
  const classes = (2 << bound) - 1;
  const count = cpuCount();
  let outcome = before;
  let cpu = self.cpu;
  // bound: CPUS_MAX.
  for (let i = 1; i < count; i++) {
    // S4: in the order of the CPUs, each once.
    cpu = cpu + 1 < count ? cpu + 1 : 0;
    if ((map & bitOf(cpu)) == 0) continue;
    const result = takeFrom(self, addressOf(hartAt(cpu)), classes);
    if (result == StealOutcome.Stolen) return result;
    if (result != StealOutcome.NothingThere) outcome = result;
  }
  return outcome;
}

/** The same from one CPU. */
export function stealFrom(self: Hart, victimCpu: i32, bound: Qos): StealOutcome {
  // S5: no victim.
  if (victimCpu == self.cpu || !isOnline(victimCpu)) return StealOutcome.InvalidVictim;
  const victim = addressOf(hartAt(victimCpu));
  const classes = (2 << bound) - 1;
  const occupied = load32(victim + OCCUPIED_OFFSET);
  if (occupied == 0) return StealOutcome.NothingThere;
  // S2: nothing above the bound. S1: nothing past the budget.
  if ((occupied & classes) == 0) return StealOutcome.AboveBound;
  if (self.stealsInTick >= STEALS_PER_TICK) return StealOutcome.BudgetSpent;
  return takeFrom(self, victim, classes);
}

/** Takes the oldest task of the highest of `allowed` classes that has one: one exchange of its queue's state word. */
function takeFrom(self: Hart, victim: i32, allowed: i32): StealOutcome {
  const occupied = load32(victim + OCCUPIED_OFFSET);
  // S2: the others are not looked at.
  const classes = occupied & allowed;
  if (classes == 0) return occupied == 0 ? StealOutcome.NothingThere : StealOutcome.AboveBound;
  const ring = victim + highestBank(classes);
  const state = load64(ring);
  // Neither empty nor with tombstones.
  if ((state as u32) >= (RING_CAPACITY as u32)) return takePatiently(self, victim, classes);
  return take(self, ring, state, slotAt(ring, (state >> 32) as i32), state + TAKE_ONE);
}

/**
 * Takes the entry in a slot by making the ring's state `after`, and then the task that it stands for: an exchange each
 * (S3), and losing one is an outcome (S4).
 */
function take(self: Hart, ring: i32, state: i64, slot: i32, after: i64): StealOutcome {
  // The owner may overwrite the slot once the head has moved on; then the exchange fails.
  const entry = load64(slot);
  if (!exchanged64(ring, state, after)) return StealOutcome.Contended;
  const task = (entry >> 32) as i32;
  if (!exchanged64(task, entry, movedTo(entry, self.heldHere))) {
    // Killed or reclassified while it was queued.
    retractTombstone(ring);
    return StealOutcome.Contended;
  }
  // S1: counts against the budget of this tick.
  self.stealsInTick += 1;
  self.stolen = task;
  self.stolenFrom = cpuOf(entry);
  return StealOutcome.Stolen;
}

/** The same where the highest class is empty or holds tombstones: no such class hides a task of a lower one (S6). */
// @outline: the common case is a class that holds tasks only.
function takePatiently(self: Hart, victim: i32, classes: i32): StealOutcome {
  let left = classes;
  // bound: QOS_COUNT; each turn drops a class.
  do {
    const bank = highestBank(left);
    left &= ~(1 << (bank >> BANK_STRIDE_LOG2));
    const ring = victim + bank;
    const state = load64(ring);
    const head = headOf(state);
    const length = RING_CAPACITY - roomOf(state);
    // bound: RING_CAPACITY, the length of a ring.
    for (let i = 0; i < length; i++) {
      const slot = slotAt(ring, head + i);
      const entry = load64(slot);
      if (load64((entry >> 32) as i32) != entry) continue;
      // The tombstones before it go with it.
      return take(self, ring, state, slot, state + TAKE_ONE + (TAKE_ONE - TOMBSTONE) * (i as i64));
    }
  } while (left != 0);
  return StealOutcome.NothingThere;
}

export enum YieldOutcome {
  /** Another task is to run; the one that yielded is queued. */
  Switched = 0,
  /** Its run queue is full: it goes on running (Q5). */
  Deferred = 1,
  /** No other task of its class or a higher one is ready: it goes on running. */
  Alone = 2,
}

/** Queues the running task behind its class (Q6) and picks the next, into `self.current`. */
export function yieldCurrent(self: Hart): YieldOutcome {
  const current = self.current;
  const held = load<i64>(current as usize);
  const qos = qosOf(held);
  const ready = self.occupied >> qos;
  if (ready == 0) return YieldOutcome.Alone;
  // Any bit but the lowest: a higher class goes first.
  return ready == 1 ? rotate(self, current, held, ringOf(self, qos)) : yieldByQueue(self);
}

// @outline: it calls, and the common case below would save registers for it.
function yieldByQueue(self: Hart): YieldOutcome {
  if (preemptCurrent(self) == YieldOutcome.Switched) return YieldOutcome.Switched;
  // Q5: `current` stays until the queue has the task.
  if (queueHeld(self, taskFrom(self.current)) != EnqueueOutcome.Queued) return defer(self);
  // A thief may take any task from now on, the one that yielded as well: then nothing is left to run here.
  self.current = pick(self);
  return YieldOutcome.Switched;
}

/** Gives the hart to a task of a higher class than the running one: Switched, or Alone where none is ready. */
export function preemptCurrent(self: Hart): YieldOutcome {
  const current = taskFrom(self.current);
  // Taken first: a bit of a class that has nothing to run shall not cost the running task its turn.
  const higher = pickPatiently(self, ALL_CLASSES & (-2 << qosOf(current.word)));
  if (higher == NO_TASK) return YieldOutcome.Alone;
  // Q5, Q8: where its queue is full it waits beside it; the higher class does not wait for room.
  if (queueHeld(self, current) != EnqueueOutcome.Queued) park(self, current);
  self.current = higher;
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
  // Neither full (then its last slot is also the oldest entry's), nor empty, nor with tombstones.
  // Q5: a full class defers the yield.
  if (((room - 1) as u32) >= ((RING_CAPACITY - 1) as u32)) return room == 0 ? defer(self) : yieldByQueue(self);
  const head = (state >> 32) as i32;
  const oldest = load<i64>(slotAt(ring, head) as usize);
  const queued = held + HELD_TO_QUEUED;
  swap64(slotAt(ring, head - room), queued);
  // S3: before the entry can be taken: whoever takes it finds the word equal to it.
  swap64(current, queued);
  // Q7: see queueHeld.
  if (has(load64(lifeOf(taskFrom(current))), Signal.ChangeQos)) return rotateAsAsked(self, ring, qosOf(held), queued);
  if (!exchanged64(ring, state, state + ROTATE)) return finishYield(self, ring, qosOf(held));
  // Fails when the task was killed or reclassified after it was queued.
  if (!exchanged64((oldest >> 32) as i32, oldest, oldest - HELD_TO_QUEUED)) return rotateBack(self, ring);
  self.current = (oldest >> 32) as i32;
  return YieldOutcome.Switched;
}

// @outline: another class was asked for. The entry in the slot is not published yet, so the task can be taken back.
function rotateAsAsked(self: Hart, ring: i32, qos: Qos, queued: i64): YieldOutcome {
  // Fails when the boot hart has moved it: then its entry is announced as a tombstone, and published to be dropped.
  if (!exchanged64(self.current, queued, queued - HELD_TO_QUEUED)) return finishYield(self, ring, qos);
  honourQosRequest(taskFrom(self.current));
  return yieldByQueue(self);
}

// @outline: a thief was faster. The running task's entry stands in its slot, which stays the next free one.
function finishYield(self: Hart, ring: i32, qos: Qos): YieldOutcome {
  publish(self, ring, qos);
  self.current = pick(self);
  return YieldOutcome.Switched;
}

// @outline: what was taken is a tombstone.
function rotateBack(self: Hart, ring: i32): YieldOutcome {
  retractTombstone(ring);
  self.current = pick(self);
  return YieldOutcome.Switched;
}

/** Whether a task of a higher class than the running one may be ready here (Q6, Q8). */
export function shouldPreempt(self: Hart): bool {
  const current = taskFrom(self.current);
  return self.occupied >> (qosOf(current.word) + 1) != 0;
}

/** Why there is no place for a task; a position is 0 or more. */
export enum PlaceRefusal {
  QueueFull = -1,
  Contended = -2,
  InvalidCpu = -3,
}

/** Where a task of a class can be put for a CPU: a position for placeAt or giveBack, or a PlaceRefusal. */
export function findPlace(self: Hart, cpu: i32, qos: Qos): i32 {
  if (cpu == self.cpu) {
    const position = freePosition(ringOf(self, qos));
    // Q2: likewise.
    return position == NO_ROOM ? PlaceRefusal.QueueFull : position;
  }
  // Q3: refused before anything is touched.
  if (!isOnline(cpu)) return PlaceRefusal.InvalidCpu;
  const position = reserve(hartAt(cpu));
  if (position >= 0) return position;
  return position == ReserveOutcome.QueueFull ? PlaceRefusal.QueueFull : PlaceRefusal.Contended;
}

/** Puts a task there that this hart holds. held: its word. The caller rings another CPU. */
export function placeAt(self: Hart, cpu: i32, task: Task, held: i64, position: i32): void {
  if (cpu == self.cpu) {
    return put(self, task, ringHere(self, held), position, withPlace(held, TaskState.Queued, cpu));
  }
  const mailed = withPlace(held, TaskState.Mailed, cpu);
  // This hart holds the task, so nobody else changes the word now.
  store64(addressOfTask(task), mailed);
  // Publishes the task to the target's drain.
  fill(hartAt(cpu), position, mailed);
}

/** Queues a task that this hart holds, on any CPU: here, or by that CPU's mailbox, which the caller then rings. */
export function place(self: Hart, cpu: i32, task: Task): EnqueueOutcome {
  const held = task.word;
  const position = findPlace(self, cpu, qosOf(held));
  if (position == PlaceRefusal.QueueFull) return EnqueueOutcome.QueueFull;
  if (position == PlaceRefusal.Contended) return EnqueueOutcome.Contended;
  if (position == PlaceRefusal.InvalidCpu) return EnqueueOutcome.InvalidCpu;
  placeAt(self, cpu, task, held, position);
  return EnqueueOutcome.Queued;
}
