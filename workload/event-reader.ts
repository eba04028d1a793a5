// Event reader: one member of a phase as an event.
//
// As in rt-app the kind is the key's beginning: `run`, `run1`, `sleep_2`. Names of mutexes, conditions, barriers and timers
// are made by their use.
// Partners: task-reader.ts, which knows which members are events; member-values.ts.

import type { PlacedEvent, TimerMode, WorkloadEvent } from "./workload-types.ts";
import { join, type Placed, type Values } from "./member-values.ts";

const KINDS = [
  "run",
  "runtime",
  "sleep",
  "timer",
  "suspend",
  "resume",
  "lock",
  "unlock",
  "wait",
  "signal",
  "broad",
  "sync",
  "barrier",
  "yield",
  "fork",
] as const;

export type EventKey = (typeof KINDS)[number];

export const EVENT_KEYS: readonly string[] = KINDS;

const KEY = new RegExp(`^(${KINDS.join("|")})[_-]?\\d*$`);

/** What a time may be at most: 35 minutes of microseconds. */
export const MICROS_MAX = 0x7fff_ffff;

const NO_MEMORY = "is not supported: a task's memory traffic and I/O are not modelled here; use run";

/** Keys of rt-app that are refused, and why. */
const UNSUPPORTED: ReadonlyMap<string, string> = new Map([
  ["mem", NO_MEMORY],
  ["iorun", NO_MEMORY],
]);

/** The kind of event that a key names; undefined: none. */
export function eventKeyOf(key: string): EventKey | undefined {
  const name = KEY.exec(key)?.[1];
  return KINDS.find((kind) => kind === name);
}

/** Why a key that would be an event in rt-app is refused; undefined: rt-app has none of that name. */
export function unsupportedEvent(key: string): string | undefined {
  return UNSUPPORTED.get(/^([a-z]+)[_-]?\d*$/.exec(key)?.[1] ?? "");
}

/** task: what a suspend without a name suspends on. */
export function readEvent(values: Values, place: Placed, key: EventKey, task: string): PlacedEvent | undefined {
  const event = eventOf(values, place, key, task);
  return event === undefined ? undefined : { event, line: place.member.line, key: place.path };
}

function eventOf(values: Values, place: Placed, key: EventKey, task: string): WorkloadEvent | undefined {
  switch (key) {
    case "run":
    case "runtime":
    case "sleep": {
      const micros = values.whole(place, 0, MICROS_MAX, "a time in microseconds");
      return micros === undefined ? undefined : { kind: key, micros };
    }
    case "timer":
      return timerOf(values, place);
    case "suspend": {
      const resource = bareText(values, place);
      return resource === undefined ? undefined : { kind: "suspend", resource: resource === "" ? task : resource };
    }
    case "resume": {
      const resource = values.name(place, "the name that a task suspends on");
      return resource === undefined ? undefined : { kind: "resume", resource };
    }
    case "lock":
    case "unlock": {
      const mutex = values.name(place, "the name of a mutex");
      return mutex === undefined ? undefined : { kind: key, mutex };
    }
    case "wait":
    case "sync":
      return waitOf(values, place, key);
    case "signal":
    case "broad": {
      const condition = values.name(place, "the name of a condition");
      if (condition === undefined) return undefined;
      return { kind: key === "broad" ? "broadcast" : "signal", condition };
    }
    case "barrier": {
      const barrier = values.name(place, "the name of a barrier");
      return barrier === undefined ? undefined : { kind: "barrier", barrier };
    }
    case "yield":
      return bareText(values, place) === undefined ? undefined : { kind: "yield" };
    case "fork": {
      const forked = values.name(place, "the name of a task");
      return forked === undefined ? undefined : { kind: "fork", task: forked };
    }
    default:
      return key satisfies never;
  }
}

/** A text that may be left out. */
function bareText(values: Values, place: Placed): string | undefined {
  return place.member.value.kind === "bare" ? "" : values.text(place, "a name, or an empty text,");
}

function timerOf(values: Values, place: Placed): WorkloadEvent | undefined {
  const fields = fieldsOf(values, place, ["ref", "period", "mode"], '"ref" and "period"');
  const [ref, period, mode] = [fields?.get("ref"), fields?.get("period"), fields?.get("mode")];
  const timer = ref && values.name(ref, "the timer's name");
  const micros = period && values.whole(period, 0, MICROS_MAX, "a period in microseconds");
  const chosen = mode === undefined ? "relative" : modeOf(values, mode);
  if (fields === undefined || timer === undefined || micros === undefined || chosen === undefined) return undefined;
  return { kind: "timer", timer, micros, mode: chosen };
}

function modeOf(values: Values, place: Placed): TimerMode | undefined {
  const text = values.text(place, '"relative" or "absolute"');
  if (text === undefined || text === "relative" || text === "absolute") return text;
  return values.refuse(place, `"${text}" is no mode of a timer; give "relative" or "absolute"`);
}

function waitOf(values: Values, place: Placed, kind: "wait" | "sync"): WorkloadEvent | undefined {
  const fields = fieldsOf(values, place, ["ref", "mutex"], '"ref" and "mutex"');
  const [ref, held] = [fields?.get("ref"), fields?.get("mutex")];
  const condition = ref && values.name(ref, "the condition's name");
  const mutex = held && values.name(held, "the mutex's name");
  return condition === undefined || mutex === undefined ? undefined : { kind, condition, mutex };
}

/** The fields of an event that is an object; missing and unknown ones are refused. All but `mode` have to be there. */
function fieldsOf(
  values: Values,
  place: Placed,
  known: readonly string[],
  what: string,
): ReadonlyMap<string, Placed> | undefined {
  const members = values.members(place, what);
  if (members === undefined) return undefined;
  const fields = values.once(members, place.path);
  for (const [key, field] of fields) {
    if (!known.includes(key)) values.refuse(field, `is no key of this event; it has ${known.join(", ")}`);
  }
  for (const key of known) {
    if (key !== "mode" && !fields.has(key)) {
      values.findings.refuse(place.member.line, join(place.path, key), `is missing; give ${what}`);
    }
  }
  return fields;
}
