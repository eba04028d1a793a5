// Metric rows: the metrics as a flat list of named numbers, for CSV and for comparisons.

import type { Distribution } from "./distribution.ts";
import type { HartMetrics } from "./hart-metrics.ts";
import type { GroupMetrics, TraceMetrics } from "./trace-metrics.ts";

export type MetricScope = "run" | "class" | "task" | "hart";

export interface MetricRow {
  readonly scope: MetricScope;
  /** The class, the task's id, the CPU; empty for the run. */
  readonly id: string;
  readonly metric: string;
  readonly unit: "ticks" | "µs" | "count" | "percent";
  /** null: there was nothing to measure. */
  readonly value: number | null;
}

export function rowsOf(metrics: TraceMetrics): MetricRow[] {
  return [
    { scope: "run", id: "", metric: "duration", unit: "ticks", value: metrics.durationTicks },
    { scope: "run", id: "", metric: "lost records", unit: "count", value: metrics.lost },
    ...groupRows("run", "", metrics.run),
    ...metrics.classes.flatMap((one) => groupRows("class", one.qos, one)),
    ...metrics.tasks.flatMap((one) => groupRows("task", String(one.task), one)),
    ...metrics.harts.flatMap(hartRows),
  ];
}

/** One line a number; a value that is not there is an empty field. */
export function formatCsv(rows: readonly MetricRow[]): string {
  const lines = rows.map(({ scope, id, metric, unit, value }) => [scope, id, metric, unit, value ?? ""].join(","));
  return `${["scope,id,metric,unit,value", ...lines].join("\n")}\n`;
}

function groupRows(scope: MetricScope, id: string, group: GroupMetrics): MetricRow[] {
  const count = (metric: string, value: number): MetricRow => ({ scope, id, metric, unit: "count", value });
  const times = (metric: string, distribution: Distribution): MetricRow[] => timeRows(scope, id, metric, distribution);
  const { response } = group;
  return [
    ...times("wake latency", group.wakeLatency),
    ...times("run delay", group.runDelay),
    ...times("run time", group.runTime),
    { scope, id, metric: "run time total", unit: "ticks", value: group.runTicks },
    count("preemptions", group.preemptions),
    count("migrations", group.migrations),
    count("steals", group.steals),
    ...Object.entries(group.rejects).map(([why, value]) => count(`rejects ${why}`, value)),
    ...(response === null
      ? []
      : [...times("response", response.time), count("jobs", response.jobs), count("missed", response.missed)]),
  ];
}

function timeRows(scope: MetricScope, id: string, metric: string, distribution: Distribution): MetricRow[] {
  const { count, ticks, microseconds } = distribution;
  const rows = (["p50", "p95", "p99", "max"] as const).flatMap((quantile): MetricRow[] => [
    { scope, id, metric: `${metric} ${quantile}`, unit: "ticks", value: ticks?.[quantile] ?? null },
    { scope, id, metric: `${metric} ${quantile}`, unit: "µs", value: microseconds?.[quantile] ?? null },
  ]);
  return [{ scope, id, metric: `${metric} count`, unit: "count", value: count }, ...rows];
}

function hartRows(hart: HartMetrics): MetricRow[] {
  const id = `cpu${hart.cpu}`;
  const row = (metric: string, unit: MetricRow["unit"], value: number | null): MetricRow => ({
    scope: "hart",
    id,
    metric,
    unit,
    value,
  });
  return [
    row("utilisation", "percent", hart.utilisationPercent),
    row("run time", "ticks", hart.runTicks),
    row("idle time", "ticks", hart.idleTicks),
    row("IPIs accepted", "count", hart.accepted),
    row("IPIs sent", "count", hart.sent),
    row("IPIs refused", "count", hart.sendsFailed),
    row("IPIs coalesced", "count", hart.coalesced),
    row("IPIs trapped", "count", hart.trapped),
    row("IPIs acked", "count", hart.acked),
    row("S_SOFT without request", "count", hart.noPendingRequest),
  ];
}
