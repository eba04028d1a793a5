// Render: a counterexample as text, one column a thread, with marks where a thread acts on what is no longer so.
//
// Owner: none, pure: the same counterexample and width give the same text.
// Pairs with: counterexample.ts; the command prints it.

import type { AccessRecord, Counterexample } from "./counterexample.ts";
import type { Blamed, Disagreement } from "./disagreements.ts";
import { findDisagreements } from "./disagreements.ts";
import { SIZE_ADDRESS } from "../instrument/engine-layout.ts";
import { countSwitches } from "../search/shrink.ts";
import type { Violation } from "../program/violation.ts";
import { describeViolation } from "../program/violation.ts";

export interface RenderOptions {
  /** Columns of text in all. */
  readonly width: number;
  /** Plain accesses too, not only the atomic one of each step. */
  readonly plain?: boolean;
  /** False: the steps are only a part, so nothing is reported of how it ends. Default true. */
  readonly isWhole?: boolean;
  /** Colours the names that matter; by default they stay plain. */
  readonly paint?: (colour: "red" | "yellow", text: string) => string;
}

const short = (name: string): string => name.replace(/^.*\//, "");

/** A function and its line; too long a name loses modules from its front, then its end, so that the line can be read. */
function formatFunction(access: AccessRecord, width: number): string {
  const where = access.source === undefined ? "" : ` ${short(access.source)}`;
  let name = short(access.function);
  while (name.length + where.length > width && /^\w+::/.test(name)) name = name.slice(name.indexOf("::") + 2);
  const room = Math.max(4, width - where.length);
  return `${name.length <= room ? name : `${name.slice(0, room - 1)}~`}${where}`;
}

/** "i32.atomic.rmw.add [0x10] 0x0 -> 0x1" and where it stands, for a column of this width. */
function formatAccess(access: AccessRecord, width: number): string[] {
  const operation = access.operation
    .replace(/^i(32|64)\./, "")
    .replace(/^memory\./, "")
    .replace("atomic.", "");
  const place = formatPlace(access.address);
  const changed = access.wrote === undefined ? "" : ` -> ${access.wrote}`;
  const values =
    access.read !== undefined ? ` ${access.read}${changed}` : access.wrote !== undefined ? ` = ${access.wrote}` : "";
  return [`${operation} ${place}${values}`, `  ${formatFunction(access, width - 2)}`];
}

function blamedBy(violation: Violation): Blamed {
  if (violation.kind === "deadlock") return { waiting: violation.waiting };
  return "thread" in violation ? { failing: [violation.thread] } : {};
}

const MARK = "! ";
const isMark = (cell: string): boolean => cell.startsWith(MARK);

const formatPlace = (address: number): string => (address === SIZE_ADDRESS ? "[size]" : `[0x${address.toString(16)}]`);

function formatMark({ address, believed, actual, how }: Disagreement): string {
  const place = formatPlace(address);
  if (how === "back") return `${place} had changed, and come back`;
  return how === "overwrites" ? `${place} was ${actual}, unseen` : `${place} is ${actual} by now, not ${believed}`;
}

/** One line: who knew what from when, who changed it, and what was done all the same. */
function formatDisagreement(each: Disagreement, name: (thread: number) => string): string {
  const from = `step ${each.readIn}${each.readAt === undefined ? "" : `, ${short(each.readAt)}`}`;
  const knew = `${name(each.thread)} knows ${formatPlace(each.address)} as ${each.believed} (${from})`;
  const changed = `${name(each.writer)} made it ${each.actual} in step ${each.writtenIn}`;
  switch (each.how) {
    case "overwrites":
      return `${knew}; ${changed}; step ${each.actsIn} overwrites that unseen`;
    case "back":
      return `${knew}; it changed, and ${changed} again; step ${each.actsIn} takes it for unchanged`;
    case "waits":
      return `${knew}; ${changed}; ${name(each.thread)} waits on without looking again`;
    case "acts":
      return `${knew}; ${changed}; step ${each.actsIn} is taken without looking again`;
    default:
      return each.how satisfies never;
  }
}

function clip(text: string, width: number): string {
  return text.length <= width ? text.padEnd(width) : `${text.slice(0, width - 1)}~`;
}

export function renderCounterexample(counterexample: Counterexample, options: RenderOptions): string {
  const { threadNames, steps } = counterexample;
  const column = Math.max(24, Math.floor((options.width - 6) / threadNames.length) - 2);
  const lines: string[] = [];
  const isWhole = options.isWhole ?? true;
  const paint = options.paint ?? ((_, text) => text);
  const row = (label: string, cells: readonly string[]): void => {
    const clipped = cells.map((cell) => (isMark(cell) ? paint("yellow", clip(cell, column)) : clip(cell, column)));
    lines.push(`${label.padStart(4)}  ${clipped.join("  ")}`.trimEnd());
  };
  const only = (thread: number, text: string): string[] => threadNames.map((_, i) => (i === thread ? text : ""));
  const disagreements = findDisagreements(steps, isWhole ? blamedBy(counterexample.violation) : {});
  row("", threadNames);
  row(
    "",
    threadNames.map((name) => "-".repeat(Math.min(name.length, column))),
  );
  for (const [index, step] of steps.entries()) {
    let label = String(index + 1);
    const print = (text: string): void => {
      row(label, only(step.thread, text));
      label = "";
    };
    if (step.choice >= 16) print("the wait times out");
    const shown = step.accesses.filter(({ atomic }) => atomic || options.plain);
    for (const access of shown) for (const text of formatAccess(access, column)) print(text);
    for (const each of disagreements)
      if (each.actsIn === index + 1) row("", only(each.thread, `${MARK}${formatMark(each)}`));
    if (step.omitted > 0) print(`... ${step.omitted} more`);
    const starting = index < threadNames.length && index === step.thread;
    if (shown.length === 0 && step.choice < 16) {
      if (isWhole && index === steps.length - 1) print("fails");
      else if (!starting) print("goes on");
      else if (step.accesses.length > 0) print(`starts; ${step.accesses.length} plain accesses`);
    }
  }
  if (!isWhole) return lines.join("\n");
  const name = (thread: number): string => threadNames[thread] ?? "the check";
  if (disagreements.length > 0) lines.push("", "Where they disagree:");
  for (const each of disagreements) lines.push(`  ${formatDisagreement(each, name)}`);
  const length = counterexample.shortest ? "shortest" : "not known to be the shortest";
  lines.push("", `${paint("red", "FAIL")}: ${describeViolation(counterexample.violation, name)}`);
  lines.push(`${steps.length} steps, ${countSwitches(counterexample.schedule)} switches between threads; ${length}`);
  return lines.join("\n");
}
