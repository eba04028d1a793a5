// Drain: how a hart moves the tasks in its mailbox to its run queues.
//
// Owner: each hart its own mailbox and queues.
// Invariant: an entry leaves the mailbox when its task is queued here, or is no longer the mailbox's.
// Pairs with: mailbox.ts (the entries, and their senders), run-queue.ts, authority.ts (reclassifies what is mailed).
// Clauses: Q4, Q6, Q8, S3, I6.

import { MAILBOX_CAPACITY } from "../abi/layout";
import { countersOf, Hart } from "./hart-local";
import { dropEntries, EMPTY_ENTRY, entryAt, peekEntry, replaceEntry } from "./mailbox";
import { freePosition, insert, NO_ROOM, ringOf } from "./run-queue";
import { load64 } from "./shared";
import { addressOfTask, cpuOf, qosOf, stateOf, taskOfWord, TaskState, withState } from "./task";

export enum DrainOutcome {
  Emptied = 0,
  /** The oldest mailbox entry waits for room in its run queue. */
  WaitsForRoom = 1,
}

/** Moves the tasks of this hart's mailbox to its run queues. */
export function drainMailbox(self: Hart): DrainOutcome {
  return peekEntry(self) == 0 ? DrainOutcome.Emptied : drainEntries(self);
}

/**
 * An entry whose class has no room waits, and so do those of its class behind it; those of other classes go past it
 * (Q8). What waits is moved together behind the entries that are done, so that these give their places back.
 */
// @outline: most mailboxes are empty when they are looked at.
function drainEntries(self: Hart): DrainOutcome {
  let fullClasses = 0;
  let count = 0;
  let waiting = 0;
  // bound: MAILBOX_CAPACITY.
  for (; count < MAILBOX_CAPACITY; count++) {
    const entry = entryAt(self, count);
    // I6: the end, or a place whose sender has yet to fill it, and will ring.
    if (entry == 0) break;
    const fullClass = deliver(self, entry, fullClasses);
    if (fullClass == DELIVERED) {
      replaceEntry(self, count, EMPTY_ENTRY);
    } else {
      // Q6, Q8: holds up its own class, and no other.
      fullClasses |= fullClass;
      waiting += 1;
    }
  }
  if (waiting != 0) gather(self, count);
  dropEntries(self, count - waiting);
  return waiting == 0 ? DrainOutcome.Emptied : DrainOutcome.WaitsForRoom;
}

/** Moves the entries that wait to the end of the first `count`, in their order. */
function gather(self: Hart, count: i32): void {
  let to = count - 1;
  // bound: MAILBOX_CAPACITY.
  for (let from = count - 1; from >= 0; from--) {
    const entry = entryAt(self, from);
    if (entry == EMPTY_ENTRY) continue;
    if (to != from) {
      replaceEntry(self, to, entry);
      replaceEntry(self, from, EMPTY_ENTRY);
    }
    to -= 1;
  }
}

/** Nothing is left of the entry that was delivered: it is queued, or its task has gone. */
const DELIVERED: i32 = 0;

/** Looks at a task that the boot hart reclassifies while it is delivered, before it waits for the next drain. */
const DELIVERIES_MAX: i32 = 4;

/** Queues the task of a mailbox entry: DELIVERED, or the bit of its class, which has no room. */
function deliver(self: Hart, entry: i64, fullClasses: i32): i32 {
  if (entry == EMPTY_ENTRY) return DELIVERED;
  const task = taskOfWord(entry);
  let bit = 0;
  // bound: DELIVERIES_MAX; each failed insert means that the boot hart has just killed or reclassified the task.
  for (let i = 0; i < DELIVERIES_MAX; i++) {
    // Its class may have changed since it was posted.
    const word = load64(addressOfTask(task));
    if (stateOf(word) != TaskState.Mailed || cpuOf(word) != self.cpu) return DELIVERED;
    bit = 1 << qosOf(word);
    if ((fullClasses & bit) != 0) return bit;
    const ring = ringOf(self, qosOf(word));
    const position = freePosition(ring);
    if (position == NO_ROOM) return bit;
    // S3: the exchange in it decides; a task that has moved is looked at again.
    if (insert(self, task, ring, position, word, withState(word, TaskState.Queued))) return DELIVERED;
  }
  return bit;
}

/** The same, in a trap or a look for the next task. */
export function receiveMail(self: Hart): void {
  // Q4: what waits is counted, not dropped.
  if (drainMailbox(self) == DrainOutcome.WaitsForRoom) countersOf(self).mailWaits += 1;
}
