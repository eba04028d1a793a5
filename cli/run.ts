// hartbeat run: runs a workload on one machine and shows what became of its tasks.
//
// Invariant: a workload that is wrong never boots: every mistake is one line with its place, and exit code 2.
// Partners: workload/, which reads and compiles; workload-machine.ts, which boots; workload-report.ts, the table.

import { type Command, Option } from "commander";
import { PowerOff } from "../abi/results.ts";
import type { MachineRun, RunOutcome } from "../machines/machine-run.ts";
import { compileWorkload, type PhaseTable } from "../workload/phase-table.ts";
import { formatProblem, type Problem } from "../workload/problem.ts";
import type { Workload } from "../workload/workload-types.ts";
import { readWorkload } from "../workload/workload-reader.ts";
import { parseDuration, parseHartCount } from "./argument.ts";
import type { CommandEnding } from "./exit-code.ts";
import { readInput } from "./input-file.ts";
import { watchInterruption } from "./interruption.ts";
import { FIRST_SEED, type MachineFlags, SMP_RANGE, addMachineFlags, conflictOf, specOf } from "./machine-options.ts";
import type { OpenWorkload } from "./workload-machine.ts";
import { taskTableLines, WorkloadConsole } from "./workload-report.ts";

interface RunFlags extends MachineFlags {
  readonly smp: number;
  readonly duration?: number;
  readonly console?: true;
  readonly json?: true;
  readonly remarks?: true;
}

export function addRun(program: Command, open: OpenWorkload, end: (ending: CommandEnding) => void): void {
  const command = program
    .command("run")
    .argument("<workload>", "a file in rt-app's JSON")
    .description("run a workload (rt-app's format), and show what became of its tasks")
    .addOption(new Option("--smp <harts>", `number of harts, ${SMP_RANGE}`).argParser(parseHartCount).default(2))
    .addOption(
      new Option("--duration <time>", "end it after that time, such as 10s (default: the file's, else 10s)").argParser(
        parseDuration,
      ),
    )
    .option("--console", "show the console as it comes, on stderr")
    .option("--json", "the tasks as one JSON object")
    .option("--remarks", "list the keys of the workload that have no effect here, or another one than in rt-app");
  addMachineFlags(command, null).action(async (path: string, flags: RunFlags) => end(await run(path, flags, open)));
}

async function run(path: string, flags: RunFlags, open: OpenWorkload): Promise<CommandEnding> {
  const conflict =
    conflictOf(flags) ?? (flags.elf === undefined ? null : "--elf belongs to boot: run has an image of its own");
  if (conflict !== null) return { kind: "usage", message: conflict };
  const input = readInput(path);
  if (input.kind === "usage") return input;
  const reading = readWorkload(new TextDecoder().decode(input.bytes));
  if (reading.kind === "refused") return refuse(path, reading.problems);
  // Before anything is built: a CPU that the machine does not have is a mistake like the others.
  const trial = compileFor(reading.workload, flags, 1_000_000);
  if (trial.kind === "refused") return refuse(path, trial.problems);
  printRemarks(path, reading.remarks, flags.remarks === true);
  const opening = await open(flags.machine);
  if (opening.kind !== "open") return opening;
  const outcome = compileFor(reading.workload, flags, opening.ticksPerSecond);
  if (outcome.kind === "refused") return refuse(path, outcome.problems);
  const spec = specOf(flags, flags.smp, flags.seed ?? FIRST_SEED);
  return show(await opening.start(spec, outcome.table), outcome.table, flags);
}

function compileFor(workload: Workload, flags: RunFlags, ticksPerSecond: number): ReturnType<typeof compileWorkload> {
  const duration = flags.duration === undefined ? {} : { durationMillis: flags.duration };
  return compileWorkload(workload, { ticksPerSecond, cpus: flags.smp, ...duration });
}

/** All of them, each on a line of its own. */
function refuse(path: string, problems: readonly Problem[]): CommandEnding {
  for (const problem of problems) process.stderr.write(`error: ${path}:${formatProblem(problem)}\n`);
  return { kind: "usage", message: "" };
}

function printRemarks(path: string, remarks: readonly Problem[], all: boolean): void {
  if (all) for (const remark of remarks) process.stderr.write(`${path}:${formatProblem(remark)}\n`);
  else if (remarks.length > 0) {
    const keys = [...new Set(remarks.map(({ key }) => key.split(".").at(-1)))].join(", ");
    process.stderr.write(`no effect here, or another one than in rt-app: ${keys} (--remarks explains)\n`);
  }
}

async function show(machine: MachineRun, table: PhaseTable, flags: RunFlags): Promise<CommandEnding> {
  const interruption = watchInterruption();
  let timedOut = false;
  const onTimeout = (): void => {
    timedOut = true;
    machine.stop();
  };
  const timer = flags.timeout === undefined ? undefined : setTimeout(onTimeout, flags.timeout);
  interruption.signal.addEventListener("abort", () => machine.stop());
  const console = new WorkloadConsole();
  try {
    for await (const line of machine.lines) {
      if (flags.console === true) process.stderr.write(`${line}\n`);
      console.add(line);
    }
    const outcome = await machine.outcome;
    if (interruption.signal.aborted) return { kind: "interrupted" };
    print(console, table, flags);
    const complaints = complaintsOf(console, table, timedOut ? "timed-out" : outcome);
    for (const complaint of complaints) process.stderr.write(`${complaint}\n`);
    return complaints.length === 0 ? { kind: "done" } : { kind: "red" };
  } finally {
    machine.stop();
    clearTimeout(timer);
    interruption.release();
  }
}

function print(console: WorkloadConsole, table: PhaseTable, flags: RunFlags): void {
  const tasks = console.tasks(table);
  if (flags.json === true) {
    process.stdout.write(`${JSON.stringify({ version: 1, durationMillis: table.durationMillis, tasks })}\n`);
    return;
  }
  for (const line of taskTableLines(tasks)) process.stdout.write(`${line}\n`);
}

/** Empty when all tasks ended as they should. */
export function complaintsOf(console: WorkloadConsole, table: PhaseTable, outcome: RunOutcome | "timed-out"): string[] {
  if (outcome === "timed-out") return ["the time-out came before the workload's end"];
  switch (outcome.kind) {
    case "powered-off": {
      if (console.failures.length > 0) return console.failures;
      const complaint = console.complaint(table);
      if (complaint !== null) return [complaint];
      return outcome.result === PowerOff.Passed ? [] : ["the kernel reports a failure: --console shows its lines"];
    }
    case "stopped":
      return [...console.failures, "the machine was stopped"];
    case "deadlocked":
      return [...console.failures, `deadlock: ${outcome.reason}`];
    case "hung":
      return [...console.failures, `the machine hung: ${outcome.reason}`];
    case "crashed":
      return [...console.failures, `the machine failed: ${outcome.reason}`];
    default:
      return outcome satisfies never;
  }
}
