// Metrics table: the metrics for people, as tables for a terminal.

import type { Distribution } from "./distribution.ts";
import { formatTable } from "./text-table.ts";
import type { GroupMetrics, TraceMetrics } from "./trace-metrics.ts";

export function formatMetrics(metrics: TraceMetrics): string {
  const { machine, cpus, seed, durationTicks, ticksPerSecond, events, lost } = metrics;
  const milliseconds = ((durationTicks * 1000) / ticksPerSecond).toFixed(3);
  const head = [
    `${machine}, ${cpus} ${cpus === 1 ? "hart" : "harts"}${seed === null ? "" : `, seed ${seed}`}: ${events} events in ${milliseconds} ms`,
    ...(lost > 0 ? [`INCOMPLETE: ${lost} records were overwritten before they were read`] : []),
  ];
  return [
    `${head.join("\n")}\n`,
    waitTable(metrics),
    countTable(metrics),
    ...responseTables(metrics),
    hartTable(metrics),
  ].join("\n");
}

/** Every group with its name. */
function groupsOf(metrics: TraceMetrics): [string, GroupMetrics][] {
  return [
    ["all tasks", metrics.run],
    ...metrics.classes.map((one): [string, GroupMetrics] => [one.qos, one]),
    ...metrics.tasks.map((one): [string, GroupMetrics] => [`task ${one.task} ${one.name}`.trimEnd(), one]),
  ];
}

function waitTable(metrics: TraceMetrics): string {
  const quantiles = ["n", "p50", "p95", "p99", "max"];
  const head = ["times in µs", ...quantiles.map((name) => `wake ${name}`), ...quantiles.map((name) => `delay ${name}`)];
  const run = ["run p50", "run max", "run total"];
  const rows = groupsOf(metrics).map(([name, group]) => [
    name,
    ...cells(group.wakeLatency),
    ...cells(group.runDelay),
    number(group.runTime.microseconds?.p50),
    number(group.runTime.microseconds?.max),
    number((group.runTicks * 1e6) / metrics.ticksPerSecond),
  ]);
  return formatTable([[...head, ...run], ...rows]);
}

function cells({ count, microseconds }: Distribution): string[] {
  const { p50, p95, p99, max } = microseconds ?? {};
  return [String(count), number(p50), number(p95), number(p99), number(max)];
}

function number(value: number | undefined): string {
  return value === undefined ? "-" : value.toFixed(1);
}

function countTable(metrics: TraceMetrics): string {
  const rows = groupsOf(metrics).map(([name, { runTime, preemptions, migrations, steals, rejects }]) => [
    name,
    ...[runTime.count, preemptions, migrations, steals].map(String),
    Object.entries(rejects)
      .map(([why, count]) => `${why} ${count}`)
      .join(", ") || "-",
  ]);
  return formatTable([["counts", "runs", "preemptions", "migrations", "steals", "rejects"], ...rows]);
}

function responseTables(metrics: TraceMetrics): string[] {
  const rows = groupsOf(metrics).flatMap(([name, { response }]) =>
    response === null ? [] : [[name, ...cells(response.time), String(response.jobs), String(response.missed)]],
  );
  const head = ["response in µs", "n", "p50", "p95", "p99", "max", "jobs", "missed"];
  return rows.length === 0 ? [] : [formatTable([head, ...rows])];
}

function hartTable({ harts }: TraceMetrics): string {
  const rows = harts.map((hart) => [
    `cpu${hart.cpu}`,
    hart.utilisationPercent === null ? "-" : `${hart.utilisationPercent.toFixed(1)} %`,
    ...[hart.accepted, hart.sent, hart.sendsFailed, hart.coalesced, hart.trapped, hart.acked].map(String),
    String(hart.noPendingRequest),
  ]);
  const head = ["harts", "busy", "accepted", "sent", "refused", "coalesced", "trapped", "acked", "no request"];
  return formatTable([head, ...rows]);
}
