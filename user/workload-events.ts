// Workload events: one event of a phase, performed.
//
// Invariant: false means that the duration is over; the task ends then.
// Partners: abi/workload-table.ts (the kinds and their words); waits.ts; cpu-time.ts.

import { WorkloadEventKind, WorkloadEventRow, WorkloadTaskRow } from "../abi/workload-table";
import { runFor, runUntilPassed } from "./cpu-time";
import { sleepUntil, time, yieldHart } from "./system-calls";
import { broadcast, holds, lock, meet, signal, unlock, waitFor, waitWithMutex } from "./waits";
import { Block, stateWord, tableWord, taskWord, ticksOf } from "./workload-memory";

/** The event at a place of the table. */
export function perform(block: Block, row: i32, place: i32): bool {
  const kind: WorkloadEventKind = tableWord(place + WorkloadEventRow.Kind);
  const first = tableWord(place + WorkloadEventRow.First);
  const second = tableWord(place + WorkloadEventRow.Second);
  block.event = place;
  switch (kind) {
    case WorkloadEventKind.Run:
      return runFor(block, first);
    case WorkloadEventKind.Runtime:
      return runUntilPassed(block, first);
    case WorkloadEventKind.Sleep:
      return sleepTo(block, time() + ticksOf(first));
    case WorkloadEventKind.TimerRelative:
      return awaitTimer(block, timerAt(row, first), second, true);
    case WorkloadEventKind.TimerAbsolute:
      return awaitTimer(block, timerAt(row, first), second, false);
    case WorkloadEventKind.Suspend:
      return waitFor(block, first);
    case WorkloadEventKind.Lock:
      return lock(block, row, first);
    case WorkloadEventKind.Wait:
      return waitWithMutex(block, row, first, second);
    case WorkloadEventKind.Sync:
      return sync(block, row, first, second);
    case WorkloadEventKind.Barrier:
      return meet(block, first, second);
    default:
      act(block, row, kind, first);
      return true;
  }
}

/** The events that never wait. */
function act(block: Block, row: i32, kind: WorkloadEventKind, place: i32): void {
  switch (kind) {
    case WorkloadEventKind.Resume:
    case WorkloadEventKind.Broadcast:
      broadcast(block, place);
      return;
    case WorkloadEventKind.Signal:
      signal(block, place);
      return;
    case WorkloadEventKind.Unlock:
      unlock(block, row, place);
      return;
    case WorkloadEventKind.Fork:
      atomic.add<i32>(stateWord(place), 1);
      broadcast(block, place);
      return;
    default:
      // A kind that there is not is a yield: the host makes none.
      yieldHart();
  }
}

/** Sleeps until a time, through every wake that was meant for an earlier wait. */
export function sleepTo(block: Block, until: i64): bool {
  const goal = until < block.end ? until : block.end;
  while (time() < goal) {
    if (sleepUntil(goal) < 0) yieldHart();
  }
  return until <= block.end;
}

/** The two words of a timer: below zero, one of the task's own. */
function timerAt(row: i32, timer: i32): usize {
  return stateWord(timer >= 0 ? timer : taskWord(row, WorkloadTaskRow.OwnTimers) + ((-1 - timer) << 1));
}

/**
 * Sleeps until the timer's next period ends. One that has passed counts as late; then a relative timer begins again now,
 * an absolute one keeps its times.
 */
function awaitTimer(block: Block, timer: usize, periodMicros: i32, isRelative: bool): bool {
  const period = ticksOf(periodMicros);
  // Its first use: the first period began with the task.
  atomic.cmpxchg<i64>(timer, 0, block.start);
  const next = atomic.add<i64>(timer, period) + period;
  const now = time();
  if (now <= next) return sleepTo(block, next);
  block.late += 1;
  if (isRelative) atomic.store<i64>(timer, now);
  return now < block.end;
}

/** Signals a condition and waits on it, with the mutex: taken for that, where the task does not hold it. */
function sync(block: Block, row: i32, condition: i32, mutex: i32): bool {
  const holdsBefore = holds(row, mutex);
  if (!holdsBefore && !lock(block, row, mutex)) return false;
  signal(block, condition);
  if (!waitWithMutex(block, row, condition, mutex)) return false;
  if (!holdsBefore) unlock(block, row, mutex);
  return true;
}
