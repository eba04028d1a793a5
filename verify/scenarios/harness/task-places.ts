// Task places: where each task is found, by looking everywhere, and whether that is the one place that its word names.
//
// A set of tasks is a mask of 64: bit i is task from + i. Each function looks at every hart that has joined.
//
// Owner: none, it reads only, between steps.
// Pairs with: invariant.ts, which has checked that every structure is sound; kernel/task.ts (what a word says).
// Clauses: S3, Q1 in every state.

import { MAILBOX_CAPACITY, RING_CAPACITY } from "../../../abi/layout";
import { Hart, PARKED_OFFSET } from "../../../kernel/hart-local";
import {
  BANK_SLOTS,
  BANK_STRIDE_LOG2,
  MAILBOX_OFFSET,
  SLEEPERS_BASE,
  SLEEPERS_STRIDE_LOG2,
  TASK_STRIDE_LOG2,
  TASKS_BASE,
} from "../../../kernel/layout";
import { EMPTY_ENTRY, PLACES_OFFSET } from "../../../kernel/mailbox";
import { has, Signal } from "../../../kernel/signals";
import { ENTRIES_OFFSET, Sleeper, Sleepers } from "../../../kernel/sleepers";
import { cpuOf, stateOf, Task, TaskState } from "../../../kernel/task";
import { Broken } from "../broken";
import { hartAddress, hartCount } from "./model";
import { signalsOf } from "./words";

const STAMP: i32 = offsetof<Hart>("stamp") as i32;
const CURRENT: i32 = offsetof<Hart>("current") as i32;
// A parked task has not ended: the field serves as the link to the next.
const NEXT_PARKED: i32 = offsetof<Task>("exitCode") as i32;
const SLEEPER_COUNT: i32 = offsetof<Sleepers>("count") as i32;
const SLEEPER_WORD: i32 = offsetof<Sleeper>("word") as i32;
const SLEEPER_BYTES: i32 = offsetof<Sleeper>() as i32;

/** A task's word. */
export function word(task: i32): i64 {
  return load<i64>(task as usize);
}

/** Nothing of a hart counts before it has joined. */
export function hasJoined(hart: i32): bool {
  return load<i32>((hart + STAMP) as usize) != 0;
}

/** The task that a hart runs, or 0. */
export function currentOf(hart: i32): i32 {
  return load<i32>((hart + CURRENT) as usize);
}

/** A hart's first parked task of a class, or 0. */
export function firstParked(hart: i32, qos: i32): i32 {
  return load<i32>((hart + PARKED_OFFSET + (qos << 2)) as usize);
}

/** The parked task behind another one, or 0. */
export function nextParked(parked: i32): i32 {
  return load<i32>((parked + NEXT_PARKED) as usize);
}

/** An entry of a run queue. position: of the queue's head, and what comes behind it. */
export function entryAt(ring: i32, position: i32): i64 {
  return load<i64>((ring + BANK_SLOTS + ((position & (RING_CAPACITY - 1)) << 3)) as usize);
}

/** The task's bit in the mask from `from` on; 0: it is in another mask. */
export function bitOf(task: i32, from: i32): i64 {
  const index = ((task - TASKS_BASE) >> TASK_STRIDE_LOG2) - from;
  return (index as u32) < 64 ? (1 as i64) << index : 0;
}

/** The tasks that a valid entry of a run queue names. */
function inQueues(from: i32): i64 {
  let found: i64 = 0;
  for (let cpu = 0; cpu < hartCount(); cpu++) {
    const hart = hartAddress(cpu);
    if (!hasJoined(hart)) continue;
    for (let qos = 0; qos < 4; qos++) {
      const ring = hart + (qos << BANK_STRIDE_LOG2);
      const state = load<i64>(ring as usize);
      const low = state as i32;
      const head = ((state - (low as i64)) >> 32) as i32;
      const count = RING_CAPACITY - (low & 0xffff);
      for (let i = 0; i < count; i++) {
        const entry = entryAt(ring, head + i);
        const task = (entry >> 32) as i32;
        if (word(task) == entry) found |= bitOf(task, from);
      }
    }
  }
  return found;
}

/** The tasks that are mailed to a CPU and named by an entry of its mailbox. */
function inMailboxes(from: i32): i64 {
  let found: i64 = 0;
  for (let cpu = 0; cpu < hartCount(); cpu++) {
    const hart = hartAddress(cpu);
    const mailbox = hart + MAILBOX_OFFSET;
    if (!hasJoined(hart) || (load<i64>(mailbox as usize) as i32) == MAILBOX_CAPACITY) continue;
    for (let i = 0; i < MAILBOX_CAPACITY; i++) {
      const entry = load<i64>((mailbox + PLACES_OFFSET + (i << 3)) as usize);
      if (entry == 0 || entry == EMPTY_ENTRY) continue;
      const task = (entry >> 32) as i32;
      const now = word(task);
      if (stateOf(now) == TaskState.Mailed && cpuOf(now) == cpu) found |= bitOf(task, from);
    }
  }
  return found;
}

/** The tasks that a hart outside the kernel runs or has parked. */
function onHarts(from: i32, inside: i32): i64 {
  let found: i64 = 0;
  for (let cpu = 0; cpu < hartCount(); cpu++) {
    const hart = hartAddress(cpu);
    if (!hasJoined(hart) || ((inside >> cpu) & 1) != 0) continue;
    for (let qos = 0; qos < 4; qos++) {
      for (let parked = firstParked(hart, qos); parked != 0; parked = nextParked(parked)) found |= bitOf(parked, from);
    }
    const current = currentOf(hart);
    if (current != 0) found |= bitOf(current, from);
  }
  return found;
}

/** The tasks that a hart remembers as asleep, as they are now. */
function asSleepers(from: i32): i64 {
  let found: i64 = 0;
  for (let cpu = 0; cpu < hartCount(); cpu++) {
    if (!hasJoined(hartAddress(cpu))) continue;
    const sleepers = SLEEPERS_BASE + (cpu << SLEEPERS_STRIDE_LOG2);
    const count = load<i32>((sleepers + SLEEPER_COUNT) as usize);
    for (let i = 0; i < count; i++) {
      const slept = load<i64>((sleepers + ENTRIES_OFFSET + i * SLEEPER_BYTES + SLEEPER_WORD) as usize);
      const task = (slept >> 32) as i32;
      if (word(task) == slept) found |= bitOf(task, from);
    }
  }
  return found;
}

/** Is one of up to 64 tasks, from `from` on, in no place or in two? inside: the harts inside the kernel, a bit a CPU. */
export function misplaced(from: i32, end: i32, inside: i32): Broken {
  const inRing = inQueues(from);
  const inMail = inMailboxes(from);
  const isCurrent = onHarts(from, inside);
  const isSleeper = asSleepers(from);
  let queued: i64 = 0;
  let mailed: i64 = 0;
  let held: i64 = 0;
  let claimed = 0;
  let bit: i64 = 1;
  for (let index = from; index < end; index++, bit <<= 1) {
    const now = word(TASKS_BASE + (index << TASK_STRIDE_LOG2));
    const state = stateOf(now);
    if (state == TaskState.Queued) queued |= bit;
    else if (state == TaskState.Mailed) mailed |= bit;
    else if (state != TaskState.Free && state != TaskState.Exited) {
      // The hart named by the word moves a held task, and one that falls asleep.
      const ownInside = ((inside >> cpuOf(now)) & 1) != 0;
      if (state == TaskState.Held) held |= bit;
      // One whose sleep has been claimed is in the hands of the claimer, on whichever hart.
      const isClaimed =
        state == TaskState.Blocked && !has(signalsOf(TASKS_BASE + (index << TASK_STRIDE_LOG2)), Signal.Asleep);
      if (isClaimed) claimed += 1;
      if (isClaimed ? inside != 0 : ownInside) continue;
      if (((state == TaskState.Held ? isCurrent : isSleeper) & bit) == 0) return Broken.TaskLost;
    }
  }
  // `bit` has gone past the tasks that were looked at.
  if ((isCurrent & ~held & (bit - 1)) != 0) return Broken.TaskInTwoPlaces;
  // A queued one is being moved by its CPU's hart, which may clean a ring of many, or by a thief; a mailed one by its sender.
  const moving = popcnt(inside);
  let unexplained = claimed + (popcnt(mailed & ~inMail) as i32);
  if (unexplained > moving) return Broken.TaskUnmoved;
  let between = queued & ~inRing;
  while (between != 0) {
    const index = from + (ctz(between) as i32);
    between &= between - 1;
    if (((inside >> cpuOf(word(TASKS_BASE + (index << TASK_STRIDE_LOG2)))) & 1) != 0) continue;
    unexplained += 1;
    if (unexplained > moving) return moving == 0 ? Broken.TaskLost : Broken.TaskUnmoved;
  }
  return Broken.Nothing;
}
