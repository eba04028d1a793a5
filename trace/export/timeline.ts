// Timeline: what each hart ran, as text: one row a hart, one column a slice of time.
//
// A column shows the class that ran longest in its slice, in capitals where one task had all that time, else in lower case.
// It has no colour of its own: the caller paints runs of equal cells, and the signs alone can be read.
// Partners: metrics/schedule-walk.ts supplies the stretches; monitor-window.ts shows a part of it.

import type { QosName, Trace } from "../event.ts";
import { toMicroseconds } from "../metrics/distribution.ts";
import { ScheduleWalk, type Stretch } from "../metrics/schedule-walk.ts";

export type TimelineCell = QosName | "hart-idle" | "unknown";

export interface TimelineOptions {
  /** Columns of the terminal. */
  readonly width: number;
  /** The part to show; the whole trace where left out. */
  readonly fromTicks?: number | undefined;
  readonly toTicks?: number | undefined;
  /** Puts colour around cells of one kind. */
  readonly paint?: (cell: TimelineCell, text: string) => string;
  /** Ticks to point at, in a row of their own. */
  readonly marks?: readonly number[];
}

const SIGNS: Readonly<Record<TimelineCell, string>> = {
  PerfBurst: "P",
  Interactive: "I",
  Normal: "N",
  Idle: "L",
  "hart-idle": ".",
  unknown: " ",
};

export const WIDTH_MIN = 40;

/** What one hart does in one slice: ticks by class, and by task. */
interface Slice {
  readonly cells: Map<TimelineCell, number>;
  readonly tasks: Set<number>;
}

export function formatTimeline(trace: Trace, options: TimelineOptions): string {
  const { header, events } = trace;
  const from = options.fromTicks ?? events[0]?.t ?? 0;
  const to = Math.max(from + 1, options.toTicks ?? events.at(-1)?.t ?? 0);
  const label = `cpu${header.cpus - 1}`.length;
  const columns = Math.max(WIDTH_MIN, options.width) - label - " || 100 %".length;
  const rows = slicesOf(trace, from, to, columns);
  const sliceTicks = (to - from) / columns;
  const time = (ticks: number): string => `${toMicroseconds(ticks, header.ticksPerSecond).toFixed(1)} µs`;
  const paint = options.paint ?? ((_: TimelineCell, text: string): string => text);
  const lines = rows.map((row, cpu) => {
    const busy = row.reduce((sum, slice) => sum + busyOf(slice), 0);
    const share = `${Math.round((100 * busy) / (to - from))} %`.padStart(5);
    return `${`cpu${cpu}`.padEnd(label)} |${paintRow(row, paint)}| ${share}`;
  });
  const marks = options.marks === undefined ? [] : [markRow(options.marks, from, to, columns, label)];
  const scale = `${time(from)} to ${time(to)}, ${time(sliceTicks)} a column`;
  return [`${" ".repeat(label)}  ${scale}`, ...lines, ...marks, legend(paint), ""].join("\n");
}

function legend(paint: (cell: TimelineCell, text: string) => string): string {
  const entries = (["PerfBurst", "Interactive", "Normal", "Idle"] as const).map(
    (qos) => `${paint(qos, SIGNS[qos])} ${qos}`,
  );
  return `${entries.join("  ")}  ${paint("hart-idle", ".")} the hart idles  (small: several tasks)`;
}

function markRow(marks: readonly number[], from: number, to: number, columns: number, label: number): string {
  const row = Array.from({ length: columns }, () => " ");
  for (const t of marks) {
    const column = Math.min(columns - 1, Math.floor(((t - from) * columns) / (to - from)));
    if (column >= 0) row[column] = "^";
  }
  return `${" ".repeat(label)}  ${row.join("")}`.trimEnd();
}

function slicesOf({ header, events }: Trace, from: number, to: number, columns: number): Slice[][] {
  const rows = Array.from({ length: header.cpus }, () =>
    Array.from({ length: columns }, (): Slice => ({ cells: new Map(), tasks: new Set() })),
  );
  const fill = (cpu: number, start: number, end: number, cell: TimelineCell, task: number | null): void => {
    const [first, last] = [Math.max(start, from), Math.min(end, to)];
    const scale = columns / (to - from);
    for (let column = Math.floor((first - from) * scale); column < (last - from) * scale; column++) {
      const slice = rows[cpu]?.[column];
      const ticks = Math.min(last, from + (column + 1) / scale) - Math.max(first, from + column / scale);
      if (slice === undefined || ticks <= 0) continue;
      slice.cells.set(cell, (slice.cells.get(cell) ?? 0) + ticks);
      if (task !== null) slice.tasks.add(task);
    }
  };
  const walk = new ScheduleWalk({
    ran: ({ cpu, from: start, to: end, qos, task }: Stretch) => fill(cpu, start, end, qos, task),
    began: () => {},
    idled: (cpu, start, end) => fill(cpu, start, end, "hart-idle", null),
  });
  for (const event of events) walk.take(event);
  walk.finish();
  return rows;
}

function busyOf({ cells }: Slice): number {
  return [...cells].reduce((sum, [cell, ticks]) => sum + (cell === "hart-idle" ? 0 : ticks), 0);
}

/** A class before the idle hart, so that short runs are seen. */
function cellOf({ cells }: Slice): TimelineCell {
  const ran = [...cells].filter(([cell]) => cell !== "hart-idle").toSorted(([, a], [, b]) => b - a)[0];
  if (ran !== undefined) return ran[0];
  return cells.has("hart-idle") ? "hart-idle" : "unknown";
}

function paintRow(row: readonly Slice[], paint: (cell: TimelineCell, text: string) => string): string {
  let text = "";
  let run = "";
  let kind: TimelineCell = "unknown";
  for (const slice of row) {
    const cell = cellOf(slice);
    const sign = slice.tasks.size > 1 ? SIGNS[cell].toLowerCase() : SIGNS[cell];
    if (cell !== kind && run !== "") {
      text += paint(kind, run);
      run = "";
    }
    kind = cell;
    run += sign;
  }
  return run === "" ? text : text + paint(kind, run);
}
