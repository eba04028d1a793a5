// Exploration progress: on a terminal, one line on stderr that says how far a search is; elsewhere nothing.
//
// What is left is estimated by a sample: states that random walks met beforehand, and how many of them the search has
// seen. The walks do not meet all states alike, so it is a rough measure and no time is made of it.

import type { Progress } from "../explore/progress.ts";

const CLEAR_LINE = "\r\u001b[K";
const COLUMNS_WHERE_UNKNOWN = 80;

export interface ExplorationProgress {
  draw(progress: Progress): void;
  /** Takes the line away, so that others may write. */
  clear(): void;
}

export function explorationProgress(stream: NodeJS.WriteStream): ExplorationProgress {
  if (!stream.isTTY) return { draw: () => undefined, clear: () => undefined };
  let isDrawn = false;
  return {
    draw: (progress) => {
      const line = spellProgress(progress).slice(0, (stream.columns ?? COLUMNS_WHERE_UNKNOWN) - 1);
      stream.write(`${CLEAR_LINE}${line}`);
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

export function spellProgress(progress: Progress): string {
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

const count = (value: number): string => value.toLocaleString("en-US");
const percent = (share: number): string => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
