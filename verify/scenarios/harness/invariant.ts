// Invariant: what holds in every state, read from the kernel's memory as it is: every structure is sound, and every task
// is in exactly one place.
//
// It is written for every instant, the middle of an operation included: what a hart inside the kernel may be moving is
// excused only while it is inside. A result that is not 0 names what is broken: see broken.ts.
//
// Owner: none, it reads only. Plain reads, since it runs between steps.
// Pairs with: kernel/run-queue.ts, mailbox.ts, resched.ts (the words), model.ts (who is inside), task-places.ts.
// Clauses: S3, Q1 in every state.

import { MAILBOX_CAPACITY, RING_CAPACITY } from "../../../abi/layout";
import { Hart } from "../../../kernel/hart-local";
import { BANK_STRIDE_LOG2, MAILBOX_OFFSET, RESCHED_OFFSET, WORK_MAP } from "../../../kernel/layout";
import { Mailbox } from "../../../kernel/mailbox";
import { TASKS_MAY_RUN } from "../../../kernel/phase";
import { FAILED, SENT } from "../../../kernel/resched";
import { cpuOf, qosOf, stateOf, TaskState } from "../../../kernel/task";
import { Broken } from "../broken";
import { unseenAtAck, Watch } from "./ack-checks";
import { isComplete } from "./event-checks";
import {
  ENDS_AT_RAISE,
  hartAddress,
  hartCount,
  isIdle,
  isInFlight,
  isInside,
  isUser,
  pendingOf,
  POWERED_OFF,
  SOFT_PENDING,
  taskCount,
  watchOf,
} from "./model";
import { bitOf, currentOf, entryAt, firstParked, hasJoined, misplaced, nextParked, word } from "./task-places";

const OCCUPIED: i32 = offsetof<Hart>("occupied") as i32;
const MAIL_HEAD: i32 = offsetof<Mailbox>("head") as i32;
/** Of a queue that is sound and holds a task, or has one parked beside it; else a Broken. */
const HOLDS_TASKS: i32 = -1;

/** Exported: 0 when every task is in exactly one place and every structure is sound. */
export function invariant(): i32 {
  const harts = hartCount();
  // From the moment on at which the boot hart believes that all are there, they have to be.
  if (load<i32>(POWERED_OFF as usize) != 0 && load<i32>(ENDS_AT_RAISE as usize) != 0 && !isComplete(harts))
    return Broken.RunFailed;
  let inside = 0;
  for (let cpu = 0; cpu < harts; cpu++) if (isInside(cpu)) inside |= 1 << cpu;
  for (let cpu = 0; cpu < harts; cpu++) {
    const hart = hartAddress(cpu);
    if (!hasJoined(hart)) continue;
    const broken = unsound(hart, cpu, inside);
    if (broken != Broken.Nothing) return broken;
  }
  const tasks = taskCount();
  const low = misplaced(0, min(tasks, 64), inside);
  return low != Broken.Nothing || tasks <= 64 ? low : misplaced(64, tasks, inside);
}

/** What is broken in one hart's structures. inside: the harts inside the kernel, a bit a CPU. */
function unsound(hart: i32, cpu: i32, inside: i32): Broken {
  const isOwnInside = ((inside >> cpu) & 1) != 0;
  let highest = -1;
  for (let qos = 0; qos < 4; qos++) {
    const found = unsoundQueue(hart, cpu, qos, inside);
    if (found == HOLDS_TASKS) highest = qos;
    else if (found != Broken.Nothing) return found;
  }
  if (isMailboxUnsound(hart, isOwnInside)) return Broken.MailboxRoom;
  const broken = isOwnInside
    ? unseenAtAck(changetype<Watch>(watchOf(cpu)), cpu, highest)
    : unsoundCurrent(hart, cpu, highest);
  if (broken != Broken.Nothing) return broken;
  return inside == 0 && isIpiLost(hart, cpu) ? Broken.IpiLost : Broken.Nothing;
}

/** A run queue, with the tasks parked beside it: HOLDS_TASKS or a Broken. */
function unsoundQueue(hart: i32, cpu: i32, qos: i32, inside: i32): i32 {
  const ring = hart + (qos << BANK_STRIDE_LOG2);
  const state = load<i64>(ring as usize);
  if (state == (RING_CAPACITY as i64)) return Broken.Nothing;
  const low = state as i32;
  const room = low & 0xffff;
  const announced = -(low >> 16);
  if (room > RING_CAPACITY || announced < 0) return Broken.RoomOutOfRange;
  const head = ((state - (low as i64)) >> 32) as i32;
  let tombstones = 0;
  // The tasks found, to see one that is found twice: no other queue can have a valid entry of the same word.
  let inLow: i64 = 0;
  let inHigh: i64 = 0;
  for (let i = room; i < RING_CAPACITY; i++) {
    const entry = entryAt(ring, head + i - room);
    const task = (entry >> 32) as i32;
    if (word(task) != entry) {
      tombstones += 1;
      continue;
    }
    if (qosOf(entry) != qos || cpuOf(entry) != cpu || stateOf(entry) != TaskState.Queued) return Broken.EntryMisplaced;
    const lowBit = bitOf(task, 0);
    const highBit = bitOf(task, 64);
    if ((lowBit | highBit) == 0) return Broken.TaskBeyondTable;
    if (((inLow & lowBit) | (inHigh & highBit)) != 0) return Broken.EntryTwice;
    inLow |= lowBit;
    inHigh |= highBit;
  }
  const parked = firstParked(hart, qos);
  const isOwnInside = ((inside >> cpu) & 1) != 0;
  // A task that waits beside its full ring counts as one tombstone more, and runs before the ring's own.
  if (parked != 0) tombstones += 1;
  if (tombstones > announced && (!isOwnInside || parked == 0)) return Broken.TombstoneUncounted;
  const holds = (inLow | inHigh) != 0 || parked != 0 ? HOLDS_TASKS : Broken.Nothing;
  if (isOwnInside) return holds;
  // Whoever meets or makes one notes it; its owner, who cleans a whole ring, notes one after the other.
  if (announced - tombstones > popcnt(inside)) return Broken.TombstoneOvercounted;
  const isAnnounced = ((load<i32>((hart + OCCUPIED) as usize) >> qos) & 1) != 0;
  if ((room < RING_CAPACITY || parked != 0) && !isAnnounced) return Broken.OccupiedMissing;
  if (isAnnounced && ((load<i64>(WORK_MAP as usize) >> cpu) & 1) == 0) return Broken.WorkMapMissing;
  const broken = unsoundParked(parked, cpu, qos);
  return broken != Broken.Nothing ? broken : holds;
}

/** The tasks that a hart outside the kernel has parked in a class: held there, and none in the list twice. */
function unsoundParked(first: i32, cpu: i32, qos: i32): Broken {
  let inLow: i64 = 0;
  let inHigh: i64 = 0;
  for (let parked = first; parked != 0; parked = nextParked(parked)) {
    const held = word(parked);
    if (stateOf(held) != TaskState.Held || cpuOf(held) != cpu || qosOf(held) != qos) return Broken.CurrentNotHeld;
    const lowBit = bitOf(parked, 0);
    const highBit = bitOf(parked, 64);
    if (((inLow & lowBit) | (inHigh & highBit)) != 0) return Broken.CurrentTwice;
    inLow |= lowBit;
    inHigh |= highBit;
  }
  return Broken.Nothing;
}

function isMailboxUnsound(hart: i32, isOwnInside: bool): bool {
  const mailbox = hart + MAILBOX_OFFSET;
  const state = load<i64>(mailbox as usize);
  const room = state as i32;
  if (room < 0 || room > MAILBOX_CAPACITY) return true;
  const waiting = ((state >> 32) as i32) - load<i32>((mailbox + MAIL_HEAD) as usize);
  return !isOwnInside && room + waiting != MAILBOX_CAPACITY;
}

/** The task of a hart outside the kernel: held there, and of no lower class than what waits. highest: that class, or -1. */
function unsoundCurrent(hart: i32, cpu: i32, highest: i32): Broken {
  const current = currentOf(hart);
  if (highest >= 0) {
    if (isIdle(cpu) && load<i32>(TASKS_MAY_RUN as usize) != 0) return Broken.IdleOverWork;
    if (isUser(cpu) && highest > qosOf(word(current))) return Broken.InversionHere;
  }
  if (current == 0) return Broken.Nothing;
  const now = word(current);
  if (stateOf(now) != TaskState.Held || cpuOf(now) != cpu) return Broken.CurrentNotHeld;
  for (let parked = firstParked(hart, qosOf(now)); parked != 0; parked = nextParked(parked)) {
    if (parked == current) return Broken.CurrentTwice;
  }
  return Broken.Nothing;
}

/** An IPI that counts as sent is pending, or on its way. */
function isIpiLost(hart: i32, cpu: i32): bool {
  return (
    (load<i64>((hart + RESCHED_OFFSET) as usize) & (SENT | FAILED)) == SENT &&
    !isInFlight(cpu) &&
    (load<i32>(pendingOf(cpu) as usize) & SOFT_PENDING) == 0
  );
}
