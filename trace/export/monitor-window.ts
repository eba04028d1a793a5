// Monitor window: a violation for people: the clause, what happened, the events that show it, and the timeline around it.

import type { Trace, TraceEvent } from "../event.ts";
import type { Violation } from "../monitor/monitor.ts";
import { formatTimeline, type TimelineOptions } from "./timeline.ts";

/** Events shown at most: of a violation that rests on more, the first and the last. */
const EVENTS_MAX = 6;

export function formatViolation(trace: Trace, violation: Violation, options: TimelineOptions): string {
  const { clause, message, events: numbers } = violation;
  const shown = numbers.length <= EVENTS_MAX ? numbers : [...numbers.slice(0, 3), ...numbers.slice(-3)];
  const lines = shown.flatMap((number) => {
    const event = trace.events[number - 1];
    return event === undefined ? [] : [`  event ${number}: ${formatEvent(event)}`];
  });
  const marks = numbers.flatMap((number) => trace.events[number - 1]?.t ?? []);
  const [first, last] = [Math.min(...marks), Math.max(...marks)];
  // As much again to either side, and something where all is at one tick.
  const margin = Math.max(20, Math.ceil((last - first) / 2));
  const window = { fromTicks: Math.max(0, first - margin), toTicks: last + margin, marks };
  const timeline = marks.length === 0 ? "" : formatTimeline(trace, { ...options, ...window });
  return `${clause}: ${message}\n${lines.join("\n")}\n${timeline}`;
}

/** `t=120 cpu0 switch previous=1 reason=preempted next=3 qos=PerfBurst` */
export function formatEvent(event: TraceEvent): string {
  const { t, cpu, kind, ...fields } = event;
  const text = Object.entries(fields).map(
    ([name, value]) => `${name}=${Array.isArray(value) ? value.join("/") : (value ?? "none")}`,
  );
  return [`t=${t} cpu${cpu} ${kind}`, ...text].join(" ");
}
