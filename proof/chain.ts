// Chain: the way of each resched request of one CPU, accepted -> sent -> trapped -> acked, rebuilt from evidence.
//
// The events of one target CPU are walked by their numbers. A fault is a step that lacks the step it claims to
// follow; a request whose last steps have not come yet is no fault, its chain is merely not complete.
// Invariants: no clock, no counts; only the numbers that the target CPU's own counter gave out.
// Partners: evidence.ts supplies the events, requirements.ts asks for complete chains.
// Fulfils: I3, I4, I5, I7 (contract.md), on the host's side.

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

export interface ChainsOfCpu {
  readonly chains: readonly Chain[];
  /** One line of words each. */
  readonly faults: readonly string[];
}

/** A send whose trap has not come. */
interface OpenSend {
  readonly n: number;
  readonly by: number;
  readonly request: number;
}

type Draft = { -readonly [Key in keyof Chain]: Chain[Key] } & { sendFailed: number[] };

/** Rebuilds the chains of CPU `target` from its events, sorted by number and without a gap. */
export function chainsOf(target: number, events: readonly EvidenceEvent[]): ChainsOfCpu {
  const walk = new Walk(target);
  for (const event of events) walk.take(event);
  return { chains: [...walk.drafts.values()], faults: walk.faults };
}

class Walk {
  readonly target: number;
  readonly drafts = new Map<number, Draft>();
  readonly faults: string[] = [];
  private openSends: OpenSend[] = [];
  private acceptedUpTo = Number.NEGATIVE_INFINITY;
  private trappedUpTo = Number.NEGATIVE_INFINITY;
  private ackedUpTo = Number.NEGATIVE_INFINITY;

  constructor(target: number) {
    this.target = target;
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
      case EventKind.StartFailed:
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
        return event.kind satisfies never;
    }
  }

  private accept(event: EvidenceEvent): void {
    if (event.request <= this.acceptedUpTo) {
      return this.fault(event, `comes after request ${this.acceptedUpTo}: request numbers only grow`);
    }
    const rides = event.detail === 1;
    const awaited = [...this.drafts.values()].some((draft) => draft.trapped === null);
    if (rides && !awaited) this.fault(event, "rides on an earlier request, but none is waiting for its trap");
    this.acceptedUpTo = event.request;
    this.drafts.set(event.request, {
      target: this.target,
      request: event.request,
      by: event.by,
      rides,
      accepted: event.n,
      sendFailed: [],
      sent: null,
      trapped: null,
      acked: null,
    });
  }

  private send(event: EvidenceEvent): void {
    if (!this.drafts.has(event.request)) return this.fault(event, "was never accepted");
    this.openSends.push({ n: event.n, by: event.by, request: event.request });
  }

  /** A refused send takes back the send that the same CPU had recorded for it, so that no trap can rest on it. */
  private failSend(event: EvidenceEvent): void {
    const draft = this.drafts.get(event.request);
    if (draft === undefined) return this.fault(event, "was never accepted");
    draft.sendFailed.push(event.n);
    const refused = this.openSends.findLastIndex((send) => send.by === event.by && send.request === event.request);
    if (refused >= 0) this.openSends.splice(refused, 1);
  }

  private trap(event: EvidenceEvent): void {
    this.requireOwn(event);
    if (!this.drafts.has(event.request)) return this.fault(event, "was never accepted");
    if (event.request <= this.trappedUpTo) return this.fault(event, "had its trap before");
    for (const draft of this.drafts.values()) {
      if (draft.trapped !== null || draft.request > event.request) continue;
      const carrier = this.openSends.findLast(
        (send) => draft.rides || (send.request >= draft.request && send.n > draft.accepted),
      );
      if (carrier === undefined) {
        this.fault(event, `covers request ${draft.request}, which no successful send carries`);
        continue;
      }
      draft.sent = carrier.n;
      draft.trapped = event.n;
    }
    this.trappedUpTo = event.request;
    this.openSends = this.openSends.filter((send) => send.request > event.request);
  }

  private ack(event: EvidenceEvent): void {
    this.requireOwn(event);
    if (event.request > this.trappedUpTo) return this.fault(event, "has no trap before it");
    if (event.request <= this.ackedUpTo) return this.fault(event, "was acked before");
    for (const draft of this.drafts.values()) {
      if (draft.acked === null && draft.trapped !== null && draft.request <= event.request) draft.acked = event.n;
    }
    this.ackedUpTo = event.request;
  }

  private requireOwn(event: EvidenceEvent): void {
    if (event.by !== event.of) this.fault(event, `happened by cpu${event.by}: only cpu${event.of} itself can say so`);
  }

  private fault(event: EvidenceEvent, words: string): void {
    this.faults.push(`cpu${event.of} n=${event.n} ${eventName(event.kind)} request ${event.request}: ${words}`);
  }
}
