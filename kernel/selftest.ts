// Selftest: the ladder of RFC-0022, step by step. Each step acts, returns to the idle wait, and is judged at a
// later trap of the boot hart, when what it waits for has happened. A marker is printed by the code that has
// just checked, after the evidence itself is on the console.
//
// Owner: the boot hart.
// Invariant: steps are taken in order; a failed check ends the run.
// Pairs with: orders.ts (what other harts do on request), proof/ (which checks the same evidence).
// Clauses: S1, S2, I1, I2, I3, I4, I5, C1, C2, C5, T5, D1, D2, D5, D6.

import { EventKind } from "../abi/events";
import { BOOT_STEP_LINES_MAX, CPUS_MAX } from "../abi/layout";
import {
  MARKER_CPU_PREFIX,
  MARKER_CPU_SUFFIX,
  MARKER_IPI_COUNTERFACTUAL,
  MARKER_IPI_RESCHED,
  MARKER_REJECT_INVALID_CPU,
  MARKER_REJECT_OFFLINE_CPU,
  MARKER_REJECT_STEAL_ABOVE_BOUND,
  MARKER_REJECT_STEAL_HIGHER_QOS,
  MARKER_SMP_ONLINE,
  MARKER_SMP_SKIPPED,
  MARKER_WORK_STEALING,
  RESULT_PASSED,
} from "../abi/markers";
import { Program } from "../abi/programs";
import { Qos } from "../abi/qos";
import { PowerOff } from "../abi/results";
import { spawn } from "./authority";
import { beginLine, endLine, putNumber, putText, writeText } from "./console";
import { cpuId } from "./cpu-id";
import { SpawnAllOutcome, spawnDefaultTasks } from "./default-tasks";
import { eventOf, findLatest, findStartFailure } from "./event-search";
import { detailOf, numberOf, requestOf } from "./evidence";
import { fail, failAt } from "./failure";
import { addressOf, countersOf, Hart, hartAt, isOnline } from "./hart-local";
import { GLOBALS_BASE } from "./layout";
import * as machine from "./machine";
import { letTasksRun } from "./phase";
import { reportEvents, reportHart, reportTasks } from "./report";
import { acceptedOf, ackedOf, notify, requestResched, requestThrough, ReschedOutcome } from "./resched";
import { lengthOf, ringOf } from "./run-queue";
import { BOOT_CPU, Runtime } from "./runtime";
import { giveOrder, Order, orderOf } from "./orders";
import { addressOfTask, ExitReason, indexOfId, stateOf, taskAt, TaskState } from "./task";
import { rowCount, spawnRows } from "./requested-tasks";
import { load64 } from "./shared";
import { cpuCount } from "./topology";

enum Step {
  Begin = 0,
  Online = 1,
  SendFailure = 2,
  SendAfterFailure = 3,
  Resched = 4,
  Rejects = 5,
  Stealing = 6,
  StolenTaskRuns = 7,
  HigherQos = 8,
  Tasks = 9,
  TasksEnd = 10,
  Reports = 11,
  Finished = 12,
}

@unmanaged
class Progress {
  step: Step;
  /** The next CPU whose joining is to be announced. */
  cpu: i32;
  /** The request whose ack is awaited. */
  request: i64;
  /** Ids of the two probes. */
  probe: i64;
  secondProbe: i64;
  spurious: i64;
  /** Rows of the task table whose tasks are made. */
  rowsDone: i32;
  padding: i32;
  /** The run fails when this passes within a step that waits for another hart. */
  deadline: i64;
}

const PROGRESS: i32 = GLOBALS_BASE + 256;
/** The CPU that the tests of one other hart use. */
const PEER: i32 = 1;
/** A doorbell number that no machine has. */
const NO_DOORBELL: i32 = 0x7ffffff0;
/** A pointer that looks like nothing. */
const POISON: i64 = 0x5a5a5a5a;
/** Added to a block's address it leaves the low half of the register as it was. */
const HIGH_BIT: i64 = 0x100000000;
/** Seconds that the boot hart waits for another before it reports that it waits in vain. */
const PATIENCE_SECONDS: i64 = 20;

function progress(): Progress {
  return changetype<Progress>(PROGRESS as usize);
}

/** Before any other hart is started: a request to a CPU that is there and offline is refused. */
export function rejectOffline(self: Hart): void {
  const accepted = acceptedOf(PEER);
  const outcome = requestResched(self, PEER);
  // I2: the refusal is recorded; checkRejects prints its marker.
  if (outcome != ReschedOutcome.OfflineCpu || acceptedOf(PEER) != accepted) {
    fail(self, "a request to an offline CPU was not refused");
  }
}

/** Carries the boot forward, as far as it can go now. */
export function advanceBoot(runtime: Runtime, self: Hart): void {
  // bound: each turn takes a step, and there are Step.Finished of them.
  for (let turn = 0; turn < Step.Finished; turn++) {
    const before = progress().step;
    // T5: its lines must find space. What stands in the ring is sent at ticks, this hart's among them.
    if (machine.consoleRoom() < BOOT_STEP_LINES_MAX) return;
    advanceOne(runtime, self, before);
    if (progress().step == before) return;
  }
}

function advanceOne(runtime: Runtime, self: Hart, step: Step): void {
  switch (step) {
    case Step.Begin:
      return begin(self);
    case Step.Online:
      return awaitOnline(self);
    case Step.SendFailure:
      return failToSend(self);
    case Step.SendAfterFailure:
      return checkCounterfactual(self);
    case Step.Resched:
      return checkResched(self);
    case Step.Rejects:
      return checkRejects(self);
    case Step.Stealing:
      return orderTheft(runtime, self);
    case Step.StolenTaskRuns:
      return checkTheft(self);
    case Step.HigherQos:
      return checkHigherQos(self);
    case Step.Tasks:
      return startTasks(runtime, self);
    case Step.TasksEnd:
      return awaitTasksEnd(runtime, self);
    case Step.Reports:
      return collectReports(self);
    case Step.Finished:
      return finish(self);
  }
}

function enter(step: Step): void {
  progress().step = step;
  progress().deadline = patience();
}

function patience(): i64 {
  return machine.timeTicks() + PATIENCE_SECONDS * (machine.ticksPerSecond() as i64);
}

/** Fails the run when another hart has kept it waiting for too long: a deadline never passes a check (D5). */
function wait(self: Hart, what: string): void {
  if (machine.timeTicks() > progress().deadline) fail(self, what);
}

/** Whether all requests to the boot hart and its peer are acknowledged: what is reported then lacks no later step. */
function isQuiescent(): bool {
  return ackedOf(BOOT_CPU) == acceptedOf(BOOT_CPU) && ackedOf(PEER) == acceptedOf(PEER);
}

function reportBoth(self: Hart): void {
  reportEvents(self, BOOT_CPU);
  reportEvents(self, PEER);
}

function begin(self: Hart): void {
  reportEvents(self, BOOT_CPU);
  progress().cpu = PEER;
  enter(Step.Online);
}

/**
 * A poisoned `tp` is not believed, and the stack gives the answer (C1, C2, C5). Once all have joined: the foreign block that
 * is tried here must not be one that its hart is just making ready.
 */
function checkIdentity(self: Hart): void {
  const pointer = machine.hartPointer();
  const fallbacks = countersOf(self).identityFallbacks;
  machine.setHartPointer(POISON);
  const poisoned = cpuId();
  machine.setHartPointer(addressOf(hartAt(PEER)));
  const foreign = cpuId();
  machine.setHartPointer(pointer + HIGH_BIT);
  const high = cpuId();
  machine.setHartPointer(pointer);
  const counted = countersOf(self).identityFallbacks - fallbacks;
  if (poisoned != BOOT_CPU || foreign != BOOT_CPU || high != BOOT_CPU || counted != 3)
    fail(self, "a poisoned tp was believed");
  if (cpuId() != BOOT_CPU || fallbacks != 0) fail(self, "the fast path of the CPU identity does not hold");
  // What this test provoked is not counted against the run.
  countersOf(self).identityFallbacks = 0;
}

function awaitOnline(self: Hart): void {
  // bound: CPUS_MAX.
  while (progress().cpu < cpuCount()) {
    const cpu = progress().cpu;
    if (!isOnline(cpu)) return waitFor(self, cpu);
    reportEvents(self, cpu);
    const line = beginLine(self);
    putText(line, MARKER_CPU_PREFIX);
    putNumber(line, cpu);
    putText(line, MARKER_CPU_SUFFIX);
    endLine(line);
    progress().cpu = cpu + 1;
  }
  checkIdentity(self);
  if (cpuCount() == 1) {
    // D1: one hart skips the rest, and the marker reports it.
    writeText(self, MARKER_SMP_SKIPPED);
    return enter(Step.Tasks);
  }
  writeText(self, MARKER_SMP_ONLINE);
  enter(Step.SendFailure);
}

/** A CPU that the machine refused to start, or that does not come, ends the run (D6). */
function waitFor(self: Hart, cpu: i32): void {
  const refused = findStartFailure(hartAt(cpu).hartId);
  if (refused == 0 && machine.timeTicks() <= progress().deadline) return;
  failAt(self, "cpu", cpu, refused != 0 ? " could not be started" : " did not come online");
}

/** A send that the machine refuses (I4), and an S_SOFT that nobody asked for (I5). */
function failToSend(self: Hart): void {
  progress().spurious = countersOf(self).spuriousSoft;
  const acked = ackedOf(PEER);
  if (requestThrough(self, PEER, NO_DOORBELL) != ReschedOutcome.SendFailed) fail(self, "a failed send went unnoticed");
  if (acceptedOf(PEER) != acked + 1) fail(self, "a request whose send failed is not pending");
  progress().request = acked + 2;
  machine.raiseSoft();
  enter(Step.SendAfterFailure);
  // Covers the request before it as well; from here on a trap and an ack are due.
  if (requestResched(self, PEER) != ReschedOutcome.Sent) fail(self, "a send after a failed send did not go out");
}

// D2: the evidence of I4 and I5 is checked and printed, then the marker.
function checkCounterfactual(self: Hart): void {
  const spurious = countersOf(self).spuriousSoft != progress().spurious;
  if (!spurious || ackedOf(PEER) < progress().request || !isQuiescent()) {
    return wait(self, "cpu1 did not acknowledge the send after a failed one");
  }
  const failed = eventOf(findLatest(PEER, EventKind.SendFailed));
  const sent = eventOf(findLatest(PEER, EventKind.Sent));
  const trapped = eventOf(findLatest(PEER, EventKind.Trapped));
  const holds =
    requestOf(failed) == progress().request - 1 &&
    numberOf(failed) < numberOf(sent) &&
    numberOf(sent) < numberOf(trapped) &&
    countersOf(hartAt(PEER)).trapped == 1 &&
    requestOf(trapped) == progress().request;
  if (!holds) fail(self, "a trap or an ack came without its send");
  reportBoth(self);
  writeText(self, MARKER_IPI_COUNTERFACTUAL);
  progress().request += 1;
  enter(Step.Resched);
  if (requestResched(self, PEER) != ReschedOutcome.Sent) fail(self, "a request to an idle CPU did not go out");
}

// D2: the same for I3.
function checkResched(self: Hart): void {
  const request = progress().request;
  if (ackedOf(PEER) < request || !isQuiescent()) return wait(self, "cpu1 did not acknowledge a request");
  const accepted = eventOf(findLatest(PEER, EventKind.Accepted));
  const sent = eventOf(findLatest(PEER, EventKind.Sent));
  const trapped = eventOf(findLatest(PEER, EventKind.Trapped));
  const acked = eventOf(findLatest(PEER, EventKind.Acked));
  const holds =
    requestOf(accepted) == request &&
    requestOf(sent) == request &&
    requestOf(trapped) == request &&
    requestOf(acked) == request &&
    numberOf(accepted) < numberOf(sent) &&
    numberOf(sent) < numberOf(trapped) &&
    numberOf(trapped) < numberOf(acked);
  if (!holds) fail(self, "the chain of a request is not causal");
  reportBoth(self);
  writeText(self, MARKER_IPI_RESCHED);
  enter(Step.Rejects);
}

// D2: the same for I1 and I2.
function checkRejects(self: Hart): void {
  const accepted = countersOf(self).accepted;
  if (requestResched(self, CPUS_MAX) != ReschedOutcome.InvalidCpu || countersOf(self).accepted != accepted) {
    fail(self, "a request to an invalid CPU was not refused");
  }
  reportBoth(self);
  writeText(self, MARKER_REJECT_INVALID_CPU);
  const offline = findLatest(BOOT_CPU, EventKind.RejectedOfflineCpu);
  if (offline == 0 || detailOf(eventOf(offline)) != PEER) fail(self, "a request to an offline CPU was not refused");
  writeText(self, MARKER_REJECT_OFFLINE_CPU);
  enter(Step.Stealing);
}

/** Two probes on the boot hart's queue, and a thief that tries for both within one tick. */
function orderTheft(runtime: Runtime, self: Hart): void {
  progress().probe = spawn(runtime, self, BOOT_CPU, Program.Probe, Qos.Normal, 7);
  progress().secondProbe = spawn(runtime, self, BOOT_CPU, Program.Probe, Qos.Normal, 8);
  if (progress().probe < 0 || progress().secondProbe < 0) fail(self, "a probe could not be spawned");
  // The probe's end comes with a request to this hart, which is awaited too: its events belong before the marker.
  progress().request = acceptedOf(BOOT_CPU);
  giveOrder(hartAt(PEER), Order.StealTwice);
  enter(Step.StolenTaskRuns);
  if (requestResched(self, PEER) != ReschedOutcome.Sent) fail(self, "the thief could not be rung");
}

// D2: the same for S1.
function checkTheft(self: Hart): void {
  const probe = taskAt(indexOfId(progress().probe));
  const state = stateOf(load64(addressOfTask(probe)));
  const ended = state == TaskState.Exited || state == TaskState.Free;
  const isReported = acceptedOf(BOOT_CPU) != progress().request && isQuiescent();
  if (orderOf(hartAt(PEER)) != Order.None || !ended || !isReported) {
    return wait(self, "a stolen task did not run to its end");
  }
  const stolen = findLatest(PEER, EventKind.Stolen);
  const started = findLatest(PEER, EventKind.Started);
  const holds =
    requestOf(eventOf(stolen)) == progress().probe &&
    requestOf(eventOf(started)) == progress().probe &&
    probe.lastCpu == PEER &&
    probe.exitReason == ExitReason.Exited &&
    probe.exitCode == 7;
  if (!holds) fail(self, "a stolen task did not run on the thief");
  reportBoth(self);
  writeText(self, MARKER_WORK_STEALING);
  const refused = findLatest(PEER, EventKind.StealBudgetSpent);
  if (refused == 0 || lengthOf(ringOf(self, Qos.Normal)) != 1) fail(self, "a second steal in one tick was not refused");
  writeText(self, MARKER_REJECT_STEAL_ABOVE_BOUND);
  giveOrder(hartAt(PEER), Order.StealAtMostIdle);
  enter(Step.HigherQos);
  if (requestResched(self, PEER) != ReschedOutcome.Sent) fail(self, "the thief could not be rung");
}

// D2: the same for S2.
function checkHigherQos(self: Hart): void {
  if (orderOf(hartAt(PEER)) != Order.None || !isQuiescent()) return wait(self, "cpu1 did not try to steal");
  const refused = findLatest(PEER, EventKind.StealRefused);
  if (refused == 0 || lengthOf(ringOf(self, Qos.Normal)) != 1) fail(self, "a task above the class allowed was stolen");
  reportBoth(self);
  writeText(self, MARKER_REJECT_STEAL_HIGHER_QOS);
  enter(Step.Tasks);
}

function startTasks(runtime: Runtime, self: Hart): void {
  const rows = rowCount();
  if (rows == 0) {
    if (spawnDefaultTasks(runtime, self) != SpawnAllOutcome.AllSpawned) fail(self, "a default task was refused");
  } else {
    progress().rowsDone = spawnRows(runtime, self, progress().rowsDone, rows);
    if (progress().rowsDone != rows) return wait(self, "a task of the table found no place");
  }
  letTasksRun();
  enter(Step.TasksEnd);
}

function awaitTasksEnd(runtime: Runtime, self: Hart): void {
  if (runtime.reaped != runtime.spawned) return;
  reportTasks(runtime, self);
  progress().cpu = BOOT_CPU;
  enter(Step.Reports);
}

/** Each hart reports itself, one after the other; the boot hart, which asks them, at last: its sums are complete then. */
function collectReports(self: Hart): void {
  if (orderOf(hartAt(progress().cpu)) != Order.None) return wait(self, "a hart did not report");
  const cpu = progress().cpu + 1;
  if (cpu == cpuCount()) {
    if (ackedOf(BOOT_CPU) != acceptedOf(BOOT_CPU)) return wait(self, "a request to cpu0 was not acknowledged");
    reportHart(self);
    return enter(Step.Finished);
  }
  progress().cpu = cpu;
  giveOrder(hartAt(cpu), Order.Report);
  progress().deadline = patience();
  notify(self, cpu);
}

function finish(self: Hart): void {
  writeText(self, RESULT_PASSED);
  machine.powerOff(PowerOff.Passed);
}
