// Authority: what may be done with the runtime handle only: spawn, kill, reap, change another task's class.
//
// Kill and changeQos name a life of a task. Where it is queued or mailed, the exchange of its word decides; where it
// sleeps, the exchange of its life word; where a hart holds it, a signal in that word, which its holder meets before the
// task runs again or sleeps. An operation that loses every exchange answers Contended and has changed nothing (T6).
//
// Owner: the boot hart. Other harts meet these changes through the task's word and its signals.
// Invariant: a task that is queued leaves its queue without a search: its entry is announced as a tombstone, and the
// exchange of its word makes it so.
// Pairs with: run-queue.ts (tombstones), signals.ts, dispatch.ts (honours signals), syscall.ts (the callers).
// Clauses: Q7, Q9, S3, I6, I9, T1, T6, T7.

import { Qos } from "../abi/qos";
import { SPACES_MAX } from "../abi/layout";
import { MachineError } from "../abi/results";
import { Hart, hartAt } from "./hart-local";
import { EMPTY_ENTRY, fill, reserve, ReserveOutcome } from "./mailbox";
import * as machine from "./machine";
import { notify } from "./resched";
import {
  announceTombstone,
  freePosition,
  moveToClass,
  NO_ROOM,
  readyPosition,
  retractTombstone,
  ringOf,
  ringOfWord,
} from "./run-queue";
import { exitCount, countExit, Runtime } from "./runtime";
import { findPlace, placeAt, PlaceRefusal } from "./scheduler";
import { exchanged64, load64, store64 } from "./shared";
import { has, hasAny, INCARNATION_MAX, incarnationOf, nextLife, requestedQos, Signal, withQosRequest } from "./signals";
import { giveBack } from "./sleep";
import {
  addressOfTask,
  cpuOf,
  ExitReason,
  freshWord,
  idIn,
  indexOf,
  isAt,
  isLive,
  lifeOf,
  placeLike,
  qosOf,
  QUEUED_TO_EXITED,
  renewed,
  SAME_STATE,
  spaceOf,
  stateOf,
  Task,
  taskAt,
  TaskState,
  withPlace,
  withQos,
  withState,
} from "./task";

/** Why nothing was spawned; a task id is 0 or more. */
export enum SpawnRefusal {
  NoProgram = -1,
  NoFreeTask = -2,
  QueueFull = -3,
  Contended = -4,
  InvalidCpu = -5,
  MachineFailed = -6,
}

export enum QosOutcome {
  Updated = 0,
  NotFound = 1,
  /** The queue of the wanted class is full; the task keeps its class and its place. */
  QueueFull = 2,
  /** Other harts moved it and sent it signals all the while; nothing has changed. */
  Contended = 3,
}

export enum KillOutcome {
  Killed = 0,
  /** A hart holds it, which ends it before it runs again: at its next trap, for which it is rung, or if parked in its turn. */
  Requested = 1,
  NotFound = 2,
  /** Other harts moved it and sent it signals all the while; nothing has changed. */
  Contended = 3,
}

/** Looks at a task that moves on all the while before an operation gives up. */
const ATTEMPTS_MAX: i32 = 8;

/** Makes a task that runs `program` on a CPU: its id, or a SpawnRefusal and no trace is left. The handle is T1's. */
export function spawn(runtime: Runtime, self: Hart, cpu: i32, program: i32, qos: Qos, argument: i64): i64 {
  if ((program as u32) >= (machine.programCount() as u32)) return SpawnRefusal.NoProgram;
  const index = findFree(runtime);
  if (index < 0) return SpawnRefusal.NoFreeTask;
  // Q9: the place is reserved before anything changes.
  const position = findPlace(self, cpu, qos);
  if (position < 0) return refusalOf(position);
  const task = taskAt(index);
  if (machine.prepareSpace(spaceOf(task), program, argument) != MachineError.Ok) {
    if (cpu != self.cpu) giveBack(self, cpu, position);
    return SpawnRefusal.MachineFailed;
  }
  clearRecord(task, program);
  // T6, T7: a life of its own, without the signals of the former one.
  const life = nextLife(load64(lifeOf(task)));
  store64(lifeOf(task), life);
  task.incarnation = incarnationOf(life);
  const fresh = renewed(freshWord(task, load64(addressOfTask(task))), SAME_STATE);
  placeAt(self, cpu, task, withQos(withPlace(fresh, TaskState.Held, self.cpu), qos), position);
  const id = idIn(indexOf(task), life);
  runtime.spawned += 1;
  runtime.nextTask = (index + 1) & (SPACES_MAX - 1);
  if (cpu != self.cpu) notify(self, cpu);
  return id;
}

function refusalOf(refusal: i32): SpawnRefusal {
  if (refusal == PlaceRefusal.QueueFull) return SpawnRefusal.QueueFull;
  return refusal == PlaceRefusal.Contended ? SpawnRefusal.Contended : SpawnRefusal.InvalidCpu;
}

// T7: nothing of the former life stays in the record.
function clearRecord(task: Task, program: i32): void {
  task.program = program as i16;
  task.runs = 0;
  task.migrations = 0;
  task.wakes = 0;
  task.steals = 0;
  task.exitCode = 0;
  task.exitReason = ExitReason.Alive as i8;
  task.faultAddress = 0;
  task.lastCpu = -1;
}

/** A free entry that has a life left, or -1. */
function findFree(runtime: Runtime): i32 {
  // bound: SPACES_MAX.
  for (let i = 0; i < SPACES_MAX; i++) {
    const index = (runtime.nextTask + i) & (SPACES_MAX - 1);
    const task = taskAt(index);
    if (stateOf(load64(addressOfTask(task))) != TaskState.Free) continue;
    // I9: an entry that has had its last life is not used again.
    if (task.incarnation < INCARNATION_MAX) return index;
  }
  return -1;
}

/** Ends that life of a task wherever it is. The caller ends its own current task itself. */
export function kill(_runtime: Runtime, self: Hart, task: Task, incarnation: i32): KillOutcome {
  // T6: only this hart gives an entry its next life, so that it stays what it is until this returns.
  if (task.incarnation != incarnation) return KillOutcome.NotFound;
  const word = load64(addressOfTask(task));
  if (stateOf(word) == TaskState.Queued && killQueued(task, word)) return killed(task);
  return killAnywhere(self, task);
}

/** Ends a queued task by making its entry void; false when it has moved on. */
function killQueued(task: Task, word: i64): bool {
  const ring = ringOfWord(word);
  announceTombstone(ring);
  // S3: the exchange decides who has the task.
  if (exchanged64(addressOfTask(task), word, renewed(word, QUEUED_TO_EXITED))) return true;
  retractTombstone(ring);
  return false;
}

// @outline: it calls and tries again, and the common case would save registers for that.
function killAnywhere(self: Hart, task: Task): KillOutcome {
  const address = addressOfTask(task);
  let isAsked = false;
  // bound: ATTEMPTS_MAX.
  for (let i = 0; i < ATTEMPTS_MAX; i++) {
    const word = load64(address);
    const life = load64(lifeOf(task));
    if (!isLive(word)) return isAsked ? KillOutcome.Requested : KillOutcome.NotFound;
    const state = stateOf(word);
    if (has(life, Signal.Asleep)) {
      if (killAsleep(task, life)) return killed(task);
    } else if (state == TaskState.Queued) {
      if (killQueued(task, word)) return killed(task);
    } else if (state == TaskState.Mailed) {
      if (exchanged64(address, word, renewed(withState(word, TaskState.Exited), SAME_STATE))) return killed(task);
    } else {
      // T6: seen by its holder, who looks after it has the task, and before the task runs or sleeps.
      if (has(life, Signal.Kill) || exchanged64(lifeOf(task), life, life | (Signal.Kill as i64))) isAsked = true;
      if (isAsked && ringHolder(self, address, word)) return KillOutcome.Requested;
    }
  }
  return isAsked ? KillOutcome.Requested : KillOutcome.Contended;
}

/** Rings the hart that holds a task and may be running it. False: the task has moved since `seen`. */
function ringHolder(self: Hart, address: i32, seen: i64): bool {
  const word = load64(address);
  if (stateOf(word) == TaskState.Held) notify(self, cpuOf(word));
  return word == seen;
}

/** Ends a task that sleeps; false when somebody else has its sleep, or its signals have changed. */
function killAsleep(task: Task, life: i64): bool {
  const word = load64(addressOfTask(task));
  if (!exchanged64(lifeOf(task), life, life & ~(Signal.Asleep as i64))) return false;
  store64(addressOfTask(task), renewed(withState(word, TaskState.Exited), SAME_STATE));
  return true;
}

/** The boot hart has ended the task, and alone reaps it: the record is complete before that. */
function killed(task: Task): KillOutcome {
  // T7: the record is complete before the boot hart, which is this one, reaps.
  task.exitReason = ExitReason.Killed as i8;
  countExit();
  return KillOutcome.Killed;
}

/** Gives another task's life a class. */
export function changeQos(_runtime: Runtime, self: Hart, task: Task, incarnation: i32, qos: Qos): QosOutcome {
  // T6: another life.
  if (task.incarnation != incarnation) return QosOutcome.NotFound;
  const word = load64(addressOfTask(task));
  // Queued here, and nothing else is asked of it.
  const isPlain = isAt(word, placeLike(self.heldHere, TaskState.Queued)) && !hasAny(load64(lifeOf(task)));
  if (isPlain && qosOf(word) != qos) {
    const position = readyPosition(ringOf(self, qos));
    if (position >= 0) return changeHere(self, task, qos, word, position);
    // Q7: the task has not left its queue yet.
    if (position == NO_ROOM) return QosOutcome.QueueFull;
  }
  return changeAnywhere(self, task, qos);
}

// @outline: a leaf of its own, so that the checks before it save no registers.
function changeHere(self: Hart, task: Task, qos: Qos, word: i64, position: i32): QosOutcome {
  if (moveToClass(self, task, qos, position, word)) return QosOutcome.Updated;
  return changeAnywhere(self, task, qos);
}

// @outline: it calls and tries again, and the common case would save registers for that.
function changeAnywhere(self: Hart, task: Task, qos: Qos): QosOutcome {
  let isAsked = false;
  // bound: ATTEMPTS_MAX.
  for (let i = 0; i < ATTEMPTS_MAX; i++) {
    const word = load64(addressOfTask(task));
    const life = load64(lifeOf(task));
    if (!isLive(word)) return isAsked ? QosOutcome.Updated : QosOutcome.NotFound;
    const outcome = changeOnce(self, task, word, life, qos, isAsked);
    if (outcome == ChangeOutcome.Asked) isAsked = true;
    else if (outcome != ChangeOutcome.TaskMoved) return qosOutcomeOf(outcome, isAsked);
  }
  if (!isAsked) return QosOutcome.Contended;
  const last = load64(addressOfTask(task));
  if (stateOf(last) == TaskState.Held) notify(self, cpuOf(last));
  return QosOutcome.Updated;
}

/** What one look at a task comes to. */
enum ChangeOutcome {
  Updated = 0,
  QueueFull = 1,
  /** It is no longer as it was seen. */
  TaskMoved = 2,
  /** Its holder has been asked; the task may be queued in its old class meanwhile. */
  Asked = 3,
}

function qosOutcomeOf(outcome: ChangeOutcome, isAsked: bool): QosOutcome {
  // Asked while it was held, then queued where there is no room: its holder changes it when it runs next.
  if (outcome == ChangeOutcome.QueueFull && !isAsked) return QosOutcome.QueueFull;
  return QosOutcome.Updated;
}

function changeOnce(self: Hart, task: Task, word: i64, life: i64, qos: Qos, isAsked: bool): ChangeOutcome {
  const state = stateOf(word);
  if (has(life, Signal.Asleep)) {
    // Whoever claims its sleep gives it the class before it is queued.
    return exchanged64(lifeOf(task), life, withQosRequest(life, qos)) ? ChangeOutcome.Updated : ChangeOutcome.TaskMoved;
  }
  if (state == TaskState.Queued || state == TaskState.Mailed) {
    if (has(life, Signal.ChangeQos) && requestedQos(life) != qos) {
      // Q7: an older request that nobody has honoured yet shall not come after this one, which takes its place.
      return exchanged64(lifeOf(task), life, withQosRequest(life, qos)) ? ChangeOutcome.Asked : ChangeOutcome.TaskMoved;
    }
    if (qosOf(word) == qos) return ChangeOutcome.Updated;
    if (state == TaskState.Mailed) {
      return exchanged64(addressOfTask(task), word, withQos(word, qos))
        ? ChangeOutcome.Updated
        : ChangeOutcome.TaskMoved;
    }
    return cpuOf(word) == self.cpu ? requeue(self, task, word, qos) : repost(self, task, word, qos);
  }
  // Held. Its holder may just be honouring an older request, so that its class means nothing.
  const asked = isAsked || exchanged64(lifeOf(task), life, withQosRequest(life, qos));
  if (!asked) return ChangeOutcome.TaskMoved;
  return ringHolder(self, addressOfTask(task), word) ? ChangeOutcome.Updated : ChangeOutcome.Asked;
}

/** A task queued on this CPU goes to the end of its new class, if that has room (Q7). */
function requeue(self: Hart, task: Task, word: i64, qos: Qos): ChangeOutcome {
  const position = freePosition(ringOf(self, qos));
  if (position == NO_ROOM) return ChangeOutcome.QueueFull;
  return moveToClass(self, task, qos, position, word) ? ChangeOutcome.Updated : ChangeOutcome.TaskMoved;
}

/** A task queued on another CPU goes through that CPU's mailbox, since only its owner fills a run queue. */
function repost(self: Hart, task: Task, word: i64, qos: Qos): ChangeOutcome {
  const cpu = cpuOf(word);
  const target = hartAt(cpu);
  // Q7, Q9. Exactly 0: full, and of tasks. Tombstones make room as soon as the owner needs it.
  if ((load64(ringOf(target, qos)) as i32) == 0) return ChangeOutcome.QueueFull;
  const position = reserve(target);
  if (position == ReserveOutcome.QueueFull) return ChangeOutcome.QueueFull;
  if (position == ReserveOutcome.Contended) return ChangeOutcome.TaskMoved;
  const ring = ringOf(target, qosOf(word));
  const mailed = withQos(renewed(withState(word, TaskState.Mailed), SAME_STATE), qos);
  announceTombstone(ring);
  const moved = exchanged64(addressOfTask(task), word, mailed);
  if (!moved) retractTombstone(ring);
  fill(target, position, moved ? mailed : EMPTY_ENTRY);
  // I6: also for an empty mailbox entry: it may have held up one behind it.
  notify(self, cpu);
  return moved ? ChangeOutcome.Updated : ChangeOutcome.TaskMoved;
}

/** Makes the entries of ended tasks free again. */
export function reap(runtime: Runtime): void {
  if (exitCount() == runtime.reaped) return;
  // bound: SPACES_MAX.
  for (let index = 0; index < SPACES_MAX; index++) {
    const address = addressOfTask(taskAt(index));
    const word = load64(address);
    // T7: Exited is written after the record.
    if (stateOf(word) != TaskState.Exited) continue;
    store64(address, withState(word, TaskState.Free));
    runtime.reaped += 1;
  }
}
