// Judge: whether one run of a soak did what it had to, line by line.
//
// The kernel's default tasks are judged by the gate, all of it. Other programs end as chance has it, so for them the gate
// judges the ladder, and what holds for any program is judged here: every task was reaped, none is alive, no hart took its
// identity from a fallback, nothing but an ordinary power-off ended the run.
// Invariants: the first reason is the earliest; a run without a reason has shown every line that was due.
// Partners: gate.ts; sim-soak.ts and cli/soak-lanes.ts feed it.

import { CPUS_MAX } from "../../abi/layout.ts";
import { FAIL_PREFIX, MARKER_SMP_ONLINE, PANIC_PREFIX, RESULT_FAILED, RESULT_PASSED } from "../../abi/markers.ts";
import { Program } from "../../abi/programs.ts";
import { PowerOff } from "../../abi/results.ts";
import type { FaultExpectation } from "../../machines/sim/fault-plan.ts";
import { type ConsoleLine, type Fields, parseConsoleLine } from "../console-line.ts";
import { type Ending, Gate, type GateOptions } from "../gate.ts";
import type { Verdict } from "../verdict.ts";
import type { SoakSetup } from "./soak-setup.ts";

export interface Judge {
  feed(text: string): void;
  conclude(ending: Ending): Verdict;
  /** What the run showed, by name. */
  counts(): Record<string, number>;
}

/** How the kernel's BOOT line calls the ways of an IPI. */
const BOOT_NAMES = { firmware: "firmware", sswi: "aclint-sswi" } as const;

/** `expects`: what the faults of the run allow. */
export function judgeFor(setup: SoakSetup, expects: FaultExpectation = "passes"): Judge {
  const refusedSends = expects !== "passes";
  const options = { machine: setup.machine, harts: setup.harts, ipi: BOOT_NAMES[setup.ipi], refusedSends };
  const usual = judgeProgram(setup, options);
  return expects === "passes" ? usual : new FaultJudge(usual, expects);
}

type JudgeOptions = Omit<GateOptions, "untilMarker">;

function judgeProgram(setup: SoakSetup, options: JudgeOptions): Judge {
  return setup.programs === "default"
    ? new GateJudge(new Gate({ ...options, untilMarker: false }))
    : new FuzzJudge(options);
}

/** The gate's own verdict. */
class GateJudge implements Judge {
  constructor(private readonly gate: Gate) {}

  feed(text: string): void {
    this.gate.feed(text);
  }

  conclude(ending: Ending): Verdict {
    return this.gate.conclude(ending);
  }

  counts(): Record<string, number> {
    return endsOf(this.gate.summary.tasks);
  }
}

/** A fuzzer's last line: how many system calls it made. */
const CALLS_LINE = /^\[\d+\] calls=(\d+)/;

/** What a task writes, whatever bytes it gave: the kernel puts its id before it and lets no line end through. */
const TASK_TEXT = /^\[\d+\] [\x20-\x7e]*$/;

/** The ladder by the gate, and what holds whatever the tasks did. */
class FuzzJudge implements Judge {
  private readonly gate: Gate;
  private readonly tasks: Fields[] = [];
  private readonly hartLines: Fields[] = [];
  private readonly requestLines: Fields[] = [];
  private readonly taskCounts: Fields[] = [];
  private readonly reasons: string[] = [];
  private calls = 0;
  private passed = false;

  constructor(private readonly options: JudgeOptions) {
    this.gate = new Gate({ ...options, untilMarker: true });
  }

  feed(text: string): void {
    if (!this.gate.isDecided) return void this.gate.feed(text);
    this.take(text, parseConsoleLine(text));
  }

  conclude(ending: Ending): Verdict {
    const ladder = this.gate.conclude(ending);
    if (ladder.kind !== "passed") return ladder;
    if (this.reasons.length === 0 && ending.kind === "stopped") return { kind: "inconclusive", reason: "stopped" };
    const reasons = [...this.reasons, ...endingReasons(ending), ...this.leftovers()];
    return reasons.length === 0 ? { kind: "passed" } : { kind: "failed", reasons };
  }

  counts(): Record<string, number> {
    return { ...endsOf(this.tasks), ...(this.calls > 0 ? { "system calls": this.calls } : {}) };
  }

  private take(text: string, line: ConsoleLine): void {
    switch (line.kind) {
      case "task":
        this.tasks.push(line.fields);
        return;
      case "tasks":
        this.taskCounts.push(line.fields);
        return;
      case "hart":
        this.hartLines.push(line.fields);
        return;
      case "resched":
        this.requestLines.push(line.fields);
        return;
      case "result":
        if (!line.passed) this.reasons.push("the kernel reports RESULT: failed");
        this.passed = line.passed;
        return;
      case "user":
        this.calls += Number(CALLS_LINE.exec(text)?.[1] ?? 0);
        if (!TASK_TEXT.test(text))
          this.reasons.push(`a line that neither the kernel nor a task can write: ${JSON.stringify(text)}`);
        return;
      case "other":
        this.reasons.push(`a line that neither the kernel nor a task can write: ${JSON.stringify(text)}`);
        return;
      case "fail":
      case "panic":
      case "malformed":
        this.reasons.push(text);
        return;
      case "marker":
      case "boot":
        this.reasons.push(`a line of the boot after the ladder: "${text}"`);
        return;
      case "evidence":
        return;
      default:
        line satisfies never;
    }
  }

  private leftovers(): string[] {
    const reasons = this.passed ? [] : ["missing: the RESULT line"];
    if (this.tasks.length === 0) reasons.push("missing: every TASK line");
    for (const task of this.tasks) {
      const reason = taskReason(task);
      if (reason !== null) reasons.push(reason);
    }
    for (const [name, lines] of [
      ["HART", this.hartLines],
      ["RESCHED", this.requestLines],
    ] as const) {
      const cpus = lines.map((fields) => fields.get("cpu"));
      for (let cpu = 0; cpu < this.options.harts; cpu += 1) {
        const count = cpus.filter((one) => one === String(cpu)).length;
        if (count !== 1) reasons.push(`${count} ${name} lines of cpu${cpu}, not one`);
      }
    }
    return [...reasons, ...this.hartLines.flatMap(hartReasons), ...this.countReasons(), ...this.requestReasons()];
  }

  /** A TASK line is about the last life of its entry, so what all lives did is at least what the lines say. */
  private countReasons(): string[] {
    const [counts] = this.taskCounts;
    if (counts === undefined || this.taskCounts.length > 1) return [`${this.taskCounts.length} TASKS lines, not one`];
    const [spawned, reported, reaped] = ["spawned", "reported", "reaped"].map((name) => Number(counts.get(name)));
    const reasons: string[] = [];
    if (spawned !== reaped) reasons.push(`${spawned} tasks were spawned and ${reaped} reaped`);
    if (reported !== this.tasks.length) reasons.push(`${reported} tasks reported, on ${this.tasks.length} lines`);
    const atMost = (what: string, less: number, more: number): void => {
      if (!(less <= more)) reasons.push(`${what}: ${less} by the tasks, ${more} by the harts`);
    };
    atMost("runs", sum(this.tasks, "runs"), sum(this.hartLines, "picks"));
    atMost("migrations", sum(this.tasks, "migrations"), sum(this.hartLines, "migrations"));
    const faulted = this.tasks.filter((task) => task.get("end") === "fault");
    atMost("faults", faulted.length, sum(this.hartLines, "faults"));
    return reasons;
  }

  /** Every request is acknowledged at the end, unless the machine refused sends (the selftests provoke one refusal). */
  private requestReasons(): string[] {
    const refused = sum(this.requestLines, "failed") > 1;
    return this.requestLines.flatMap((fields) => {
      const number = (name: string): number => Number(fields.get(name));
      const cpu = fields.get("cpu");
      const reasons: string[] = [];
      const left = number("requests") - number("acked-to");
      if (!(left >= 0) || (left > 0 && !refused))
        reasons.push(`cpu${cpu} has ${left} requests that it did not acknowledge`);
      if (number("acked") !== number("trapped")) reasons.push(`cpu${cpu} trapped and acknowledged different numbers`);
      return reasons;
    });
  }
}

const LEFT_OUT = /^BOOT: harts=(\d+) cpus=(\d+) /m;

/** What the kernel's selftests report when a send of their own is refused. */
const SEND_OF_A_SELFTEST = /(did not go out|could not be rung)$/;

/** A run that may end, or must end, because of what it was given: by a FAIL line, and without a marker that is not true. */
class FaultJudge implements Judge {
  private readonly lines: string[] = [];

  constructor(
    private readonly usual: Judge,
    private readonly expects: Exclude<FaultExpectation, "passes">,
  ) {}

  feed(text: string): void {
    this.lines.push(text);
    this.usual.feed(text);
  }

  conclude(ending: Ending): Verdict {
    const usual = this.usual.conclude(ending);
    if (this.expects === "leaves-harts-out") return this.leftOutVerdict(ending, usual);
    const failLine = this.lines.find((line) => line.startsWith(FAIL_PREFIX));
    if (this.expects === "passes-or-names-the-send") {
      if (usual.kind !== "failed" || failLine === undefined || !SEND_OF_A_SELFTEST.test(failLine)) return usual;
    } else if (usual.kind === "passed") {
      return { kind: "failed", reasons: ["the run passed although a hart was missing"] };
    }
    const reasons = this.stopReasons(ending, failLine);
    return reasons.length === 0 ? { kind: "passed" } : { kind: "failed", reasons };
  }

  counts(): Record<string, number> {
    return this.usual.counts();
  }

  /** The kernel passes on the harts that it has room for, and the gate holds against it that it reports more. */
  private leftOutVerdict(ending: Ending, usual: Verdict): Verdict {
    const reasons = endingReasons(ending);
    const [, found, cpus] = LEFT_OUT.exec(this.lines.join("\n")) ?? [];
    if (!(Number(found) > CPUS_MAX) || Number(cpus) !== CPUS_MAX)
      reasons.push("no BOOT line reports harts without a CPU");
    if (this.lines.at(-1) !== RESULT_PASSED) reasons.push(`the last line is not "${RESULT_PASSED}"`);
    if (usual.kind === "passed") reasons.push("the gate passed a run that left harts out");
    return reasons.length === 0 ? { kind: "passed" } : { kind: "failed", reasons };
  }

  /** What is wrong with a run that had to end early. */
  private stopReasons(ending: Ending, failLine: string | undefined): string[] {
    const reasons: string[] = [];
    const panic = this.lines.find((line) => line.startsWith(PANIC_PREFIX));
    if (panic !== undefined) reasons.push(panic);
    if (ending.kind !== "powered-off") reasons.push(...endingReasons(ending));
    else if (ending.result !== PowerOff.Failed) reasons.push("the machine did not power off as failed");
    if (failLine === undefined) reasons.push("no FAIL line reports why the run ended");
    if (this.lines.at(-1) !== RESULT_FAILED) reasons.push(`the last line is not "${RESULT_FAILED}"`);
    if (this.expects === "stops" && this.lines.includes(MARKER_SMP_ONLINE)) {
      reasons.push(`"${MARKER_SMP_ONLINE}" although a hart was missing`);
    }
    return reasons;
  }
}

/** A program that checks its answers ends with the number of the check that did not hold. */
function taskReason(task: Fields): string | null {
  const [id, end, code] = [task.get("id"), task.get("end"), task.get("code")];
  if (end === "fault" || end === "killed") return null;
  if (end !== "exit") return `task ${id} ends as "${end}"`;
  if (task.get("program") === String(Program.Probe) || code === "0") return null;
  return `task ${id} (program ${task.get("program")}) ended with code ${code}: its check ${code} did not hold`;
}

function hartReasons(fields: Fields): string[] {
  const fallbacks = fields.get("fallbacks");
  return fallbacks === "0"
    ? []
    : [`cpu${fields.get("cpu")} fell back to its stack for its identity ${fallbacks} times`];
}

function sum(lines: readonly Fields[], name: string): number {
  return lines.reduce((total, fields) => total + Number(fields.get(name) ?? Number.NaN), 0);
}

function endsOf(tasks: readonly Fields[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const task of tasks) {
    const name = `tasks ended by ${task.get("end")}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/** What is wrong with the end of a run that was not stopped. */
export function endingReasons(ending: Ending): string[] {
  switch (ending.kind) {
    case "powered-off":
      return ending.result === PowerOff.Passed
        ? []
        : [`the machine powered off as ${PowerOff[ending.result]?.toLowerCase() ?? ending.result}`];
    case "stopped":
      return [];
    case "timed-out":
      return [`time-out after ${ending.after}`];
    case "deadlocked":
    case "hung":
    case "crashed":
      return [`${ending.kind}: ${ending.reason}`];
    default:
      return ending satisfies never;
  }
}
