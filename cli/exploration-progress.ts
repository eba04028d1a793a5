// Exploration progress: on a terminal, one line on stderr that shows how far a search is; elsewhere nothing.
//
// What is left is estimated by a sample: states that random walks met beforehand, and how many of them the search has
// seen. The walks do not meet all states alike, so it is a rough measure and no time is made of it.

import type { Progress } from "../explore/search/progress.ts";
import type { SuiteProgress } from "../verify/scenarios/suite-run.ts";

const CLEAR_LINE = "\r\u001b[K";
const COLUMNS_WHERE_UNKNOWN = 80;

export interface ProgressLine<Now> {
  draw(now: Now): void;
  /** Takes the line away, so that others may write. */
  clear(): void;
}

/** How far one search is. */
export function explorationProgress(stream: NodeJS.WriteStream): ProgressLine<Progress> {
  return progressLine(stream, (now, columns) => formatProgress(now).slice(0, columns));
}

/** How far a suite of many scenarios is. */
export function suiteProgress(stream: NodeJS.WriteStream): ProgressLine<SuiteProgress> {
  const started = performance.now();
  return progressLine(stream, (now, columns) => formatSuite(now, (performance.now() - started) / 1000, columns));
}

function progressLine<Now>(
  stream: NodeJS.WriteStream,
  format: (now: Now, columns: number) => string,
): ProgressLine<Now> {
  if (!stream.isTTY) return { draw: () => undefined, clear: () => undefined };
  let isDrawn = false;
  return {
    draw: (now) => {
      stream.write(`${CLEAR_LINE}${format(now, (stream.columns ?? COLUMNS_WHERE_UNKNOWN) - 1)}`);
      isDrawn = true;
    },
    clear: () => {
      if (isDrawn) stream.write(CLEAR_LINE);
      isDrawn = false;
    },
  };
}

const PHASES: Readonly<Record<Progress["phase"], string>> = {
  walk: "a first look",
  search: "search",
  livelock: "looking for livelocks",
  shortest: "a fault is found; looking for the shortest schedule",
};

export function formatProgress(progress: Progress): string {
  const parts = [
    PHASES[progress.phase],
    `${count(progress.states)} states`,
    `${count(Math.round(progress.transitionsPerSecond))} transitions/s`,
    `depth ${progress.depth}`,
  ];
  if (progress.frontier > 0) {
    parts.push(progress.phase === "walk" ? `${progress.frontier} walks to go` : `frontier ${count(progress.frontier)}`);
  }
  if (progress.seen !== undefined) parts.push(`about ${percent(progress.seen)} seen`);
  if (progress.tableUsed >= 0.01) parts.push(`memory ${percent(progress.tableUsed)}`);
  parts.push(`${Math.round(progress.seconds)} s`);
  return parts.join("  ");
}

/** What stands first is left out last where the columns do not take all. */
export function formatSuite({ done, of, running }: SuiteProgress, seconds: number, columns: number): string {
  const known = running.flatMap(({ progress }) => progress ?? []);
  const sum = (pick: (progress: Progress) => number): number => known.reduce((total, each) => total + pick(each), 0);
  const parts = [
    `${done} of ${of} done`,
    running.map(({ name, progress }) => `${name}${progress ? ` ${stageOf(progress)}` : ""}`).join(", "),
    ...(known.length === 0
      ? []
      : [
          `${brief(sum(({ states }) => states))} states`,
          `${brief(sum(({ transitionsPerSecond }) => transitionsPerSecond))} transitions/s`,
          `${Math.round(seconds)} s`,
          `depth ${Math.max(...known.map(({ depth }) => depth))}`,
          `frontier ${count(sum(({ frontier }) => frontier))}`,
        ]),
  ];
  while (parts.length > 1 && parts.join("  ").length > columns) parts.pop();
  return parts.join("  ").slice(0, columns);
}

/** How much of it is seen, by the sample, or what else it is at. */
function stageOf({ phase, seen }: Progress): string {
  switch (phase) {
    case "walk":
      return "walks";
    case "search":
      return seen === undefined ? "search" : percent(seen);
    case "livelock":
      return "livelocks";
    case "shortest":
      return "a fault";
    default:
      return phase satisfies never;
  }
}

const BRIEF = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });
const brief = (value: number): string => BRIEF.format(value);
const count = (value: number): string => value.toLocaleString("en-US");
const percent = (share: number): string => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
