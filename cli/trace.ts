// hartbeat trace: a trace as a timeline, in the formats of other viewers, and through the monitors.

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Trace } from "../trace/event.ts";
import { writeCtf } from "../trace/export/ctf.ts";
import { formatFtrace } from "../trace/export/ftrace-text.ts";
import { writePerfetto } from "../trace/export/perfetto.ts";
import { formatTimeline, WIDTH_MIN } from "../trace/export/timeline.ts";
import { parseWhole } from "./argument.ts";
import type { CommandEnding } from "./exit-code.ts";
import { writeWhole } from "./output-file.ts";
import { columnsOf, paintCell } from "./timeline-paint.ts";
import { checkAndReport } from "./trace-check.ts";
import { readTrace } from "./trace-input.ts";

const FORMATS = ["text", "ftrace", "perfetto", "ctf"] as const;

interface TraceFlags {
  readonly to?: (typeof FORMATS)[number];
  readonly output?: string;
  readonly check?: true;
  readonly width?: number;
  readonly from?: number;
  readonly until?: number;
}

const MORE = `
text      a timeline: one row a hart, one column a slice of time
ftrace    the text of Linux's function tracer: sched_switch, sched_waking, sched_wakeup_new, sched_migrate_task
perfetto  for ui.perfetto.dev: CPU and thread tracks, traps, queue depths, arrows from request to ack and wake to run
ctf       a folder in the Common Trace Format, for babeltrace2 and Trace Compass

Exit codes: 0 done, 1 a monitor fired, 2 usage.`;

export function addTrace(program: Command, end: (ending: CommandEnding) => void): void {
  program
    .command("trace")
    .description("a trace as a timeline, in other viewers' formats, and through the monitors")
    .argument("<file>", "a trace file")
    .addOption(new Option("--to <format>", "default: text").choices(FORMATS))
    .option("--output <path>", "file, or folder for ctf; default: stdout, where the format is text")
    .option("--check", "run the monitors of the contract's clauses over it")
    .addOption(new Option("--width <columns>", "of the timeline").argParser(parseWidth))
    .addOption(new Option("--from <time>", "text: begin there, as 1.5ms, 200us or 0.1s").argParser(parseTime))
    .addOption(new Option("--until <time>", "text: end there").argParser(parseTime))
    .addHelpText("after", MORE)
    .action((path: string, flags: TraceFlags) => end(showTrace(path, flags)));
}

function showTrace(path: string, flags: TraceFlags): CommandEnding {
  const conflict = conflictOf(flags);
  if (conflict !== null) return { kind: "usage", message: conflict };
  const input = readTrace(path);
  if (input.kind === "usage") return input;
  if (flags.to !== undefined || flags.check === undefined) {
    const refused = writeAs(input.trace, flags);
    if (refused !== null) return { kind: "usage", message: refused };
  }
  if (flags.check === undefined) return { kind: "done" };
  const isOnStdout = flags.to === undefined || flags.output !== undefined;
  const write = (text: string): boolean => (isOnStdout ? process.stdout : process.stderr).write(text);
  return checkAndReport(input.trace, write, flags.width) ? { kind: "done" } : { kind: "red" };
}

function conflictOf(flags: TraceFlags): string | null {
  const { to = "text", output, from, until, width } = flags;
  if (
    to !== "text" &&
    (from !== undefined || until !== undefined || (width !== undefined && flags.check === undefined))
  )
    return "--from, --until and --width are the timeline's: use them with --to text";
  if (from !== undefined && until !== undefined && from >= until) return "--from is not before --until";
  if ((to === "perfetto" || to === "ctf") && output === undefined)
    return `--to ${to} is no text: name a ${to === "ctf" ? "folder" : "file"} with --output`;
  if (to === "ctf" && output !== undefined && existsSync(output) && !isEmptyFolder(output))
    return `${output}: it is there and no empty folder: name another`;
  return null;
}

function isEmptyFolder(path: string): boolean {
  try {
    return readdirSync(path).length === 0;
  } catch {
    return false;
  }
}

/** Writes the format; null, or why a file could not be written. */
function writeAs(trace: Trace, flags: TraceFlags): string | null {
  const { to = "text", output } = flags;
  switch (to) {
    case "text":
      return put(output, timelineOf(trace, flags));
    case "ftrace":
      return put(output, formatFtrace(trace));
    case "perfetto":
      return put(output, writePerfetto(trace));
    case "ctf": {
      const results = [...writeCtf(trace)].map(([name, bytes]) => put(join(output ?? "", name), bytes));
      return results.find((one) => one !== null) ?? null;
    }
    default:
      return to satisfies never;
  }
}

function put(path: string | undefined, contents: string | Uint8Array): string | null {
  if (path === undefined) {
    process.stdout.write(contents);
    return null;
  }
  try {
    writeWhole(path, contents);
    return null;
  } catch (error) {
    return `${path}: it cannot be written: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function timelineOf(trace: Trace, { width, from, until, output }: TraceFlags): string {
  const ticks = (seconds: number | undefined): number | undefined =>
    seconds === undefined ? undefined : Math.round(seconds * trace.header.ticksPerSecond);
  return formatTimeline(trace, {
    width: width ?? columnsOf(),
    fromTicks: ticks(from),
    toTicks: ticks(until),
    ...(output === undefined ? { paint: paintCell } : {}),
  });
}

const WIDTH_MAX = 10_000;

function parseWidth(text: string): number {
  const width = parseWhole(text);
  if (width < WIDTH_MIN || width > WIDTH_MAX)
    throw new InvalidArgumentError(`Give ${WIDTH_MIN} to ${WIDTH_MAX} columns.`);
  return width;
}

const UNITS: ReadonlyMap<string, number> = new Map([
  ["us", 1e-6],
  ["µs", 1e-6],
  ["ms", 1e-3],
  ["s", 1],
]);

/** Seconds since power-on. */
function parseTime(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(us|µs|ms|s)$/.exec(text);
  const unit = UNITS.get(match?.[2] ?? "");
  if (match === null || unit === undefined)
    throw new InvalidArgumentError("Give a time since power-on with its unit, such as 1.5ms, 200us or 0.1s.");
  return Number(match[1]) * unit;
}
