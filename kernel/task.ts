// Task: one entry of the task table. Where a task is, is one atomic word; whoever moves a task changes that
// word by exchange, so of several who want it exactly one gets it.
//
//   63            32 31      11 10    5 4      2 1   0
//  | task address   | generation | CPU | state  | QoS |
//
// Owner: the word belongs to everybody, by exchange. The life word is signals.ts's. Every other field belongs to
// whoever holds the task: the hart whose CPU number stands in the word while the state is Held, or who has just
// claimed its sleep.
// Invariant: a task is in exactly one place, the one that its word names (S3).
// Pairs with: run-queue.ts and mailbox.ts, whose entries are copies of the word; signals.ts.
// Clauses: Q7, S3, I9, T7.

import { TASKS_MAX } from "../abi/layout";
import { Qos } from "../abi/qos";
import { TASKS_BASE, TASK_STRIDE_LOG2 } from "./layout";
import { has, incarnationOf, requestedQos, Signal } from "./signals";
import { load64 } from "./shared";

export enum TaskState {
  Free = 0,
  /** One hart runs it or moves it. */
  Held = 1,
  /** In a run queue of the CPU in the word. */
  Queued = 2,
  /** In the mailbox of the CPU in the word. */
  Mailed = 3,
  /** Waits for its time or a wake; the CPU in the word is the one on which it went to sleep. */
  Blocked = 4,
  Exited = 5,
}

/** Absence of a task. */
export const NO_TASK: i32 = 0;

const STATE_SHIFT: i32 = 2;
const CPU_SHIFT: i32 = 5;
const GENERATION_SHIFT: i32 = 11;
const STATE_MASK: i64 = 7 << STATE_SHIFT;
const CPU_MASK: i64 = 63 << CPU_SHIFT;

/** Adding this turns Held into Queued, and subtracting it turns it back: states are neighbours for that. */
export const HELD_TO_QUEUED: i64 = 1 << STATE_SHIFT;

/** Changes of a word's state, for `renewed`. */
export const SAME_STATE: i32 = 0;
export const QUEUED_TO_EXITED: i32 = (TaskState.Exited - TaskState.Queued) << STATE_SHIFT;

@unmanaged
export class Task {
  /** Where the task is (S3): everybody exchanges. */
  word: i64;
  /** Signals and the life that they are meant for: see signals.ts. Everybody exchanges. */
  life: i64;
  runs: i64;
  migrations: i64;
  wakes: i64;
  /** The address that a fault named. */
  faultAddress: i64;
  /** Its exit code; while it lives 0, or where it is parked the next parked task of its class: see parking.ts. */
  exitCode: i32;
  /** How often another hart took it from a run queue; stays at its greatest number. */
  steals: u32;
  /** Counts the lives of this entry, as the life word does. The boot hart's own: it alone writes and reads. */
  incarnation: i32;
  program: i16;
  /** The CPU on which it ran last, or -1. */
  lastCpu: i8;
  /** How it ended: an ExitReason. */
  exitReason: i8;
}

export enum ExitReason {
  Alive = 0,
  Exited = 1,
  Faulted = 2,
  Killed = 3,
}

export function taskAt(index: i32): Task {
  return changetype<Task>((TASKS_BASE + (index << TASK_STRIDE_LOG2)) as usize);
}

export function taskFrom(address: i32): Task {
  return changetype<Task>(address as usize);
}

export function addressOfTask(task: Task): i32 {
  return changetype<usize>(task) as i32;
}

export function indexOf(task: Task): i32 {
  return (addressOfTask(task) - TASKS_BASE) >> TASK_STRIDE_LOG2;
}

/** The id that user tasks know: the entry's index (10 bits) and, above it, which life of the entry (31 bits). */
export function idOf(task: Task): i64 {
  return idIn(indexOf(task), load64(lifeOf(task)));
}

/** The id of an entry's task in the life that a life word is of. */
export function idIn(index: i32, life: i64): i64 {
  return (index as i64) | ((incarnationOf(life) as i64) << ID_INCARNATION_SHIFT);
}

export const ID_INCARNATION_SHIFT: i32 = 10;
/** Above every id of a task. */
export const ID_END: i64 = (1 as i64) << (31 + ID_INCARNATION_SHIFT);

export function indexOfId(id: i64): i32 {
  return (id as i32) & (TASKS_MAX - 1);
}

export function incarnationOfId(id: i64): i32 {
  return (id >> ID_INCARNATION_SHIFT) as i32;
}

/** Whether a word is of a task that was spawned and has not ended. */
export function isLive(word: i64): bool {
  const state = stateOf(word);
  return state != TaskState.Free && state != TaskState.Exited;
}

/** Counts that another hart took a task. It does not wrap (I9). */
export function countSteal(task: Task): void {
  if (task.steals != u32.MAX_VALUE) task.steals += 1;
}

/** Address of a task's life word. */
export function lifeOf(task: Task): i32 {
  return addressOfTask(task) + LIFE_OFFSET;
}

export const LIFE_OFFSET: i32 = 8;
export const EXIT_CODE_OFFSET: i32 = 48;

/** The first SPACES_MAX tasks have the user space of the same number; the others have none. */
export function spaceOf(task: Task): i32 {
  return indexOf(task);
}

export function taskOfWord(word: i64): Task {
  return changetype<Task>((word >> 32) as usize);
}

export function stateOf(word: i64): TaskState {
  return ((word as i32) >> STATE_SHIFT) & 7;
}

export function qosOf(word: i64): Qos {
  return (word as i32) & 3;
}

export function cpuOf(word: i64): i32 {
  return ((word as i32) >> CPU_SHIFT) & 63;
}

/** State and CPU as they stand in a word. */
export function placeOf(state: TaskState, cpu: i32): i32 {
  return (state << STATE_SHIFT) + (cpu << CPU_SHIFT);
}

/** Whether a task is there. place: see placeOf. */
export function isAt(word: i64, place: i32): bool {
  return ((word as i32) & ((STATE_MASK | CPU_MASK) as i32)) == place;
}

/** The place of a task on the CPU for which `heldHere` states where it holds tasks. */
export function placeLike(heldHere: i32, state: TaskState): i32 {
  return heldHere + ((state - TaskState.Held) << STATE_SHIFT);
}

export function movedTo(word: i64, place: i32): i64 {
  return (word & ~(STATE_MASK | CPU_MASK)) | (place as i64);
}

export function withState(word: i64, state: TaskState): i64 {
  return (word & ~STATE_MASK) | ((state << STATE_SHIFT) as i64);
}

export function withPlace(word: i64, state: TaskState, cpu: i32): i64 {
  return movedTo(word, placeOf(state, cpu));
}

export function withQos(word: i64, qos: Qos): i64 {
  return (word & ~(3 as i64)) | (qos as i64);
}

/** The word of a task whose sleep is being claimed, in the class that its life word asks for meanwhile. */
export function withClassAsked(life: i64, word: i64): i64 {
  return has(life, Signal.ChangeQos) ? withQos(word, requestedQos(life)) : word;
}

/** The next generation, with a change of its state: entries made from the word before no longer match (S3, Q7). */
export function renewed(word: i64, change: i32): i64 {
  const low = (word as i32) + ((1 << GENERATION_SHIFT) + change);
  return (word & 0xffffffff00000000) | (low as u32 as i64);
}

/** The first word of a life, in the generation of the last: an entry of the former life does not match (T7). */
export function freshWord(task: Task, generationOf: i64): i64 {
  return ((addressOfTask(task) as i64) << 32) | ((generationOf as u32 as i64) & ~(0x7ff as i64));
}
