// Evidence: what happened on a hart, in a ring that the console and the host can check.
//
// Owner: a hart writes its own ring; the boot hart reads all of them for the console.
// Invariant: numbers of one CPU's counter rise with happens-before: a number is drawn before the act becomes
// visible to other harts, and after everything that the act follows.
// Pairs with: proof/, which checks chains by these numbers; abi/events.ts, which gives their meaning.
// Clauses: I3, I8, I9, D2.

import { EventKind } from "../abi/events";
import { EVIDENCE_CAPACITY } from "../abi/layout";
import { addressOf, Hart, hartAt } from "./hart-local";
import { EVIDENCE_STRIDE_LOG2, HART_LOG2, RESCHED_OFFSET } from "./layout";
import { add64, load64, store64 } from "./shared";

// An event is two words. The ring's next position lies in the hart's resched line, beside the counter that numbers this
// CPU's events.
//
//   63      16 15     8 7    0      63       20 19      0
//  | number   | subject | kind |    | request  | detail  |
const NEXT_NUMBER: i32 = RESCHED_OFFSET + 8;
export const NEXT_POSITION: i32 = RESCHED_OFFSET + 16;
const EVENT_LOG2: i32 = 4;
const NUMBER_SHIFT: i32 = 16;
const SUBJECT_SHIFT: i32 = 8;
const REQUEST_SHIFT: i32 = 20;
const DETAIL_MASK: i64 = 0xfffff;

/** Above every request number that an event can hold. */
export const REQUEST_NUMBER_MAX: i64 = (1 as i64) << (63 - REQUEST_SHIFT);
/** Events that a CPU may ever number, before its next tick stops the machine: 200 days of eight million a second (I9). */
export const EVENTS_MAX: i64 = ((1 as i64) << (63 - NUMBER_SHIFT)) - 0x10000000;

/** The next number of the events of a CPU. Drawn by whichever hart acts on that CPU, before others can see the act (I3). */
export function drawNumber(subject: Hart): i64 {
  return drawNumbers(subject, 1);
}

/** The first of the next `count` numbers. Each of them must become an event. */
export function drawNumbers(subject: Hart, count: i64): i64 {
  return add64(addressOf(subject) + NEXT_NUMBER, count) + 1;
}

/** The number drawn last for a CPU. */
export function lastNumber(subject: Hart): i64 {
  return load64(addressOf(subject) + NEXT_NUMBER);
}

/** Writes an event with a number drawn before. request: its low 44 bits are kept, detail: its low 20 bits. */
export function recordNumbered(
  self: Hart,
  subject: i32,
  kind: EventKind,
  number: i64,
  request: i64,
  detail: i32,
): void {
  const position = load<i64>((addressOf(self) + NEXT_POSITION) as usize);
  const event = eventIn(ringOf(self), position);
  store64(event, (number << NUMBER_SHIFT) + (((subject << SUBJECT_SHIFT) | kind) as i64));
  store64(event + 8, (request << REQUEST_SHIFT) + ((detail as i64) & DETAIL_MASK));
  // D2: publishes the event to readers on other harts. I8: it lies in the ring of the hart that acted.
  store64(addressOf(self) + NEXT_POSITION, position + 1);
}

/** Writes two events of one request, with `number` and the number after it, and without details. */
export function recordPair(
  self: Hart,
  subject: i32,
  kind: EventKind,
  nextKind: EventKind,
  number: i64,
  request: i64,
): void {
  const position = load<i64>((addressOf(self) + NEXT_POSITION) as usize);
  const event = eventIn(ringOf(self), position);
  const next = eventIn(ringOf(self), position + 1);
  const head = (number << NUMBER_SHIFT) + (((subject << SUBJECT_SHIFT) | kind) as i64);
  store64(event, head);
  store64(event + 8, request << REQUEST_SHIFT);
  store64(next, head + (1 << NUMBER_SHIFT) + (nextKind - kind));
  store64(next + 8, request << REQUEST_SHIFT);
  // Publishes both to readers on other harts.
  store64(addressOf(self) + NEXT_POSITION, position + 2);
}

/** A number as an event's detail, or the greatest or least that a detail can be: it does not wrap (I9). */
export function nearestDetail(value: i32): i32 {
  const most = (DETAIL_MASK >> 1) as i32;
  return value > most ? most : value < ~most ? ~most : value;
}

/** Writes an event of this hart's own CPU. */
// @outline: size; what happens often has its own copy, by recordOwn.
export function record(self: Hart, kind: EventKind, request: i64, detail: i32): void {
  recordNumbered(self, self.cpu, kind, drawNumber(self), request, detail);
}

/** The same for the two events that a trap of every chain records. */
export function recordOwn(self: Hart, kind: EventKind, request: i64): void {
  recordNumbered(self, self.cpu, kind, drawNumber(self), request, 0);
}

/** How many events a CPU's hart has ever written; the last EVIDENCE_CAPACITY can be read. */
export function eventCount(cpu: i32): i64 {
  return load64(addressOf(hartAt(cpu)) + NEXT_POSITION);
}

/** Address of the event at a position of a CPU's ring. */
export function eventAt(cpu: i32, position: i64): i32 {
  return eventIn(ringOf(hartAt(cpu)), position);
}

/** The rings lie as the hart regions do, a quarter of their size apart. */
function ringOf(hart: Hart): i32 {
  return addressOf(hart) >> (HART_LOG2 - EVIDENCE_STRIDE_LOG2);
}

function eventIn(ring: i32, position: i64): i32 {
  return ring + (((position as i32) & (EVIDENCE_CAPACITY - 1)) << EVENT_LOG2);
}

export function kindOf(event: i32): EventKind {
  return (load64(event) as i32) & 0xff;
}

export function subjectOf(event: i32): i32 {
  return ((load64(event) as i32) >> SUBJECT_SHIFT) & 0xff;
}

export function numberOf(event: i32): i64 {
  return load64(event) >> NUMBER_SHIFT;
}

export function requestOf(event: i32): i64 {
  return load64(event + 8) >> REQUEST_SHIFT;
}

export function detailOf(event: i32): i32 {
  return ((load64(event + 8) << (64 - REQUEST_SHIFT)) >> (64 - REQUEST_SHIFT)) as i32;
}
