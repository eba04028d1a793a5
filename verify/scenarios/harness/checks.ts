// Checks: what holds in every state, and what holds at rest, read from the kernel's memory as it is.
//
// The invariant is written for every instant, the middle of an operation included: what a hart inside the kernel may
// be moving is excused only while it is inside. A result that is not 0 names what is broken: see broken.ts.
//
// Owner: none, it reads only. Plain reads, since it runs between steps.
// Pairs with: kernel/task.ts, run-queue.ts, mailbox.ts, sleepers.ts, resched.ts (the words), model.ts (who is inside).
// Clauses: S3, Q1 in every state; I6 at rest.

import { MAILBOX_CAPACITY, RING_CAPACITY, SPACES_MAX } from "../../../abi/layout";
import { EventKind } from "../../../abi/events";
import {
  BANK_SLOTS,
  BANK_STRIDE_LOG2,
  MAILBOX_OFFSET,
  RESCHED_OFFSET,
  SLEEPERS_BASE,
  SLEEPERS_STRIDE_LOG2,
  TASKS_BASE,
  TASK_STRIDE_LOG2,
  WORK_MAP,
} from "../../../kernel/layout";
import { eventAt, NEXT_POSITION } from "../../../kernel/evidence";
import { TASKS_MAY_RUN } from "../../../kernel/phase";
import { Hart, PARKED_OFFSET } from "../../../kernel/hart-local";
import { EMPTY_ENTRY, Mailbox, PLACES_OFFSET } from "../../../kernel/mailbox";
import { COUNT_MASK, FAILED, SENT } from "../../../kernel/resched";
import { has, Signal } from "../../../kernel/signals";
import { ENTRIES_OFFSET, Sleeper, Sleepers } from "../../../kernel/sleepers";
import { Broken } from "../broken";
import { cpuOf, qosOf, stateOf, Task, TaskState } from "../../../kernel/task";
import {
  BEGUN_ONLINE,
  conserves,
  ENDS_AT_RAISE,
  EXPECTED_RESULT,
  Fate,
  fateOf,
  hartAddress,
  hartCount,
  isEvidenceKept,
  isIdle,
  isInFlight,
  isInside,
  isUser,
  pendingOf,
  POWERED_OFF,
  programOf,
  resters,
  SOFT_PENDING,
  taskCount,
  watchOf,
} from "./model";
import { unseenAtAck, Watch } from "./ack-checks";
import { askedClass, hasPermit, isToEnd, signalsOf } from "./words";

const OCCUPIED: i32 = offsetof<Hart>("occupied") as i32;
const STAMP: i32 = offsetof<Hart>("stamp") as i32;
const CURRENT: i32 = offsetof<Hart>("current") as i32;
const UNSENT: i32 = offsetof<Hart>("unsentTarget") as i32;
const MAIL_HEAD: i32 = offsetof<Mailbox>("head") as i32;
// A parked task has not ended: the field serves as the link to the next.
const NEXT_PARKED: i32 = offsetof<Task>("exitCode") as i32;
const SLEEPER_COUNT: i32 = offsetof<Sleepers>("count") as i32;
const SLEEPER_WORD: i32 = offsetof<Sleeper>("word") as i32;
const SLEEPER_DEADLINE: i32 = offsetof<Sleeper>("deadline") as i32;
const SLEEPER_BYTES: i32 = offsetof<Sleeper>() as i32;

function word(task: i32): i64 {
  return load<i64>(task as usize);
}

function indexOf(task: i32): i32 {
  return (task - TASKS_BASE) >> TASK_STRIDE_LOG2;
}

/** Exported: 0 when every task is in exactly one place and every structure is sound. */
export function invariant(): i32 {
  const harts = hartCount();
  // From the moment on at which the boot hart believes that all are there, they have to be.
  if (load<i32>(POWERED_OFF as usize) != 0 && load<i32>(ENDS_AT_RAISE as usize) != 0 && !isComplete(harts))
    return Broken.RunFailed;
  let inside = 0;
  for (let cpu = 0; cpu < harts; cpu++) if (isInside(cpu)) inside |= 1 << cpu;
  // A bit a task: in a valid run queue entry, in a mailbox entry, current, remembered as a sleeper.
  let inRing: i64 = 0,
    inRingHigh: i64 = 0;
  let inMail: i64 = 0,
    inMailHigh: i64 = 0;
  let isCurrent: i64 = 0,
    isCurrentHigh: i64 = 0;
  let isSleeper: i64 = 0,
    isSleeperHigh: i64 = 0;
  for (let cpu = 0; cpu < harts; cpu++) {
    const hart = hartAddress(cpu);
    // Nothing of a hart counts before it has joined.
    if (load<i32>((hart + STAMP) as usize) == 0) continue;
    const ownInside = (inside >> cpu) & 1;
    let highest = -1;
    for (let qos = 0; qos < 4; qos++) {
      const ring = hart + (qos << BANK_STRIDE_LOG2);
      const state = load<i64>(ring as usize);
      if (state == (RING_CAPACITY as i64)) continue;
      const low = state as i32;
      const room = low & 0xffff;
      const announced = -(low >> 16);
      if (room > RING_CAPACITY || announced < 0) return Broken.RoomOutOfRange;
      const head = ((state - (low as i64)) >> 32) as i32;
      let tombstones = 0;
      for (let i = room; i < RING_CAPACITY; i++) {
        const entry = load<i64>((ring + BANK_SLOTS + (((head + i - room) & (RING_CAPACITY - 1)) << 3)) as usize);
        const task = (entry >> 32) as i32;
        if (word(task) != entry) {
          tombstones += 1;
          continue;
        }
        if (qosOf(entry) != qos || cpuOf(entry) != cpu || stateOf(entry) != TaskState.Queued)
          return Broken.EntryMisplaced;
        highest = qos;
        const index = indexOf(task);
        const bit = (1 as i64) << (index & 63);
        if ((index as u32) < 64) {
          if ((inRing & bit) != 0) return Broken.EntryTwice;
          inRing |= bit;
        } else {
          if ((index as u32) >= 128) return Broken.TaskBeyondTable;
          if ((inRingHigh & bit) != 0) return Broken.EntryTwice;
          inRingHigh |= bit;
        }
      }
      // A task that waits beside its full ring counts as one tombstone more, and runs before the ring's own.
      let parked = load<i32>((hart + PARKED_OFFSET + (qos << 2)) as usize);
      if (parked != 0) tombstones += 1;
      if (tombstones > announced && (ownInside == 0 || parked == 0)) return Broken.TombstoneUncounted;
      // Whoever meets or makes one notes it; its owner, who cleans a whole ring, notes one after the other.
      if (ownInside == 0 && announced - tombstones > popcnt(inside)) return Broken.TombstoneOvercounted;
      const isAnnounced = ((load<i32>((hart + OCCUPIED) as usize) >> qos) & 1) != 0;
      if (ownInside == 0 && (room < RING_CAPACITY || parked != 0) && !isAnnounced) return Broken.OccupiedMissing;
      if (ownInside == 0 && isAnnounced && ((load<i64>(WORK_MAP as usize) >> cpu) & 1) == 0)
        return Broken.WorkMapMissing;
      if (parked != 0) highest = qos;
      if (ownInside != 0) parked = 0;
      for (; parked != 0; parked = load<i32>((parked + NEXT_PARKED) as usize)) {
        const held = word(parked);
        if (stateOf(held) != TaskState.Held || cpuOf(held) != cpu || qosOf(held) != qos) return Broken.CurrentNotHeld;
        const index = indexOf(parked);
        const bit = (1 as i64) << (index & 63);
        if (((index < 64 ? isCurrent : isCurrentHigh) & bit) != 0) return Broken.CurrentTwice;
        if (index < 64) isCurrent |= bit;
        else isCurrentHigh |= bit;
      }
    }
    const mailbox = hart + MAILBOX_OFFSET;
    const mail = load<i64>(mailbox as usize);
    const room = mail as i32;
    if (room < 0 || room > MAILBOX_CAPACITY) return Broken.MailboxRoom;
    if (
      ownInside == 0 &&
      room + (((mail >> 32) as i32) - load<i32>((mailbox + MAIL_HEAD) as usize)) != MAILBOX_CAPACITY
    )
      return Broken.MailboxRoom;
    if (room != MAILBOX_CAPACITY) {
      for (let i = 0; i < MAILBOX_CAPACITY; i++) {
        const entry = load<i64>((mailbox + PLACES_OFFSET + (i << 3)) as usize);
        if (entry == 0 || entry == EMPTY_ENTRY) continue;
        const task = (entry >> 32) as i32;
        const now = word(task);
        if (stateOf(now) != TaskState.Mailed || cpuOf(now) != cpu) continue;
        const index = indexOf(task);
        if (index < 64) inMail |= (1 as i64) << index;
        else inMailHigh |= (1 as i64) << (index & 63);
      }
    }
    const current = load<i32>((hart + CURRENT) as usize);
    if (ownInside != 0) {
      const unseen = unseenAtAck(changetype<Watch>(watchOf(cpu)), cpu, highest);
      if (unseen != Broken.Nothing) return unseen;
    }
    if (highest >= 0 && ownInside == 0) {
      if (isIdle(cpu) && load<i32>(TASKS_MAY_RUN as usize) != 0) return Broken.IdleOverWork;
      if (isUser(cpu) && highest > qosOf(word(current))) return Broken.InversionHere;
    }
    if (current != 0 && ownInside == 0) {
      const now = word(current);
      if (stateOf(now) != TaskState.Held || cpuOf(now) != cpu) return Broken.CurrentNotHeld;
      const index = indexOf(current);
      const bit = (1 as i64) << (index & 63);
      if (((index < 64 ? isCurrent : isCurrentHigh) & bit) != 0) return Broken.CurrentTwice;
      if (index < 64) isCurrent |= bit;
      else isCurrentHigh |= bit;
    }
    const sleepers = SLEEPERS_BASE + (cpu << SLEEPERS_STRIDE_LOG2);
    const count = load<i32>((sleepers + SLEEPER_COUNT) as usize);
    for (let i = 0; i < count; i++) {
      const slept = load<i64>((sleepers + ENTRIES_OFFSET + i * SLEEPER_BYTES + SLEEPER_WORD) as usize);
      const task = (slept >> 32) as i32;
      if (word(task) != slept) continue;
      const index = indexOf(task);
      if (index < 64) isSleeper |= (1 as i64) << index;
      else isSleeperHigh |= (1 as i64) << (index & 63);
    }
    // An IPI that counts as sent is pending, or somebody who deals with it is in the kernel.
    const resched = load<i64>((hart + RESCHED_OFFSET) as usize);
    if (
      inside == 0 &&
      (resched & (SENT | FAILED)) == SENT &&
      !isInFlight(cpu) &&
      (load<i32>(pendingOf(cpu) as usize) & SOFT_PENDING) == 0
    )
      return Broken.IpiLost;
  }
  const tasks = taskCount();
  const low = misplaced(0, min(tasks, 64), inside, inRing, inMail, isCurrent, isSleeper);
  if (low != Broken.Nothing || tasks <= 64) return low;
  return misplaced(64, tasks, inside, inRingHigh, inMailHigh, isCurrentHigh, isSleeperHigh);
}

/** Is one of up to 64 tasks, from `from` on, in no place or in two? The masks say, a bit a task, where each was found. */
function misplaced(from: i32, end: i32, inside: i32, inRing: i64, inMail: i64, isCurrent: i64, isSleeper: i64): Broken {
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

/** Exported: 0 when nothing is left undone in a state where every hart waits and no interrupt is on its way. */
export function atRest(): i32 {
  const result = load<i32>(POWERED_OFF as usize);
  // With a lazy clock that does not stop too early, a boot comes to its end.
  if (result == 0 && isBoot()) return Broken.RunFailed;
  if (result != 0 && result - 1 != load<i32>(EXPECTED_RESULT as usize)) return Broken.RunFailed;
  // Powered off, the machine's harts stand wherever they were.
  if (result != 0) return Broken.Nothing;
  const harts = hartCount();
  let busy = 0;
  for (let cpu = 0; cpu < harts; cpu++) {
    const hart = hartAddress(cpu);
    if (load<i32>((hart + CURRENT) as usize) != 0) busy |= 1 << cpu;
    const resched = load<i64>((hart + RESCHED_OFFSET) as usize);
    // Accepted, not trapped for, and no refused send that a later one makes good.
    if ((resched & COUNT_MASK) != 0 && (resched & FAILED) == 0) return Broken.RequestLost;
  }
  if (isEvidenceKept()) {
    for (let cpu = 0; cpu < harts; cpu++) {
      const broken = chain(cpu);
      if (broken != Broken.Nothing) return broken;
    }
  }
  const tasks = taskCount();
  for (let index = 0; index < tasks; index++) {
    const task = TASKS_BASE + (index << TASK_STRIDE_LOG2);
    const now = word(task);
    const state = stateOf(now);
    const cpu = cpuOf(now);
    // A mailbox entry whose IPI was refused waits, visibly, for the sender's next tick (I4).
    if (state == TaskState.Mailed && isRefused(cpu) && isRemembered(cpu)) continue;
    if (state == TaskState.Mailed) return Broken.PostLost;
    if (
      state == TaskState.Blocked &&
      (!has(signalsOf(task), Signal.Asleep) || has(signalsOf(task), Signal.Permit | Signal.Kill))
    )
      return Broken.WakeLost;
    let fate = fateOf(index);
    if (programOf(index) != 0) fate = fateOf(SPACES_MAX + programOf(index));
    if (fate == Fate.Ended && state != TaskState.Exited && state != TaskState.Free) return Broken.NotEnded;
    if (fate == Fate.Asleep && state != TaskState.Blocked) return Broken.NotAsleep;
    // Whoever claims a sleep gives the task the class asked for, before it is queued.
    const qos = state == TaskState.Blocked ? askedClass(signalsOf(task), qosOf(now)) : qosOf(now);
    if (fate >= Fate.HasClass && qos != fate - Fate.HasClass) return Broken.WrongClass;
    if (state == TaskState.Queued && (conserves() ? busy != (1 << harts) - 1 : busy == 0)) return Broken.IdleWithWork;
  }
  return Broken.Nothing;
}

/** Exported, for a sender alone: 0 when every CPU with a mailed task has been rung, or will be at a tick. */
export function rung(): i32 {
  for (let index = 0; index < taskCount(); index++) {
    const now = word(TASKS_BASE + (index << TASK_STRIDE_LOG2));
    if (stateOf(now) != TaskState.Mailed || isRemembered(cpuOf(now))) continue;
    if ((load<i32>(pendingOf(cpuOf(now)) as usize) & SOFT_PENDING) == 0) return Broken.PostLost;
  }
  return Broken.Nothing;
}

/** Scenarios that begin with the boot hart's entry end with the machine's power. */
function isBoot(): bool {
  return resters() != 0 && load<i32>(BEGUN_ONLINE as usize) == 0;
}

/**
 * Exported, for threads of bare operations, which end without running anything to its end: 0 when every task that has
 * to end, or to have a class, has done so or carries the signal that its next holder obeys.
 */
export function signalled(): i32 {
  for (let index = 0; index < taskCount(); index++) {
    const task = TASKS_BASE + (index << TASK_STRIDE_LOG2);
    const now = word(task);
    const state = stateOf(now);
    const signals = signalsOf(task);
    if (state == TaskState.Blocked && hasPermit(signals) && !isDue(now)) return Broken.WakeLost;
    const fate = fateOf(index);
    const ended = state == TaskState.Exited || state == TaskState.Free;
    if (fate == Fate.Ended && !ended && !isToEnd(signals)) return Broken.NotEnded;
    if (fate < Fate.HasClass || ended) continue;
    const wanted = fate - Fate.HasClass;
    if (askedClass(signals, qosOf(now)) != wanted) return Broken.WrongClass;
  }
  return Broken.Nothing;
}

/** Does the next tick end this sleep? */
function isDue(asleep: i64): bool {
  const sleepers = SLEEPERS_BASE + (cpuOf(asleep) << SLEEPERS_STRIDE_LOG2);
  const count = load<i32>((sleepers + SLEEPER_COUNT) as usize);
  for (let i = 0; i < count; i++) {
    const entry = sleepers + ENTRIES_OFFSET + i * SLEEPER_BYTES;
    if (load<i64>((entry + SLEEPER_WORD) as usize) != asleep) continue;
    if (load<i64>((entry + SLEEPER_DEADLINE) as usize) == 0) return true;
  }
  return false;
}

/** Events of a kind about a CPU, numbered from `from` to before `before`, whose request is at least `least`. */
function countOf(subject: i32, kind: i32, from: i64, before: i64, least: i64, most: i64): i32 {
  let found = 0;
  for (let by = 0; by < hartCount(); by++) {
    const end = load<i64>((hartAddress(by) + NEXT_POSITION) as usize);
    for (let position: i64 = 0; position < end; position++) {
      const at = eventAt(by, position);
      if (subjectAt(at) != subject || kindAt(at) != kind) continue;
      const number = numberAt(at);
      const request = requestAt(at);
      if (number >= from && number < before && request >= least && request <= most) found += 1;
    }
  }
  return found;
}

// The fields of an event, by plain reads: see evidence.ts.
function subjectAt(event: i32): i32 {
  return (load<i32>(event as usize) >> 8) & 0xff;
}
function kindAt(event: i32): i32 {
  return load<i32>(event as usize) & 0xff;
}
function numberAt(event: i32): i64 {
  return load<i64>(event as usize) >> 16;
}
function requestAt(event: i32): i64 {
  return load<i64>((event + 8) as usize) >> 20;
}

/** The causal chain of the requests for a CPU, by event numbers (I3, I5, I7). Everything rests; no ring has wrapped. */
function chain(subject: i32): Broken {
  const every = 0x7fffffff;
  for (let by = 0; by < hartCount(); by++) {
    const end = load<i64>((hartAddress(by) + NEXT_POSITION) as usize);
    for (let position: i64 = 0; position < end; position++) {
      const at = eventAt(by, position);
      if (subjectAt(at) != subject) continue;
      const kind = kindAt(at);
      const number = numberAt(at);
      const request = requestAt(at);
      if (kind == EventKind.Acked) {
        // As many traps for it before as acks up to this one.
        if (
          countOf(subject, EventKind.Trapped, 0, number, request, request) <
          countOf(subject, EventKind.Acked, 0, number + 1, request, request)
        )
          return Broken.AckWithoutTrap;
      } else if (kind == EventKind.Trapped) {
        if (countOf(subject, EventKind.Accepted, 0, number, 1, request) != request) return Broken.TrapWithoutRequest;
        // Every trap of its own has a send of its own before it.
        if (
          countOf(subject, EventKind.Sent, 0, number, 0, request) <
          countOf(subject, EventKind.Trapped, 0, number + 1, 0, every)
        )
          return Broken.TrapWithoutSend;
        if (countOf(subject, EventKind.Acked, number, every, request, request) == 0)
          return Broken.RequestUnacknowledged;
      } else if (kind == EventKind.Accepted) {
        if (countOf(subject, EventKind.Accepted, 0, every, request, request) != 1) return Broken.EvidenceTwice;
        if (!isRefused(subject) && countOf(subject, EventKind.Acked, number, every, request, every) == 0)
          return Broken.RequestUnacknowledged;
      }
    }
  }
  return Broken.Nothing;
}

/** Has every hart joined, and said so? */
function isComplete(harts: i32): bool {
  for (let cpu = 0; cpu < harts; cpu++) {
    if (load<i32>((hartAddress(cpu) + STAMP) as usize) == 0) return false;
    if (countOf(cpu, EventKind.Online, 0, 0x7fffffff, 0, 0) != 1) return false;
  }
  return true;
}

/** Does some hart remember to ring this CPU again? */
function isRemembered(cpu: i32): bool {
  for (let by = 0; by < hartCount(); by++) {
    const unsent = load<i32>((hartAddress(by) + UNSENT) as usize);
    // -1: it remembers several, and looks at every CPU's state.
    if (unsent == cpu + 1 || unsent == -1) return true;
  }
  return false;
}

function isRefused(cpu: i32): bool {
  return (load<i64>((hartAddress(cpu) + RESCHED_OFFSET) as usize) & FAILED) != 0;
}
