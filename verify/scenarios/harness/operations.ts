// Operations: explored threads that call the kernel's operations by themselves, without traps around them. Each is a
// hart that does what its name describes, again and again; a task that it holds is its `current`.
//
// Between operations the thread's hart counts as outside the kernel, so the invariant is exact there.
// Owner: each thread its own hart. Pairs with: rest-checks.ts; the .scenario.ts files, which name these.

import { RING_CAPACITY } from "../../../abi/layout";
import { Counters, Hart } from "../../../kernel/hart-local";
import { BANK_STRIDE_LOG2, COUNTERS_OFFSET, RESCHED_OFFSET } from "../../../kernel/layout";
import { WakeOutcome } from "../../../kernel/sleep";
import { QosOutcome, SpawnRefusal } from "../../../kernel/authority";
import { roomOf, slotAt } from "../../../kernel/run-queue";
import { cpuOf, qosOf, stateOf, TaskState } from "../../../kernel/task";
import * as kernel from "./kernel";
import {
  become,
  loadHartPointer,
  ON_ITS_OWN,
  refuseSpaces,
  self,
  setHartPointer,
  stackQuestions,
  standAt,
} from "./machine";
import { hartAddress, setInside } from "./model";
import { addressOf, FIRST_LIFE } from "./setup";
import { hasPermit, readSignals } from "./words";

const CURRENT: i32 = offsetof<Hart>("current") as i32;
const STOLEN: i32 = offsetof<Hart>("stolen") as i32;
const STEALS_IN_TICK: i32 = offsetof<Hart>("stealsInTick") as i32;
/** Outcomes, as run-queue.ts and scheduler.ts number them. */
const QUEUED: i32 = 0;
const QUEUE_FULL: i32 = 1;
const INVALID_CPU: i32 = 2;
const STOLEN_ONE: i32 = 0;
const BUDGET_SPENT: i32 = 4;
const INVALID_VICTIM: i32 = 5;
/** ReschedOutcome, as resched.ts numbers it. */
const NO_CPU: i32 = 3;
const OFFLINE_CPU: i32 = 4;

function current(cpu: i32): i32 {
  return load<i32>((hartAddress(cpu) + CURRENT) as usize);
}

function setCurrent(cpu: i32, task: i32): void {
  store<i32>((hartAddress(cpu) + CURRENT) as usize, task);
}

function readRing(cpu: i32, qos: i32): i64 {
  return atomic.load<i64>((hartAddress(cpu) + (qos << BANK_STRIDE_LOG2)) as usize);
}

/** Where the next entry of a ring goes: only its owner moves this on. */
function tailOf(cpu: i32, qos: i32): i32 {
  return tailIn(readRing(cpu, qos));
}

function tailIn(state: i64): i32 {
  const low = state as i32;
  return (((state - (low as i64)) >> 32) as i32) + RING_CAPACITY - (low & 0xffff);
}

/** The free places of all run queues of a CPU; only its owner lessens them. */
function roomsOf(cpu: i32): i32 {
  let rooms = 0;
  for (let qos = 0; qos < 4; qos++)
    rooms += roomOf(atomic.load<i64>((hartAddress(cpu) + (qos << BANK_STRIDE_LOG2)) as usize));
  return rooms;
}

/** Queues the held task; on a refusal, checks that the class was full (Q1) and that nothing has changed (Q2). */
function queue(cpu: i32): void {
  const task = current(cpu);
  const before = load<i64>(task as usize);
  const ring = readRing(cpu, qosOf(before));
  const outcome = kernel.enqueue(hartAddress(cpu), task);
  if (outcome == QUEUED) {
    setCurrent(cpu, 0);
    // The owner alone writes its slots and moves the tail; dropping tombstones moves it as well.
    const last = tailOf(cpu, qosOf(before)) - 1;
    const slot = slotAt(hartAddress(cpu) + (qosOf(before) << BANK_STRIDE_LOG2), last);
    assert(((atomic.load<i64>(slot as usize) >> 32) as i32) == task, "a task was not queued at the end");
    return;
  }
  assert(outcome == QUEUE_FULL, "enqueue answered neither Queued nor QueueFull");
  // Others make more room, and only this hart takes it away.
  assert(roomOf(ring) == 0, "a queue with room has refused a task");
  assert(load<i64>(task as usize) == before, "a rejected enqueue changed the task");
  assert(tailOf(cpu, qosOf(before)) == tailIn(ring), "a rejected enqueue changed the queue");
}

/** An owner who runs a task and queues it again, in turns. */
export function owner(cpu: i32, turns: i32): void {
  become(cpu);
  for (let turn = 0; turn < turns; turn++) {
    setInside(cpu, true);
    if (current(cpu) == 0) setCurrent(cpu, pickHere(cpu));
    else queue(cpu);
    setInside(cpu, false);
  }
}

/** A thief that takes tasks of at most a class from wherever they are, one a tick, and keeps each for a while. */
export function thief(cpu: i32, bound: i32, turns: i32): void {
  become(cpu);
  for (let turn = 0; turn < turns; turn++) {
    setInside(cpu, true);
    if (current(cpu) == 0) {
      const rooms = roomsOf(cpu);
      // A new tick.
      store<i32>((self() + STEALS_IN_TICK) as usize, 0);
      if (kernel.steal(self(), bound) == STOLEN_ONE) {
        const task = load<i32>((self() + STOLEN) as usize);
        assert(qosOf(load<i64>(task as usize)) <= bound, "a task above the class allowed was stolen");
        setCurrent(cpu, task);
        assert(roomsOf(cpu) >= rooms, "a thief has queued more than the one task that it may take");
        assert(kernel.steal(self(), bound) == BUDGET_SPENT, "a second steal in one tick was not refused");
      }
    } else queue(cpu);
    setInside(cpu, false);
  }
}

/** A thief with one victim, which may be itself, offline, or no CPU at all (S5). */
export function thiefOf(cpu: i32, victim: i32, bound: i32): void {
  become(cpu);
  setInside(cpu, true);
  store<i32>((self() + STEALS_IN_TICK) as usize, 0);
  const outcome = kernel.stealFrom(self(), victim, bound);
  if (victim < 0 || victim == cpu || victim > 3)
    assert(outcome == INVALID_VICTIM, "a victim that is none was not refused");
  if (outcome == STOLEN_ONE) setCurrent(cpu, load<i32>((self() + STOLEN) as usize));
  setInside(cpu, false);
}

/** The boot hart ends a task, wherever it is by then. */
export function killer(index: i32): void {
  become(0);
  setInside(0, true);
  kernel.kill(kernel.borrowRuntime(self()), self(), addressOf(index), FIRST_LIFE);
  setInside(0, false);
}

/** The boot hart gives a task another class, and another one after that. */
export function reclassifier(index: i32, first: i32, second: i32): void {
  become(0);
  setInside(0, true);
  kernel.changeQos(kernel.borrowRuntime(self()), self(), addressOf(index), FIRST_LIFE, first);
  setInside(0, false);
  if (second < 0) return;
  setInside(0, true);
  kernel.changeQos(kernel.borrowRuntime(self()), self(), addressOf(index), FIRST_LIFE, second);
  setInside(0, false);
}

/** The task that it holds falls asleep. */
export function sleeperOf(cpu: i32): void {
  become(cpu);
  setInside(cpu, true);
  kernel.sleepCurrent(self(), 1000000);
  setInside(cpu, false);
}

/** Wakes a task, once; a wake that was refused has left no permit (Q9). */
export function wakerOf(cpu: i32, index: i32): void {
  become(cpu);
  setInside(cpu, true);
  const outcome = kernel.wake(self(), addressOf(index), FIRST_LIFE);
  if (outcome == WakeOutcome.QueueFull || outcome == WakeOutcome.Contended)
    assert(!hasPermit(readSignals(addressOf(index))), "a refused wake has left a permit");
  setInside(cpu, false);
}

/** The boot hart gives a task one class and another by turns. */
export function alternator(index: i32, first: i32, second: i32, times: i32): void {
  become(0);
  for (let i = 0; i < times; i++) {
    setInside(0, true);
    change(index, (i & 1) == 0 ? first : second);
    setInside(0, false);
  }
}

/**
 * The boot hart acts on its own queues by turns: it changes the class of a task there, runs one and queues it again. A
 * change that is refused leaves the task as it was (Q7).
 */
export function authorityHere(index: i32, first: i32, second: i32, turns: i32): void {
  become(0);
  for (let turn = 0; turn < turns; turn++) {
    setInside(0, true);
    if ((turn & 1) != 0) {
      if (current(0) == 0) setCurrent(0, pickHere(0));
      else queue(0);
    } else change(index, (turn & 2) == 0 ? first : second);
    setInside(0, false);
  }
}

function change(index: i32, qos: i32): void {
  const task = addressOf(index);
  const before = atomic.load<i64>(task as usize);
  const outcome = kernel.changeQos(kernel.borrowRuntime(self()), self(), task, FIRST_LIFE, qos);
  const after = atomic.load<i64>(task as usize);
  if (outcome != QosOutcome.QueueFull) {
    // Owners alone fill rings, and none of them acts here: a class that is full now was full all the while.
    if (stateOf(before) == TaskState.Queued && qosOf(before) != qos && stateOf(after) == TaskState.Mailed)
      assert((readRing(cpuOf(after), qos) as i32) != 0, "a task was given a class that is full");
    return;
  }
  // A thief or its owner may have taken it meanwhile; its class stays.
  assert(qosOf(after) == qosOf(before), "a refused change of class has changed it");
  assert(
    stateOf(after) == stateOf(before) || stateOf(after) == TaskState.Held,
    "a refused change of class has moved the task",
  );
}

/** The next task of a CPU; one of a higher class that was ready must not be passed over (Q6). */
function pickHere(cpu: i32): i32 {
  const picked = kernel.pick(self());
  if (picked == 0) return 0;
  for (let qos = qosOf(load<i64>(picked as usize)) + 1; qos < 4; qos++) {
    // Others only take, and without tombstones what is left was there before.
    const ring = atomic.load<i64>((hartAddress(cpu) + (qos << BANK_STRIDE_LOG2)) as usize);
    assert((ring as i32) < 0 || roomOf(ring) == RING_CAPACITY, "a pick passed over a higher class");
  }
  return picked;
}

/** The boot hart spawns a task for a CPU, and the machine cannot prepare its space: the place goes back (Q9). */
export function refusedSpawner(target: i32): void {
  become(0);
  refuseSpaces();
  setInside(0, true);
  const outcome = kernel.spawn(kernel.borrowRuntime(self()), self(), target, 0, 1, 0);
  assert(outcome == SpawnRefusal.MachineFailed, "a spawn without a space was not refused as it has to be");
  setInside(0, false);
}

/** Posts the held task to another CPU; where that is refused, nothing has changed (Q2, Q3). */
export function poster(cpu: i32, target: i32): void {
  become(cpu);
  setInside(cpu, true);
  const task = current(cpu);
  const before = load<i64>(task as usize);
  const outcome = kernel.place(self(), target, task);
  if (outcome == QUEUED) setCurrent(cpu, 0);
  else assert(load<i64>(task as usize) == before, "a rejected post changed the task");
  if (target < 0 || target > 3) assert(outcome == INVALID_CPU, "a post to no CPU was not refused");
  setInside(cpu, false);
}

/** Empties its mailbox, in turns, and runs what came. */
export function receiver(cpu: i32, turns: i32): void {
  become(cpu);
  for (let turn = 0; turn < turns; turn++) {
    setInside(cpu, true);
    kernel.drainMailbox(self());
    setInside(cpu, false);
    setInside(cpu, true);
    if (current(cpu) == 0) setCurrent(cpu, kernel.pick(self()));
    setInside(cpu, false);
  }
}

/** Asks CPUs to reschedule, in turn. */
export function requester(cpu: i32, target: i32, times: i32): void {
  become(cpu);
  for (let i = 0; i < times; i++) {
    setInside(cpu, true);
    const accepted = atomic.load<i64>((hartAddress(target & 3) + RESCHED_OFFSET) as usize);
    const outcome = kernel.requestResched(self(), target);
    if (target < 0 || target > 3) assert(outcome == NO_CPU, "a request to no CPU was not refused");
    else assert(outcome != NO_CPU && accepted >= 0, "a request to a CPU was taken for one to none");
    setInside(cpu, false);
  }
}

/** Asks once, and when the machine refuses, sends again until it does not: at most `times` times. */
export function persistent(cpu: i32, target: i32, times: i32): void {
  become(cpu);
  setInside(cpu, true);
  let outcome = kernel.requestResched(self(), target);
  setInside(cpu, false);
  for (let i = 0; i < times && outcome == 2; i++) {
    setInside(cpu, true);
    outcome = kernel.send(self(), target, target + 1);
    setInside(cpu, false);
  }
}

/** Asks, posts to and steals from a CPU that is not there or offline: each is refused, with nothing changed. */
export function petitioner(cpu: i32, target: i32, isOffline: i32): void {
  become(cpu);
  const task = current(cpu);
  const before = load<i64>(task as usize);
  setInside(cpu, true);
  const asked = kernel.requestResched(self(), target);
  assert(asked == (isOffline ? OFFLINE_CPU : NO_CPU), "a request to nobody was not refused as it has to be");
  assert(kernel.place(self(), target, task) == INVALID_CPU, "a post to nobody was not refused");
  assert(load<i64>(task as usize) == before, "a refused post changed the task");
  store<i32>((self() + STEALS_IN_TICK) as usize, 0);
  assert(kernel.stealFrom(self(), target, 3) == INVALID_VICTIM, "a steal from nobody was not refused");
  setInside(cpu, false);
}

/** Which CPU is this? Asked with every kind of wrong `tp`, while others join and trap (C1, C2, C3, C4). */
export function identity(cpu: i32, other: i32): void {
  become(cpu);
  const pointer = self();
  for (let wrong = 0; wrong < 7; wrong++) {
    if (wrong == 1) setHartPointer(hartAddress(other));
    else if (wrong == 2) setHartPointer(pointer + 4);
    else if (wrong == 3) setHartPointer(0x5a5a5a5a);
    else if (wrong == 4) setHartPointer(hartAddress(63));
    else if (wrong == 5) setHartPointer(-4096);
    else if (wrong == 6) setHartPointer((pointer as i64) + 0x100000000);
    assert(kernel.cpuId() == cpu, "a hart was taken for another");
  }
  loadHartPointer();
}

/** Questions about stacks that one answer may take (C4). */
const QUESTIONS_MAX: i32 = 3;

/** A hart on a stack that is not its own: the stack decides, and nobody's is the boot hart's, whatever \`tp\` holds (C2, C3). */
export function impostor(cpu: i32, other: i32): void {
  become(cpu);
  for (let wrong = 0; wrong < 5; wrong++) {
    const stands = wrong == 0 ? other : wrong == 1 ? 63 : wrong == 2 ? 64 : wrong == 3 ? -1 : -0x300;
    answersOn(stands, wrong == 0 ? other : 0, hartAddress(cpu));
    answersOn(stands, wrong == 0 ? other : 0, hartAddress(other));
    answersOn(stands, wrong == 0 ? other : 0, 0x5a5a5a5a);
  }
  standAt(ON_ITS_OWN);
  loadHartPointer();
}

/** One question, whose answer is \`expected\`; a fallback is counted there, and only one that was needed. */
function answersOn(stands: i32, expected: i32, pointer: i32): void {
  const counter = (hartAddress(expected) + COUNTERS_OFFSET + (offsetof<Counters>("identityFallbacks") as i32)) as usize;
  const before = load<i64>(counter);
  standAt(stands);
  setHartPointer(pointer);
  assert(kernel.cpuId() == expected, "a hart on a stack that is not its own was taken for another");
  assert(stackQuestions() <= QUESTIONS_MAX, "an answer took more steps than it may");
  const isBelieved = pointer == hartAddress(expected) && stands == expected;
  assert(load<i64>(counter) == before + (isBelieved ? 0 : 1), "a fallback was not counted, or one that was not needed");
}
