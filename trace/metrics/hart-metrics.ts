// Hart metrics: how long each hart ran tasks or idled, and its part in the resched chain.

import type { TraceEvent } from "../event.ts";

export interface HartMetrics {
  readonly cpu: number;
  readonly runTicks: number;
  readonly idleTicks: number;
  /** Run time by run and idle time; null where neither is known. */
  readonly utilisationPercent: number | null;
  /** Requests for other CPUs that this hart made. */
  readonly accepted: number;
  /** IPIs that it handed to the machine, which took them. */
  readonly sent: number;
  readonly sendsFailed: number;
  /** Its requests that rode on another's IPI. */
  readonly coalesced: number;
  /** S_SOFT traps of its own that took requests, and their acks. */
  readonly trapped: number;
  readonly acked: number;
  readonly noPendingRequest: number;
}

type Counts = { -readonly [Key in keyof Omit<HartMetrics, "utilisationPercent">]: HartMetrics[Key] };

export class HartCounter {
  private readonly harts: Counts[];

  constructor(cpus: number) {
    this.harts = Array.from({ length: cpus }, (_, cpu) => ({
      cpu,
      runTicks: 0,
      idleTicks: 0,
      accepted: 0,
      sent: 0,
      sendsFailed: 0,
      coalesced: 0,
      trapped: 0,
      acked: 0,
      noPendingRequest: 0,
    }));
  }

  ran(cpu: number, ticks: number): void {
    const hart = this.harts[cpu];
    if (hart !== undefined) hart.runTicks += ticks;
  }

  idled(cpu: number, ticks: number): void {
    const hart = this.harts[cpu];
    if (hart !== undefined) hart.idleTicks += ticks;
  }

  take(event: TraceEvent): void {
    const hart = this.harts[event.cpu];
    if (hart === undefined) return;
    switch (event.kind) {
      case "accepted":
        hart.accepted += 1;
        if (event.detail === 1) hart.coalesced += 1;
        return;
      case "sent":
        hart.sent += 1;
        return;
      case "send-failed":
        // It is recorded as sent first.
        hart.sent -= 1;
        hart.sendsFailed += 1;
        return;
      case "coalesced":
        hart.coalesced += 1;
        return;
      case "trapped":
        hart.trapped += 1;
        return;
      case "acked":
        hart.acked += 1;
        return;
      case "no-pending-request":
        hart.noPendingRequest += 1;
        return;
      default:
        return;
    }
  }

  metrics(): HartMetrics[] {
    return this.harts.map((hart) => {
      const known = hart.runTicks + hart.idleTicks;
      const share = Math.round((hart.runTicks * 1000) / known) / 10;
      return { ...hart, utilisationPercent: known === 0 ? null : share };
    });
  }
}
