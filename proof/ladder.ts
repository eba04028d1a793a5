// Ladder: the markers that a proof must climb, in order, for a machine of a given size.
//
// Invariants: the order is RFC-0022's; nothing here prints or checks, it only lists what is expected.
// Partners: abi/markers.ts has the spellings, gate.ts climbs, requirements.ts states what stands behind each rung.
// Clauses: D1 (docs/contract.md).

import {
  MARKER_CPU_PREFIX,
  MARKER_CPU_SUFFIX,
  MARKER_IPI_COUNTERFACTUAL,
  MARKER_IPI_RESCHED,
  MARKER_REJECT_INVALID_CPU,
  MARKER_REJECT_OFFLINE_CPU,
  MARKER_REJECT_STEAL_ABOVE_BOUND,
  MARKER_REJECT_STEAL_HIGHER_QOS,
  MARKER_SMP_ONLINE,
  MARKER_SMP_SKIPPED,
  MARKER_WORK_STEALING,
} from "../abi/markers.ts";

/** What one rung of the ladder claims; the CPU rung occurs once for each secondary CPU. */
export type Rung =
  | { readonly kind: "cpu-online"; readonly marker: string; readonly cpu: number }
  | { readonly kind: "smp-online"; readonly marker: string }
  | { readonly kind: "ipi-counterfactual"; readonly marker: string }
  | { readonly kind: "ipi-resched"; readonly marker: string }
  | { readonly kind: "reject-invalid-cpu"; readonly marker: string }
  | { readonly kind: "reject-offline-cpu"; readonly marker: string }
  | { readonly kind: "work-stealing"; readonly marker: string }
  | { readonly kind: "reject-steal-above-bound"; readonly marker: string }
  | { readonly kind: "reject-steal-higher-qos"; readonly marker: string }
  | { readonly kind: "smp-skipped"; readonly marker: string };

const AFTER_THE_CPUS: readonly Rung[] = [
  { kind: "smp-online", marker: MARKER_SMP_ONLINE },
  { kind: "ipi-counterfactual", marker: MARKER_IPI_COUNTERFACTUAL },
  { kind: "ipi-resched", marker: MARKER_IPI_RESCHED },
  { kind: "reject-invalid-cpu", marker: MARKER_REJECT_INVALID_CPU },
  { kind: "reject-offline-cpu", marker: MARKER_REJECT_OFFLINE_CPU },
  { kind: "work-stealing", marker: MARKER_WORK_STEALING },
  { kind: "reject-steal-above-bound", marker: MARKER_REJECT_STEAL_ABOVE_BOUND },
  { kind: "reject-steal-higher-qos", marker: MARKER_REJECT_STEAL_HIGHER_QOS },
];

const SKIPPED: readonly Rung[] = [{ kind: "smp-skipped", marker: MARKER_SMP_SKIPPED }];

const FIXED = new Set([...AFTER_THE_CPUS, ...SKIPPED].map((rung) => rung.marker));

/** `KINIT: cpu3 online` for 3. */
export function cpuOnlineMarker(cpu: number): string {
  return `${MARKER_CPU_PREFIX}${cpu}${MARKER_CPU_SUFFIX}`;
}

/** The rungs, first to last, that a run on `harts` harts must show; one hart has the skip line alone. */
export function ladderFor(harts: number): readonly Rung[] {
  if (harts === 1) return SKIPPED;
  const cpus: Rung[] = [];
  for (let cpu = 1; cpu < harts; cpu += 1) cpus.push({ kind: "cpu-online", marker: cpuOnlineMarker(cpu), cpu });
  return [...cpus, ...AFTER_THE_CPUS];
}

/** Whether a whole line is a marker of some ladder, to the character. */
export function isMarker(line: string): boolean {
  if (FIXED.has(line)) return true;
  if (!line.startsWith(MARKER_CPU_PREFIX) || !line.endsWith(MARKER_CPU_SUFFIX)) return false;
  const cpu = line.slice(MARKER_CPU_PREFIX.length, -MARKER_CPU_SUFFIX.length);
  return /^(0|[1-9][0-9]*)$/.test(cpu);
}
