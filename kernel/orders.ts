// Orders: what the boot hart asks another hart to do in its next S_SOFT trap. The stealing rules are tested by
// a real thief, on its own hart, against a queue that the boot hart has filled; and every hart reports its
// own counters, which nobody else may read while it runs.
//
// Owner: the boot hart writes an order before it rings; the addressed hart clears it when done.
// Pairs with: selftest.ts, which gives them and judges what came of it.
// Clauses: S1, S2, D2.

import { EventKind } from "../abi/events";
import { Qos } from "../abi/qos";
import { record } from "./evidence";
import { addressOf, countersOf, Hart } from "./hart-local";
import { ORDER_OFFSET } from "./layout";
import { reportHart } from "./report";
import { ackedOf, acceptedOf } from "./resched";
import { BOOT_CPU } from "./runtime";
import { stealFrom, StealOutcome } from "./scheduler";
import { load32, store32 } from "./shared";
import { countSteal, idOf, NO_TASK, taskFrom } from "./task";

export enum Order {
  None = 0,
  /** Take a task of the boot hart's, then try for another in the same tick. */
  StealTwice = 1,
  /** Try for a task of the Idle class only. */
  StealAtMostIdle = 2,
  /** Write the line of the summary that is about this hart. */
  Report = 3,
}

export enum OrderOutcome {
  /** The hart runs what it ran before. */
  Unchanged = 0,
  /** It took a task to run. */
  TookTask = 1,
}

export function giveOrder(to: Hart, order: Order): void {
  // Published by the resched request that follows.
  store32(addressOf(to) + ORDER_OFFSET, order);
}

export function orderOf(hart: Hart): Order {
  return load32(addressOf(hart) + ORDER_OFFSET);
}

/** In a trap of the addressed hart, after it has acknowledged: what it counted is complete. */
export function reportIfOrdered(self: Hart): void {
  if (orderOf(self) != Order.Report) return;
  // This trap may have been for earlier requests: the one that came with the order traps again.
  if (ackedOf(self.cpu) != acceptedOf(self.cpu)) return;
  reportHart(self);
  store32(addressOf(self) + ORDER_OFFSET, Order.None);
}

/** In a trap of the addressed hart, before it dispatches. */
export function obeyOrder(self: Hart): OrderOutcome {
  const order = orderOf(self);
  if (order != Order.StealTwice && order != Order.StealAtMostIdle) return OrderOutcome.Unchanged;
  if (order == Order.StealTwice) {
    stealAs(self, Qos.PerfBurst);
    stealAs(self, Qos.PerfBurst);
  } else {
    stealAs(self, Qos.Idle);
  }
  // Reports to the boot hart that it is done.
  store32(addressOf(self) + ORDER_OFFSET, Order.None);
  return order == Order.StealTwice && self.current != NO_TASK ? OrderOutcome.TookTask : OrderOutcome.Unchanged;
}

/** One attempt on the boot hart's queues; what it stole becomes the running task. */
function stealAs(self: Hart, bound: Qos): void {
  // S1, S2: what comes of the attempt is recorded as evidence (D2).
  const outcome = stealFrom(self, BOOT_CPU, bound);
  if (outcome == StealOutcome.Stolen) {
    self.current = self.stolen;
    countersOf(self).steals += 1;
    countSteal(taskFrom(self.stolen));
    record(self, EventKind.Stolen, idOf(taskFrom(self.stolen)), self.stolenFrom);
  } else if (outcome == StealOutcome.BudgetSpent) {
    record(self, EventKind.StealBudgetSpent, 0, self.stealsInTick);
  } else if (outcome == StealOutcome.AboveBound) {
    record(self, EventKind.StealRefused, bound, BOOT_CPU);
  }
}
