// Summary: what a run reports after its ladder, judged line by line and sum by sum.
//
// After the last marker come the user tasks' lines, in any order; then a line for each task, in the order of their ids; one
// that counts them; two lines for each hart, the boot hart's last; the result. Every number in them is held against the
// expected tasks, against another line, or against a sum of others.
//
// Invariants: no clock; a line out of its place is a fault at once, sums are judged at the end.
// Partners: gate.ts feeds it; expected-tasks.ts has what each task must come to; kernel/report.ts prints.
// Clauses: C5, T3, D8 (docs/contract.md), on the host's side.

import { Program } from "../abi/programs.ts";
import { QOS_NAMES } from "../abi/markers.ts";
import type { Fields } from "./console-line.ts";
import {
  DEFAULT_TASKS,
  type DefaultTask,
  GRANTED_PROBE,
  STEALING_PROBES,
  endOf,
  lastQosOf,
  wakesMaxOf,
} from "./expected-tasks.ts";

export interface UserLine {
  readonly task: number;
  readonly text: string;
}

export interface SummaryOptions {
  readonly harts: number;
  /** The machine refuses sends beside the one of the selftest. */
  readonly refusedSends: boolean;
}

/** The parts of a summary, in their order. */
type Part = "user" | "task" | "tasks" | "hart" | "resched" | "result";

const CLASSES = QOS_NAMES.split(" ");
const BOOT_CPU = 0;
/** The CPU whose hart steals a probe. */
const THIEF_CPU = 1;

const numberIn = (fields: Fields, name: string): number => Number(fields.get(name) ?? Number.NaN);
const sumOf = (lines: readonly Fields[], name: string): number =>
  lines.reduce((total, fields) => total + numberIn(fields, name), 0);

export class Summary {
  readonly userLines: UserLine[] = [];
  readonly tasks: Fields[] = [];
  readonly harts: Fields[] = [];
  /** What the harts asked of each other. */
  readonly requests: Fields[] = [];
  private readonly options: SummaryOptions;
  private counts: Fields | null = null;
  private part: Part = "user";

  constructor(options: SummaryOptions) {
    this.options = options;
  }

  /** Each takes a line, and hands back why it cannot stand here; null: it can. */
  takeUser(line: UserLine): string | null {
    this.userLines.push(line);
    return this.part === "user" ? null : `task ${line.task} wrote a line after all tasks had ended`;
  }

  takeTask(fields: Fields): string | null {
    this.tasks.push(fields);
    return this.enter("task", ["user", "task"]);
  }

  takeTasks(fields: Fields): string | null {
    this.counts = fields;
    return this.enter("tasks", ["task"]);
  }

  takeHart(fields: Fields): string | null {
    const due = this.cpuOfLine(this.harts.length);
    this.harts.push(fields);
    const place = this.enter("hart", ["tasks", "resched"]);
    return (
      place ?? (fields.get("cpu") === due ? null : `a HART line of cpu${fields.get("cpu")} where cpu${due} was due`)
    );
  }

  takeRequests(fields: Fields): string | null {
    const due = this.cpuOfLine(this.requests.length);
    this.requests.push(fields);
    const place = this.enter("resched", ["hart"]);
    return (
      place ?? (fields.get("cpu") === due ? null : `a RESCHED line of cpu${fields.get("cpu")} where cpu${due} was due`)
    );
  }

  takeResult(): string | null {
    return this.enter("result", ["resched"]);
  }

  /**
   * What is wrong with the whole; empty when it all agrees. hartOf: the hart that each CPU's evidence names; shownOf: how
   * many of its events were shown; stolen: the task that the stealing test is on record to have stolen.
   */
  faults(
    hartOf: ReadonlyMap<number, number>,
    shownOf: (cpu: number) => number,
    stolen: number | undefined,
  ): readonly string[] {
    if (this.harts.length !== this.options.harts || this.requests.length !== this.options.harts) {
      return [`${this.harts.length} HART and ${this.requests.length} RESCHED lines for ${this.options.harts} harts`];
    }
    return [
      ...this.taskFaults(stolen),
      ...this.countFaults(),
      ...this.userFaults(),
      ...this.harts.flatMap((fields) => [...this.hartFaults(fields, hartOf)]),
      ...this.requests.flatMap((fields) => [...this.requestFaults(fields, shownOf)]),
      ...this.sumFaults(),
    ];
  }

  private enter(part: Part, after: readonly Part[]): string | null {
    const before = this.part;
    this.part = part;
    return after.includes(before) ? null : `a ${part} line follows a ${before} line of the summary`;
  }

  /** Harts report themselves in the order of their CPUs, the boot hart last. */
  private cpuOfLine(index: number): string {
    return String(index === this.options.harts - 1 ? BOOT_CPU : index + 1);
  }

  private expected(): readonly DefaultTask[] {
    const granted = this.userLines.filter(({ text }) => text.endsWith(": granted")).length;
    const probes = this.options.harts > 1 ? STEALING_PROBES : [];
    return [...probes, ...DEFAULT_TASKS, ...Array.from({ length: granted }, () => GRANTED_PROBE)];
  }

  private taskFaults(stolen: number | undefined): string[] {
    const expected = this.expected();
    const faults: string[] = [];
    if (this.tasks.length !== expected.length) {
      faults.push(`${this.tasks.length} TASK lines for ${expected.length} tasks`);
    }
    const first = numberIn(this.tasks[0] ?? new Map(), "id");
    for (const [index, fields] of this.tasks.entries()) {
      const due = expected[index];
      const id = numberIn(fields, "id");
      const fault = (message: string): number =>
        faults.push(`task ${id} (${Program[numberIn(fields, "program")]}) ${message}`);
      // The ids of entries that were used once each: consecutive.
      if (id !== first + index || id <= 0) fault(`where task ${first + index} was due`);
      if (due !== undefined) for (const message of this.endFaults(fields, due)) fault(message);
      for (const message of countsOfTask(fields, this.options.harts)) fault(message);
    }
    const [probe] = this.tasks;
    if (this.options.harts > 1 && probe !== undefined) {
      const place = [numberIn(probe, "id"), numberIn(probe, "last-cpu"), numberIn(probe, "steals")];
      if (place.join(" ") !== [stolen, THIEF_CPU, 1].join(" ")) {
        faults.push(`task ${place[0]} is not the probe that cpu${THIEF_CPU} stole and ran`);
      }
    }
    return faults;
  }

  private *endFaults(fields: Fields, due: DefaultTask): Generator<string> {
    const end = endOf(due);
    const found = {
      program: numberIn(fields, "program"),
      class: fields.get("class"),
      end: fields.get("end"),
      code: numberIn(fields, "code"),
      "fault-address": numberIn(fields, "fault-address"),
    };
    const isFault = end.kind === "fault";
    const wanted = {
      program: due.program,
      class: CLASSES[lastQosOf(due)],
      end: end.kind,
      code: isFault ? end.cause : end.code,
      "fault-address": isFault ? end.address : 0,
    };
    for (const [name, value] of Object.entries(wanted)) {
      const is = found[name as keyof typeof found];
      if (is !== value) yield `has ${name}=${is}, not ${value}`;
    }
    const wakesMax = wakesMaxOf(due) ?? Number.POSITIVE_INFINITY;
    if (!(numberIn(fields, "wakes") <= wakesMax)) yield `ended ${fields.get("wakes")} sleeps, of at most ${wakesMax}`;
  }

  private countFaults(): string[] {
    const counts = this.counts ?? new Map<string, string>();
    return ["spawned", "reported", "reaped"]
      .filter((name) => numberIn(counts, name) !== this.tasks.length)
      .map((name) => `${counts.get(name)} tasks were ${name}, and ${this.tasks.length} lines are about tasks`);
  }

  /** Petitioners and the Waker write one line each, the others none. */
  private userFaults(): string[] {
    const faults: string[] = [];
    const left = [...this.userLines];
    const takeLineOf = (id: number): string | undefined => {
      const at = left.findIndex(({ task }) => task === id);
      return at < 0 ? undefined : left.splice(at, 1)[0]?.text;
    };
    const waiter = this.tasks.find((fields) => numberIn(fields, "program") === Program.Waiter)?.get("id");
    for (const fields of this.tasks) {
      const id = numberIn(fields, "id");
      switch (numberIn(fields, "program")) {
        case Program.Waker: {
          const text = takeLineOf(id);
          if (text !== `woke task ${waiter} until it had gone`) faults.push(`task ${id} wrote ${quoted(text)}`);
          break;
        }
        case Program.Petitioner: {
          const text = takeLineOf(id);
          if (!isAnswer(text, fields, this.options.harts)) faults.push(`task ${id} wrote ${quoted(text)}`);
          break;
        }
        default:
      }
    }
    return [...faults, ...left.map(({ task, text }) => `task ${task} wrote ${quoted(text)}, which nobody expects`)];
  }

  private *hartFaults(fields: Fields, hartOf: ReadonlyMap<number, number>): Generator<string> {
    const cpu = numberIn(fields, "cpu");
    const count = (name: string): number => numberIn(fields, name);
    const here = this.tasks.filter((task) => numberIn(task, "last-cpu") === cpu);
    const faulted = here.filter((task) => task.get("end") === "fault").length;
    if (count("hart") !== hartOf.get(cpu)) yield `cpu${cpu} reports hart ${count("hart")}, not ${hartOf.get(cpu)}`;
    if (count("ended") !== here.length) yield `cpu${cpu} ended ${count("ended")} tasks, not ${here.length}`;
    if (count("faults") !== faulted) yield `cpu${cpu} had ${count("faults")} faults of tasks, not ${faulted}`;
    if (count("fallbacks") !== 0) yield `cpu${cpu} took its identity from a fallback ${count("fallbacks")} times`;
    const idle = count("idle-percent");
    if (!(idle >= 0 && idle <= 100)) yield `cpu${cpu} was idle for ${idle} % of its time`;
    if (["picks", "steals", "migrations", "wakes"].some((name) => !(count(name) >= 0))) {
      yield `cpu${cpu} has a count below 0`;
    }
  }

  private *requestFaults(fields: Fields, shownOf: (cpu: number) => number): Generator<string> {
    const cpu = numberIn(fields, "cpu");
    const count = (name: string): number => numberIn(fields, name);
    const { refusedSends } = this.options;
    // The boot hart's selftest has one send refused.
    const refusals = cpu === BOOT_CPU && this.options.harts > 1 ? 1 : 0;
    if (refusedSends ? !(count("failed") >= refusals) : count("failed") !== refusals) {
      yield `cpu${cpu} had ${count("failed")} sends refused, not ${refusals}`;
    }
    const outcomes = count("sent") + count("failed") + count("coalesced");
    // What is refused is tried again: more outcomes than requests, at most one for each refusal.
    const again = outcomes - count("accepted");
    if (refusedSends ? !(again >= 0) : again !== 0) {
      yield `cpu${cpu} asked ${count("accepted")} times, and ${outcomes} times that was sent, refused or rode along`;
    }
    if (count("requests") !== count("acked-to")) {
      yield `cpu${cpu} acknowledged request ${count("acked-to")} last, and request ${count("requests")} was accepted last`;
    }
    if (count("trapped") !== count("acked")) {
      yield `cpu${cpu} acknowledged ${count("acked")} of ${count("trapped")} traps`;
    }
    if (count("shown") !== shownOf(cpu)) {
      yield `cpu${cpu} reported ${count("shown")} events, and ${shownOf(cpu)} were read`;
    }
    if ([...fields].some(([name, value]) => name !== "cpu" && !(Number(value) >= 0)))
      yield `cpu${cpu} has a count below 0`;
  }

  /** What all tasks, and all harts, come to together. */
  private *sumFaults(): Generator<string> {
    const pairs: [string, number, string, number][] = [
      ["runs of tasks", sumOf(this.tasks, "runs"), "picks of harts", sumOf(this.harts, "picks")],
      ["steals of tasks", sumOf(this.tasks, "steals"), "steals by harts", sumOf(this.harts, "steals")],
      ["migrations of tasks", sumOf(this.tasks, "migrations"), "migrations to harts", sumOf(this.harts, "migrations")],
      ["wakes of tasks", sumOf(this.tasks, "wakes"), "wakes on harts", sumOf(this.harts, "wakes")],
      ["requests made", sumOf(this.requests, "accepted"), "requests taken", sumOf(this.requests, "requests")],
    ];
    for (const [one, count, other, otherCount] of pairs) {
      if (count !== otherCount) yield `${count} ${one} and ${otherCount} ${other}`;
    }
    const [sent, failed, trapped] = ["sent", "failed", "trapped"].map((name) => sumOf(this.requests, name));
    // A refused send can be overtaken by a trap that another S_SOFT brings: only then are there more traps than sends.
    const excess = (trapped ?? 0) - (sent ?? 0);
    if (this.options.refusedSends ? excess < 0 || excess > (failed ?? 0) : excess !== 0) {
      yield `${trapped} traps for ${sent} sends`;
    }
  }
}

function* countsOfTask(fields: Fields, harts: number): Generator<string> {
  const count = (name: string): number => numberIn(fields, name);
  if (!(count("runs") >= 1)) yield "never ran";
  if (!(count("migrations") >= 0 && count("migrations") <= count("steals"))) yield "moved without being stolen";
  if (!(count("steals") <= count("runs") && count("wakes") >= 0)) yield "was stolen more often than it ran";
  if (!(count("last-cpu") >= 0 && count("last-cpu") < harts)) yield `ran on cpu${count("last-cpu")}`;
}

/** `asked from cpu1 for a spawn: NotBootHart`: from the boot hart it is granted, unless the task moved between its calls. */
function isAnswer(text: string | undefined, fields: Fields, harts: number): boolean {
  const match = /^asked from cpu(0|[1-9]\d*) for a spawn: (granted|NotBootHart)$/.exec(text ?? "");
  if (match === null) return false;
  const cpu = Number(match[1]);
  if (numberIn(fields, "migrations") > 0) return cpu < harts;
  return cpu === numberIn(fields, "last-cpu") && (match[2] === "granted") === (cpu === BOOT_CPU);
}

function quoted(text: string | undefined): string {
  return text === undefined ? "nothing" : `"${text}"`;
}
