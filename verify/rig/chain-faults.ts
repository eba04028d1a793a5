// Chain faults: whether the events of a CPU are a causal chain of requests: accepted, sent, trapped, acknowledged.
//
// Owner: none. Partners: kernel-memory.ts, which reads the events; abi/events.ts, which gives their meaning.

import { EventKind } from "../../abi/events.ts";
import type { KernelEvent } from "./kernel-memory.ts";

const { Accepted, Sent, SendFailed, Trapped, Acked } = EventKind;
/** The kinds of the events that a request leaves. */
export const CHAIN = [Accepted, Sent, SendFailed, Trapped, Acked] as const;

/** What of the chain's causality does not hold among the events of a CPU. */
export function faultsOfChain(events: readonly KernelEvent[], target: number): string[] {
  const faults: string[] = [];
  let accepted = 0;
  let sent = 0;
  let trapped = 0;
  let acked = 0;
  for (const { kind, request, by } of events) {
    if (kind === Accepted) accepted = Math.max(accepted, request);
    if (kind === Sent && request > accepted) faults.push(`request ${request} sent before it was accepted`);
    if (kind === Sent) sent = Math.max(sent, request);
    if ((kind === Trapped || kind === Acked) && by !== target)
      faults.push(`cpu${by} recorded a trap or an ack of cpu${target}`);
    if (kind === Trapped && sent === 0) faults.push(`request ${request} trapped before any was sent`);
    if (kind === Trapped && request > accepted) faults.push(`request ${request} trapped before it was accepted`);
    if (kind === Trapped) trapped = Math.max(trapped, request);
    if (kind === Acked && request > trapped) faults.push(`request ${request} acked before its trap`);
    if (kind === Acked) acked = Math.max(acked, request);
  }
  return acked <= trapped ? faults : [...faults, "an ack without a trap"];
}
