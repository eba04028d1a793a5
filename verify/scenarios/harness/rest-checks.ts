// Rest checks: what holds where every hart waits and no interrupt is on its way, and when threads of bare operations end.
//
// Owner: none, it reads only.
// Pairs with: invariant.ts (what holds in every state), event-checks.ts (the chains), model.ts (what is to become of tasks).
// Clauses: I6 at rest.

import { SPACES_MAX } from "../../../abi/layout";
import { Hart } from "../../../kernel/hart-local";
import {
  RESCHED_OFFSET,
  SLEEPERS_BASE,
  SLEEPERS_STRIDE_LOG2,
  TASK_STRIDE_LOG2,
  TASKS_BASE,
} from "../../../kernel/layout";
import { COUNT_MASK, FAILED } from "../../../kernel/resched";
import { has, Signal } from "../../../kernel/signals";
import { ENTRIES_OFFSET, Sleeper, Sleepers } from "../../../kernel/sleepers";
import { cpuOf, qosOf, stateOf, TaskState } from "../../../kernel/task";
import { Broken } from "../broken";
import { chain, isRefused } from "./event-checks";
import {
  BEGUN_ONLINE,
  conserves,
  EXPECTED_RESULT,
  Fate,
  fateOf,
  hartAddress,
  hartCount,
  isEvidenceKept,
  pendingOf,
  POWERED_OFF,
  programOf,
  resters,
  SOFT_PENDING,
  taskCount,
} from "./model";
import { askedClass, hasPermit, isToEnd, signalsOf } from "./words";

const CURRENT: i32 = offsetof<Hart>("current") as i32;
const UNSENT: i32 = offsetof<Hart>("unsentTarget") as i32;
const SLEEPER_COUNT: i32 = offsetof<Sleepers>("count") as i32;
const SLEEPER_WORD: i32 = offsetof<Sleeper>("word") as i32;
const SLEEPER_DEADLINE: i32 = offsetof<Sleeper>("deadline") as i32;
const SLEEPER_BYTES: i32 = offsetof<Sleeper>() as i32;

function word(task: i32): i64 {
  return load<i64>(task as usize);
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

/** Does some hart remember to ring this CPU again? */
function isRemembered(cpu: i32): bool {
  for (let by = 0; by < hartCount(); by++) {
    const unsent = load<i32>((hartAddress(by) + UNSENT) as usize);
    // -1: it remembers several, and looks at every CPU's state.
    if (unsent == cpu + 1 || unsent == -1) return true;
  }
  return false;
}
