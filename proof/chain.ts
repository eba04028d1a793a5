// Chain: the way of each resched request of one CPU, accepted -> sent -> trapped -> acked, rebuilt from evidence.
//
// The events of one target CPU are walked by their numbers. A fault is a step that lacks the step it claims to
// follow; a request whose last steps have not come yet is no fault, its chain is merely not complete.
//
// What the numbers say: a number is drawn before its act can be seen and after all that the act follows. So a trap
// has a larger number than every request that it takes and than the send that caused it. A request may have a
// larger number than a send of another CPU that carries it, because those two acts are not ordered.
// Every trap uses up exactly one send that succeeded: the target forgets the send when it traps.
//
// Invariants: no clock, no counts; only the numbers that the target CPU's own counter gave out.
// Partners: evidence-log.ts supplies the events, requirements.ts asks for complete chains.
// Clauses: I3, I4, I5, I7 (docs/contract.md), on the host's side.

import { EventKind } from "../abi/events.ts";
import { type EvidenceEvent, eventName } from "./console-line.ts";

/** One request's way; each step is the number of its event, or null where it has not happened. */
export interface Chain {
  readonly target: number;
  readonly request: number;
  /** The CPU that asked. */
  readonly by: number;
  /** Whether it rides on the IPI of an earlier request. */
  readonly rides: boolean;
  readonly accepted: number;
  readonly sendFailed: readonly number[];
  readonly sent: number | null;
  readonly trapped: number | null;
  readonly acked: number | null;
}

/** A step that does not hold. */
export interface ChainFault {
  /** The number of the event at which it shows. */
  readonly n: number;
  readonly message: string;
}

export interface ChainsOfCpu {
  readonly chains: readonly Chain[];
  readonly faults: readonly ChainFault[];
}

type Draft = { -readonly [Key in keyof Chain]: Chain[Key] } & { sendFailed: number[] };

/** Rebuilds the chains of CPU `target` from its events, sorted by number. */
export function chainsOf(target: number, events: readonly EvidenceEvent[]): ChainsOfCpu {
  const walk = new Walk(target, refusedSends(events));
  for (const event of events) walk.take(event);
  return { chains: [...walk.drafts.values()], faults: walk.faults };
}

/** The sends that the machine refused: for each failure the last send before it of the same CPU and request. */
function refusedSends(events: readonly EvidenceEvent[]): ReadonlySet<EvidenceEvent> {
  const refused = new Set<EvidenceEvent>();
  for (const failure of events.filter((event) => event.kind === EventKind.SendFailed)) {
    const send = events.findLast(
      (event) =>
        event.kind === EventKind.Sent &&
        event.n < failure.n &&
        event.by === failure.by &&
        event.request === failure.request &&
        !refused.has(event),
    );
    if (send !== undefined) refused.add(send);
  }
  return refused;
}

class Walk {
  readonly drafts = new Map<number, Draft>();
  readonly faults: ChainFault[] = [];
  private readonly target: number;
  private readonly refused: ReadonlySet<EvidenceEvent>;
  /** Sends that succeeded and that no trap has used up. */
  private openSends: EvidenceEvent[] = [];
  private trappedUpTo = Number.NEGATIVE_INFINITY;
  private ackedUpTo = Number.NEGATIVE_INFINITY;
  private awaitsAck = false;

  constructor(target: number, refused: ReadonlySet<EvidenceEvent>) {
    this.target = target;
    this.refused = refused;
  }

  take(event: EvidenceEvent): void {
    switch (event.kind) {
      case EventKind.Accepted:
        return this.accept(event);
      case EventKind.Sent:
        return this.send(event);
      case EventKind.SendFailed:
        return this.failSend(event);
      case EventKind.Trapped:
        return this.trap(event);
      case EventKind.Acked:
        return this.ack(event);
      case EventKind.Coalesced:
        return this.coalesce(event);
      case EventKind.StartFailed:
      case EventKind.Unused:
        return;
      case EventKind.Online:
      case EventKind.NoPendingRequest:
      case EventKind.RejectedInvalidCpu:
      case EventKind.RejectedOfflineCpu:
      case EventKind.Stolen:
      case EventKind.StealRefused:
      case EventKind.StealBudgetSpent:
      case EventKind.RuntimeDenied:
      case EventKind.Started:
        return this.requireOwn(event);
      case EventKind.None:
        return this.fault(event, "is no event");
      default:
        event.kind satisfies never;
    }
  }

  private accept(event: EvidenceEvent): void {
    if (this.drafts.has(event.request)) return this.fault(event, "was accepted before");
    if (event.request <= this.trappedUpTo) this.fault(event, "comes after the trap that covers it");
    this.drafts.set(event.request, {
      target: this.target,
      request: event.request,
      by: event.by,
      rides: event.detail === 1,
      accepted: event.n,
      sendFailed: [],
      sent: null,
      trapped: null,
      acked: null,
    });
  }

  private send(event: EvidenceEvent): void {
    const something = [...this.drafts.values()].some((draft) => draft.request <= event.request);
    if (!something) return this.fault(event, "was never accepted");
    if (!this.refused.has(event)) this.openSends.push(event);
  }

  /** Its requests need no send of their own: they ride on another hart's. */
  private coalesce(event: EvidenceEvent): void {
    const own = [...this.drafts.values()].filter(
      (draft) => draft.by === event.by && draft.trapped === null && draft.request <= event.request,
    );
    for (const draft of own) draft.rides = true;
  }

  private failSend(event: EvidenceEvent): void {
    const draft = this.drafts.get(event.request);
    if (draft === undefined) return this.fault(event, "was never accepted");
    draft.sendFailed.push(event.n);
  }

  private trap(event: EvidenceEvent): void {
    this.requireOwn(event);
    if (this.awaitsAck) this.fault(event, "comes before the ack of the trap before it");
    if (!this.drafts.has(event.request)) return this.fault(event, "was never accepted");
    if (event.request < this.trappedUpTo) return this.fault(event, "had its trap before");
    const covered = [...this.drafts.values()].filter(
      (draft) => draft.trapped === null && draft.request <= event.request,
    );
    const carrier = this.openSends
      .filter((send) => send.request <= event.request && covered.every((draft) => carries(send, draft)))
      .toSorted((a, b) => a.request - b.request || a.n - b.n)[0];
    if (carrier === undefined) return this.fault(event, "rests on no successful send");
    for (const draft of covered) {
      draft.sent = carrier.n;
      draft.trapped = event.n;
    }
    this.openSends = this.openSends.filter((send) => send !== carrier);
    this.trappedUpTo = event.request;
    this.awaitsAck = true;
  }

  private ack(event: EvidenceEvent): void {
    this.requireOwn(event);
    if (!this.awaitsAck || event.request > this.trappedUpTo) return this.fault(event, "has no trap before it");
    if (event.request < this.ackedUpTo) return this.fault(event, "was acked before");
    for (const draft of this.drafts.values()) {
      if (draft.acked === null && draft.trapped !== null && draft.request <= event.request) draft.acked = event.n;
    }
    this.ackedUpTo = event.request;
    this.awaitsAck = false;
  }

  private requireOwn(event: EvidenceEvent): void {
    if (event.by !== event.of) this.fault(event, `happened by cpu${event.by}: only cpu${event.of} itself can say so`);
  }

  private fault(event: EvidenceEvent, message: string): void {
    const subject = `cpu${event.of} n=${event.n} ${eventName(event.kind)} request ${event.request}`;
    this.faults.push({ n: event.n, message: `${subject}: ${message}` });
  }
}

/** Whether the send's IPI can be the one that brought this request to its trap. */
function carries(send: EvidenceEvent, draft: Draft): boolean {
  if (draft.rides) return true;
  return send.request >= draft.request && (send.by !== draft.by || send.n > draft.accepted);
}
