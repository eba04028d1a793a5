// Console line: what one line of a kernel's console means, as a tagged union.
//
// Invariants: every line has exactly one reading; a line that begins like one of ours but is formatted wrongly is
// never passed over as ordinary output, it is `malformed` with the reason; what begins with `[id] ` is a user task's and
// never anything else, whatever follows.
// Partners: abi/markers.ts and abi/events.ts have the spellings; gate.ts and the reporters read the result.

import { EVENT_NAMES, EventKind } from "../abi/events.ts";
import {
  BOOT_FORM,
  BOOT_PREFIX,
  EVIDENCE_PREFIX,
  FAIL_PREFIX,
  HART_FORM,
  HART_PREFIX,
  PANIC_PREFIX,
  RESCHED_FORM,
  RESCHED_PREFIX,
  RESULT_FAILED,
  RESULT_PASSED,
  TASK_FORM,
  TASK_PREFIX,
  TASKS_FORM,
  TASKS_PREFIX,
} from "../abi/markers.ts";
import { isMarker } from "./ladder.ts";

/** One event of the evidence; `request` and `detail` mean what abi/events.ts defines for the kind. */
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
  /** What a user task wrote. */
  | { readonly kind: "user"; readonly task: number; readonly text: string }
  | { readonly kind: "malformed"; readonly reason: string }
  /** Nobody's of ours: the firmware's, as long as the kernel has not begun. */
  | { readonly kind: "other" };

/** Lines that begin like this and are not a known marker are drift: the gate must not overlook them. */
const MARKER_FAMILIES = [
  "KSELFTEST:",
  "KINIT:",
  "EVIDENCE:",
  "RESULT:",
  "PANIC:",
  "BOOT:",
  "TASK:",
  "TASKS:",
  "HART:",
  "RESCHED:",
];

const EVIDENCE_SHAPE =
  /^EVIDENCE: of=cpu(\d{1,10}) n=(\d{1,15}) by=cpu(\d{1,10}) ([a-z-]+) request=(-?\d{1,15}) detail=(-?\d{1,15})$/;

const NAMES = EVENT_NAMES.split(" ");
const KINDS: ReadonlyMap<string, EventKind> = new Map(eventKinds().map((kind) => [eventName(kind), kind]));

/** `send-failed` for EventKind.SendFailed: how a console line prints the kind. */
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
  if (line.startsWith("[")) return parseUserLine(line);
  if (isMarker(line)) return { kind: "marker", marker: line };
  if (line.startsWith(EVIDENCE_PREFIX)) return parseEvidence(line);
  if (line.startsWith(FAIL_PREFIX)) return { kind: "fail", reason: line.slice(FAIL_PREFIX.length) };
  if (line.startsWith(PANIC_PREFIX)) return { kind: "panic", reason: line.slice(PANIC_PREFIX.length) };
  if (line.startsWith(BOOT_PREFIX)) return readForm(line, "boot", BOOT_PREFIX, BOOT_FORM);
  if (line.startsWith(TASK_PREFIX)) return readForm(line, "task", TASK_PREFIX, TASK_FORM);
  if (line.startsWith(TASKS_PREFIX)) return readForm(line, "tasks", TASKS_PREFIX, TASKS_FORM);
  if (line.startsWith(HART_PREFIX)) return readForm(line, "hart", HART_PREFIX, HART_FORM);
  if (line.startsWith(RESCHED_PREFIX)) return readForm(line, "resched", RESCHED_PREFIX, RESCHED_FORM);
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
  const event = {
    of: Number(of),
    n: Number(n),
    by: Number(by),
    kind,
    request: Number(request),
    detail: Number(detail),
  };
  // A number that is written in another way than the kernel's was not written by the kernel.
  if (evidenceLine(event) !== line) return { kind: "malformed", reason: `not an evidence line: "${line}"` };
  return { kind: "evidence", event };
}

/** A task's line has nothing but printable characters: the kernel lets no other through. */
function parseUserLine(line: string): ConsoleLine {
  const match = /^\[(0|[1-9]\d{0,18})\] ([ -~]*)$/.exec(line);
  if (match === null) return { kind: "other" };
  return { kind: "user", task: Number(match[1]), text: match[2] ?? "" };
}

type FormKind = "boot" | "task" | "tasks" | "hart" | "resched";

/** Reads a line that has to be of a form, to the character. */
function readForm(line: string, kind: FormKind, prefix: string, form: string): ConsoleLine {
  const values = patternOf(form).exec(line.slice(prefix.length))?.slice(1);
  if (values === undefined)
    return { kind: "malformed", reason: `not a line of the form "${prefix}${form}": "${line}"` };
  const names = form.split(" ").map((pair) => pair.slice(0, pair.indexOf("=")));
  return { kind, fields: new Map(names.map((name, index) => [name, values[index] ?? ""])) };
}

/** Fields that hold a word. */
const NAMED_FIELDS = new Set(["class", "end", "ipi"]);

const patterns = new Map<string, RegExp>();

function patternOf(form: string): RegExp {
  const known = patterns.get(form);
  if (known !== undefined) return known;
  const fields = form.split(" ").map((pair) => {
    const name = pair.slice(0, pair.indexOf("="));
    return `${name}=${NAMED_FIELDS.has(name) ? "([A-Za-z][A-Za-z-]*)" : "(0|-?[1-9]\\d{0,18})"}`;
  });
  const pattern = new RegExp(`^${fields.join(" ")}$`);
  patterns.set(form, pattern);
  return pattern;
}

/** Every kind that can stand on a line; None marks an empty place in a ring and never does. */
function eventKinds(): EventKind[] {
  return Object.values(EventKind).filter((value): value is EventKind => typeof value === "number" && value !== 0);
}
