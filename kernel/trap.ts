// Trap: what a hart does when it enters the kernel. A trap runs to completion with interrupts off and ends
// with the space to enter.
//
// Owner: each hart its own traps; only the boot hart's housekeeping uses the runtime handle.
// Invariant: exactly one of the branches below runs; none waits.
// Pairs with: the machine's trap entry; dispatch.ts, which ends every branch.
// Clauses: Q5, Q6, Q8, S1, S6, I3, I4, I5, I6, I7, I9, C1, C2, C5, T1, T3, T5.

import { TrapCause } from "../abi/traps";
import { reap } from "./authority";
import { hartFromStack, isBlockOf } from "./cpu-id";
import { dispatch, dispatchNext, endCurrent, enterIdle, leaveIdle, mayFindTask, resume } from "./dispatch";
import { receiveMail } from "./drain";
import { countersOf, Hart } from "./hart-local";
import { hasMail } from "./mailbox";
import * as machine from "./machine";
import { queueParked } from "./parking";
import { acknowledge, acknowledgeIdle, checkNumbers, retryUnsent, takeRequests, TakeOutcome } from "./resched";
import { BOOT_CPU, borrowRuntime } from "./runtime";
import { yieldCurrent, YieldOutcome } from "./scheduler";
import { advanceBoot } from "./selftest";
import { obeyOrder, Order, orderOf, OrderOutcome, reportIfOrdered } from "./orders";
import { sweepSleepers, wakeExpired } from "./sleepers";
import { systemCall } from "./syscall";
import { ExitReason, NO_TASK, taskFrom } from "./task";
import { setNextTick } from "./tick";
import { leaveWorkMap } from "./work-map";

/** Every trap from user or idle mode; see docs/architecture.md for the arguments. */
export function trap(cause: i32, value: i64, call: i32, a0: i64, a1: i64, a2: i64): i32 {
  // C1: believed only as the block of this stack.
  const hint = machine.hartPointer();
  if (!isBlockOf(hint, machine.stackSlot())) return enterUnsure(cause, value, call, a0, a1, a2);
  return enter(changetype<Hart>(hint as i32 as usize), cause, value, call, a0, a1, a2);
}

// @outline: `tp` is always right, but for selftests and faults; asking the stack would cost every trap registers.
function enterUnsure(cause: i32, value: i64, call: i32, a0: i64, a1: i64, a2: i64): i32 {
  // C2, C5: the stack decides, and it is counted.
  return enter(hartFromStack(), cause, value, call, a0, a1, a2);
}

// @inline: its arguments stay where they are.
function enter(self: Hart, cause: i32, value: i64, call: i32, a0: i64, a1: i64, a2: i64): i32 {
  return cause == TrapCause.SystemCall ? systemCall(self, call, a0, a1, a2) : interruptOrFault(self, cause, value);
}

// @outline: what it needs shall cost a system call nothing.
function interruptOrFault(self: Hart, cause: i32, value: i64): i32 {
  if (self.idleSince != 0) leaveIdle(self);
  if (cause == TrapCause.SoftInterrupt) return softInterrupt(self);
  if (cause == TrapCause.TimerInterrupt) return timerInterrupt(self);
  return fault(self, cause, value);
}

function softInterrupt(self: Hart): i32 {
  // I6, I7: taken before the queues are looked at, so what comes later rings again.
  const taken = takeRequests(self);
  if (taken != TakeOutcome.Taken || self.current != NO_TASK || self.cpu == BOOT_CPU) return reschedule(self, taken);
  // Looked at after the requests are taken: whatever comes later comes with a request that rings again.
  if (hasMail(self) || orderOf(self) != Order.None || mayFindTask(self)) return reschedule(self, taken);
  const space = enterIdle(self);
  acknowledgeIdle(self);
  return space;
}

// @outline: it calls, and a hart that idles and finds nothing would save registers for that.
function reschedule(self: Hart, taken: TakeOutcome): i32 {
  // See above.
  if (hasMail(self)) receiveMail(self);
  if (self.cpu == BOOT_CPU || orderOf(self) != Order.None) return finishWithDuties(self, taken);
  // I3, I5, I6: the ack comes after the look at the queues, and only for requests that this trap took.
  const space = resume(self);
  if (taken == TakeOutcome.Taken) acknowledge(self);
  return space;
}

// @outline: the boot hart's housekeeping, and what a selftest or the summary asks of a hart.
function finishWithDuties(self: Hart, taken: TakeOutcome): i32 {
  const obeyed = obeyOrder(self);
  if (self.cpu == BOOT_CPU) keepHouse(self);
  // I3, I5, I6: as above.
  const space = obeyed == OrderOutcome.TookTask ? dispatchNext(self) : resume(self);
  if (taken == TakeOutcome.Taken) acknowledge(self);
  reportIfOrdered(self);
  return space;
}

// @outline: as above.
function timerInterrupt(self: Hart): i32 {
  const now = machine.timeTicks();
  countersOf(self).ticks += 1;
  // S1: a new budget.
  self.stealsInTick = 0;
  // I6: this hart's sleepers, and what it could not send.
  wakeExpired(self, now);
  receiveMail(self);
  // I4: what the machine refused is sent again.
  retryUnsent(self);
  setNextTick(self, now);
  maintain(self);
  // T5: one turn a tick, of a bounded number of bytes.
  machine.drainConsole();
  if (self.cpu == BOOT_CPU) keepHouse(self);
  if (self.current != NO_TASK) {
    self.sliceTicks -= 1;
    // Q6: the next of its class has its turn. Q5: if that has no room, the task goes on.
    if (self.sliceTicks <= 0 && yieldCurrent(self) == YieldOutcome.Switched) return dispatchNext(self);
  }
  return resume(self);
}

/** What a hart puts in order once a tick. */
function maintain(self: Hart): void {
  // Q8, S6.
  queueParked(self);
  leaveWorkMap(self);
  // I9: no number and no generation comes twice.
  sweepSleepers(self);
  checkNumbers(self);
}

/** A fault in U-mode ends the task that caused it, and no other (T3). */
// @outline: as above.
function fault(self: Hart, cause: i32, address: i64): i32 {
  countersOf(self).faults += 1;
  taskFrom(self.current).faultAddress = address;
  endCurrent(self, ExitReason.Faulted, cause);
  return dispatch(self);
}

/** What the boot hart does for all (T1): frees the entries of ended tasks and carries the boot forward. */
function keepHouse(self: Hart): void {
  const runtime = borrowRuntime(self);
  reap(runtime);
  advanceBoot(runtime, self);
}
