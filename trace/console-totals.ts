// Console totals: what the kernel itself counted in a run, from the summary on its console.
//
// Owner: whoever feeds it the lines. Invariant: a line that is none of the summary's changes nothing; where a run ends
// before its summary, the totals have no harts and no tasks.
// Partners: kernel/report.ts prints the lines, abi/markers.ts has their forms; consistency.ts holds events against them.

import {
  BOOT_FORM,
  BOOT_PREFIX,
  END_NAMES,
  HART_FORM,
  HART_PREFIX,
  PANIC_PREFIX,
  QOS_NAMES,
  RESCHED_FORM,
  RESCHED_PREFIX,
  RESULT_FAILED,
  RESULT_PASSED,
  TASK_FORM,
  TASK_PREFIX,
} from "../abi/markers.ts";
import type { HartTotals, QosName, TaskTotals, TraceTotals } from "./event.ts";

type Fields = ReadonlyMap<string, string>;

const CLASSES: readonly string[] = QOS_NAMES.split(" ");
const ENDS = ["exited", "faulted", "killed"] as const;

export class ConsoleTotals {
  private readonly harts: Fields[] = [];
  private readonly requests = new Map<string, Fields>();
  private readonly tasks: Fields[] = [];
  private result: TraceTotals["result"] = "stopped";
  private boot: Fields | undefined;

  /** CPUs that the kernel found; 0 before it has begun. */
  get cpus(): number {
    return numberIn(this.boot ?? new Map(), "cpus");
  }

  get ticksPerSecond(): number {
    return numberIn(this.boot ?? new Map(), "ticks-per-second");
  }

  take(line: string): void {
    this.boot ??= fieldsOf(line, BOOT_PREFIX, BOOT_FORM);
    const hart = fieldsOf(line, HART_PREFIX, HART_FORM);
    if (hart !== undefined) this.harts.push(hart);
    const request = fieldsOf(line, RESCHED_PREFIX, RESCHED_FORM);
    if (request !== undefined) this.requests.set(request.get("cpu") ?? "", request);
    const task = fieldsOf(line, TASK_PREFIX, TASK_FORM);
    if (task !== undefined) this.tasks.push(task);
    if (line === RESULT_PASSED) this.result = "passed";
    if (line === RESULT_FAILED) this.result = "failed";
    if (line.startsWith(PANIC_PREFIX)) this.result = "panic";
  }

  /** lost: records of the run that nobody has read. */
  totals(lost: number): TraceTotals {
    return {
      kind: "totals",
      harts: this.harts.map((fields) => hartTotals(fields, this.requests.get(fields.get("cpu") ?? "") ?? new Map())),
      tasks: this.tasks.map(taskTotals),
      result: this.result,
      lost,
    };
  }
}

function hartTotals(hart: Fields, requests: Fields): HartTotals {
  return {
    cpu: numberIn(hart, "cpu"),
    picks: numberIn(hart, "picks"),
    steals: numberIn(hart, "steals"),
    migrations: numberIn(hart, "migrations"),
    wakes: numberIn(hart, "wakes"),
    ended: numberIn(hart, "ended"),
    faults: numberIn(hart, "faults"),
    idlePercent: numberIn(hart, "idle-percent"),
    accepted: numberIn(requests, "accepted"),
    sent: numberIn(requests, "sent"),
    sendsFailed: numberIn(requests, "failed"),
    coalesced: numberIn(requests, "coalesced"),
    trapped: numberIn(requests, "trapped"),
    acked: numberIn(requests, "acked"),
  };
}

function taskTotals(task: Fields): TaskTotals {
  const end = END_NAMES.split(" ").indexOf(task.get("end") ?? "");
  const qos = task.get("class") ?? "";
  return {
    task: numberIn(task, "id"),
    program: numberIn(task, "program"),
    qos: CLASSES.includes(qos) ? (qos as QosName) : "Idle",
    runs: numberIn(task, "runs"),
    steals: numberIn(task, "steals"),
    migrations: numberIn(task, "migrations"),
    wakes: numberIn(task, "wakes"),
    lastCpu: numberIn(task, "last-cpu"),
    end: ENDS[end - 1] ?? "exited",
    code: numberIn(task, "code"),
  };
}

function numberIn(fields: Fields, name: string): number {
  return Number(fields.get(name) ?? 0);
}

/** The fields of a line of that form; undefined for any other line. */
function fieldsOf(line: string, prefix: string, form: string): Fields | undefined {
  if (!line.startsWith(prefix)) return undefined;
  const pairs = line.slice(prefix.length).split(" ");
  const names = form.split(" ").map((pair) => pair.slice(0, pair.indexOf("=")));
  if (pairs.length !== names.length) return undefined;
  if (!names.every((name, index) => pairs[index]?.startsWith(`${name}=`))) return undefined;
  return new Map(names.map((name, index) => [name, (pairs[index] ?? "").slice(name.length + 1)]));
}
