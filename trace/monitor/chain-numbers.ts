// Chain numbers: the resched chain of one CPU, judged by the numbers of its events.
//
// Harts draw a number from the target's counter before their act can be seen, and after all that the act follows. So a
// trap has a larger number than each request that it takes and than the send that caused it, wherever in the trace those
// stand; no clock is needed. Two sends may stand before the trap of the first: the second hart drew its number early.
//
// Invariants: events are judged in the order of their numbers; where records were lost, what is missing proves nothing,
// and only what is there twice or in the wrong order is reported.
// Clauses: I3, I4, I7.

import type { ChainKind } from "../event.ts";
import type { MonitoredClause, Report } from "./monitor.ts";

export interface ChainStep {
  readonly kind: ChainKind;
  readonly of: number;
  readonly n: number;
  readonly request: number;
  readonly detail: number;
  /** The hart that wrote it. */
  readonly by: number;
  readonly t: number;
  /** Entry of the trap in which it was written. */
  readonly enteredAt: number;
  /** Its number in the trace. */
  readonly event: number;
}

interface Accepted {
  readonly step: ChainStep;
  /** Another hart's IPI may carry it. */
  rides: boolean;
}

/** Judges the steps of one CPU. complete: no record of the trace was lost. */
export function judgeChain(steps: readonly ChainStep[], complete: boolean, report: Report): void {
  const judge = new ChainJudge(steps, complete, report);
  for (const step of steps.toSorted((a, b) => a.n - b.n)) judge.take(step);
  judge.finish();
}

/** The send that each refusal is about: the last one before it of that hart and request. */
function refusedSends(steps: readonly ChainStep[]): Map<ChainStep, ChainStep> {
  const refused = new Map<ChainStep, ChainStep>();
  const sends = new Map<string, ChainStep[]>();
  for (const step of steps.toSorted((a, b) => a.n - b.n)) {
    const key = `${step.by} ${step.request}`;
    if (step.kind === "sent") sends.set(key, [...(sends.get(key) ?? []), step]);
    const send = step.kind === "send-failed" ? sends.get(key)?.pop() : undefined;
    if (send !== undefined) refused.set(step, send);
  }
  return refused;
}

class ChainJudge {
  private readonly complete: boolean;
  private readonly report: Report;
  private readonly refused: ReadonlyMap<ChainStep, ChainStep>;
  private readonly failed: ReadonlySet<ChainStep>;
  /** Every request that is accepted somewhere in the trace. */
  private readonly requests: ReadonlySet<number>;
  private readonly accepted = new Map<number, Accepted>();
  private readonly seen = new Map<number, ChainStep>();
  /** Sends that no trap has used up. */
  private open: ChainStep[] = [];
  private trapped: ChainStep | null = null;
  private trappedUpTo = 0;

  constructor(steps: readonly ChainStep[], complete: boolean, report: Report) {
    this.complete = complete;
    this.report = report;
    this.refused = refusedSends(steps);
    this.failed = new Set(this.refused.values());
    this.requests = new Set(steps.filter((step) => step.kind === "accepted").map((step) => step.request));
  }

  take(step: ChainStep): void {
    const twin = this.seen.get(step.n);
    if (twin !== undefined) this.violation("I3", step, `the number ${step.n} of cpu${step.of} was given twice`, twin);
    this.seen.set(step.n, step);
    switch (step.kind) {
      case "accepted":
        return this.accept(step);
      case "sent":
        return this.send(step);
      case "coalesced":
        return this.coalesce(step);
      case "send-failed":
        return this.refuse(step);
      case "trapped":
        return this.trap(step);
      case "acked":
        return this.ack(step);
      case "no-pending-request":
        return this.requireOwn(step);
      case "unused":
      case "rejected-invalid-cpu":
      case "rejected-offline-cpu":
        return;
      default:
        return step.kind satisfies never;
    }
  }

  finish(): void {
    // I7: what is on its way now; a second one means that two harts rang for the same requests.
    const [first, second] = this.open;
    if (!this.complete || first === undefined || second === undefined) return;
    this.violation("I7", second, `a second IPI was sent to cpu${second.of} while one was on its way`, first);
  }

  private accept(step: ChainStep): void {
    const before = this.accepted.get(step.request);
    if (before !== undefined) return this.violation("I3", step, "the request was accepted before", before.step);
    if (step.request <= this.trappedUpTo && this.trapped !== null)
      this.violation("I3", step, "the trap that covers the request has a smaller number", this.trapped);
    this.accepted.set(step.request, { step, rides: step.detail === 1 });
  }

  private send(step: ChainStep): void {
    // The hart that was accepted last may have drawn the larger number, so it is looked for in the whole trace.
    const isFirst = this.accepted.size === 0 && this.trappedUpTo === 0;
    if (this.complete && (isFirst || !this.requests.has(step.request)))
      this.violation("I3", step, "sent, and no request that it carries was accepted");
    if (!this.failed.has(step)) this.open.push(step);
  }

  private coalesce(step: ChainStep): void {
    for (let request = step.request; request > this.trappedUpTo; request--) {
      const one = this.accepted.get(request);
      if (one?.step.by === step.by) one.rides = true;
    }
  }

  private refuse(step: ChainStep): void {
    if (this.complete && !this.refused.has(step))
      this.violation("I4", step, "a send failed that was never made, so its request is not visibly pending");
  }

  private trap(step: ChainStep): void {
    this.requireOwn(step);
    if (step.request < this.trappedUpTo && this.trapped !== null)
      return this.violation("I3", step, "the request had its trap before", this.trapped);
    const covered: Accepted[] = [];
    for (let request = this.trappedUpTo + 1; request <= step.request; request++) {
      const one = this.accepted.get(request);
      this.accepted.delete(request);
      if (one !== undefined) covered.push(one);
      else if (this.complete)
        this.violation("I3", step, `trapped for request ${request}, which was not accepted before`);
    }
    if (this.complete) this.useUp(step, covered);
    this.trapped = step;
    this.trappedUpTo = step.request;
  }

  /** Each trap uses up one send: of those that can have carried all of its requests, the first. */
  private useUp(step: ChainStep, covered: readonly Accepted[]): void {
    const carrier = this.open
      .filter((send) => send.request <= step.request && covered.every((one) => carries(send, one)))
      .toSorted((a, b) => a.request - b.request || a.n - b.n)[0];
    if (carrier !== undefined) this.open = this.open.filter((send) => send !== carrier);
    else if (this.failed.size > 0 && [...this.failed].some((send) => send.n < step.n && send.request >= step.request))
      this.violation("I4", step, "trapped, and the IPI of the request was refused");
    else this.violation("I3", step, "trapped, and no send that succeeded accounts for it");
  }

  private ack(step: ChainStep): void {
    this.requireOwn(step);
    if (this.trapped === null ? this.complete : step.request > this.trappedUpTo)
      this.violation("I3", step, "acked, and the trap for the request has no smaller number");
  }

  private requireOwn(step: ChainStep): void {
    if (step.by !== step.of)
      this.violation("I3", step, `${step.kind} on cpu${step.by}: only cpu${step.of} itself traps and acks for itself`);
  }

  private violation(clause: MonitoredClause, step: ChainStep, message: string, other?: ChainStep): void {
    const subject = `cpu${step.of} n=${step.n} ${step.kind} request ${step.request}`;
    const events = other === undefined ? [step.event] : [other.event, step.event];
    this.report({ clause, message: `${subject}: ${message}`, events, cpu: step.by, t: step.t });
  }
}

/** Whether the send's IPI can be the one that brought this request to its trap. */
function carries(send: ChainStep, { step, rides }: Accepted): boolean {
  return rides || (send.request >= step.request && (send.by !== step.by || send.n > step.n));
}
