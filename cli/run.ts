// hartbeat run: runs a workload on one machine and shows what became of its tasks.
//
// Invariant: a workload that is wrong never boots: every mistake is one line with its place, and exit code 2.
// Partners: workload/, which reads and compiles; workload-machine.ts, which boots; workload-report.ts, the table.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { PowerOff } from "../abi/results.ts";
import type { Trace } from "../trace/event.ts";
import { formatMetrics } from "../trace/metrics/metrics-table.ts";
import { metricsOf } from "../trace/metrics/trace-metrics.ts";
import { compileWorkload, type PhaseTable } from "../workload/phase-table.ts";
import { formatProblem, type Problem } from "../workload/problem.ts";
import type { Workload } from "../workload/workload-types.ts";
import { readWorkload } from "../workload/workload-reader.ts";
import { parseDuration, parseHartCount } from "./argument.ts";
import type { CommandEnding } from "./exit-code.ts";
import { readInput } from "./input-file.ts";
import { complaintOfEnd, followRun, type RunEnd } from "./followed-run.ts";
import { FIRST_SEED, type MachineFlags, SMP_RANGE, addMachineFlags, conflictOf, specOf } from "./machine-options.ts";
import { holds, RunObservation } from "./run-observation.ts";
import { openTrace, type TraceOutput } from "./trace-output.ts";
import type { OpenWorkload, WorkloadOpening } from "./workload-machine.ts";
import { taskTableLines, WorkloadConsole } from "./workload-report.ts";

interface RunFlags extends MachineFlags {
  readonly smp: number;
  readonly duration?: number;
  readonly console?: true;
  readonly json?: true;
  readonly remarks?: true;
  readonly trace?: string;
  readonly metrics?: true;
  readonly check: boolean;
  readonly runs: number;
  readonly output?: string;
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
    .option("--trace <file>", "write what happened on every hart to this file (docs/running.md)")
    .option("--metrics", "latencies, run times and counts as well, by task, class and hart")
    .option("--no-check", "do not run the monitors over what happened")
    .addOption(
      new Option("--runs <count>", "run it so often, with a seed each from --seed on").argParser(parseRuns).default(1),
    )
    .option("--output <folder>", "of several runs: the metrics of each, for compare")
    .option("--remarks", "list the keys of the workload that have no effect here, or another one than in rt-app");
  addMachineFlags(command, null).action(async (path: string, flags: RunFlags) => end(await run(path, flags, open)));
}

async function run(path: string, flags: RunFlags, open: OpenWorkload): Promise<CommandEnding> {
  const conflict = conflictOf(flags) ?? conflictOfRun(flags);
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
  if (!opening.observes && (flags.trace !== undefined || flags.metrics === true || flags.output !== undefined)) {
    return { kind: "usage", message: "--trace, --metrics and --output belong to --machine sim" };
  }
  const refused = flags.output === undefined ? null : makeFolder(flags.output);
  if (refused !== null) return { kind: "usage", message: refused };
  return runAll({ path, flags, opening, table: outcome.table });
}

/** Before anything runs: null, or why the folder cannot be there. */
function makeFolder(path: string): string | null {
  try {
    mkdirSync(path, { recursive: true });
    return null;
  } catch (error) {
    return `${path}: this folder cannot be made (${(error as NodeJS.ErrnoException).code ?? String(error)})`;
  }
}

function conflictOfRun({ elf, runs, trace, metrics, json }: RunFlags): string | null {
  if (elf !== undefined) return "--elf belongs to boot: run has an image of its own";
  if (json === true && metrics === true)
    return "--json and --metrics exclude each other: --trace, then hartbeat metrics --json";
  if (runs > 1 && (trace !== undefined || metrics === true || json === true))
    return "--trace, --metrics and --json are of one run: give --output for the metrics of several";
  return null;
}

interface Job {
  readonly path: string;
  readonly flags: RunFlags;
  readonly opening: Extract<WorkloadOpening, { kind: "open" }>;
  readonly table: PhaseTable;
}

/** One run after the other; the first that does not end as it should is the last. */
async function runAll(job: Job): Promise<CommandEnding> {
  const { flags } = job;
  for (let index = 0; index < flags.runs; index++) {
    showProgress(flags.runs > 1 ? `run ${index + 1} of ${flags.runs}` : "");
    const ending = await runOnce(job, index);
    if (ending.kind !== "done") {
      showProgress("");
      if (flags.runs > 1) process.stderr.write(`run ${index + 1} of ${flags.runs}: the others were not made\n`);
      return ending;
    }
  }
  showProgress("");
  if (flags.runs > 1) process.stdout.write(`${flags.runs} runs, each as it should be\n`);
  return { kind: "done" };
}

function compileFor(workload: Workload, flags: RunFlags, ticksPerSecond: number): ReturnType<typeof compileWorkload> {
  const duration = flags.duration === undefined ? {} : { durationMillis: flags.duration };
  return compileWorkload(workload, { ticksPerSecond, cpus: flags.smp, ...duration });
}

const RUNS_MAX = 9999;

function parseRuns(text: string): number {
  const runs = Number(text);
  if (/^\d+$/.test(text) && runs >= 1 && runs <= RUNS_MAX) return runs;
  throw new InvalidArgumentError(`"${text}" is no number of runs: give 1 to ${RUNS_MAX}.`);
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

/** On a terminal: one line on stderr, in the place of the one before. */
function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
}

async function runOnce(job: Job, index: number): Promise<CommandEnding> {
  const { flags, opening, table } = job;
  const observe =
    opening.observes &&
    (flags.check || flags.trace !== undefined || flags.metrics === true || flags.output !== undefined);
  const spec = { ...specOf(flags, flags.smp, (flags.seed ?? FIRST_SEED) + index), observe };
  const output = flags.trace === undefined ? null : openTrace(flags.trace);
  if (output?.kind === "usage") return output;
  const machine = await opening.start(spec, table);
  const console = new WorkloadConsole();
  const observation = new RunObservation(spec, opening.kernel, job.path);
  try {
    const { outcome, isInterrupted } = await followRun(machine, flags.timeout, (line) => {
      if (flags.console === true) process.stderr.write(`${line}\n`);
      console.add(line);
      observation.take(line);
    });
    if (isInterrupted) return { kind: "interrupted" };
    if (flags.runs === 1) print(console, table, flags);
    const complaints = complaintsOf(console, table, outcome);
    for (const complaint of complaints) process.stderr.write(`${complaint}\n`);
    const isSound = !observe || conclude(observation.trace(machine, console, table), job, index, output);
    return complaints.length === 0 && isSound ? { kind: "done" } : { kind: "red" };
  } finally {
    output?.drop();
  }
}

/** Writes and prints what was asked for of a trace; whether it holds. */
function conclude(trace: Trace, { flags }: Job, index: number, output: TraceOutput | null): boolean {
  output?.save(trace);
  if (flags.metrics === true && flags.runs === 1) process.stdout.write(`\n${formatMetrics(metricsOf(trace))}`);
  if (flags.output !== undefined) {
    const name = `run-${String(index + 1).padStart(4, "0")}.json`;
    writeFileSync(join(flags.output, name), `${JSON.stringify(metricsOf(trace))}\n`);
  }
  return !flags.check || holds(trace);
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
export function complaintsOf(console: WorkloadConsole, table: PhaseTable, outcome: RunEnd["outcome"]): string[] {
  if (outcome === "timed-out") return ["the time-out came before the workload's end"];
  if (outcome.kind !== "powered-off") return [...console.failures, complaintOfEnd(outcome)];
  if (console.failures.length > 0) return console.failures;
  const complaint = console.complaint(table);
  if (complaint !== null) return [complaint];
  return outcome.result === PowerOff.Passed ? [] : ["the kernel reports a failure: --console shows its lines"];
}
