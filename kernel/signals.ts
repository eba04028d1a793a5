// Signals: what others ask of a task and whether it sleeps, in one word with the life that it is meant for.
//
//   63        42 41          10 9 0
//  | sleeps     | incarnation  | signals |
//
// Every access is by exchange or by an operation of the task's holder, so a request acts on one life of the entry, or
// finds that this life has ended: a late one can never reach the next (T6). `sleeps` counts the sleeps, so that an
// exchange that succeeds proves that the task slept the same sleep all the while; it wraps harmlessly at the top.
//
// Owner: the holder sets Asleep and clears what it has honoured. Anybody may set Permit while the task is awake,
// and whoever clears Asleep (a waker, its hart's timer, the boot hart that ends it) holds the task from then on.
// Invariant: while Asleep is set the task's word is Blocked and does not change; while it is clear, a task whose word
// is Blocked is still, or already, in the hands of one hart.
// Pairs with: task.ts (the word), sleep.ts, sleepers.ts, authority.ts, dispatch.ts.
// Clauses: I6, I9, T6, T7.

import { Qos } from "../abi/qos";

export enum Signal {
  /** A wake that found the task awake: its next sleep returns at once (I6). */
  Permit = 1,
  /** Its holder ends it before it runs again or sleeps. */
  Kill = 2,
  /** It sleeps: whoever clears this bit has it. */
  Asleep = 4,
  /** Bits 4 and 5 hold the class that its holder shall give it. */
  ChangeQos = 8,
  /** Its sleep was ended by a wake, */
  Woken = 64,
  /** or by its time. It has not run since. */
  Expired = 128,
}

const QOS_SHIFT: i32 = 4;
const QOS_REQUEST: i64 = Signal.ChangeQos | (3 << QOS_SHIFT);
const SIGNALS_MASK: i32 = 0x3ff;
const INCARNATION_SHIFT: i32 = 10;
const SLEEPS_SHIFT: i32 = 42;

/** Adding this to the life word of an awake task puts it to sleep, and counts the sleep (T6). */
export const FALL_ASLEEP: i64 = ((1 as i64) << SLEEPS_SHIFT) + Signal.Asleep;

/** Lives of one entry of the task table; it is not used again after the last one (I9). */
export const INCARNATION_MAX: i32 = 0x7fffffff;

export function incarnationOf(life: i64): i32 {
  return (life >> INCARNATION_SHIFT) as i32;
}

/** Whether a life word has any of these signals. */
export function has(life: i64, signals: i32): bool {
  return ((life as i32) & signals) != 0;
}

/** Whether its holder has anything to do for the task before it runs. */
export function hasAny(life: i64): bool {
  return ((life as i32) & SIGNALS_MASK) != 0;
}

/** Whether a life word is of that life of the entry (T6). */
export function isOfLife(life: i64, incarnation: i32): bool {
  return incarnationOf(life) == incarnation;
}

/** The word of a task that sleeps, with no other signal, less the count of its sleeps: see isPlainSleep. */
function plainSleep(incarnation: i32): i64 {
  return (((incarnation as i64) << INCARNATION_SHIFT) | (Signal.Asleep as i64)) << (64 - SLEEPS_SHIFT);
}

/** Whether a task of that incarnation sleeps and nothing else is asked of it. */
export function isPlainSleep(life: i64, incarnation: i32): bool {
  return life << (64 - SLEEPS_SHIFT) == plainSleep(incarnation);
}

/** Whether two life words are of the same sleep of the same life. */
export function isSameSleep(life: i64, other: i64): bool {
  return (life ^ other) >> INCARNATION_SHIFT == 0;
}

/** The word after the sleep was claimed. reason: Woken or Expired. A pending class is the claimer's to give. */
export function claimed(life: i64, reason: Signal): i64 {
  return (life & ~((Signal.Asleep as i64) | QOS_REQUEST)) | (reason as i64);
}

/** The word that asks for a class in place of any class asked for before. */
export function withQosRequest(life: i64, qos: Qos): i64 {
  return withoutQosRequest(life) | (Signal.ChangeQos as i64) | ((qos as i64) << QOS_SHIFT);
}

function withoutQosRequest(life: i64): i64 {
  return life & ~QOS_REQUEST;
}

/** The class that is asked for; only where ChangeQos is set. */
export function requestedQos(life: i64): Qos {
  return ((life as i32) >> QOS_SHIFT) & 3;
}

/** What its holder keeps after it has given the task the class asked for. */
export const HONOURED_QOS: i64 = ~QOS_REQUEST;
/** What its holder keeps once the task runs after a sleep; a permit left meanwhile belongs to that sleep. */
export const HONOURED_SLEEP: i64 = ~((Signal.Woken | Signal.Expired | Signal.Permit) as i64);
export const WITHOUT_PERMIT: i64 = ~(Signal.Permit as i64);

/** The life word of the entry's next life: another incarnation (T6), and no signals (T7). */
export function nextLife(life: i64): i64 {
  return (life & ~(SIGNALS_MASK as i64)) + ((1 as i64) << INCARNATION_SHIFT);
}
