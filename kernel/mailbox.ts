// Mailbox: tasks that other harts give to a CPU, oldest first, until that CPU moves them to its run queues.
//
// The state word is `tail * 2^32 + room`. A sender reserves a place by exchange before it touches the task,
// so a full mailbox is known while nothing has changed; it then fills the place, with a mailbox entry or, when the
// task was gone, with EMPTY_ENTRY. The owner stops at a place that is reserved but not yet filled.
//
// Owner: senders lessen the room and fill; the owner alone reads, clears and gives the room back.
// Invariant: a place is 0 whenever it is free to be reserved; 0 <= room <= MAILBOX_CAPACITY.
// Pairs with: scheduler.ts (wake and place send, drain receives), resched.ts (the IPI that follows a mailbox entry).
// Clauses: Q1, Q2, I8, I9.

import { MAILBOX_CAPACITY } from "../abi/layout";
import { addressOf, Hart } from "./hart-local";
import { MAILBOX_OFFSET } from "./layout";
import { add64, exchanged64, load64, store64 } from "./shared";

/** What a sender puts in a place that it does not need after all. */
export const EMPTY_ENTRY: i64 = 1;

/** Failed exchanges after which a sender gives up: each one is another hart's mailbox entry. */
const ATTEMPTS_MAX: i32 = 16;

/** Answers of `reserve` that are no position. */
export enum ReserveOutcome {
  QueueFull = -1,
  Contended = -2,
}

@unmanaged
export class Mailbox {
  state: i64;
  /** The owner's next position to read. */
  head: i32;
  padding0: i32;
}

/** Q1: the capacity is a constant of the build. */
const STATE_EMPTY: i64 = MAILBOX_CAPACITY as i64;
/** I9: positions wrap at a multiple of the capacity. */
const POSITION_MASK: i32 = 0x7fffffff;
export const PLACES_OFFSET: i32 = 64;

function mailboxOf(hart: Hart): Mailbox {
  return changetype<Mailbox>((addressOf(hart) + MAILBOX_OFFSET) as usize);
}

function addressOfMailbox(hart: Hart): i32 {
  return addressOf(hart) + MAILBOX_OFFSET;
}

function placeAt(hart: Hart, position: i32): i32 {
  return addressOf(hart) + MAILBOX_OFFSET + PLACES_OFFSET + ((position & (MAILBOX_CAPACITY - 1)) << 3);
}

/** Only before the hart is online. */
export function clearMailbox(hart: Hart): void {
  // Published to senders by the stamp that the hart sets afterwards.
  store64(addressOfMailbox(hart), STATE_EMPTY);
  mailboxOf(hart).head = 0;
}

/** Reserves the next place: its position (0 or more), or a ReserveOutcome. */
export function reserve(target: Hart): i32 {
  const address = addressOfMailbox(target);
  // bound: ATTEMPTS_MAX.
  for (let i = 0; i < ATTEMPTS_MAX; i++) {
    const state = load64(address);
    // I8, Q2: refused while nothing has changed.
    if ((state as i32) == 0) return ReserveOutcome.QueueFull;
    const tail = (state >> 32) as i32;
    const next = ((((tail + 1) & POSITION_MASK) as i64) << 32) | ((state - 1) & 0xffffffff);
    if (exchanged64(address, state, next)) return tail;
  }
  return ReserveOutcome.Contended;
}

/** Fills a reserved place, once. Publishes the mailbox entry to the owner. */
export function fill(target: Hart, position: i32, entry: i64): void {
  store64(placeAt(target, position), entry);
}

/** The owner's oldest mailbox entry, or 0: there is none, or its sender is still on its way to fill it. */
export function peekEntry(self: Hart): i64 {
  return load64(placeAt(self, mailboxOf(self).head));
}

/** Whether there is a mailbox entry to read, or an empty one to drop. */
export function hasMail(self: Hart): bool {
  return peekEntry(self) != 0;
}

/** The owner's entry that many places behind the oldest, or 0. index: below MAILBOX_CAPACITY. */
export function entryAt(self: Hart, index: i32): i64 {
  return load64(placeAt(self, mailboxOf(self).head + index));
}

/** Puts another entry in such a place, which the owner keeps. */
export function replaceEntry(self: Hart, index: i32, entry: i64): void {
  store64(placeAt(self, mailboxOf(self).head + index), entry);
}

/** Gives the places of the oldest `count` entries back. */
export function dropEntries(self: Hart, count: i32): void {
  const mailbox = mailboxOf(self);
  // I8: cleared before the room is given back, so the next sender of a place finds it free.
  // bound: MAILBOX_CAPACITY.
  for (let i = 0; i < count; i++) store64(placeAt(self, mailbox.head + i), 0);
  mailbox.head = (mailbox.head + count) & POSITION_MASK;
  add64(addressOfMailbox(self), count as i64);
}
