// JSON reporter: one JSON object a line, for programs.
//
// The format is versioned: within a version fields are only added. The first line states which version follows.
// Kinds: begun, run-begun, marker, run-ended, covered, ended; console lines are not repeated here, a failed run's folder
// has them.

import { type ProofEvent, type Reporter, type RunName, type Sink, verdictMessage } from "../proof-event.ts";
import type { ProofRunReport } from "../proof-run.ts";

export const JSON_FORMAT = "hartbeat-proof";
export const JSON_VERSION = 3;

export function jsonReporter(write: Sink): Reporter {
  return (event) => {
    const record = recordOf(event);
    if (record !== null) write(`${JSON.stringify(record)}\n`);
  };
}

function recordOf(event: ProofEvent): Record<string, unknown> | null {
  switch (event.kind) {
    case "begun":
      return { kind: "begun", format: JSON_FORMAT, version: JSON_VERSION, runs: event.runs };
    case "run-begun":
      return { kind: "run-begun", run: nameOf(event.run) };
    case "line":
      return event.rung === null ? null : { kind: "marker", run: nameOf(event.run), marker: event.rung.marker };
    case "run-ended":
      return { kind: "run-ended", run: nameOf(event.run), ...reportOf(event.report), folder: event.folder };
    case "covered":
      return { kind: "covered", ...event.coverage };
    case "ended":
      return { kind: "ended", ...event.summary };
    default:
      return event satisfies never;
  }
}

function nameOf({ machine, harts, seed, boot }: RunName): Record<string, unknown> {
  return { machine, harts, seed, boot };
}

function reportOf(report: ProofRunReport): Record<string, unknown> {
  const { verdict } = report;
  return {
    verdict: verdict.kind,
    message: verdictMessage(verdict),
    reasons: verdict.kind === "failed" ? verdict.reasons : [],
    reached: report.reached,
    missing: report.expected.slice(report.reached.length),
    evidence: report.evidence,
    tasks: report.tasks.map((fields) => Object.fromEntries(fields)),
    harts: report.harts.map((fields) => Object.fromEntries(fields)),
    requests: report.requests.map((fields) => Object.fromEntries(fields)),
    lastMarkerMilliseconds: report.lastMarkerMilliseconds,
  };
}
