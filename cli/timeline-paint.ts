// Timeline paint: colours of the timeline's cells, where stdout takes them, and how wide it is.

import type { TimelineCell } from "../trace/export/timeline.ts";
import { type Colour, paint } from "./paint.ts";

const COLOURS: Readonly<Record<TimelineCell, Colour | null>> = {
  PerfBurst: "red",
  Interactive: "yellow",
  Normal: "green",
  Idle: "blue",
  "hart-idle": "gray",
  unknown: null,
};

/** Columns where stdout is no terminal. */
const COLUMNS = 100;

export function paintCell(cell: TimelineCell, text: string): string {
  const colour = COLOURS[cell];
  return colour === null ? text : paint(colour, text);
}

export function columnsOf(): number {
  return process.stdout.columns ?? COLUMNS;
}
