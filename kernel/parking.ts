// Parking: a running task gives its hart to a task of a higher class while the run queue of its own class is full. It
// can neither be queued nor dropped, so its hart keeps it, held, and runs it again before any other task of its class.
//
// Without this a full class would keep the hart from every higher class for as long as its task runs (Q8). A class has
// seldom more than one parked task; the list needs no capacity of its own, because it goes through the tasks: a task that
// lives has no exit code yet, and keeps the address of the next one in that field.
//
// Owner: each hart its own lists, of tasks that it holds.
// Invariant: a class with a parked task is announced, and its ring counts one tombstone more than it holds.
// Pairs with: run-queue.ts, scheduler.ts (yield and pick), qos-requests.ts, trap.ts (the tick).
// Clauses: Q5, Q7, Q8, S3, S6.

import { SPACES_MAX } from "../abi/layout";
import { Qos } from "../abi/qos";
import { countersOf, Hart } from "./hart-local";
import { honourQosRequest, queueHeld } from "./qos-requests";
import {
  announceTombstone,
  EnqueueOutcome,
  freePosition,
  hasParked,
  NO_ROOM,
  parkedListOf,
  retractTombstone,
  ringOf,
} from "./run-queue";
import { load64 } from "./shared";
import { has, Signal } from "./signals";
import { addressOfTask, EXIT_CODE_OFFSET, lifeOf, NO_TASK, qosOf, Task, taskFrom } from "./task";

/** Only before the hart is online. */
export function clearParked(self: Hart): void {
  self.parkedIdle = NO_TASK;
  self.parkedNormal = NO_TASK;
  self.parkedInteractive = NO_TASK;
  self.parkedPerfBurst = NO_TASK;
}

/** Parks the running task, whose run queue is full: it is neither dropped (Q5) nor in the way (Q8). The hart runs another. */
export function park(self: Hart, task: Task): void {
  const ring = ringOf(self, qosOf(task.word));
  const list = parkedListOf(ring);
  const before = load<i32>(list as usize);
  // S3: makes the hart's pick look here. The ring is full, so its class is announced.
  if (before == NO_TASK) announceTombstone(ring);
  task.exitCode = before;
  store<i32>(list as usize, addressOfTask(task));
  countersOf(self).parked += 1;
}

/** The task of a ring's class that was parked last; there is one. This hart still holds it. */
export function unpark(ring: i32): i32 {
  return unlink(ring, parkedListOf(ring));
}

/** Takes the parked task out that a link of a ring's list names. link: the list's address, or that of the link before. */
function unlink(ring: i32, link: i32): i32 {
  const parked = load<i32>(link as usize);
  store<i32>(link as usize, taskFrom(parked).exitCode);
  taskFrom(parked).exitCode = 0;
  if (!hasParked(ring)) retractTombstone(ring);
  return parked;
}

/**
 * At a tick: a parked task whose queue has room again is queued, where other harts can take it (S6), and one that is to
 * have another class goes there, which may be above the one that the hart runs (Q8).
 */
export function queueParked(self: Hart): void {
  if ((self.parkedIdle | self.parkedNormal | self.parkedInteractive | self.parkedPerfBurst) == NO_TASK) return;
  for (let qos = Qos.Idle; qos <= Qos.PerfBurst; qos++) {
    const ring = ringOf(self, qos);
    moveAsked(self, ring);
    if (hasParked(ring) && freePosition(ring) != NO_ROOM) queueOrPark(self, taskFrom(unpark(ring)));
  }
}

/** Gives the parked tasks of a ring's class the class that was asked for meanwhile (Q7). */
function moveAsked(self: Hart, ring: i32): void {
  let link = parkedListOf(ring);
  // bound: SPACES_MAX, the tasks that can be parked, and those parked again in this class.
  for (let i = 0; i < SPACES_MAX && load<i32>(link as usize) != NO_TASK; i++) {
    const parked = load<i32>(link as usize);
    if (has(load64(lifeOf(taskFrom(parked))), Signal.ChangeQos)) {
      const task = taskFrom(unlink(ring, link));
      honourQosRequest(task);
      queueOrPark(self, task);
    } else {
      link = parked + EXIT_CODE_OFFSET;
    }
  }
}

function queueOrPark(self: Hart, task: Task): void {
  if (queueHeld(self, task) != EnqueueOutcome.Queued) park(self, task);
}
