// Evidence: what happened on a hart, in a ring that the console and the host can check.
//
// Owner: a hart writes its own ring; the boot hart reads all of them for the console.
// Invariant: numbers of one CPU's counter rise with happens-before: a number is drawn before the act becomes
// visible to other harts, and after everything that the act follows.
// Pairs with: proof/, which checks chains by these numbers; abi/events.ts, which gives their meaning.
// Fulfils: I3, D2.

import { EventKind } from "../abi/events";
import { EVIDENCE_CAPACITY } from "../abi/layout";
import { addressOf, Hart, hartAt } from "./hart-local";
import { EVIDENCE_STRIDE_LOG2, HART_LOG2, RESCHED_OFFSET } from "./layout";
import { add32, load32, load64, store32, store64 } from "./shared";

// An event is four words: subject << 8 | kind, number, request, detail. The ring's next position lies in the
// hart's resched line, beside the counter that numbers this CPU's events.
const NEXT_NUMBER: i32 = RESCHED_OFFSET + 8;
export const NEXT_POSITION: i32 = RESCHED_OFFSET + 12;
const EVENT_LOG2: i32 = 4;

/** The next number of the events of a CPU. Drawn by whichever hart acts on that CPU. */
export function drawNumber(subject: Hart): i32 {
  return add32(addressOf(subject) + NEXT_NUMBER, 1) + 1;
}

/** Writes an event with a number drawn before. */
export function recordNumbered(
  self: Hart,
  subject: i32,
  kind: EventKind,
  number: i32,
  request: i32,
  detail: i32,
): void {
  const position = load<i32>((addressOf(self) + NEXT_POSITION) as usize);
  const event = eventIn(ringOf(self), position);
  store64(event, pair((subject << 8) | kind, number));
  store64(event + 8, pair(request, detail));
  // Publishes the event to readers on other harts.
  store32(addressOf(self) + NEXT_POSITION, position + 1);
}

/** Two words as one; a low word below zero borrows from the high one. */
function pair(low: i32, high: i32): i64 {
  return ((high as i64) << 32) + (low as i64);
}

/** Writes an event of this hart's own CPU. */
export function record(self: Hart, kind: EventKind, request: i32, detail: i32): void {
  recordNumbered(self, self.cpu, kind, drawNumber(self), request, detail);
}

/** How many events a CPU's hart has ever written; the last EVIDENCE_CAPACITY can be read. */
export function eventCount(cpu: i32): i32 {
  return load32(addressOf(hartAt(cpu)) + NEXT_POSITION);
}

/** Address of the event at a position of a CPU's ring. */
export function eventAt(cpu: i32, position: i32): i32 {
  return eventIn(ringOf(hartAt(cpu)), position);
}

/** The rings lie as the hart regions do, a quarter of their size apart. */
function ringOf(hart: Hart): i32 {
  return addressOf(hart) >> (HART_LOG2 - EVIDENCE_STRIDE_LOG2);
}

function eventIn(ring: i32, position: i32): i32 {
  return ring + ((position & (EVIDENCE_CAPACITY - 1)) << EVENT_LOG2);
}

export function kindOf(event: i32): EventKind {
  return (load64(event) as i32) & 0xff;
}

export function subjectOf(event: i32): i32 {
  return (load64(event) as i32) >> 8;
}

export function numberOf(event: i32): i32 {
  return (load64(event) >> 32) as i32;
}

export function requestOf(event: i32): i32 {
  return load64(event + 8) as i32;
}

export function detailOf(event: i32): i32 {
  const words = load64(event + 8);
  return ((words - (words as i32 as i64)) >> 32) as i32;
}
