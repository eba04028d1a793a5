// Run queue: the tasks of one QoS class that one hart is ready to run, oldest first, in a ring of 64.
//
// The state word is `head * 2^32 + low`. `head` counts the tasks ever taken. `low` is the free room (0 to 64)
// minus 2^16 for each entry known to be a tombstone (its task was killed or reclassified while queued), so a plain
// ring of live tasks has a positive `low`, and one comparison finds both a full ring and one to be cleaned.
// The oldest entry lies at slot `head`, the next free slot is `head - room`, both modulo 64.
//
// While a task of the class is parked, one tombstone more is announced than there are, which sends the hart's pick the
// long way, where it looks at the parked tasks first.
//
// Owner: its hart alone writes slots and lessens the room; any hart may take from the head by exchange.
// Invariant: 0 <= room <= 64; an entry is valid while it equals its task's word.
// Pairs with: task.ts (claiming what was taken), scheduler.ts (which class, whose queue), parking.ts, work-map.ts.
// Clauses: Q1, Q2, Q6, S3, S6.

import { RING_CAPACITY } from "../abi/layout";
import { Qos } from "../abi/qos";
import { addressOf, ANNOUNCED_OFFSET, Hart, hartAt, OCCUPIED_OFFSET, PARKED_OFFSET } from "./hart-local";
import { BANK_SLOTS, BANK_STRIDE_LOG2, HART_LOG2 } from "./layout";
import { add64, and32, exchanged64, load64, or32, swap64 } from "./shared";
import {
  addressOfTask,
  cpuOf,
  HELD_TO_QUEUED,
  NO_TASK,
  qosOf,
  renewed,
  SAME_STATE,
  Task,
  taskOfWord,
  withQos,
} from "./task";
import { enterWorkMap } from "./work-map";

export enum EnqueueOutcome {
  Queued = 0,
  /** The queue of the task's class is full; nothing has changed. */
  QueueFull = 1,
  /** There is no such CPU, or it is offline; nothing has changed. */
  InvalidCpu = 2,
  /** Other harts posted to that CPU all the while; nothing has changed. */
  Contended = 3,
}

/** One entry fewer: the head moves on, and there is room for one more. */
export const TAKE_ONE: i64 = ((1 as i64) << 32) + 1;
/** One entry fewer at the head and one more at the tail: the head moves on, and the room stays. */
export const ROTATE: i64 = (1 as i64) << 32;
export const TOMBSTONE: i64 = -65536;
const ROOM_MASK: i32 = 0xffff;

export function ringOf(hart: Hart, qos: Qos): i32 {
  return addressOf(hart) + (qos << BANK_STRIDE_LOG2);
}

/** The ring that a queued task's word names. */
export function ringOfWord(word: i64): i32 {
  return ringHere(hartAt(cpuOf(word)), word);
}

/** The ring of a hart for the class in a word. */
export function ringHere(hart: Hart, word: i64): i32 {
  // Shifted to the top first, which masks the class for nothing.
  return addressOf(hart) + ((((word as u32) << 30) >> (30 - BANK_STRIDE_LOG2)) as i32);
}

export function roomOf(state: i64): i32 {
  return (state as i32) & ROOM_MASK;
}

/** Tombstones announced, with the one that stands for parked tasks. */
export function tombstonesOf(state: i64): i32 {
  return (roomOf(state) - (state as i32)) >> 16;
}

/** Address of the first parked task of the class that a ring is for: see parking.ts. */
export function parkedListOf(ring: i32): i32 {
  const hart = (ring >> HART_LOG2) << HART_LOG2;
  return hart + PARKED_OFFSET + (((ring - hart) >> BANK_STRIDE_LOG2) << 2);
}

export function hasParked(ring: i32): bool {
  return load<i32>(parkedListOf(ring) as usize) != NO_TASK;
}

/** Tasks and tombstones. */
export function lengthOf(ring: i32): i32 {
  return RING_CAPACITY - roomOf(load64(ring));
}

/** `head`, also where tombstones have borrowed from it. */
export function headOf(state: i64): i32 {
  return ((state - (state as i32 as i64)) >> 32) as i32;
}

export function slotAt(ring: i32, position: i32): i32 {
  return ring + BANK_SLOTS + ((position & (RING_CAPACITY - 1)) << 3);
}

/** Makes every queue of a hart empty. Only before the hart is online. */
export function clearRings(hart: Hart): void {
  for (let qos = Qos.Idle; qos <= Qos.PerfBurst; qos++) {
    // Q1: the capacity is a constant of the build. Published to thieves by the stamp that the hart sets afterwards.
    swap64(ringOf(hart, qos), RING_CAPACITY as i64);
    store<i32>((ringOf(hart, qos) + ANNOUNCED_OFFSET) as usize, 0);
  }
  hart.occupied = 0;
}

/** Queues a task that `self` holds, behind the others of its class: Queued or QueueFull. */
export function enqueue(self: Hart, task: Task): EnqueueOutcome {
  const held = task.word;
  const qos = qosOf(held);
  const ring = ringOf(self, qos);
  // Thieves may have made more room since; nobody else takes room away.
  const state = load64(ring);
  const room = state as i32;
  // Q2: full, and nothing has been written.
  if (room <= 0) return room == 0 ? EnqueueOutcome.QueueFull : enqueueCompacting(self, task);
  const queued = held + HELD_TO_QUEUED;
  // Q6: the last slot. A thief may still read its former entry; its exchange of the state word will fail.
  swap64(slotAt(ring, ((state >> 32) as i32) - room), queued);
  // S3: before the entry can be taken: whoever takes it finds the word equal to it.
  swap64(addressOfTask(task), queued);
  add64(ring, -1);
  return isAnnounced(ring) ? EnqueueOutcome.Queued : queuedFirst(self, ring, qos);
}

// @outline: as a last call it costs the common case nothing.
function queuedFirst(self: Hart, ring: i32, qos: Qos): EnqueueOutcome {
  announceClass(self, ring, qos);
  return EnqueueOutcome.Queued;
}

// @outline: tombstones are rare, and dropping them is a call.
function enqueueCompacting(self: Hart, task: Task): EnqueueOutcome {
  const held = task.word;
  const ring = ringOf(self, qosOf(held));
  const position = freePosition(ring);
  if (position == NO_ROOM) return EnqueueOutcome.QueueFull;
  assert(insert(self, task, ring, position, held, held + HELD_TO_QUEUED));
  return EnqueueOutcome.Queued;
}

/** Lets every taker see the entry that the owner has written into the free position. */
export function publish(self: Hart, ring: i32, qos: Qos): void {
  add64(ring, -1);
  if (!isAnnounced(ring)) announceClass(self, ring, qos);
}

function isAnnounced(ring: i32): bool {
  return load<i32>((ring + ANNOUNCED_OFFSET) as usize) != 0;
}

/** A class that holds tasks is announced already, so that common paths do not come here. */
function announceClass(self: Hart, ring: i32, qos: Qos): void {
  store<i32>((ring + ANNOUNCED_OFFSET) as usize, 1);
  // S6: read by thieves, who pass by a hart without work, and by this hart's pick.
  or32(addressOf(self) + OCCUPIED_OFFSET, 1 << qos);
  if (self.isOnWorkMap == 0) enterWorkMap(self);
}

/** No position: the ring is full. */
export const NO_ROOM: i32 = -1;

/** Where the owner's next entry goes (0 to 63), or NO_ROOM. Stays the same until the owner publishes or drops. */
export function freePosition(ring: i32): i32 {
  const state = load64(ring);
  // Q2: a room of 0 without tombstones is simply full, and stays as it is.
  return (state as i32) < 0 ? freePastTombstones(ring) : positionIn(state);
}

/** A ring with tombstones may have room, once they are dropped. */
export const MAY_HAVE_ROOM: i32 = -2;

/** The same without dropping tombstones: MAY_HAVE_ROOM where they are. */
export function readyPosition(ring: i32): i32 {
  return positionIn(load64(ring));
}

function positionIn(state: i64): i32 {
  const room = state as i32;
  if (room > 0) return (((state >> 32) as i32) - room) & (RING_CAPACITY - 1);
  return room == 0 ? NO_ROOM : MAY_HAVE_ROOM;
}

// @outline: tombstones are rare, and dropping them is a call.
function freePastTombstones(ring: i32): i32 {
  const before = load64(ring);
  // Q2: the tombstone that stands for parked tasks is no entry: a ring full of live tasks stays as it is.
  if (roomOf(before) == 0 && tombstonesOf(before) > (hasParked(ring) ? 1 : 0)) compact(ring);
  const state = load64(ring);
  const room = roomOf(state);
  return room == 0 ? NO_ROOM : (headOf(state) - room) & (RING_CAPACITY - 1);
}

/** Puts a task that this hart has, in whatever state its word is, into a free position. queued: its word from now on. */
export function put(self: Hart, task: Task, ring: i32, position: i32, queued: i64): void {
  swap64(slotAt(ring, position), queued);
  // S3: before the entry can be taken: whoever takes it finds the word equal to it.
  swap64(addressOfTask(task), queued);
  publish(self, ring, qosOf(queued));
}

/**
 * Moves a task into a free position of a run queue of `self` if its word still is `seen`, and makes the word
 * `queued`; false when somebody else was faster, and then nothing has changed that anybody can see.
 */
export function insert(self: Hart, task: Task, ring: i32, position: i32, seen: i64, queued: i64): bool {
  // Nobody takes from a free position, so it may be written before it is known who gets the task.
  swap64(slotAt(ring, position), queued);
  // S3: before the entry can be taken: whoever takes it finds the word equal to it.
  if (!exchanged64(addressOfTask(task), seen, queued)) return false;
  publish(self, ring, qosOf(queued));
  return true;
}

/** Notes that an entry of this ring is about to become a tombstone. */
export function announceTombstone(ring: i32): void {
  add64(ring, TOMBSTONE);
}

/** Takes back announceTombstone: the entry stayed valid, or a tombstone has been dropped. */
export function retractTombstone(ring: i32): void {
  add64(ring, -TOMBSTONE);
}

/**
 * Moves a task queued on `self` to a free position of another class there, if its word still is `seen`; else nothing has
 * changed, and false is returned. The entry that it leaves becomes a tombstone.
 */
// @inline: it costs its callers, one of them the common change of a class, no call.
export function moveToClass(self: Hart, task: Task, qos: Qos, position: i32, seen: i64): bool {
  const ring = ringHere(self, seen);
  announceTombstone(ring);
  const moved = withQos(renewed(seen, SAME_STATE), qos);
  if (insert(self, task, ringOf(self, qos), position, seen, moved)) return true;
  retractTombstone(ring);
  return false;
}

/** The owner found a class's ring empty: thieves and pick need not look again. */
export function clearOccupied(self: Hart, ring: i32, qos: Qos): void {
  store<i32>((ring + ANNOUNCED_OFFSET) as usize, 0);
  and32(addressOf(self) + OCCUPIED_OFFSET, ~(1 << qos));
}

/**
 * Drops the tombstones. The owner takes everything at once and puts the live entries back in their order (Q6, S3);
 * in between, those tasks are in no queue and their owner moves them.
 */
function compact(ring: i32): void {
  const state = takeAll(ring);
  const length = RING_CAPACITY - roomOf(state);
  const head = headOf(state);
  let kept = 0;
  // bound: RING_CAPACITY, the length of a ring.
  for (let i = 0; i < length; i++) {
    const entry = load<i64>(slotAt(ring, head + i) as usize);
    if (load64(addressOfTask(taskOfWord(entry))) == entry) {
      swap64(slotAt(ring, head + length + kept), entry);
      add64(ring, -1);
      kept += 1;
    } else {
      // One that becomes a tombstone just after this look stays announced, and goes next time.
      retractTombstone(ring);
    }
  }
}

/**
 * Empties the ring and returns its state before; an empty state when that failed. Each failed exchange means
 * that a thief took an entry, of which there are at most 64 and no new ones, or that the boot hart announced
 * a tombstone.
 */
function takeAll(ring: i32): i64 {
  // bound: 2 * RING_CAPACITY. Past it the ring stays as it is, and the caller finds no room.
  for (let i = 0; i < 2 * RING_CAPACITY; i++) {
    const state = load64(ring);
    const length = (RING_CAPACITY - roomOf(state)) as i64;
    if (exchanged64(ring, state, state + (length << 32) + length)) return state;
  }
  return RING_CAPACITY as i64;
}
