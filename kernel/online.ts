// Online: how a hart joins. Its region is made ready first; the stamp, written last, is what others go by.
//
// Owner: the joining hart; the boot hart has written its hart id before starting it.
// Pairs with: hart-local.ts, boot.ts.
// Clauses: C1, T2, D6.

import { EventKind } from "../abi/events";
import { record } from "./evidence";
import { addressOf, countersOf, Hart, STAMP_MAGIC, STAMP_OFFSET } from "./hart-local";
import { clearMailbox } from "./mailbox";
import * as machine from "./machine";
import { clearParked } from "./parking";
import { clearResched } from "./resched";
import { clearRings } from "./run-queue";
import { store32 } from "./shared";
import { clearSleepers } from "./sleepers";
import { NO_TASK, placeOf, TaskState } from "./task";
import { setNextTick } from "./tick";

/** Makes this hart's region ready and joins. */
export function join(self: Hart, cpu: i32): void {
  self.cpu = cpu;
  self.current = NO_TASK;
  self.heldHere = placeOf(TaskState.Held, cpu);
  clearRings(self);
  clearParked(self);
  clearMailbox(self);
  clearResched(self);
  clearSleepers(self);
  // D6: what the boot hart waits for, and what is missing of a hart that does not come.
  record(self, EventKind.Online, 0, self.hartId);
  countersOf(self).onlineSince = machine.timeTicks();
  // C1: publishes the region to every hart that asks whether this CPU is online. T2: names the stack of this hart alone.
  store32(addressOf(self) + STAMP_OFFSET, machine.stackSlot() + STAMP_MAGIC);
  self.tickDeadline = machine.timeTicks();
  setNextTick(self, self.tickDeadline);
}
