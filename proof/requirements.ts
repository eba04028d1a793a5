// Requirements: what the evidence must hold before a marker counts.
//
// A marker is a claim. Each rung of the ladder names here the events that make it true; a marker without them is
// a failure however exact its text is.
// Invariants: pure questions about evidence; no clock.
// Partners: ladder.ts has the rungs, evidence-log.ts the answers, gate.ts asks when a marker arrives.
// Clauses: D2, on the host's side (docs/contract.md).

import { EventKind } from "../abi/events.ts";
import { CPUS_MAX } from "../abi/layout.ts";
import { Qos } from "../abi/qos.ts";
import type { Chain } from "./chain.ts";
import type { EvidenceEvent } from "./console-line.ts";
import type { Evidence } from "./evidence-log.ts";
import type { Rung } from "./ladder.ts";

/** Why the rung's marker is not covered by the evidence shown so far, in one line; null when it is. */
export function shortfall(rung: Rung, harts: number, evidence: Evidence): string | null {
  switch (rung.kind) {
    case "cpu-online":
      return onlineShortfall(rung.cpu, evidence);
    case "smp-online":
      return smpOnlineShortfall(harts, evidence);
    case "ipi-counterfactual":
      return counterfactualShortfall(evidence);
    case "ipi-resched":
      return reschedShortfall(evidence);
    case "reject-invalid-cpu":
      return rejectionShortfall(EventKind.RejectedInvalidCpu, evidence);
    case "reject-offline-cpu":
      return rejectionShortfall(EventKind.RejectedOfflineCpu, evidence);
    case "work-stealing":
      return stealShortfall(evidence);
    case "reject-steal-above-bound":
      return boundShortfall(evidence);
    case "reject-steal-higher-qos":
      return qosShortfall(evidence);
    case "smp-skipped":
      return skipShortfall(evidence);
    default:
      return rung satisfies never;
  }
}

/** A request that went the whole way on its own IPI, each step after the one before. */
function isComplete({ accepted, sent, trapped, acked }: Chain): boolean {
  return sent !== null && trapped !== null && acked !== null && accepted < sent && sent < trapped && trapped < acked;
}

function onlineShortfall(cpu: number, evidence: Evidence): string | null {
  const own = evidence.shown(EventKind.Online).some((event) => event.of === cpu && event.by === cpu);
  return own ? null : `cpu${cpu} has not recorded that it came online`;
}

function smpOnlineShortfall(harts: number, evidence: Evidence): string | null {
  for (let cpu = 1; cpu < harts; cpu += 1) {
    const missing = onlineShortfall(cpu, evidence);
    if (missing !== null) return missing;
  }
  return null;
}

function counterfactualShortfall(evidence: Evidence): string | null {
  const failed = evidence.chains().filter((chain) => chain.sendFailed.length > 0);
  const first = failed[0];
  if (first === undefined) return "no request with a failed send is on record";
  const isQuiescent = (chain: Chain): boolean =>
    chain.trapped === null || chain.trapped > Math.max(...chain.sendFailed);
  if (failed.some(isQuiescent)) return null;
  return `cpu${first.target} request ${first.request} was trapped before its send was known to have failed`;
}

/** The chain must be of this test: the one that mended the failed send was reported under the marker before. */
function reschedShortfall(evidence: Evidence): string | null {
  const chains = evidence
    .chains()
    .filter((chain) => chain.by !== chain.target && evidence.isFresh(chain.target, chain.accepted));
  if (chains.some(isComplete)) return null;
  const nearest = chains.at(-1);
  if (nearest === undefined) return "no request from one CPU to another was accepted since the last marker";
  const step = nearest.trapped === null ? (nearest.sent === null ? "sent" : "trapped") : "acked";
  return `no chain is complete: cpu${nearest.target} request ${nearest.request} was never ${step}`;
}

function rejectionShortfall(kind: EventKind, evidence: Evidence): string | null {
  const offline = kind === EventKind.RejectedOfflineCpu;
  const rejections = evidence.shown(kind);
  if (rejections.length === 0) return `no request to an ${offline ? "offline" : "invalid"} CPU was rejected`;
  for (const { detail: target } of rejections) {
    if (offline && (target < 0 || target >= CPUS_MAX)) return `cpu${target} was called offline, but no such CPU can be`;
    if (
      evidence.shown(EventKind.Accepted).some((event) => event.of === target && isOnline(target, evidence) === false)
    ) {
      return `a request to cpu${target} was accepted although that CPU is not there`;
    }
  }
  return null;
}

function stealShortfall(evidence: Evidence): string | null {
  const stolen = evidence.shown(EventKind.Stolen).filter((event) => event.detail !== event.of);
  if (stolen.length === 0) return "no task was taken from another CPU";
  const started = evidence.shown(EventKind.Started);
  const ran = (theft: EvidenceEvent): boolean =>
    started.some((event) => event.of === theft.of && event.request === theft.request && event.n > theft.n);
  if (stolen.some(ran)) return null;
  const first = stolen[0];
  return `task ${first?.request} was stolen by cpu${first?.of}, but did not start there`;
}

function boundShortfall(evidence: Evidence): string | null {
  const spent = evidence.shown(EventKind.StealBudgetSpent);
  if (spent.length === 0) return "no second steal within a tick was refused";
  const stolen = evidence.shown(EventKind.Stolen);
  const earned = spent.some((event) => event.detail >= 1 && stolen.some((s) => s.of === event.of && s.n < event.n));
  return earned ? null : "a steal was refused as the second one, but none came before it";
}

function qosShortfall(evidence: Evidence): string | null {
  const refused = evidence.shown(EventKind.StealRefused);
  if (refused.length === 0) return "no steal of a higher class was refused";
  // From the highest class downward everything may be taken, so such a refusal could not be about the class.
  const meant = refused.some((event) => event.detail !== event.of && event.request < Qos.PerfBurst);
  return meant ? null : "a steal was refused, but no higher class was left to refuse";
}

function skipShortfall(evidence: Evidence): string | null {
  const other = evidence.shown(EventKind.Online).find((event) => event.of !== 0);
  return other === undefined ? null : `cpu${other.of} is online, so this is no machine of one hart`;
}

function isOnline(cpu: number, evidence: Evidence): boolean {
  return evidence.shown(EventKind.Online).some((event) => event.of === cpu);
}
