// Dispatch: the one place where a hart's decision becomes the space that it enters.
//
// Owner: each hart for itself.
// Invariant: `self.current` is held by this hart; a task that leaves the hart is in its next place before
// `self.current` names another.
// Pairs with: scheduler.ts, which decides; trap.ts, which calls this last.
// Clauses: Q4, Q5, Q6, Q7, Q8, S1, S2, S6, T3, T6, T7.

import { EventKind } from "../abi/events";
import { IDLE_SPACE } from "../abi/layout";
import { Qos } from "../abi/qos";
import { receiveMail } from "./drain";
import { record } from "./evidence";
import { countersOf, Hart } from "./hart-local";
import { hasMail } from "./mailbox";
import * as machine from "./machine";
import { honourQosRequest } from "./qos-requests";
import { notify } from "./resched";
import { BOOT_CPU, countExit } from "./runtime";
import { pick, preemptCurrent, shouldPreempt, steal, StealOutcome, YieldOutcome } from "./scheduler";
import { and64, load64, store64 } from "./shared";
import { has, hasAny, HONOURED_SLEEP, Signal } from "./signals";
import {
  addressOfTask,
  countSteal,
  ExitReason,
  idOf,
  lifeOf,
  NO_TASK,
  spaceOf,
  Task,
  taskFrom,
  TaskState,
  withState,
} from "./task";
import { mayRunTasks } from "./phase";
import { bitOf, workMap } from "./work-map";

/** Ticks that a task runs before another of its class has its turn. */
export const SLICE_TICKS: i32 = 2;

/** The class up to which an idle hart steals (S2): all, since any work is better than none (S6). */
const STEAL_BOUND: Qos = Qos.PerfBurst;

/** The space to enter: the current task's, else the next ready task's, else IDLE_SPACE. */
export function dispatch(self: Hart): i32 {
  if (self.current == NO_TASK) return dispatchNext(self);
  if (needsAttention(taskFrom(self.current)) && !settle(self, taskFrom(self.current))) return dispatchNext(self);
  return spaceOf(taskFrom(self.current));
}

/** The same after the running task may have changed: the one that now runs gets a fresh slice. */
export function dispatchNext(self: Hart): i32 {
  const current = self.current;
  if (current == NO_TASK || needsAttention(taskFrom(current))) return dispatchAny(self);
  return begin(self, taskFrom(current));
}

// @outline: it calls and turns, and the common case would save registers for that.
function dispatchAny(self: Hart): i32 {
  // bound: each turn ends a task that was killed while it was ready; there are no more than all of them.
  for (let turn = 0; turn < 1024; turn++) {
    if (self.current == NO_TASK) self.current = findNext(self);
    if (self.current == NO_TASK) return enterIdle(self);
    const task = taskFrom(self.current);
    if (!needsAttention(task)) return begin(self, task);
    if (!settle(self, task)) continue;
    // Q8: its class may be a lower one now than that of a task that is ready. Q5: a task that stays begins.
    if (!shouldPreempt(self) || preemptCurrent(self) != YieldOutcome.Switched) return begin(self, task);
  }
  return unreachable();
}

/** The same after something may have become ready here: a higher class takes the hart. */
export function resume(self: Hart): i32 {
  if (self.current == NO_TASK) return dispatchNext(self);
  const task = taskFrom(self.current);
  // T6, Q7: first, because it may end the task or change its class.
  if (needsAttention(task) && !settle(self, task)) return dispatchNext(self);
  // Q6, Q8: a higher class that has become ready takes the hart.
  if (shouldPreempt(self) && preemptCurrent(self) == YieldOutcome.Switched) return dispatchNext(self);
  return spaceOf(task);
}

/** Whether a hart that idles and has no mail could find a task to run: its own, or another CPU's (S6). */
export function mayFindTask(self: Hart): bool {
  return mayRunTasks() && (self.occupied != 0 || (workMap() & ~bitOf(self.cpu)) != 0);
}

/** Ends the running task, and no other (T3). */
export function endCurrent(self: Hart, reason: ExitReason, code: i32): void {
  const task = taskFrom(self.current);
  // T7: the record is complete before the word is Exited.
  task.exitReason = reason as i8;
  task.exitCode = code;
  countersOf(self).ended += 1;
  self.current = NO_TASK;
  // Publishes the record to the boot hart, which reaps it.
  store64(addressOfTask(task), withState(task.word, TaskState.Exited));
  countExit();
  notify(self, BOOT_CPU);
}

function findNext(self: Hart): i32 {
  if (!mayRunTasks()) return NO_TASK;
  const ready = pick(self);
  if (ready != NO_TASK) return ready;
  if (hasMail(self)) {
    // Q4.
    receiveMail(self);
    const mailed = pick(self);
    if (mailed != NO_TASK) return mailed;
  }
  return stealNext(self);
}

function stealNext(self: Hart): i32 {
  // S1: one attempt. S6: made before this hart idles.
  const outcome = steal(self, STEAL_BOUND);
  return outcome == StealOutcome.NothingThere ? NO_TASK : recordSteal(self, outcome);
}

// @outline: most looks at the other CPUs find nothing.
function recordSteal(self: Hart, outcome: StealOutcome): i32 {
  if (outcome == StealOutcome.Contended) countersOf(self).stealsContended += 1;
  if (outcome != StealOutcome.Stolen) return NO_TASK;
  countersOf(self).steals += 1;
  countSteal(taskFrom(self.stolen));
  record(self, EventKind.Stolen, idOf(taskFrom(self.stolen)), self.stolenFrom);
  return self.stolen;
}

function needsAttention(task: Task): bool {
  return hasAny(load64(lifeOf(task)));
}

/** Honours what was asked of a task since it ran last; false when that was its end. */
function settle(self: Hart, task: Task): bool {
  const life = load64(lifeOf(task));
  // T6: honoured before the task runs.
  if (has(life, Signal.Kill)) {
    endCurrent(self, ExitReason.Killed, 0);
    return false;
  }
  if (has(life, Signal.Woken | Signal.Expired)) {
    task.wakes += 1;
    countersOf(self).wakes += 1;
    const before = and64(lifeOf(task), HONOURED_SLEEP);
    // A wake that came after its time, and before it runs, is answered as well.
    machine.setReturn(spaceOf(task), has(before, Signal.Woken | Signal.Permit) ? 1 : 0);
  }
  // Q7: given before the task runs.
  if (has(life, Signal.ChangeQos)) honourQosRequest(task);
  return true;
}

function begin(self: Hart, task: Task): i32 {
  const runs = task.runs;
  task.runs = runs + 1;
  if (task.lastCpu != self.cpu) {
    if (task.lastCpu >= 0) {
      task.migrations += 1;
      countersOf(self).migrations += 1;
    }
    task.lastCpu = self.cpu as i8;
  }
  countersOf(self).picks += 1;
  // Q6: the tasks of a class take turns.
  self.sliceTicks = SLICE_TICKS;
  return runs == 0 ? beginFirst(self, task) : spaceOf(task);
}

// @outline: once in a task's life.
function beginFirst(self: Hart, task: Task): i32 {
  record(self, EventKind.Started, idOf(task), 0);
  return spaceOf(task);
}

/** Where a hart goes after its boot: its first task comes with a trap. */
export function enterIdle(self: Hart): i32 {
  self.idleSince = machine.timeTicks();
  return IDLE_SPACE;
}

/** Called at the entry of every trap that found the hart idle. */
export function leaveIdle(self: Hart): void {
  countersOf(self).idleTicks += machine.timeTicks() - self.idleSince;
  self.idleSince = 0;
}
