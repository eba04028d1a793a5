// Trace file: a trace as JSON Lines: a header, one event a line, and the totals.
//
// Owner: none, pure functions. Invariant: what is written is read back as it was; what is not a trace is refused with
// the first line that is wrong. A file whose run ended before its totals has none.
// Partners: event.ts (what a line is), schema.ts; cli/trace-output.ts, which writes files.

import { CPUS_MAX } from "../abi/layout.ts";
import { TRACE_VERSION, type Trace, type TraceEvent, type TraceHeader, type TraceTotals } from "./event.ts";
import { EVENT_SCHEMAS, HEADER_SCHEMA, TOTALS_SCHEMA } from "./schema.ts";
import { faultOf } from "./schema-check.ts";

export type TraceRead =
  | { readonly kind: "read"; readonly trace: Trace }
  /** reason: one line. line: from 1. */
  | { readonly kind: "malformed"; readonly line: number; readonly reason: string };

/** The file's lines, without their line ends. */
export function* traceLines(
  header: TraceHeader,
  events: Iterable<TraceEvent>,
  totals: TraceTotals | null,
): Generator<string> {
  yield JSON.stringify(header);
  for (const event of events) yield JSON.stringify(event);
  if (totals !== null) yield JSON.stringify(totals);
}

export function parseTrace(text: string): TraceRead {
  const reader = new TraceReader();
  let line = 0;
  for (let start = 0; start < text.length;) {
    const end = text.indexOf("\n", start);
    line += 1;
    const reason = reader.take(text.slice(start, end < 0 ? text.length : end));
    if (reason !== undefined) return { kind: "malformed", line, reason };
    start = end < 0 ? text.length : end + 1;
  }
  const trace = reader.trace();
  if (trace === undefined) return { kind: "malformed", line: 1, reason: "the file is empty: give a trace" };
  return { kind: "read", trace };
}

/** `line 3: cpu is -1: give a number, 0 or more` */
export function formatMalformed({ line, reason }: TraceRead & { kind: "malformed" }): string {
  return `line ${line}: ${reason}`;
}

/** Reads a trace line by line, for files that are not to be held as text. */
export class TraceReader {
  private header: TraceHeader | undefined;
  private readonly events: TraceEvent[] = [];
  private totals: TraceTotals | null = null;

  /** What is wrong with the next line, in one line; undefined when nothing is. */
  take(line: string): string | undefined {
    const value = parsed(line);
    if (value === undefined) return "this is no JSON: a trace has one object a line";
    if (this.header === undefined) return this.takeHeader(value);
    if (this.totals !== null) return "nothing may follow the totals";
    if (value["kind"] === "totals") return this.takeTotals(value);
    return this.takeEvent(value);
  }

  /** The trace so far; undefined before its header. */
  trace(): Trace | undefined {
    const { header, events, totals } = this;
    return header === undefined ? undefined : { header, events, totals };
  }

  private takeHeader(value: Fields): string | undefined {
    if (value["format"] !== "hartbeat-trace") return "this is no trace: the first line is to be a trace's header";
    if (value["version"] !== TRACE_VERSION)
      return `the trace has version ${String(value["version"])}: this command reads version ${TRACE_VERSION}`;
    const fault = faultOf(HEADER_SCHEMA, value);
    if (fault !== undefined) return fault;
    const header = value as unknown as TraceHeader;
    if (header.cpus > CPUS_MAX) return `cpus is ${header.cpus}: give ${CPUS_MAX} at most`;
    this.header = header;
    return undefined;
  }

  private takeTotals(value: Fields): string | undefined {
    const fault = faultOf(TOTALS_SCHEMA, value);
    if (fault === undefined) this.totals = value as unknown as TraceTotals;
    return fault;
  }

  private takeEvent(value: Fields): string | undefined {
    const kind = String(value["kind"]);
    const schema = SCHEMAS.get(kind);
    if (schema === undefined) return `no such event: ${kind}`;
    const fault = faultOf(schema, value);
    if (fault !== undefined) return fault;
    const event = value as unknown as TraceEvent;
    const before = this.events.at(-1);
    if (before !== undefined && event.t < before.t)
      return `t is ${event.t}, after an event with t ${before.t}: sort them`;
    if (this.header !== undefined && event.cpu >= this.header.cpus)
      return `cpu is ${event.cpu}: the header has ${this.header.cpus} CPUs`;
    this.events.push(event);
    return undefined;
  }
}

type Fields = Readonly<Record<string, unknown>>;

const SCHEMAS = new Map(Object.entries(EVENT_SCHEMAS));

function parsed(line: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}
