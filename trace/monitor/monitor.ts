// Monitor: an automaton that reads a trace, and the violations that it reports.
//
// Partners: the monitors beside it report them; check-trace.ts collects them.

import type { TraceEvent } from "../event.ts";

/** The clauses that a trace is checked for (docs/running.md has what is checked of each). */
export const MONITORED_CLAUSES = ["I3", "I4", "I5", "I6", "I7", "S1", "S2", "Q5", "Q6"] as const;

export type MonitoredClause = (typeof MONITORED_CLAUSES)[number];

export interface Violation {
  readonly clause: MonitoredClause;
  /** What happened, in one line. */
  readonly message: string;
  /** The numbers of the events that show it; the trace's first event is number 1. */
  readonly events: readonly number[];
  /** The hart on which it shows, and when. */
  readonly cpu: number;
  readonly t: number;
}

export type Report = (violation: Violation) => void;

/** An automaton that reads a trace, event by event in the order of the trace. */
export interface Monitor {
  /** number: of the event, from 1. */
  take(event: TraceEvent, number: number, trap: OpenTrap): void;
  /** The trace has ended. */
  finish(): void;
}

/** What is known of the trap in which a hart wrote an event. */
export interface OpenTrap {
  /** Its number on this hart; 0 before the first. */
  readonly count: number;
  /** Ticks of its entry. */
  readonly enteredAt: number;
  readonly cause: "system-call" | "soft" | "timer" | "fault" | "none";
  /** The number of its trap event. */
  readonly event: number;
}
