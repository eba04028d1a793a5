// Metrics file: metrics as JSON, and back: what is no such file is refused with the first field that is wrong.

import type { Distribution } from "./distribution.ts";
import { METRICS_VERSION, type TraceMetrics } from "./trace-metrics.ts";

export type MetricsRead =
  | { readonly kind: "read"; readonly metrics: TraceMetrics }
  /** reason: one line. */
  | { readonly kind: "malformed"; readonly reason: string };

type Fields = Readonly<Record<string, unknown>>;

const COUNTS = ["runTicks", "preemptions", "migrations", "steals"];
const HART_COUNTS = [
  ...["cpu", "runTicks", "idleTicks", "accepted", "sent", "sendsFailed"],
  ...["coalesced", "trapped", "acked", "noPendingRequest"],
];
const DISTRIBUTIONS = ["wakeLatency", "runDelay", "runTime"];
const QUANTILES = ["p50", "p95", "p99", "max"];

export function parseMetrics(text: string): MetricsRead {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: "malformed", reason: "this is no JSON" };
  }
  const reason = faultOf(value);
  return reason === null ? { kind: "read", metrics: value as TraceMetrics } : { kind: "malformed", reason };
}

function faultOf(value: unknown): string | null {
  if (!isObject(value) || value["format"] !== "hartbeat-metrics") return "this is neither a trace nor metrics";
  if (value["version"] !== METRICS_VERSION)
    return `the metrics have version ${String(value["version"])}: this command reads version ${METRICS_VERSION}`;
  const run = { ...(isObject(value["run"]) ? value["run"] : {}) };
  return (
    numbersOf(value, "the metrics", ["cpus", "ticksPerSecond", "durationTicks", "events", "lost"]) ??
    (typeof value["kernel"] === "string" ? null : "kernel is no text") ??
    (value["machine"] === "sim" || value["machine"] === "virt" ? null : "machine is neither sim nor virt") ??
    groupFault(run, "run") ??
    listFault(value["classes"], "classes", groupFault) ??
    listFault(value["tasks"], "tasks", (one, name) => numbersOf(one, name, ["task"]) ?? groupFault(one, name)) ??
    listFault(value["harts"], "harts", (one, name) => numbersOf(one, name, HART_COUNTS))
  );
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function listFault(value: unknown, name: string, of: (one: Fields, name: string) => string | null): string | null {
  if (!Array.isArray(value)) return `${name} is no list`;
  for (const [index, one] of value.entries()) {
    const fault = isObject(one) ? of(one, `${name}[${index}]`) : `${name}[${index}] is no object`;
    if (fault !== null) return fault;
  }
  return null;
}

function numbersOf(value: Fields, name: string, fields: readonly string[]): string | null {
  const wrong = fields.find((field) => typeof value[field] !== "number" || !Number.isFinite(value[field]));
  return wrong === undefined ? null : `${name}: ${wrong} is no number`;
}

function groupFault(group: Fields, name: string): string | null {
  const { rejects, response } = group;
  if (!isObject(rejects)) return `${name}: rejects is no object`;
  const fault =
    numbersOf(group, name, COUNTS) ??
    numbersOf(rejects, `${name}: rejects`, Object.keys(rejects)) ??
    DISTRIBUTIONS.map((field) => distributionFault(group[field], `${name}: ${field}`)).find((one) => one !== null) ??
    null;
  if (fault !== null || response === null) return fault;
  if (!isObject(response)) return `${name}: response is no object`;
  return (
    numbersOf(response, `${name}: response`, ["jobs", "missed"]) ??
    distributionFault(response["time"], `${name}: response time`)
  );
}

function distributionFault(value: unknown, name: string): string | null {
  if (!isObject(value)) return `${name} is no object`;
  const fault = numbersOf(value, name, ["count"]);
  if (fault !== null) return fault;
  const units: readonly (keyof Distribution)[] = ["ticks", "microseconds"];
  for (const unit of units) {
    const quantiles = value[unit];
    if (quantiles === null) continue;
    const wrong = isObject(quantiles)
      ? numbersOf(quantiles, `${name}: ${unit}`, QUANTILES)
      : `${name}: ${unit} is no object`;
    if (wrong !== null) return wrong;
  }
  return null;
}
