// The schema and the reader, against a validator of JSON Schema that is not ours.

import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import { EVENT_SCHEMAS, HEADER_SCHEMA, TOTALS_SCHEMA, TRACE_LINE_SCHEMA } from "./schema.ts";
import { faultOf } from "./schema-check.ts";
import { formatMalformed, parseTrace, traceLines } from "./trace-file.ts";
import type { Schema } from "./schema.ts";
import { modelTrace } from "./testing/model-scheduler.ts";

const validator = new Ajv2020({ strict: true, strictTypes: false });

/** A value that a schema allows; with its optional fields. */
function sampleOf(schema: Schema): unknown {
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum[0];
  const type = typeof schema.type === "string" ? schema.type : schema.type?.[0];
  if (type === "integer") return Math.max(7, schema.minimum ?? 0);
  if (type === "string") return "text";
  if (type === "array") return Array.from({ length: schema.minItems ?? 2 }, () => sampleOf(schema.items ?? {}));
  return Object.fromEntries(Object.entries(schema.properties ?? {}).map(([name, one]) => [name, sampleOf(one)]));
}

/** The value with each of its fields dropped, or given a value of another kind; and with one field more. */
function mutantsOf(value: Readonly<Record<string, unknown>>): Record<string, unknown>[] {
  const mutants: Record<string, unknown>[] = [{ ...value, more: 1 }];
  for (const name of Object.keys(value)) {
    const { [name]: dropped, ...rest } = value;
    mutants.push(rest);
    for (const other of [-3, 1.5, "other", null, [], {}, true])
      if (other !== dropped) mutants.push({ ...rest, [name]: other });
  }
  return mutants;
}

const LINES: readonly (readonly [string, Schema])[] = [
  ["header", HEADER_SCHEMA],
  ["totals", TOTALS_SCHEMA],
  ...Object.entries(EVENT_SCHEMAS),
];

test.each(LINES)("schema: %s: our check and ajv agree on a sample and on every change of one field", (_, schema) => {
  const validate = validator.compile(schema);
  const sample = sampleOf(schema) as Record<string, unknown>;
  expect([validate(sample), faultOf(schema, sample)]).toEqual([true, undefined]);
  let refused = 0;
  for (const mutant of mutantsOf(sample)) {
    const isValid = faultOf(schema, mutant) === undefined;
    expect([JSON.stringify(mutant), isValid]).toEqual([JSON.stringify(mutant), validate(mutant)]);
    if (!isValid) refused += 1;
  }
  expect(refused).toBeGreaterThan(5);
});

test("schema: a whole trace: each line is allowed by exactly one of its parts", () => {
  const validate = validator.compile(TRACE_LINE_SCHEMA);
  const { header, events, totals } = modelTrace({ seed: 1, cpus: 2 });
  let lines = 0;
  for (const line of traceLines(header, events, totals)) {
    expect([line, validate(JSON.parse(line))]).toEqual([line, true]);
    lines += 1;
  }
  expect(lines).toBe(events.length + 2);
});

const HEADER = JSON.stringify(sampleOf(HEADER_SCHEMA));
const TRAP = JSON.stringify(sampleOf(EVENT_SCHEMAS.trap));
const TOTALS = JSON.stringify(sampleOf(TOTALS_SCHEMA));

test.each([
  ["", "line 1: the file is empty: give a trace"],
  ["hello", "line 1: this is no JSON: a trace has one object a line"],
  ["{}", "line 1: this is no trace: the first line is to be a trace's header"],
  [HEADER.replace('"version":1', '"version":2'), "line 1: the trace has version 2: this command reads version 1"],
  [HEADER.replace('"cpus":7', '"cpus":65'), "line 1: cpus is 65: give 64 at most"],
  [`${HEADER}\n${TRAP.replace('"t":7', '"t":1e22')}`, "line 2: t is 1e+22: give a whole number"],
  [HEADER.replace('"cpus":7', '"cpus":0'), "line 1: cpus is 0: give a number, 1 or more"],
  [`${HEADER}\n${TRAP.slice(0, -5)}`, "line 2: this is no JSON: a trace has one object a line"],
  [`${HEADER}\n[]`, "line 2: this is no JSON: a trace has one object a line"],
  [`${HEADER}\n{"kind":"nap"}`, "line 2: no such event: nap"],
  [`${HEADER}\n${TRAP.replace('"t":7,', "")}`, "line 2: t is missing"],
  [`${HEADER}\n${TRAP.replace('"t":7', '"t":"x"')}`, 'line 2: t is "x": give a whole number'],
  [`${HEADER}\n${TRAP}`, "line 2: cpu is 7: the header has 7 CPUs"],
  [
    `${HEADER}\n${TRAP.replace('"cpu":7', '"cpu":1')}\n${TRAP.replace('"t":7', '"t":6')}`,
    "line 3: t is 6, after an event with t 7: sort them",
  ],
  [`${HEADER}\n${TOTALS}\n${TRAP}`, "line 3: nothing may follow the totals"],
  [`${HEADER}\n${TOTALS.replace('"lost":7', '"lost":-1')}`, "line 2: lost is -1: give a number, 0 or more"],
  [`${HEADER}\n\n${TRAP}`, "line 2: this is no JSON: a trace has one object a line"],
])("trace file: malformed (%#): one line, with the line's number and what to give", (text, expected) => {
  const read = parseTrace(text);
  if (read.kind !== "malformed") throw new Error("it was read");
  expect(formatMalformed(read)).toBe(expected);
});

test("trace file: without totals, as of a run that was stopped: read, and they are null", () => {
  const read = parseTrace(`${HEADER}\n${TRAP.replace('"cpu":7', '"cpu":1')}`);
  expect(read).toMatchObject({ kind: "read", trace: { totals: null, events: [{ kind: "trap" }] } });
});
