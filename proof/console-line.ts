// Console line: what one line of a kernel's console says, as a tagged union.
//
// Invariants: every line has exactly one reading; a line that begins like one of ours but is spelled wrongly is
// never passed over as ordinary output, it is `malformed` with the reason.
// Partners: abi/markers.ts and abi/events.ts have the spellings; gate.ts and the reporters read the result.

import { EVENT_NAMES, EventKind } from "../abi/events.ts";
import {
  BOOT_PREFIX,
  EVIDENCE_PREFIX,
  FAIL_PREFIX,
  HART_PREFIX,
  PANIC_PREFIX,
  RESCHED_PREFIX,
  RESULT_FAILED,
  RESULT_PASSED,
  TASK_PREFIX,
  TASKS_PREFIX,
} from "../abi/markers.ts";
import { isMarker } from "./ladder.ts";

/** One event of the evidence; `request` and `detail` mean what abi/events.ts says for the kind. */
export interface EvidenceEvent {
  readonly of: number;
  readonly n: number;
  readonly by: number;
  readonly kind: EventKind;
  readonly request: number;
  readonly detail: number;
}

/** `key=value` pairs in the order of the line. */
export type Fields = ReadonlyMap<string, string>;

export type ConsoleLine =
  | { readonly kind: "marker"; readonly marker: string }
  | { readonly kind: "evidence"; readonly event: EvidenceEvent }
  | { readonly kind: "fail"; readonly reason: string }
  | { readonly kind: "panic"; readonly reason: string }
  | { readonly kind: "boot"; readonly fields: Fields }
  | { readonly kind: "task"; readonly fields: Fields }
  | { readonly kind: "tasks"; readonly fields: Fields }
  | { readonly kind: "hart"; readonly fields: Fields }
  | { readonly kind: "resched"; readonly fields: Fields }
  | { readonly kind: "result"; readonly passed: boolean }
  | { readonly kind: "malformed"; readonly reason: string }
  | { readonly kind: "other" };

/** Lines that begin like this and are not a known marker are drift: the gate must not overlook them. */
const MARKER_FAMILIES = ["KSELFTEST:", "KINIT:", "EVIDENCE:", "RESULT:", "PANIC:"];

const EVIDENCE_SHAPE =
  /^EVIDENCE: of=cpu(\d{1,10}) n=(\d{1,15}) by=cpu(\d{1,10}) ([a-z-]+) request=(-?\d{1,15}) detail=(-?\d{1,15})$/;

const NAMES = EVENT_NAMES.split(" ");
const KINDS: ReadonlyMap<string, EventKind> = new Map(eventKinds().map((kind) => [eventName(kind), kind]));

/** `send-failed` for EventKind.SendFailed: how a console line spells the kind. */
export function eventName(kind: EventKind): string {
  return NAMES[kind] ?? "none";
}

/** `EVIDENCE: …` for an event: what parseConsoleLine reads back. */
export function evidenceLine(event: EvidenceEvent): string {
  const { of, n, by, kind, request, detail } = event;
  return `${EVIDENCE_PREFIX}of=cpu${of} n=${n} by=cpu${by} ${eventName(kind)} request=${request} detail=${detail}`;
}

/** The one reading of a console line (without its line end). */
export function parseConsoleLine(line: string): ConsoleLine {
  if (isMarker(line)) return { kind: "marker", marker: line };
  if (line.startsWith(EVIDENCE_PREFIX)) return parseEvidence(line);
  if (line.startsWith(FAIL_PREFIX)) return { kind: "fail", reason: line.slice(FAIL_PREFIX.length) };
  if (line.startsWith(PANIC_PREFIX)) return { kind: "panic", reason: line.slice(PANIC_PREFIX.length) };
  if (line.startsWith(BOOT_PREFIX)) return { kind: "boot", fields: parseFields(line, BOOT_PREFIX) };
  if (line.startsWith(TASK_PREFIX)) return { kind: "task", fields: parseFields(line, TASK_PREFIX) };
  if (line.startsWith(TASKS_PREFIX)) return { kind: "tasks", fields: parseFields(line, TASKS_PREFIX) };
  if (line.startsWith(HART_PREFIX)) return { kind: "hart", fields: parseFields(line, HART_PREFIX) };
  if (line.startsWith(RESCHED_PREFIX)) return { kind: "resched", fields: parseFields(line, RESCHED_PREFIX) };
  if (line === RESULT_PASSED) return { kind: "result", passed: true };
  if (line === RESULT_FAILED) return { kind: "result", passed: false };
  if (MARKER_FAMILIES.some((family) => line.startsWith(family))) {
    return { kind: "malformed", reason: `no such marker: "${line}"` };
  }
  return { kind: "other" };
}

function parseEvidence(line: string): ConsoleLine {
  const match = EVIDENCE_SHAPE.exec(line);
  if (match === null) return { kind: "malformed", reason: `not an evidence line: "${line}"` };
  const [, of, n, by, name, request, detail] = match;
  const kind = KINDS.get(name ?? "");
  if (kind === undefined) return { kind: "malformed", reason: `no such event "${name}" in "${line}"` };
  return {
    kind: "evidence",
    event: { of: Number(of), n: Number(n), by: Number(by), kind, request: Number(request), detail: Number(detail) },
  };
}

function parseFields(line: string, prefix: string): Fields {
  const fields = new Map<string, string>();
  for (const pair of line.slice(prefix.length).split(" ")) {
    const equals = pair.indexOf("=");
    if (equals > 0) fields.set(pair.slice(0, equals), pair.slice(equals + 1));
  }
  return fields;
}

/** Every kind that can stand on a line; None marks an empty place in a ring and never does. */
function eventKinds(): EventKind[] {
  return Object.values(EventKind).filter((value): value is EventKind => typeof value === "number" && value !== 0);
}
