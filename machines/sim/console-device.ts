// Console device: lines wait in a ring until they are sent, in turns of bounded length; a user's line can be refused.
//
// The rules and sizes are those of virt (machines/virt/console.c, docs/decisions/0011-console-in-turns.md). Here a hart's
// turn is over before another hart moves, so none ever finds the console busy; a device that takes few bytes is a fault
// that can be chosen.
// Owner: machine.ts; the kernel's calls come through machine-calls.ts.
// Invariant: a line is passed on once its line end has been sent.

import { CONSOLE_SLOTS, CONSOLE_TURN_BYTES, CONSOLE_USER_SLOTS } from "../../abi/layout.ts";
import { LineOutcome } from "../../abi/results.ts";

export type LineListener = (line: string) => void;

export class Console {
  private lines: string[] = [];
  private waiting: string[] = [];
  private sentBytes = 0;

  /** `bytesMax`: what the device takes in one turn. */
  constructor(
    private readonly listener: LineListener,
    private readonly bytesMax = Infinity,
  ) {}

  /** A line of the kernel's; false when there was no slot for it, and it was put into the ring nevertheless. */
  write(line: string): boolean {
    const fits = this.room() > 0;
    this.waiting.push(line);
    return fits;
  }

  /** A user's line. Whoever prints also takes a turn, refused or not. */
  offer(line: string): LineOutcome {
    const isAccepted = this.waiting.length < CONSOLE_USER_SLOTS;
    if (isAccepted) this.waiting.push(line);
    this.takeTurn();
    return isAccepted ? LineOutcome.Accepted : LineOutcome.ConsoleFull;
  }

  /** Lines that `write` takes. */
  room(): number {
    return Math.max(0, CONSOLE_SLOTS - this.waiting.length);
  }

  takeTurn(): void {
    this.send(Math.min(CONSOLE_TURN_BYTES, this.bytesMax));
  }

  /** The run ends: sends everything. False when the device takes nothing, and lines are lost. */
  flush(): boolean {
    if (this.bytesMax > 0) this.send(Infinity);
    return this.waiting.length === 0;
  }

  private send(bytesMax: number): void {
    let left = bytesMax;
    for (let line = this.waiting[0]; line !== undefined && left > 0; line = this.waiting[0]) {
      // Its line end is a byte too.
      const rest = line.length + 1 - this.sentBytes;
      if (rest > left) {
        this.sentBytes += left;
        return;
      }
      left -= rest;
      this.sentBytes = 0;
      this.waiting.shift();
      this.lines.push(line);
      this.listener(line);
    }
  }
}
