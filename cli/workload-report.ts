// Workload report: the console of a workload's run as a table of its tasks, and whether each of them ended as it should.
//
// A task's own line (abi/workload-table.ts) has its row; the kernel's line about the same id has the rest. A task that
// faulted has no line of its own.
// Partners: run.ts; proof/console-line.ts, which reads the lines.

import { WORKLOAD_LINE_PREFIX, WorkloadEnd } from "../abi/workload-table.ts";
import { type Fields, parseConsoleLine } from "../proof/console-line.ts";
import type { PhaseTable, SpawnRow } from "../workload/phase-table.ts";
import { BUILT_IN_PROGRAMS } from "./user-programs.ts";

export interface TaskReport {
  readonly task: string;
  readonly class: string;
  /** done, duration (over before its loops were made), unforked; else how the kernel reports its end. */
  readonly end: string;
  readonly runs: number;
  readonly wakes: number;
  readonly steals: number;
  readonly migrations: number;
  readonly loops: number | null;
  readonly phases: number | null;
  readonly late: number | null;
}

/** What a console has about the tasks of a workload. */
export class WorkloadConsole {
  /** What went wrong, in the kernel's words; empty: nothing. */
  readonly failures: string[] = [];
  private readonly own = new Map<number, OwnLine>();
  private readonly kernel = new Map<number, Fields>();

  add(text: string): void {
    const line = parseConsoleLine(text);
    if (line.kind === "user") {
      const own = ownLineOf(line.text);
      if (own !== null) this.own.set(line.task, own);
    } else if (line.kind === "task") {
      if (Number(line.fields.get("program")) >= BUILT_IN_PROGRAMS) {
        this.kernel.set(Number(line.fields.get("id")), line.fields);
      }
    } else if (line.kind === "fail" || line.kind === "panic" || line.kind === "malformed") {
      this.failures.push(text);
    }
  }

  /** Of each task, by its own line and its row: id, name, period in microseconds. */
  known(table: PhaseTable): { readonly task: number; readonly name: string; readonly periodMicros: number | null }[] {
    return [...this.own].flatMap(([task, { row }]) => {
      const found = table.rows[row];
      return found === undefined ? [] : [{ task, name: nameOf(found, table), periodMicros: found.periodMicros }];
    });
  }

  /** One for each task that the kernel reports, in the order of the table; those that faulted come last. */
  tasks(table: PhaseTable): TaskReport[] {
    const reports = [...this.kernel].map(([id, fields]) => ({ own: this.own.get(id), fields }));
    const ordered = reports.toSorted((a, b) => (a.own?.row ?? Infinity) - (b.own?.row ?? Infinity));
    return ordered.map(({ own, fields }) => reportOf(own, fields, table));
  }

  /** Why the tasks did not all end as they should; null: they did. */
  complaint(table: PhaseTable): string | null {
    const wrong = [...this.kernel].filter(([id, fields]) => !this.own.has(id) || fields.get("code") !== "0");
    if (wrong.length > 0) {
      const [, fields] = wrong[0] ?? [];
      const how =
        fields?.get("end") === "fault" ? `a fault at ${fields.get("fault-address")}` : `code ${fields?.get("code")}`;
      return `${wrong.length} of ${table.rows.length} tasks did not end as they should: the first by ${how}`;
    }
    if (this.kernel.size === table.rows.length) return null;
    return `the kernel reports ${this.kernel.size} of ${table.rows.length} tasks`;
  }
}

interface OwnLine {
  readonly row: number;
  readonly end: WorkloadEnd;
  readonly loops: number;
  readonly phases: number;
  readonly late: number;
}

function ownLineOf(text: string): OwnLine | null {
  if (!text.startsWith(WORKLOAD_LINE_PREFIX)) return null;
  const match = /^workload row=(\d+) end=(\d) loops=(\d+) phases=(\d+) late=(\d+)$/.exec(text);
  if (match === null) return null;
  const [row = 0, end = 0, loops = 0, phases = 0, late = 0] = match.slice(1).map(Number);
  return { row, end, loops, phases, late };
}

function reportOf(own: OwnLine | undefined, fields: Fields, table: PhaseTable): TaskReport {
  const row = own === undefined ? undefined : table.rows[own.row];
  const count = (name: string): number => Number(fields.get(name));
  return {
    task: row === undefined ? `id ${fields.get("id")}` : nameOf(row, table),
    class: fields.get("class") ?? "",
    end: own === undefined ? (fields.get("end") ?? "") : endName(own.end),
    runs: count("runs"),
    wakes: count("wakes"),
    steals: count("steals"),
    migrations: count("migrations"),
    loops: own?.loops ?? null,
    phases: own?.phases ?? null,
    late: own?.late ?? null,
  };
}

/** The name that the workload gives it, with its number where there are several. */
function nameOf({ name, instance }: SpawnRow, table: PhaseTable): string {
  return table.rows.filter((row) => row.name === name).length === 1 ? name : `${name}-${instance}`;
}

function endName(end: WorkloadEnd): string {
  switch (end) {
    case WorkloadEnd.Done:
      return "done";
    case WorkloadEnd.Duration:
      return "duration";
    case WorkloadEnd.Unforked:
      return "unforked";
    case WorkloadEnd.Refused:
      return "refused";
    default:
      return end satisfies never;
  }
}

const COLUMNS = ["task", "class", "runs", "wakes", "steals", "migrations", "end", "loops", "phases", "late"] as const;

/** A line for the heading and one for each task; numbers stand right. */
export function taskTableLines(tasks: readonly TaskReport[]): string[] {
  const cells = [COLUMNS.map(String), ...tasks.map((task) => COLUMNS.map((column) => String(task[column] ?? "-")))];
  const widths = COLUMNS.map((_, index) => Math.max(...cells.map((row) => row[index]?.length ?? 0)));
  return cells.map((row) =>
    row
      .map((cell, index) => {
        const isText = ["task", "class", "end"].includes(COLUMNS[index] ?? "");
        return isText ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0);
      })
      .join("  ")
      .trimEnd(),
  );
}
