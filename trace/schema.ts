// Schema: the lines of a trace file, as a JSON Schema (draft 2020-12) of one line.
//
// The reader follows the same description, so a file that it takes is one that the schema allows.
// Owner: none, constants only. Partners: event.ts, whose types these are at run time; trace-file.ts; schema.test.ts, which
// holds it against an independent validator and real traces.

import type { ChainKind, LeaveReason, QosName, RejectReason, TraceEventKind, TrapKind } from "./event.ts";
import { TRACE_VERSION } from "./event.ts";

/** What of JSON Schema is used here. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly const?: string | number;
  readonly enum?: readonly (string | null)[];
  readonly minimum?: number;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: false;
}

const INTEGER: Schema = { type: "integer" };
const COUNT: Schema = { type: "integer", minimum: 0 };
const TASK = COUNT;
const TASK_OR_NONE: Schema = { type: ["integer", "null"], minimum: 0 };
const TEXT: Schema = { type: "string" };

/** Every member of a union of strings: one that is missing here does not compile. */
function names<Name extends string>(of: Record<Name, true>): Schema {
  return { enum: Object.keys(of) };
}

function orNull({ enum: values = [] }: Schema): Schema {
  return { enum: [...values, null] };
}

const QOS = names<QosName>({ Idle: true, Normal: true, Interactive: true, PerfBurst: true });
const END = names<"exited" | "faulted" | "killed">({ exited: true, faulted: true, killed: true });
const TRAP = names<TrapKind>({ "system-call": true, soft: true, timer: true, fault: true });
const REASON = names<LeaveReason>({
  ...{ yielded: true, preempted: true, blocked: true },
  ...{ exited: true, faulted: true, killed: true },
});
const REJECT = names<RejectReason>({
  ...{ "queue-full": true, contended: true, "not-boot-hart": true, "not-found": true, "invalid-argument": true },
  ...{ fault: true, "console-full": true, "no-free-task": true, "unknown-call": true },
});
const STEAL_FAILED = names({ "nothing-there": true, contended: true, refused: true, "budget-spent": true });

/** An object with these fields; `optional` ones may be left out, and there are no others. */
function object(fields: Readonly<Record<string, Schema>>, optional: Readonly<Record<string, Schema>> = {}): Schema {
  return {
    type: "object",
    properties: { ...fields, ...optional },
    required: Object.keys(fields),
    additionalProperties: false,
  };
}

function event(
  kind: TraceEventKind,
  fields: Readonly<Record<string, Schema>>,
  optional: Readonly<Record<string, Schema>> = {},
): Schema {
  return object({ t: COUNT, cpu: COUNT, kind: { const: kind }, ...fields }, optional);
}

function chain(kind: ChainKind): Schema {
  return event(kind, { of: COUNT, n: COUNT, request: COUNT, detail: INTEGER });
}

export const EVENT_SCHEMAS: Readonly<Record<TraceEventKind, Schema>> = {
  trap: event("trap", { cause: TRAP, task: TASK_OR_NONE }, { call: INTEGER, a0: INTEGER }),
  answer: event("answer", { task: TASK, call: INTEGER, value: INTEGER }),
  switch: event(
    "switch",
    { previous: TASK_OR_NONE, reason: orNull(REASON), next: TASK_OR_NONE, qos: orNull(QOS) },
    { sleepsEnded: COUNT },
  ),
  spawn: event("spawn", { task: TASK, program: COUNT, qos: QOS, target: COUNT }),
  "task-info": event("task-info", { task: TASK, name: TEXT }, { periodTicks: COUNT, deadlineTicks: COUNT }),
  enqueue: event("enqueue", { task: TASK, qos: QOS, depth: COUNT }),
  park: event("park", { task: TASK, qos: QOS }),
  wake: event("wake", { task: TASK, by: TASK_OR_NONE }),
  steal: event("steal", { task: TASK, victim: COUNT }),
  "steal-failed": event("steal-failed", { why: STEAL_FAILED }),
  migrate: event("migrate", { task: TASK, from: { type: "integer", minimum: -1 } }),
  qos: event("qos", { task: TASK, qos: QOS }),
  end: event("end", { task: TASK, reason: END, code: INTEGER }, { by: TASK }),
  reject: event("reject", { task: TASK_OR_NONE, why: REJECT }),
  depths: event("depths", { queues: { type: "array", items: COUNT, minItems: 4, maxItems: 4 }, mailbox: COUNT }),
  lost: event("lost", { count: COUNT }),
  accepted: chain("accepted"),
  sent: chain("sent"),
  "send-failed": chain("send-failed"),
  trapped: chain("trapped"),
  acked: chain("acked"),
  coalesced: chain("coalesced"),
  unused: chain("unused"),
  "no-pending-request": chain("no-pending-request"),
  "rejected-invalid-cpu": chain("rejected-invalid-cpu"),
  "rejected-offline-cpu": chain("rejected-offline-cpu"),
};

export const HEADER_SCHEMA: Schema = object(
  {
    format: { const: "hartbeat-trace" },
    version: { const: TRACE_VERSION },
    machine: names({ sim: true, virt: true }),
    cpus: { type: "integer", minimum: 1 },
    ticksPerSecond: { type: "integer", minimum: 1 },
    kernel: TEXT,
    programs: { type: "array", items: TEXT },
  },
  { seed: COUNT, title: TEXT },
);

const HART_TOTALS = object({
  ...{ cpu: COUNT, picks: COUNT, steals: COUNT, migrations: COUNT, wakes: COUNT, ended: COUNT, faults: COUNT },
  ...{ idlePercent: COUNT, accepted: COUNT, sent: COUNT, sendsFailed: COUNT, coalesced: COUNT },
  ...{ trapped: COUNT, acked: COUNT },
});

const TASK_TOTALS = object({
  ...{ task: TASK, program: COUNT, qos: QOS, runs: COUNT, steals: COUNT, migrations: COUNT, wakes: COUNT },
  ...{ lastCpu: { type: "integer", minimum: -1 }, end: END, code: INTEGER },
});

export const TOTALS_SCHEMA: Schema = object({
  kind: { const: "totals" },
  harts: { type: "array", items: HART_TOTALS },
  tasks: { type: "array", items: TASK_TOTALS },
  result: names({ passed: true, failed: true, panic: true, stopped: true }),
  lost: COUNT,
});

/** Of any line of a trace file. */
export const TRACE_LINE_SCHEMA = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "A line of a Hartbeat trace",
  oneOf: [HEADER_SCHEMA, ...Object.values(EVENT_SCHEMAS), TOTALS_SCHEMA],
};
