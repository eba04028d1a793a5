// Report: evidence and results on the console.
//
// Owner: the boot hart.
// Pairs with: proof/, which reads these lines; abi/events.ts and abi/markers.ts, which fix their spelling.
// Clauses: D2, D8.

import { EVENT_NAMES } from "../abi/events";
import { SPACES_MAX } from "../abi/layout";
import {
  END_NAMES,
  EVIDENCE_FORM,
  EVIDENCE_PREFIX,
  HART_FORM,
  HART_PREFIX,
  QOS_NAMES,
  RESCHED_FORM,
  RESCHED_PREFIX,
  TASK_FORM,
  TASK_PREFIX,
  TASKS_FORM,
  TASKS_PREFIX,
} from "../abi/markers";
import { beginForm, endLine, putNext, putNextWord } from "./console";
import { eventOf, findEvent, FoundEvent, recorderOf } from "./event-search";
import { detailOf, kindOf, numberOf, requestOf, subjectOf } from "./evidence";
import { Counters, countersOf, Hart, hartAt } from "./hart-local";
import * as machine from "./machine";
import { acceptedOf, ackedOf } from "./resched";
import { Runtime } from "./runtime";
import { ExitReason, idOf, qosOf, Task, taskAt } from "./task";

/** Writes the events of a CPU that have not been reported, in the order of their numbers, from all harts (D2). */
export function reportEvents(self: Hart, subject: i32): void {
  const counters = countersOf(hartAt(subject));
  let event = findEvent(subject, counters.shown + 1);
  // bound: the events that the rings of all harts hold.
  while (event != 0) {
    reportEvent(self, event);
    counters.shown += 1;
    event = findEvent(subject, counters.shown + 1);
  }
}

/** Writes an event that findEvent found. */
function reportEvent(self: Hart, found: FoundEvent): void {
  const event = eventOf(found);
  const line = beginForm(self, EVIDENCE_PREFIX, EVIDENCE_FORM);
  putNext(line, subjectOf(event));
  putNext(line, numberOf(event));
  putNext(line, recorderOf(found));
  putNextWord(line, EVENT_NAMES, kindOf(event));
  putNext(line, requestOf(event));
  putNext(line, detailOf(event));
  endLine(line);
}

/** A line of the summary for each task that ever ran, and one that counts them (D8). All of them have ended. */
export function reportTasks(runtime: Runtime, self: Hart): void {
  let reported = 0;
  // bound: SPACES_MAX.
  for (let index = 0; index < SPACES_MAX; index++) {
    const task = taskAt(index);
    if (task.incarnation == 0) continue;
    reportTask(self, task);
    reported += 1;
  }
  const line = beginForm(self, TASKS_PREFIX, TASKS_FORM);
  putNext(line, runtime.spawned);
  putNext(line, reported);
  putNext(line, runtime.reaped);
  endLine(line);
}

function reportTask(self: Hart, task: Task): void {
  const line = beginForm(self, TASK_PREFIX, TASK_FORM);
  putNext(line, idOf(task));
  putNext(line, task.program);
  putNextWord(line, QOS_NAMES, qosOf(task.word));
  putNext(line, task.runs);
  putNext(line, task.steals);
  putNext(line, task.migrations);
  putNext(line, task.wakes);
  putNext(line, task.lastCpu);
  putNextWord(line, END_NAMES, task.exitReason);
  putNext(line, task.exitCode);
  putNext(line, task.exitReason == ExitReason.Faulted ? task.faultAddress : 0);
  endLine(line);
}

/** The two lines of the summary about this hart (D8). */
export function reportHart(self: Hart): void {
  const counters = countersOf(self);
  const line = beginForm(self, HART_PREFIX, HART_FORM);
  putNext(line, self.cpu);
  putNext(line, self.hartId);
  putNext(line, counters.picks);
  putNext(line, counters.steals);
  putNext(line, counters.migrations);
  putNext(line, counters.wakes);
  putNext(line, counters.ended);
  putNext(line, counters.faults);
  putNext(line, counters.identityFallbacks);
  putNext(line, idlePercent(self));
  endLine(line);
  reportRequests(self, counters);
}

function reportRequests(self: Hart, counters: Counters): void {
  const line = beginForm(self, RESCHED_PREFIX, RESCHED_FORM);
  putNext(line, self.cpu);
  putNext(line, counters.accepted);
  putNext(line, counters.sent);
  putNext(line, counters.sendsFailed);
  putNext(line, counters.coalesced);
  putNext(line, acceptedOf(self.cpu));
  putNext(line, counters.trapped);
  putNext(line, counters.acked);
  putNext(line, ackedOf(self.cpu));
  putNext(line, counters.shown);
  endLine(line);
}

/** Share of the time since it joined that a hart waited. */
function idlePercent(self: Hart): i64 {
  const counters = countersOf(self);
  const online = machine.timeTicks() - counters.onlineSince;
  return online > 0 ? (counters.idleTicks * 100) / online : 0;
}
