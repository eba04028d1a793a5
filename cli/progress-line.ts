// Progress line: on a terminal, one line on stderr that shows how far a long run is; elsewhere nothing.

import { type Reporter, runTitle } from "../proof/proof-event.ts";

/** Runs below which there is nothing to wait for. */
const RUNS_MIN = 7;
/** Between two drawings; drawing each of a thousand short runs would cost more than they do. */
const INTERVAL_MILLISECONDS = 100;

const CLEAR_LINE = "\r\u001b[K";

/** A reporter that draws to the stream; it does nothing where the stream is no terminal. */
export function progressReporter(stream: NodeJS.WriteStream, now: () => number = Date.now): Reporter {
  if (!stream.isTTY) return () => undefined;
  let runs = 0;
  let done = 0;
  let drawnAt = Number.NEGATIVE_INFINITY;
  return (event) => {
    switch (event.kind) {
      case "begun":
        runs = event.runs;
        return;
      case "run-begun":
        if (runs < RUNS_MIN || now() - drawnAt < INTERVAL_MILLISECONDS) return;
        drawnAt = now();
        stream.write(`${CLEAR_LINE}${runTitle(event.run)}  ${done} of ${runs} runs done`);
        return;
      case "run-ended":
        done += 1;
        // What the other reporters write must not stand behind a half-drawn line.
        if (runs >= RUNS_MIN && event.report.verdict.kind !== "passed") stream.write(CLEAR_LINE);
        return;
      case "ended":
        if (runs >= RUNS_MIN) stream.write(CLEAR_LINE);
        return;
      case "line":
      case "covered":
        return;
      default:
        event satisfies never;
    }
  };
}
