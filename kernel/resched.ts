// Resched: the causal chain request -> send -> S_SOFT trap -> ack by which one hart makes another look at its
// queues. Requests for a CPU are numbered 1, 2, 3 and so on.
//
//   63          18 17     16   15     0
//  | taken        | FAILED | SENT | count |
//
// The state word of a CPU: `taken` requests have been trapped for and `count` were accepted since; SENT means that an IPI
// for them was handed to the machine, FAILED that the machine refused it. The next request is number taken + count + 1,
// and accepting it and numbering it are one atomic access, which marks SENT too where no other hart acts on the CPU.
// A CPU that has REQUESTS_PENDING_MAX pending, which takes one
// that cannot be rung, or does not come, gets no more: the request is refused, and later sends cover its sender too.
//
//   none --accept--> accepted --mark SENT, ring--> sent --trap takes all--> none
//                                  ^                | the machine refuses
//                                  '-- ring again --+--> SENT and FAILED, pending
//
// A request that finds SENT without FAILED rides on that IPI. The trap takes exactly what was accepted before
// it cleared SENT: later requests find it cleared and ring again. Nothing here waits or tries in a loop.
//
// Owner: any hart accepts and marks; the CPU's own hart takes.
// Invariant: SENT without FAILED implies that S_SOFT is pending on that hart, is about to be, or that its trap
// is taking; only that trap clears SENT.
// Pairs with: mailbox.ts (a mailbox entry is filled before its request), trap.ts (takes before it reads mailboxes).
// Clauses: I1, I2, I3, I4, I5, I6, I7, I9.

import { EventKind } from "../abi/events";
import { CPUS_MAX } from "../abi/layout";
import { MachineError } from "../abi/results";
import {
  drawNumber,
  drawNumbers,
  EVENTS_MAX,
  lastNumber,
  nearestDetail,
  record,
  recordNumbered,
  recordOwn,
  recordPair,
  REQUEST_NUMBER_MAX,
} from "./evidence";
import { addressOf, countersOf, Hart, hartAt, isOnline, isValid } from "./hart-local";
import { RESCHED_OFFSET } from "./layout";
import * as machine from "./machine";
import { add64, and64, exchanged64, load64, or64, store64 } from "./shared";
import { cpuCount } from "./topology";

export enum ReschedOutcome {
  Sent = 0,
  /** An IPI that is on its way covers this request too. */
  Coalesced = 1,
  /** The machine refused the IPI; the request stays pending, and a later send completes it. */
  SendFailed = 2,
  InvalidCpu = 3,
  OfflineCpu = 4,
  /** The CPU has as many requests pending as can be counted; this one was not accepted. */
  TooManyPending = 5,
}

export enum TakeOutcome {
  /** The trap's requests are taken; acknowledge them once rescheduled. */
  Taken = 0,
  /** S_SOFT came without a sent request: nothing to acknowledge. */
  NoPendingRequest = 1,
}

export const SENT: i64 = 0x10000;
export const FAILED: i64 = 0x20000;
export const COUNT_MASK: i64 = 0xffff;
const TAKEN_SHIFT: i32 = 18;
/** The count and both marks: a mark alone is more than REQUESTS_PENDING_MAX. */
const BELOW_TAKEN: i64 = SENT | FAILED | COUNT_MASK;

/** Requests pending for one CPU (I9). Every CPU may pass this at once, and the count still has room. */
export const REQUESTS_PENDING_MAX: i32 = 0xffff - CPUS_MAX;
/** Requests that a CPU may ever take, before its next tick stops the machine: 100 days of a million a second (I9). */
export const REQUESTS_MAX: i64 = REQUEST_NUMBER_MAX - 0x10000000;

/** The number of the last request that this CPU has acknowledged. */
export const ACKED_OFFSET: i32 = RESCHED_OFFSET + 24;
/** The number of the last request that the trap in progress took. */
const TRAPPED_OFFSET: i32 = RESCHED_OFFSET + 32;

function stateAddress(hart: Hart): i32 {
  return addressOf(hart) + RESCHED_OFFSET;
}

function takenOf(state: i64): i64 {
  return state >> TAKEN_SHIFT;
}

function countOf(state: i64): i64 {
  return state & COUNT_MASK;
}

/** The number of the last request accepted, in a state. */
function lastOf(state: i64): i64 {
  return takenOf(state) + countOf(state);
}

/** Only before the hart is online. */
export function clearResched(hart: Hart): void {
  store64(stateAddress(hart), 0);
}

/** Asks a CPU to reschedule. */
export function requestResched(self: Hart, target: i32): ReschedOutcome {
  // I1: refused, and nothing is accepted.
  if (!isValid(target)) {
    record(self, EventKind.RejectedInvalidCpu, 0, nearestDetail(target));
    return ReschedOutcome.InvalidCpu;
  }
  // I2: likewise.
  if (!isOnline(target)) {
    record(self, EventKind.RejectedOfflineCpu, 0, target);
    return ReschedOutcome.OfflineCpu;
  }
  return requestThrough(self, target, hartAt(target).doorbell);
}

/** The same for an online CPU, with the hart to ring given: the selftests give one that cannot be rung. */
export function requestThrough(self: Hart, target: i32, doorbell: i32): ReschedOutcome {
  const peer = hartAt(target);
  const state = load64(stateAddress(peer));
  // No IPI is on its way, none was refused, and there is room for one more.
  if ((state & BELOW_TAKEN) >= REQUESTS_PENDING_MAX) return requestAmongMore(self, target, doorbell);
  // I3: drawn before the request and the mark can be seen: the trap that takes them draws a larger one.
  const number = drawNumbers(peer, 2);
  if (!exchanged64(stateAddress(peer), state, state + 1 + SENT)) {
    return requestContended(self, target, doorbell, number);
  }
  const request = lastOf(state) + 1;
  countersOf(self).accepted += 1;
  recordPair(self, target, EventKind.Accepted, EventKind.Sent, number, request);
  return ring(self, target, doorbell, request, takenOf(state));
}

// @outline: another hart was faster. Nothing was asked yet, and the second number stands for no send.
function requestContended(self: Hart, target: i32, doorbell: i32, number: i64): ReschedOutcome {
  // I3: every number that was drawn is an event's.
  recordNumbered(self, target, EventKind.Unused, number + 1, 0, 0);
  return accept(self, target, doorbell, number);
}

// @outline: an IPI is on its way or was refused, or too many requests are pending.
function requestAmongMore(self: Hart, target: i32, doorbell: i32): ReschedOutcome {
  const peer = hartAt(target);
  // I9: refused before the count can reach the marks beside it.
  if (countOf(load64(stateAddress(peer))) >= REQUESTS_PENDING_MAX) return ReschedOutcome.TooManyPending;
  return accept(self, target, doorbell, drawNumber(peer));
}

/** Accepts a request whatever the state, and sends it if no IPI covers it. number: drawn before. */
function accept(self: Hart, target: i32, doorbell: i32, number: i64): ReschedOutcome {
  const counters = countersOf(self);
  const before = add64(stateAddress(hartAt(target)), 1);
  const request = lastOf(before) + 1;
  counters.accepted += 1;
  const covered = isOnItsWay(before);
  recordNumbered(self, target, EventKind.Accepted, number, request, covered ? 1 : 0);
  // I7: no second IPI; the ack of the first covers this request.
  if (covered) {
    counters.coalesced += 1;
    return ReschedOutcome.Coalesced;
  }
  return send(self, target, doorbell);
}

/** Rings a CPU for requests that were accepted and not sent, or whose IPI was refused. */
export function send(self: Hart, target: i32, doorbell: i32): ReschedOutcome {
  const peer = hartAt(target);
  const number = drawNumber(peer);
  const marked = mark(stateAddress(peer));
  const request = lastOf(marked);
  if (isOnItsWay(marked)) {
    countersOf(self).coalesced += 1;
    recordNumbered(self, target, EventKind.Coalesced, number, request, 0);
    return ReschedOutcome.Coalesced;
  }
  recordNumbered(self, target, EventKind.Sent, number, request, 0);
  return ring(self, target, doorbell, request, takenOf(marked));
}

/** Hands the IPI that carries the requests up to `request` to the machine; it is marked and recorded as sent. */
// @inline: a request that goes out makes no call.
function ring(self: Hart, target: i32, doorbell: i32, request: i64, taken: i64): ReschedOutcome {
  const error = machine.sendIpi(doorbell);
  if (error != MachineError.Ok) return recordRefusal(self, target, doorbell, request, taken, error);
  countersOf(self).sent += 1;
  return ReschedOutcome.Sent;
}

// @outline: a machine that refuses an IPI is rare.
// I4: the request stays pending, and a later send rings for it.
function recordRefusal(
  self: Hart,
  target: i32,
  doorbell: i32,
  request: i64,
  taken: i64,
  error: MachineError,
): ReschedOutcome {
  const peer = hartAt(target);
  countersOf(self).sendsFailed += 1;
  withdraw(peer, taken, doorbell);
  recordNumbered(self, target, EventKind.SendFailed, drawNumber(peer), request, error);
  return ReschedOutcome.SendFailed;
}

function isOnItsWay(state: i64): bool {
  return (state & (SENT | FAILED)) == SENT;
}

/**
 * Makes the state say that an IPI is on its way, and returns the state before: of several harts that mark at
 * once, exactly one sees that none was, and rings.
 */
function mark(address: i32): i64 {
  // I4: whoever clears FAILED while SENT stands is the one to ring again.
  const before = and64(address, ~FAILED);
  if ((before & SENT) != 0) return before;
  return or64(address, SENT) & ~FAILED;
}

/**
 * Says that the IPI of the requests after number `taken` was refused. Had a spurious S_SOFT taken them in the
 * meantime, a mark that stands now is another hart's: it is made good, and rung for, because its trap may
 * have come while it looked refused.
 */
function withdraw(peer: Hart, taken: i64, doorbell: i32): void {
  const address = stateAddress(peer);
  const before = or64(address, FAILED);
  if (takenOf(before) == taken) return;
  // I4, I6: that mark may have come since, and its trap gone by; what counts is what this clears.
  const cleared = and64(address, ~FAILED);
  if ((cleared & SENT) != 0 && (cleared & FAILED) != 0 && machine.sendIpi(doorbell) != MachineError.Ok) {
    or64(address, FAILED);
  }
}

/** First half of an S_SOFT trap on this hart: what does it have to answer for? */
// @inline: a trap that finds nothing else to do makes no call.
export function takeRequests(self: Hart): TakeOutcome {
  // I6: before the requests are taken. A request marked after this is rung after this, and traps again.
  machine.clearSoft();
  const seen = load64(stateAddress(self));
  // I5: no send, so no trap of a request and no ack.
  if (!isOnItsWay(seen)) return recordSpurious(self);
  const count = seen & COUNT_MASK;
  // I3, I7: the one moment that decides: requests before it are this trap's, later ones see SENT gone.
  const before = add64(stateAddress(self), (count << TAKEN_SHIFT) - count - SENT);
  const rest = (before & COUNT_MASK) - count;
  if (rest != 0) add64(stateAddress(self), (rest << TAKEN_SHIFT) - rest);
  const upTo = lastOf(before);
  store<i64>((addressOf(self) + TRAPPED_OFFSET) as usize, upTo);
  countersOf(self).trapped += 1;
  recordOwn(self, EventKind.Trapped, upTo);
  return TakeOutcome.Taken;
}

// @outline: an S_SOFT that nobody asked for is rare.
function recordSpurious(self: Hart): TakeOutcome {
  countersOf(self).spuriousSoft += 1;
  record(self, EventKind.NoPendingRequest, 0, 0);
  return TakeOutcome.NoPendingRequest;
}

/** Second half: this hart has looked at its queues on behalf of what takeRequests took. */
export function acknowledge(self: Hart): void {
  acknowledgeIdle(self);
}

/** The same for a hart that found nothing and idles on. */
// @inline: as above.
export function acknowledgeIdle(self: Hart): void {
  const upTo = load<i64>((addressOf(self) + TRAPPED_OFFSET) as usize);
  countersOf(self).acked += 1;
  // I3: the requests that this hart's own trap took, and no others.
  recordOwn(self, EventKind.Acked, upTo);
  // Read by the selftests on the boot hart.
  store64(addressOf(self) + ACKED_OFFSET, upTo);
}

/** The last request number that a CPU has acknowledged. */
export function ackedOf(cpu: i32): i64 {
  return load64(addressOf(hartAt(cpu)) + ACKED_OFFSET);
}

/** The number of the last request accepted for a CPU. */
export function acceptedOf(cpu: i32): i64 {
  return lastOf(load64(stateAddress(hartAt(cpu))));
}

/** At a tick: a machine that has come to the end of its numbers stops, before one of them can come twice (I9). */
export function checkNumbers(self: Hart): void {
  assert(takenOf(load64(stateAddress(self))) < REQUESTS_MAX, "no request numbers are left");
  assert(lastNumber(self) < EVENTS_MAX, "no event numbers are left");
}

/** Requests a resched for a mailbox entry just filled; what could not be sent is sent again at this hart's next tick. */
export function notify(self: Hart, target: i32): void {
  if (target == self.cpu) return;
  const outcome = requestResched(self, target);
  // I4: sent again at the next tick. I9: so is what was not accepted.
  if (outcome == ReschedOutcome.SendFailed || outcome == ReschedOutcome.TooManyPending) remember(self, target);
}

/** Stands for more than one CPU: which ones, their states say. */
const SEVERAL: i32 = -1;

function remember(self: Hart, target: i32): void {
  const isFirst = self.unsentTarget == 0 || self.unsentTarget == target + 1;
  self.unsentTarget = isFirst ? target + 1 : SEVERAL;
}

/** Sends again what notify could not (I4). */
export function retryUnsent(self: Hart): void {
  const unsent = self.unsentTarget;
  if (unsent == 0) return;
  self.unsentTarget = 0;
  if (unsent != SEVERAL) return sendAgain(self, unsent - 1);
  const count = cpuCount();
  // bound: CPUS_MAX. What another hart could not send either is sent for it.
  for (let cpu = 0; cpu < count; cpu++) sendAgain(self, cpu);
}

function sendAgain(self: Hart, target: i32): void {
  // Another hart may have rung since, and the requests may have been taken.
  const state = load64(stateAddress(hartAt(target)));
  if ((state & FAILED) == 0 || countOf(state) == 0) return;
  if (send(self, target, hartAt(target).doorbell) == ReschedOutcome.SendFailed) remember(self, target);
}
