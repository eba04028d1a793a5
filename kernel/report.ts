// Report: evidence and results on the console.
//
// Owner: the boot hart.
// Pairs with: proof/, which reads these lines; abi/events.ts and abi/markers.ts, which fix their spelling.
// Fulfils: D2.

import { EventKind } from "../abi/events";
import { EVIDENCE_CAPACITY } from "../abi/layout";
import { EVIDENCE_PREFIX, HART_PREFIX, TASK_PREFIX } from "../abi/markers";
import { Qos } from "../abi/qos";
import { SPACES_MAX } from "../abi/layout";
import { beginLine, endLine, putField, putNumber, putText } from "./console";
import { detailOf, eventAt, eventCount, kindOf, numberOf, requestOf, subjectOf } from "./evidence";
import { countersOf, Hart } from "./hart-local";
import * as machine from "./machine";
import { load64 } from "./shared";
import { incarnationOf } from "./signals";
import { ExitReason, idOf, lifeOf, qosOf, Task, taskAt } from "./task";
import { cpuCount } from "./topology";

/** Writes the events of a CPU numbered `first` or more, in the order of their numbers, from all harts. */
export function reportEvents(self: Hart, subject: i32, first: i64): i64 {
  let number = first;
  let event = findEvent(subject, number);
  // bound: the events that the rings of all harts hold.
  while (event != 0) {
    reportEvent(self, event);
    number += 1;
    event = findEvent(subject, number);
  }
  return number;
}

/** Address of the event with that number of that CPU's counter, or 0. */
export function findEvent(subject: i32, number: i64): i32 {
  const count = cpuCount();
  // bound: CPUS_MAX rings of EVIDENCE_CAPACITY events.
  for (let cpu = 0; cpu < count; cpu++) {
    const end = eventCount(cpu);
    const begin: i64 = end > EVIDENCE_CAPACITY ? end - EVIDENCE_CAPACITY : 0;
    // bound: EVIDENCE_CAPACITY, by the line above.
    for (let position = begin; position < end; position++) {
      const event = eventAt(cpu, position);
      if (subjectOf(event) == subject && numberOf(event) == number) return event | (cpu << 24);
    }
  }
  return 0;
}

/** Number of the latest event of that kind and CPU, and its ring, or 0: see findEvent. */
export function findLatest(subject: i32, kind: EventKind): i32 {
  const count = cpuCount();
  let latest = 0;
  // bound: CPUS_MAX rings of EVIDENCE_CAPACITY events.
  for (let cpu = 0; cpu < count; cpu++) {
    const end = eventCount(cpu);
    const begin: i64 = end > EVIDENCE_CAPACITY ? end - EVIDENCE_CAPACITY : 0;
    // bound: EVIDENCE_CAPACITY, by the line above.
    for (let position = begin; position < end; position++) {
      const event = eventAt(cpu, position);
      if (subjectOf(event) != subject || kindOf(event) != kind) continue;
      if (latest == 0 || numberOf(event) > numberOf(latest & 0xffffff)) latest = event | (cpu << 24);
    }
  }
  return latest;
}

/** Writes an event that findEvent or findLatest found. */
export function reportEvent(self: Hart, found: i32): void {
  const event = found & 0xffffff;
  const line = beginLine(self);
  putText(line, EVIDENCE_PREFIX);
  putText(line, "of=cpu");
  putNumber(line, subjectOf(event));
  putField(line, "n", numberOf(event));
  putText(line, " by=cpu");
  putNumber(line, found >> 24);
  putText(line, " ");
  putText(line, nameOf(kindOf(event)));
  putField(line, "request", requestOf(event));
  putField(line, "detail", detailOf(event));
  endLine(line);
}

function nameOf(kind: EventKind): string {
  switch (kind) {
    case EventKind.Online:
      return "online";
    case EventKind.Accepted:
      return "accepted";
    case EventKind.Sent:
      return "sent";
    case EventKind.SendFailed:
      return "send-failed";
    case EventKind.Trapped:
      return "trapped";
    case EventKind.Acked:
      return "acked";
    case EventKind.NoPendingRequest:
      return "no-pending-request";
    case EventKind.RejectedInvalidCpu:
      return "rejected-invalid-cpu";
    case EventKind.RejectedOfflineCpu:
      return "rejected-offline-cpu";
    case EventKind.Stolen:
      return "stolen";
    case EventKind.StealRefused:
      return "steal-refused";
    case EventKind.StealBudgetSpent:
      return "steal-budget-spent";
    case EventKind.RuntimeDenied:
      return "runtime-denied";
    case EventKind.Started:
      return "started";
    case EventKind.StartFailed:
      return "start-failed";
    case EventKind.Coalesced:
      return "coalesced";
    default:
      return "none";
  }
}

/** A line of the summary for each task that ever ran. All of them have ended. */
export function reportTasks(self: Hart): void {
  // bound: SPACES_MAX.
  for (let index = 0; index < SPACES_MAX; index++) {
    const task = taskAt(index);
    if (incarnationOf(load64(lifeOf(task))) != 0) reportTask(self, task);
  }
}

function reportTask(self: Hart, task: Task): void {
  const line = beginLine(self);
  putText(line, TASK_PREFIX);
  putText(line, "id=");
  putNumber(line, idOf(task));
  putField(line, "program", task.program);
  putText(line, " class=");
  putText(line, nameOfQos(qosOf(task.word)));
  putField(line, "runs", task.runs);
  putField(line, "migrations", task.migrations);
  putField(line, "wakes", task.wakes);
  putField(line, "last-cpu", task.lastCpu);
  putText(line, " end=");
  putText(line, nameOfEnd(task.exitReason));
  putField(line, "code", task.exitCode);
  if (task.exitReason == ExitReason.Faulted) putField(line, "fault-address", task.faultAddress);
  endLine(line);
}

/** The line of the summary about this hart. */
export function reportHart(self: Hart): void {
  const counters = countersOf(self);
  const line = beginLine(self);
  putText(line, HART_PREFIX);
  putText(line, "cpu=");
  putNumber(line, self.cpu);
  putField(line, "hart", self.hartId);
  putField(line, "picks", counters.picks);
  putField(line, "steals", counters.steals);
  putField(line, "accepted", counters.accepted);
  putField(line, "sent", counters.sent);
  putField(line, "trapped", counters.trapped);
  putField(line, "acked", counters.acked);
  putField(line, "fallbacks", counters.identityFallbacks);
  putField(line, "idle-percent", idlePercent(self));
  endLine(line);
}

/** Share of the time since it joined that a hart waited. */
function idlePercent(self: Hart): i64 {
  const counters = countersOf(self);
  const online = machine.timeTicks() - counters.onlineSince;
  return online > 0 ? (counters.idleTicks * 100) / online : 0;
}

function nameOfQos(qos: Qos): string {
  if (qos == Qos.PerfBurst) return "PerfBurst";
  if (qos == Qos.Interactive) return "Interactive";
  return qos == Qos.Normal ? "Normal" : "Idle";
}

function nameOfEnd(reason: ExitReason): string {
  if (reason == ExitReason.Exited) return "exit";
  if (reason == ExitReason.Faulted) return "fault";
  return reason == ExitReason.Killed ? "killed" : "alive";
}
