// Authority: what may be done with the runtime handle only: spawn, kill, reap, change another task's class.
//
// Owner: the boot hart. Other harts meet these changes through the task's word and its signals.
// Invariant: a task that is queued leaves its queue without a search: its entry is announced void, and the
// exchange of its word makes it so.
// Pairs with: run-queue.ts (void entries), dispatch.ts (signals), syscall.ts (the callers).
// Fulfils: Q7, T1, and O(1) of both.

import { Qos } from "../abi/qos";
import { SPACES_MAX } from "../abi/layout";
import { MachineError } from "../abi/results";
import { Hart, hartAt } from "./hart-local";
import { EMPTY_LETTER, fill, reserve, ReserveOutcome } from "./mailbox";
import * as machine from "./machine";
import { notify } from "./resched";
import {
  announceVoid,
  EnqueueOutcome,
  freePosition,
  insert,
  NO_ROOM,
  readyPosition,
  retractVoid,
  ringHere,
  ringOf,
  ringOfWord,
  roomOf,
} from "./run-queue";
import { exitCount, noteExit, Runtime } from "./runtime";
import { place } from "./scheduler";
import { and32, exchanged64, load32, load64, or32, store32, store64 } from "./shared";
import {
  addressOfTask,
  cpuOf,
  ExitReason,
  freshWord,
  idOf,
  isAt,
  placeLike,
  INCARNATION_OFFSET,
  qosOf,
  QUEUED_TO_EXITED,
  renewed,
  SAME_STATE,
  Signal,
  SIGNAL_QOS_SHIFT,
  SIGNALS_OFFSET,
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
}

export enum KillOutcome {
  Killed = 0,
  /** It runs on another hart, which ends it at its next trap. */
  Requested = 1,
  NotFound = 2,
}

/** Tries until a signal is left instead: each failed one means that the task has moved on. */
const ATTEMPTS_MAX: i32 = 4;

/** Makes a task that runs `program` on a CPU: its id, or a SpawnRefusal and nothing has changed. */
export function spawn(runtime: Runtime, self: Hart, cpu: i32, program: i32, qos: Qos, argument: i32): i32 {
  if ((program as u32) >= (machine.programCount() as u32)) return SpawnRefusal.NoProgram;
  const index = findFree(runtime);
  if (index < 0) return SpawnRefusal.NoFreeTask;
  const task = taskAt(index);
  if (machine.prepareSpace(spaceOf(task), program, argument) != MachineError.Ok) return SpawnRefusal.MachineFailed;
  const free = load64(addressOfTask(task));
  clearRecord(task, program);
  const fresh = renewed(freshWord(task, free), SAME_STATE);
  store64(addressOfTask(task), withQos(withPlace(fresh, TaskState.Held, self.cpu), qos));
  const id = idOf(task);
  const outcome = place(self, cpu, task);
  if (outcome != EnqueueOutcome.Queued) {
    store64(addressOfTask(task), withState(fresh, TaskState.Free));
    return refusalOf(outcome);
  }
  runtime.spawned += 1;
  runtime.nextTask = (index + 1) & (SPACES_MAX - 1);
  if (cpu != self.cpu) notify(self, cpu);
  return id;
}

function refusalOf(outcome: EnqueueOutcome): SpawnRefusal {
  if (outcome == EnqueueOutcome.QueueFull) return SpawnRefusal.QueueFull;
  return outcome == EnqueueOutcome.Contended ? SpawnRefusal.Contended : SpawnRefusal.InvalidCpu;
}

function clearRecord(task: Task, program: i32): void {
  store32(addressOfTask(task) + SIGNALS_OFFSET, 0);
  store32(addressOfTask(task) + INCARNATION_OFFSET, task.incarnation + 1);
  task.program = program;
  task.asleep = 0;
  task.runs = 0;
  task.migrations = 0;
  task.wakes = 0;
  task.steals = 0;
  task.exitCode = 0;
  task.exitReason = ExitReason.Alive;
  task.lastCpu = -1;
}

function findFree(runtime: Runtime): i32 {
  // bound: SPACES_MAX.
  for (let i = 0; i < SPACES_MAX; i++) {
    const index = (runtime.nextTask + i) & (SPACES_MAX - 1);
    if (stateOf(load64(addressOfTask(taskAt(index)))) == TaskState.Free) return index;
  }
  return -1;
}

/** Ends a task wherever it is. The caller ends its own current task itself. */
export function kill(runtime: Runtime, self: Hart, task: Task): KillOutcome {
  const word = load64(addressOfTask(task));
  if (stateOf(word) == TaskState.Queued && killQueued(task, word)) {
    runtime.kills += 1;
    return killed(task);
  }
  return killAnywhere(runtime, self, task);
}

/** Ends a queued task by making its entry void; false when it has moved on. */
function killQueued(task: Task, word: i64): bool {
  const ring = ringOfWord(word);
  announceVoid(ring);
  if (exchanged64(addressOfTask(task), word, renewed(word, QUEUED_TO_EXITED))) return true;
  retractVoid(ring);
  return false;
}

// out of line: it calls and tries again, and the common case would save registers for that.
function killAnywhere(runtime: Runtime, self: Hart, task: Task): KillOutcome {
  runtime.kills += 1;
  const address = addressOfTask(task);
  // bound: ATTEMPTS_MAX.
  for (let i = 0; i < ATTEMPTS_MAX; i++) {
    const word = load64(address);
    const state = stateOf(word);
    if (state == TaskState.Queued) {
      if (killQueued(task, word)) return killed(task);
    } else if (state == TaskState.Held) {
      or32(address + SIGNALS_OFFSET, Signal.Kill);
      // Still held after the signal: whoever holds it meets the signal before it runs again or sleeps.
      if (load64(address) == word) {
        notify(self, cpuOf(word));
        return KillOutcome.Requested;
      }
    } else if (state == TaskState.Free || state == TaskState.Exited) {
      return KillOutcome.NotFound;
    } else if (exchanged64(address, word, renewed(withState(word, TaskState.Exited), SAME_STATE))) {
      return killed(task);
    }
  }
  or32(address + SIGNALS_OFFSET, Signal.Kill);
  return KillOutcome.Requested;
}

function killed(task: Task): KillOutcome {
  task.exitReason = ExitReason.Killed;
  noteExit();
  return KillOutcome.Killed;
}

/** Gives another task a class. */
export function changeQos(runtime: Runtime, self: Hart, task: Task, qos: Qos): QosOutcome {
  const word = load64(addressOfTask(task));
  if (isAt(word, placeLike(self.heldHere, TaskState.Queued)) && qosOf(word) != qos && !hasWish(task)) {
    const position = readyPosition(ringOf(self, qos));
    if (position >= 0) return changeHere(runtime, self, task, qos, word, position);
    if (position == NO_ROOM) return QosOutcome.QueueFull;
  }
  return changeAnywhere(runtime, self, task, qos);
}

// out of line: a leaf of its own, so that the checks before it save no registers.
function changeHere(runtime: Runtime, self: Hart, task: Task, qos: Qos, word: i64, position: i32): QosOutcome {
  const ring = ringHere(self, word);
  announceVoid(ring);
  if (insert(self, task, ringOf(self, qos), position, word, withQos(renewed(word, SAME_STATE), qos))) {
    runtime.reclassified += 1;
    return QosOutcome.Updated;
  }
  retractVoid(ring);
  return changeAnywhere(runtime, self, task, qos);
}

/** The same for a task that has been looked at again; false when somebody else was faster. */
function moveTo(self: Hart, task: Task, word: i64, qos: Qos, position: i32): bool {
  const ring = ringHere(self, word);
  announceVoid(ring);
  if (insert(self, task, ringOf(self, qos), position, word, withQos(renewed(word, SAME_STATE), qos))) return true;
  retractVoid(ring);
  return false;
}

// out of line: it calls and tries again, and the common case would save registers for that.
function changeAnywhere(runtime: Runtime, self: Hart, task: Task, qos: Qos): QosOutcome {
  runtime.reclassified += 1;
  const address = addressOfTask(task);
  // An older wish that nobody has fulfilled yet shall not come after this one.
  if (hasWish(task)) and32(address + SIGNALS_OFFSET, NO_WISH);
  // bound: ATTEMPTS_MAX.
  for (let i = 0; i < ATTEMPTS_MAX; i++) {
    const word = load64(address);
    const state = stateOf(word);
    if (state == TaskState.Free || state == TaskState.Exited) return QosOutcome.NotFound;
    // The holder of a held task may just be fulfilling an older wish.
    if (qosOf(word) == qos && state != TaskState.Held) return QosOutcome.Updated;
    if (state == TaskState.Queued) {
      const outcome = cpuOf(word) == self.cpu ? requeue(self, task, word, qos) : repost(self, task, word, qos);
      if (outcome != RequeueOutcome.TaskMoved) return outcome as i32;
    } else if (state == TaskState.Held) {
      askForQos(address, qos);
      if (load64(address) == word) {
        notify(self, cpuOf(word));
        return QosOutcome.Updated;
      }
    } else if (exchanged64(address, word, withQos(word, qos))) {
      return QosOutcome.Updated;
    }
  }
  askForQos(address, qos);
  return QosOutcome.Updated;
}

const NO_WISH: i32 = ~(Signal.ChangeQos | (3 << SIGNAL_QOS_SHIFT));

function hasWish(task: Task): bool {
  return (load32(addressOfTask(task) + SIGNALS_OFFSET) & Signal.ChangeQos) != 0;
}

/** Leaves the wish for the task's holder, who fulfils it before the task runs again. */
function askForQos(address: i32, qos: Qos): void {
  and32(address + SIGNALS_OFFSET, NO_WISH);
  or32(address + SIGNALS_OFFSET, Signal.ChangeQos | (qos << SIGNAL_QOS_SHIFT));
}

/** QosOutcome, and what only the loop above needs to know. */
enum RequeueOutcome {
  Updated = 0,
  QueueFull = 2,
  /** It is no longer where it was seen. */
  TaskMoved = 3,
}

/** A task queued on this CPU goes to the end of its new class. */
function requeue(self: Hart, task: Task, word: i64, qos: Qos): RequeueOutcome {
  const position = freePosition(ringOf(self, qos));
  if (position == NO_ROOM) return RequeueOutcome.QueueFull;
  return moveTo(self, task, word, qos, position) ? RequeueOutcome.Updated : RequeueOutcome.TaskMoved;
}

/** A task queued on another CPU goes through that CPU's mailbox, since only its owner fills a run queue. */
function repost(self: Hart, task: Task, word: i64, qos: Qos): RequeueOutcome {
  const cpu = cpuOf(word);
  const target = hartAt(cpu);
  if (roomOf(load64(ringOf(target, qos))) == 0) return RequeueOutcome.QueueFull;
  const position = reserve(target);
  if (position == ReserveOutcome.QueueFull) return RequeueOutcome.QueueFull;
  if (position == ReserveOutcome.Contended) return RequeueOutcome.TaskMoved;
  const ring = ringOf(target, qosOf(word));
  const mailed = withQos(renewed(withState(word, TaskState.Mailed), SAME_STATE), qos);
  announceVoid(ring);
  const moved = exchanged64(addressOfTask(task), word, mailed);
  if (!moved) retractVoid(ring);
  fill(target, position, moved ? mailed : EMPTY_LETTER);
  // Also for an empty letter: it may have held up one behind it.
  notify(self, cpu);
  return moved ? RequeueOutcome.Updated : RequeueOutcome.TaskMoved;
}

/** Makes the entries of ended tasks free again. */
export function reap(runtime: Runtime): void {
  if (exitCount() == runtime.reaped) return;
  // bound: SPACES_MAX.
  for (let index = 0; index < SPACES_MAX; index++) {
    const address = addressOfTask(taskAt(index));
    const word = load64(address);
    if (stateOf(word) != TaskState.Exited) continue;
    store64(address, withState(word, TaskState.Free));
    runtime.reaped += 1;
  }
}
