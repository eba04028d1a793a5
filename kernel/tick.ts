// Tick: this hart's timer, one tick after another.
//
// Owner: each hart its own.
// Pairs with: trap.ts, which does what a tick is for.

import { Hart } from "./hart-local";
import * as machine from "./machine";
import { tickLength } from "./topology";

/** Sets the next tick: one length after the last, or after now when that has passed already. */
export function setNextTick(self: Hart, now: i64): void {
  const next = self.tickDeadline + (tickLength() as i64);
  self.tickDeadline = next > now ? next : now + (tickLength() as i64);
  machine.setTimer(self.tickDeadline);
}
