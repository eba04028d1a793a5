// Set-up: the operations by which a scenario's first state is made, each of them the kernel's own.
//
// Owner: init alone runs these, before any thread. Pairs with: scenarios.ts.

import { IDLE_SPACE } from "../../../abi/layout";
import { TrapCause } from "../../../abi/traps";
import { Counters, Hart } from "../../../kernel/hart-local";
import { eventAt } from "../../../kernel/evidence";
import { Runtime } from "../../../kernel/runtime";
import { idOf as kernelIdOf, taskFrom } from "../../../kernel/task";
import { COUNTERS_OFFSET, GLOBALS_BASE, RESCHED_OFFSET, TASKS_BASE, TASK_STRIDE_LOG2 } from "../../../kernel/layout";
import * as kernel from "./kernel";
import { enter, proceed } from "./hart";
import { clearCostCounters } from "./cost-counter";
import { become, doorbellOf, hartIdOf, self } from "./machine";
import {
  BEGUN_ONLINE,
  COMPUTE,
  Fate,
  hartAddress,
  modeOf,
  NOW,
  PROGRAMS_MAX,
  SEND_ERROR,
  hartCount,
  keepEvidence,
  setFate,
  setHartCount,
  setMode,
  rowOf,
  setTaskCount,
  Step,
  stepAt,
  stepOf,
  taskCount,
} from "./model";

const TICK: i32 = 10;
const COUNTERS_BYTES: i32 = offsetof<Counters>() as i32;
/** `spawned` of the runtime and `step` of the boot's progress: the boot hart's housekeeping waits for tasks to end. */
const SPAWNED: i32 = GLOBALS_BASE;
const BOOT_STEP: i32 = GLOBALS_BASE + 256;
const TASKS_END: i32 = 10;
const HART_ID: i32 = offsetof<Hart>("hartId") as i32;
const DOORBELL: i32 = offsetof<Hart>("doorbell") as i32;
const IDLE_SINCE: i32 = offsetof<Hart>("idleSince") as i32;
const CURRENT: i32 = offsetof<Hart>("current") as i32;

/** `harts` CPUs that are online and idle, with tasks allowed to run. */
export function online(harts: i32): void {
  setHartCount(harts);
  store<i32>(BEGUN_ONLINE as usize, 1);
  atomic.store<i64>(NOW as usize, 1);
  kernel.setTopology(harts, TICK);
  for (let cpu = 0; cpu < harts; cpu++) {
    become(cpu);
    store<i32>((hartAddress(cpu) + HART_ID) as usize, hartIdOf(cpu));
    store<i32>((hartAddress(cpu) + DOORBELL) as usize, doorbellOf(cpu));
    kernel.join(self(), cpu);
    store<i64>((hartAddress(cpu) + IDLE_SINCE) as usize, 1);
    setMode(cpu, IDLE_SPACE);
  }
  kernel.letTasksRun();
  store<i32>(BOOT_STEP as usize, TASKS_END);
  become(0);
}

/** One CPU more in the topology than have joined: the highest one is valid and offline. */
export function oneMoreOffline(): void {
  kernel.setTopology(hartCount() + 1, TICK);
}

/** Three CPUs, idle; their evidence is part of the state. */
export function keptChain(): void {
  online(3);
  keepEvidence();
}

/** Keeps the boot hart from taking the end of all tasks for the end of the run. Last in a set-up. */
export function ready(): void {
  clearCostCounters();
  store<i64>(SPAWNED as usize, 0x7fffffff);
}

/** A task for a CPU; its index. */
export function task(cpu: i32, qos: i32): i32 {
  become(0);
  // A set-up posts and does not ring: what was posted is drained by `settle` or by the scenario itself.
  atomic.store<i32>(SEND_ERROR as usize, 0);
  const id = kernel.spawn(kernel.borrowRuntime(self()), self(), cpu, 0, qos, 0);
  assert(id >= 0, "the set-up could not spawn a task");
  const index = (id as i32) & 1023;
  if (index >= taskCount()) setTaskCount(index + 1);
  return index;
}

/** A time that never comes. */
export const FAR: i64 = 1000000;

/** A running task of a CPU that is to end. */
export function running(cpu: i32, qos: i32): i32 {
  const index = task(cpu, qos);
  settle(cpu);
  setFate(index, Fate.Ended);
  return index;
}

/** Lets a CPU take its interrupts and its next task. */
export function settle(cpu: i32): void {
  become(cpu);
  const mode = enter(cpu, TrapCause.SoftInterrupt, 0, 0, 0);
  setMode(cpu, mode);
  become(0);
}

/** Takes a CPU's requests and mailbox entries without running anything: its tasks are queued afterwards. */
export function absorb(cpu: i32): void {
  become(cpu);
  assert(kernel.takeRequests(self()) == 0, "the set-up found no request to take");
  assert(kernel.drainMailbox(self()) == 0, "the set-up could not drain a mailbox");
  kernel.acknowledge(self());
  become(0);
}

/** A task queued on a CPU. */
export function queued(cpu: i32, qos: i32): i32 {
  const index = task(cpu, qos);
  if (cpu != 0) absorb(cpu);
  return index;
}

/** A task that this CPU holds: its current one. For scenarios of bare operations. */
export function held(cpu: i32, qos: i32): i32 {
  const index = queued(cpu, qos);
  become(cpu);
  store<i32>((hartAddress(cpu) + CURRENT) as usize, kernel.pick(self()));
  assert(load<i32>((hartAddress(cpu) + CURRENT) as usize) == addressOf(index), "the set-up picked another task");
  become(0);
  return index;
}

/** Ends a queued task: its entry stays behind as a tombstone. */
export function leaveTombstone(index: i32): void {
  become(0);
  assert(
    kernel.kill(kernel.borrowRuntime(self()), self(), addressOf(index), FIRST_LIFE) == 0,
    "the set-up could not end a task",
  );
}

/** Writes other numbers into a CPU's counters, its evidence ring and the counter that numbers its events. */
export function litter(cpu: i32): void {
  const hart = hartAddress(cpu);
  for (let at = 0; at < COUNTERS_BYTES; at += 4) store<i32>((hart + COUNTERS_OFFSET + at) as usize, 7 * at + 3);
  for (let at = 0; at < 1024; at += 4) store<i32>((eventAt(cpu, 0) + at) as usize, 5 * at + cpu);
  store<i64>((hart + RESCHED_OFFSET + 8) as usize, 1000 + cpu);
  store<i64>((hart + RESCHED_OFFSET + 16) as usize, 40 + cpu);
}

/** The incarnation of a task in the first life of its entry. */
export const FIRST_LIFE: i32 = 1;

/** The id by which tasks know the present life of an entry. */
export function idOf(index: i32): i64 {
  return kernelIdOf(taskFrom(addressOf(index)));
}

export function addressOf(index: i32): i32 {
  return TASKS_BASE + (index << TASK_STRIDE_LOG2);
}

/** The next spawned task gets this entry, once that is free, and this CPU. */
export function spawnsNext(index: i32, cpu: i32): void {
  const runtime = kernel.borrowRuntime(self());
  store<i32>((runtime + (offsetof<Runtime>("nextTask") as i32)) as usize, index);
  store<i32>((runtime + (offsetof<Runtime>("nextCpu") as i32)) as usize, cpu);
}

/** Step `position` of a task's program, with any answer. */
export function step(index: i32, position: i32, call: i32, a0: i64, a1: i64): void {
  const at = stepAt(index, position);
  at.call = call + 1;
  at.a0 = a0;
  at.a1 = a1;
}

/** The same with the least and the greatest answer that may be given. */
export function judged(index: i32, position: i32, call: i32, a0: i64, a1: i64, least: i64, most: i64): void {
  step(index, position, call, a0, a1);
  limit(stepAt(index, position), least, most);
}

/** The same in a program other than 0, for tasks that are spawned later. */
export function programmed(program: i32, position: i32, call: i32, a0: i64, a1: i64, least: i64, most: i64): void {
  const at = stepOf(rowOf(program), position);
  at.call = call + 1;
  at.a0 = a0;
  at.a1 = a1;
  limit(at, least, most);
}

function limit(at: Step, least: i64, most: i64): void {
  at.isJudged = 1;
  at.least = least;
  at.most = most;
}

/** From that position on the task computes for ever. */
export function computes(index: i32, position: i32): void {
  stepAt(index, position).call = COMPUTE + 1;
}

/** Spaces without a program compute for ever, instead of ending at once. */
export function fillersCompute(): void {
  stepAt(PROGRAMS_MAX, 0).call = COMPUTE + 1;
}

/** A CPU's running task makes its next system call. */
export function advance(cpu: i32): void {
  become(cpu);
  setMode(cpu, proceed(cpu, modeOf(cpu)));
  become(0);
}
