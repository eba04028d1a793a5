// Workload sweep (npm run workloads): every workload on every machine asked for, a line each; exit code 1 if one of them
// does not end as it should.
//
// Ours, and the examples of Debian's package rt-app where it is installed. One that is refused, or names a CPU that the
// machine does not have, is listed as refused: that is no failure.
// Where a machine can be observed, the trace has to add up to the kernel's counters, and no monitor may fire.
// Partners: run.ts, whose judgement this is; workload-machine.ts.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Command, Option } from "commander";
import { packageRoot } from "../../toolchain/package-root.ts";
import { compileWorkload } from "../../workload/phase-table.ts";
import { readWorkload } from "../../workload/workload-reader.ts";
import { parseDuration, parseHartCounts, parseSeed } from "../argument.ts";
import { FIRST_SEED, type MachineKind, type MachineSpec } from "../machine-options.ts";
import { complaintsOf } from "../run.ts";
import { holds, RunObservation } from "../run-observation.ts";
import { openWorkload, type WorkloadOpening } from "../workload-machine.ts";
import { WorkloadConsole } from "../workload-report.ts";

interface SweepFlags {
  readonly machine: MachineKind | "both";
  readonly smp?: number[];
  readonly duration: number;
  readonly seed: number;
}

type Open = Extract<WorkloadOpening, { kind: "open" }>;

const RT_APP = "/usr/share/doc/rt-app";
const HARTS: Readonly<Record<MachineKind, readonly number[]>> = { sim: [1, 2, 8, 64], virt: [1, 2, 8] };

function workloadFiles(): string[] {
  const folders = [join(packageRoot, "examples", "workloads"), RT_APP].filter((folder) => existsSync(folder));
  return folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".json"))
      .toSorted()
      .map((file) => join(folder, file)),
  );
}

/** What became of one run, in a few words; whether it failed. */
async function runOne(file: string, spec: MachineSpec, open: Open, durationMillis: number): Promise<[boolean, string]> {
  const reading = readWorkload(readFileSync(file, "utf8"));
  if (reading.kind === "refused") return [false, `refused: ${reading.problems.length} problems`];
  const target = { ticksPerSecond: open.ticksPerSecond, cpus: spec.harts, durationMillis };
  const outcome = compileWorkload(reading.workload, target);
  if (outcome.kind === "refused") return [false, `refused: ${outcome.problems[0]?.message ?? ""}`];
  const run = await open.start(spec, outcome.table);
  const console = new WorkloadConsole();
  const observation = new RunObservation(spec, open.kernel, file);
  for await (const line of run.lines) {
    console.add(line);
    observation.take(line);
  }
  const complaints = complaintsOf(console, outcome.table, await run.outcome);
  if (complaints.length > 0) return [true, `FAILED: ${complaints.join("; ")}`];
  if (spec.observe === true && !holds(observation.trace(run, console, outcome.table))) {
    return [true, "FAILED: its trace does not hold, see above"];
  }
  const tasks = console.tasks(outcome.table);
  const sum = (field: "phases" | "late"): number => tasks.reduce((all, task) => all + (task[field] ?? 0), 0);
  return [false, `passed: ${tasks.length} tasks, ${sum("phases")} turns of phases, ${sum("late")} late`];
}

async function sweep(flags: SweepFlags): Promise<void> {
  let failed = 0;
  const kinds: MachineKind[] = flags.machine === "both" ? ["sim", "virt"] : [flags.machine];
  for (const kind of kinds) {
    const open = await openWorkload(kind);
    if (open.kind !== "open") {
      process.stderr.write(`${kind}: ${"message" in open ? open.message : open.kind}\n`);
      failed += 1;
      continue;
    }
    for (const file of workloadFiles()) {
      for (const harts of flags.smp ?? HARTS[kind]) {
        const common = { harts, ipi: "firmware", observe: open.observes } as const;
        const spec: MachineSpec =
          kind === "sim" ? { kind, seed: flags.seed, ...common } : { kind, icount: false, ...common };
        const [isRed, result] = await runOne(file, spec, open, flags.duration);
        failed += isRed ? 1 : 0;
        process.stdout.write(`${kind} smp=${harts} ${file.replace(`${packageRoot}/`, "")}: ${result}\n`);
      }
    }
  }
  process.exitCode = failed === 0 ? 0 : 1;
}

const machines = new Option("--machine <machine>", "where to run").choices(["sim", "virt", "both"]).default("both");
await new Command("workloads")
  .addOption(machines)
  .addOption(new Option("--smp <harts>", "such as 1,2,8").argParser(parseHartCounts))
  .addOption(new Option("--duration <time>", "of each run").argParser(parseDuration).default(1000, "1s"))
  .addOption(new Option("--seed <seed>", "sim: which order of steps").argParser(parseSeed).default(FIRST_SEED))
  .action(sweep)
  .parseAsync();
