// Main: the `hartbeat` command, from its arguments to its exit code.
//
// Invariants: every ending passes through exit-code.ts; a mistake of the user is one line on stderr and exit code
// 2; only a fault of ours may show a stack, and only where HARTBEAT_DEBUG=1 asks for it.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command, CommanderError } from "commander";
import { packageRoot } from "../toolchain/package-root.ts";
import { addBoot } from "./boot.ts";
import { addCompare } from "./compare.ts";
import { addDoctor } from "./doctor.ts";
import { type CommandEnding, exitCodeOf } from "./exit-code.ts";
import { type Explorer, exploreInThread } from "./exploration-thread.ts";
import { addExplore } from "./explore.ts";
import type { OpenMachine } from "./open-machine.ts";
import { openMachine as openRealMachine } from "./machine-factory.ts";
import { addMetrics } from "./metrics.ts";
import { addMutate } from "./mutate.ts";
import { addProve } from "./prove.ts";
import { addReplay } from "./replay.ts";
import { addReport } from "./report.ts";
import { addRun } from "./run.ts";
import { addSoak } from "./soak.ts";
import { type LaneOpener, openLanes } from "./soak-lanes.ts";
import { addTrace } from "./trace.ts";
import { type OpenWorkload, openWorkload } from "./workload-machine.ts";

/** Runs one command; returns its exit code. What stands in the other parameters replaces the real ones in tests. */
export async function main(
  args: readonly string[],
  openMachine: OpenMachine = openRealMachine,
  explorer: Explorer = exploreInThread,
  laneOpener: LaneOpener = openLanes,
  workloadOpener: OpenWorkload = openWorkload,
): Promise<number> {
  leaveQuietlyWhenNobodyReads();
  let ending: CommandEnding = { kind: "done" };
  const program = createProgram(openMachine, explorer, laneOpener, workloadOpener, (reached) => {
    ending = reached;
  });
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    ending = endingOfError(error);
  }
  if ("message" in ending && ending.message !== "") process.stderr.write(`error: ${ending.message}\n`);
  return exitCodeOf(ending);
}

function createProgram(
  openMachine: OpenMachine,
  explorer: Explorer,
  laneOpener: LaneOpener,
  workloadOpener: OpenWorkload,
  end: (ending: CommandEnding) => void,
): Command {
  const program = new Command("hartbeat")
    .description("An SMP scheduler kernel for RISC-V: boot it, and prove it.")
    .version(packageVersion(), "-V, --version")
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(inOneLine(text)) });
  addProve(program, openMachine, end);
  addBoot(program, openMachine, end);
  addRun(program, workloadOpener, end);
  addExplore(program, explorer, end);
  addReplay(program, end);
  addSoak(program, laneOpener, end);
  addMutate(program, end);
  addReport(program, end);
  addTrace(program, end);
  addMetrics(program, end);
  addCompare(program, end);
  addDoctor(program, end);
  return program;
}

/** commander has already printed what was wrong with the arguments, so its errors carry no message here. */
function endingOfError(error: unknown): CommandEnding {
  if (error instanceof CommanderError) {
    return error.exitCode === 0 ? { kind: "done" } : { kind: "usage", message: "" };
  }
  if (process.env["HARTBEAT_DEBUG"] === "1") process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
  const fault = error instanceof Error ? inOneLine(error.message).trimEnd() : String(error);
  return { kind: "internal", message: `${fault} (a fault of hartbeat's own: HARTBEAT_DEBUG=1 shows where)` };
}

function inOneLine(text: string): string {
  return `${text.trimEnd().replaceAll(/\s*\n\s*/g, " ")}\n`;
}

function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8"));
  const version = typeof manifest === "object" && manifest !== null && "version" in manifest ? manifest.version : null;
  return typeof version === "string" ? version : "unknown";
}

/** `hartbeat … | head` is no fault: the reader has seen enough. */
function leaveQuietlyWhenNobodyReads(): void {
  if (process.stdout.listenerCount("error") > 0) return;
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
}
