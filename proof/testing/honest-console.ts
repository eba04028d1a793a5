// Honest console: the lines that a correct kernel would print, for tests to feed to the gate as they are or spoilt.
//
// Partners: gate.test.ts, reporters' tests and the command line's tests.

import { EventKind } from "../../abi/events.ts";
import { RESULT_PASSED } from "../../abi/markers.ts";
import { type EvidenceEvent, evidenceLine } from "../console-line.ts";
import { cpuOnlineMarker, ladderFor } from "../ladder.ts";

/** An evidence line, with `request` and `detail` 0 unless given. */
export function evidence(
  kind: EventKind,
  place: { of: number; n: number; by?: number; request?: number; detail?: number },
): string {
  const event: EvidenceEvent = { kind, by: place.of, request: 0, detail: 0, ...place };
  return evidenceLine(event);
}

/** Every line of a green run on `harts` harts, evidence before the marker that rests on it. */
export function honestConsole(harts: number): string[] {
  const head = ["OpenSBI v1.1", `BOOT: harts=${harts} cpus=${harts} boot-hart=0 ipi=firmware`];
  const tail = ["TASK: id=1 class=normal runs=3", "HART: cpu=0 picks=9 idle=12%", RESULT_PASSED];
  const rungs = ladderFor(harts).map((rung) => rung.marker);
  if (harts === 1) return [...head, ...rungs, ...tail];

  const lines = [...head];
  for (let cpu = 1; cpu < harts; cpu += 1) {
    lines.push(evidence(EventKind.Online, { of: cpu, n: 1 }), cpuOnlineMarker(cpu));
  }
  const [smpOnline, counterfactual, resched, invalid, offline, stealing, bound, qos] = rungs.slice(harts - 1);
  const chain = (kind: EventKind, n: number, by: number, request: number, detail = 0): string =>
    evidence(kind, { of: 1, n, by, request, detail });
  lines.push(
    smpOnline ?? "",
    chain(EventKind.Accepted, 2, 0, 1),
    chain(EventKind.SendFailed, 3, 0, 1, -3),
    counterfactual ?? "",
    chain(EventKind.Sent, 4, 0, 1),
    chain(EventKind.Trapped, 5, 1, 1),
    chain(EventKind.Acked, 6, 1, 1),
    // The target empties its ring before the sender does, and the second request rides on the first one's IPI.
    chain(EventKind.Trapped, 10, 1, 3),
    chain(EventKind.Acked, 11, 1, 3),
    chain(EventKind.Accepted, 7, 0, 2),
    chain(EventKind.Sent, 8, 0, 2),
    chain(EventKind.Accepted, 9, 0, 3, 1),
    resched ?? "",
    evidence(EventKind.RejectedInvalidCpu, { of: 0, n: 1, detail: 64 }),
    invalid ?? "",
    evidence(EventKind.RejectedOfflineCpu, { of: 0, n: 2, detail: 63 }),
    offline ?? "",
    evidence(EventKind.Stolen, { of: 1, n: 12, request: 7, detail: 0 }),
    evidence(EventKind.Started, { of: 1, n: 13, request: 7 }),
    stealing ?? "",
    evidence(EventKind.StealBudgetSpent, { of: 1, n: 14, detail: 1 }),
    bound ?? "",
    evidence(EventKind.StealRefused, { of: 1, n: 15, request: 1, detail: 0 }),
    qos ?? "",
    ...tail,
  );
  return lines;
}
