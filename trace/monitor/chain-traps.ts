// Chain traps: what the resched chain does to the traps of a hart: which events a trap holds, and what has to come of an
// IPI while its hart goes on trapping.
//
// A hart writes its events at the end of each trap, in their order, so what one trap holds is known to the event. Of two
// harts, only this is used: a trap that was entered at a later tick than the one at which an event was written began
// after what that event stands for.
//
// Invariants: only whole traps are judged, those after which the same hart trapped again.
// Clauses: I3, I4, I5, I6, I7.

import type { ChainKind, TraceEvent } from "../event.ts";
import type { ChainStep } from "./chain-numbers.ts";
import type { TaskPhase } from "./task-phase.ts";
import type { Monitor, MonitoredClause, OpenTrap, Report } from "./monitor.ts";

/** Timer traps that a hart may enter after an IPI was sent to it, or after one that it could not send, before that is a fault. */
const TIMER_TRAPS_MAX = 2;

interface HartState {
  /** The chain steps of the trap that is open. */
  steps: ChainStep[];
  trap: OpenTrap | null;
  /** Number of the timer traps since power-on, and when each was entered. */
  timerEntries: number[];
  /** Requests accepted for this CPU and not trapped for. */
  pending: ChainStep[];
  /** IPIs handed to the machine for this CPU and not trapped for; t: by then the machine has it. */
  sent: ChainStep[];
  /** Sends of this hart's that were refused and not followed by another send. */
  refused: ChainStep[];
  /** The last request that its traps took: what is written later about earlier ones was overtaken. */
  takenUpTo: number;
  lostReported: boolean;
}

export class ChainTraps implements Monitor {
  private readonly harts = new Map<number, HartState>();
  private readonly report: Report;
  private readonly phase: TaskPhase;

  constructor(phase: TaskPhase, report: Report) {
    this.phase = phase;
    this.report = report;
  }

  take(event: TraceEvent, number: number, trap: OpenTrap): void {
    if (event.kind === "lost") return this.forget();
    const hart = this.hartOf(event.cpu);
    if (event.kind === "trap") {
      if (hart.trap !== null) this.endTrap(hart, event.cpu);
      this.expect(hart, event.t);
      hart.trap = trap;
      hart.steps = [];
      if (event.cause === "timer") this.timer(hart, event.cpu, trap, number);
    } else if (isChainEvent(event)) {
      const { cpu: by, ...step } = event;
      hart.steps.push({ ...step, by, enteredAt: trap.enteredAt, event: number });
      this.follow({ ...step, by, enteredAt: trap.enteredAt, event: number });
    }
  }

  /** What the last traps hold may be cut off: nothing is judged. */
  finish(): void {}

  private hartOf(cpu: number): HartState {
    let hart = this.harts.get(cpu);
    if (hart === undefined) {
      hart = {
        steps: [],
        trap: null,
        timerEntries: [],
        pending: [],
        sent: [],
        refused: [],
        takenUpTo: 0,
        lostReported: false,
      };
      this.harts.set(cpu, hart);
    }
    return hart;
  }

  private forget(): void {
    this.harts.clear();
  }

  /** The trap is whole: it holds a step of the chain if and only if its cause asks for it. */
  private endTrap(hart: HartState, cpu: number): void {
    const own = hart.steps.filter((step) => step.of === cpu);
    const trapped = own.find((step) => step.kind === "trapped");
    const none = own.find((step) => step.kind === "no-pending-request");
    const acked = own.find((step) => step.kind === "acked");
    const { trap } = hart;
    if (trap === null) return;
    if (trap.cause === "soft" && trapped === undefined && none === undefined)
      this.trapFault("I5", cpu, trap, "an S_SOFT trap neither took requests nor recorded that there were none");
    if (trap.cause !== "soft" && trapped !== undefined)
      this.violation("I3", trapped, "requests were taken by a trap that is no S_SOFT");
    if (none !== undefined && acked !== undefined)
      this.violation("I5", acked, "acked in a trap that found no pending request", none);
    else if (acked !== undefined && trapped === undefined)
      this.violation("I3", acked, "acked in a trap that took no requests");
    if (trapped !== undefined && acked === undefined)
      this.violation("I6", trapped, "the trap ended without the ack of the requests that it took");
    if (trapped !== undefined && acked !== undefined) this.ackOfTrap(trapped, acked);
    for (const step of hart.steps) this.outcome(hart, step);
    this.order(hart.steps);
  }

  /**
   * A send is recorded before the machine has it, so an IPI counts as sent from the hart's next trap on. now: when that
   * was entered.
   */
  private expect(hart: HartState, now: number): void {
    for (const step of hart.steps) {
      const isRefused = (one: ChainStep): boolean =>
        one.kind === "send-failed" && one.of === step.of && one.request === step.request;
      const target = this.hartOf(step.of);
      if (step.kind === "sent" && step.request > target.takenUpTo && !hart.steps.some(isRefused))
        target.sent.push({ ...step, t: now });
    }
  }

  private ackOfTrap(trapped: ChainStep, acked: ChainStep): void {
    if (acked.n <= trapped.n) this.violation("I3", acked, "the ack has a smaller number than its trap", trapped);
    if (acked.request !== trapped.request)
      this.violation("I3", acked, `acked up to ${acked.request}, and the trap took up to ${trapped.request}`, trapped);
  }

  /** A request that rides on no IPI is sent, or found covered, by the hart that was accepted, within the same trap. */
  private outcome(hart: HartState, step: ChainStep): void {
    if (step.kind !== "accepted" || step.detail !== 0) return;
    const wasSent = hart.steps.some(
      (one) => one.of === step.of && (one.kind === "sent" || one.kind === "coalesced") && one.request >= step.request,
    );
    if (!wasSent) this.violation("I6", step, "accepted, and neither sent nor covered by an IPI in the same trap");
  }

  /** The numbers that a hart draws rise; `unused` is written out of order. */
  private order(steps: readonly ChainStep[]): void {
    const last = new Map<number, ChainStep>();
    for (const step of steps) {
      if (step.kind === "unused") continue;
      const before = last.get(step.of);
      const isLater = before === undefined || before.n < step.n;
      if (!isLater && !steps.some((one) => one.kind === "unused" && one.of === step.of))
        this.violation("I3", step, `comes after number ${before.n} of the same hart`, before);
      last.set(step.of, step);
    }
  }

  /** Requests and IPIs until the trap that takes them. */
  private follow(step: ChainStep): void {
    const target = this.hartOf(step.of);
    const self = this.hartOf(step.by);
    switch (step.kind) {
      case "accepted":
        if (step.request > target.takenUpTo) target.pending.push(step);
        return;
      case "sent":
        return this.forgetRefused(step.of, Number.POSITIVE_INFINITY);
      case "coalesced":
        return this.forgetRefused(step.of, Number.POSITIVE_INFINITY);
      case "send-failed":
        // The selftests refuse a send of their own and complete it when they have seen what comes of it.
        if (step.request > target.takenUpTo && this.phase.tasksRun) self.refused.push(step);
        return;
      case "trapped":
        return this.taken(target, step);
      case "no-pending-request":
      case "acked":
      case "unused":
      case "rejected-invalid-cpu":
      case "rejected-offline-cpu":
        return;
      default:
        return step.kind satisfies never;
    }
  }

  private taken(target: HartState, step: ChainStep): void {
    const missed = target.pending.find((one) => one.request > step.request && one.t < step.enteredAt);
    if (missed !== undefined)
      this.violation("I7", step, `request ${missed.request} was accepted before, and this trap left it out`, missed);
    target.takenUpTo = Math.max(target.takenUpTo, step.request);
    target.pending = target.pending.filter((one) => one.request > step.request);
    target.sent = target.sent.filter((one) => one.request > step.request);
    target.lostReported = false;
    this.forgetRefused(step.of, step.request);
  }

  /** The refused sends for a CPU, of requests up to this one, have been made good. */
  private forgetRefused(of: number, upTo: number): void {
    for (const hart of this.harts.values())
      if (hart.refused.length > 0) hart.refused = hart.refused.filter((one) => one.of !== of || one.request > upTo);
  }

  private timer(hart: HartState, cpu: number, trap: OpenTrap, number: number): void {
    hart.timerEntries = [trap.enteredAt, ...hart.timerEntries].slice(0, TIMER_TRAPS_MAX);
    const since = hart.timerEntries[TIMER_TRAPS_MAX - 1];
    if (since === undefined) return;
    const lost = hart.sent.find((step) => step.t < since);
    if (lost !== undefined && !hart.lostReported) {
      hart.lostReported = true;
      const message = `cpu${cpu} entered ${TIMER_TRAPS_MAX} timer traps since, and no S_SOFT trap took the request`;
      this.violation("I6", lost, message, lost, number);
    }
    const waiting = hart.refused.find((step) => step.t < since);
    if (waiting === undefined) return;
    hart.refused = hart.refused.filter((step) => step !== waiting);
    const message = `the send failed, and cpu${cpu} has not sent it again in ${TIMER_TRAPS_MAX} timer traps`;
    this.violation("I4", waiting, message, waiting, number);
  }

  private trapFault(clause: MonitoredClause, cpu: number, trap: OpenTrap, message: string): void {
    this.report({ clause, message: `cpu${cpu}: ${message}`, events: [trap.event], cpu, t: trap.enteredAt });
  }

  private violation(clause: MonitoredClause, step: ChainStep, message: string, other = step, number = 0): void {
    const subject = `cpu${step.of} n=${step.n} ${step.kind} request ${step.request}`;
    const events = [...new Set([other.event, step.event, number])].filter((event) => event > 0);
    this.report({
      clause,
      message: `${subject}: ${message}`,
      events: events.toSorted((a, b) => a - b),
      cpu: step.by,
      t: step.t,
    });
  }
}

const CHAIN_KINDS: ReadonlySet<string> = new Set<ChainKind>([
  "accepted",
  "sent",
  "send-failed",
  "trapped",
  "acked",
  "coalesced",
  "unused",
  "no-pending-request",
  "rejected-invalid-cpu",
  "rejected-offline-cpu",
]);

export type ChainEvent = Extract<TraceEvent, { readonly n: number }>;

export function isChainEvent(event: TraceEvent): event is ChainEvent {
  return CHAIN_KINDS.has(event.kind);
}
