// hartbeat boot: runs one machine and shows its console; nothing is judged but how it powered off.

import { type Command, Option } from "commander";
import { PowerOff } from "../abi/results.ts";
import type { MachineRun, RunOutcome } from "../machines/machine-run.ts";
import { parseHartCount } from "./argument.ts";
import type { CommandEnding } from "./exit-code.ts";
import { watchInterruption } from "./interruption.ts";
import { type OpenMachine, bootOrCrash } from "./open-machine.ts";
import { FIRST_SEED, type MachineFlags, SMP_RANGE, addMachineFlags, conflictOf, specOf } from "./machine-options.ts";
import { addProgramFlags, conflictOfPrograms, type ProgramRequest } from "./program-request.ts";

interface BootFlags extends MachineFlags {
  readonly smp: number;
}

export function addBoot(program: Command, openMachine: OpenMachine, end: (ending: CommandEnding) => void): void {
  const command = program
    .command("boot")
    .description("boot, and show the console as it is")
    .addOption(new Option("--smp <harts>", `number of harts, ${SMP_RANGE}`).argParser(parseHartCount).default(2));
  const requests = addProgramFlags(command);
  addMachineFlags(command, null).action(async (flags: BootFlags) => end(await boot(flags, requests, openMachine)));
}

async function boot(
  flags: BootFlags,
  requests: readonly ProgramRequest[],
  openMachine: OpenMachine,
): Promise<CommandEnding> {
  const conflict = conflictOf(flags) ?? conflictOfPrograms(requests, flags.smp);
  if (conflict !== null) return { kind: "usage", message: conflict };
  if (requests.length > 0 && flags.elf !== undefined)
    return { kind: "usage", message: "--program makes an image of its own; give it or --elf" };
  const opening = await openMachine(flags.machine, flags.elf, requests);
  if (opening.kind !== "open") return opening;

  const interruption = watchInterruption();
  const run = bootOrCrash(opening.start, specOf(flags, flags.smp, flags.seed ?? FIRST_SEED));
  let timedOut = false;
  const onTimeout = (): void => {
    timedOut = true;
    run.stop();
  };
  const timer = flags.timeout === undefined ? undefined : setTimeout(onTimeout, flags.timeout);
  interruption.signal.addEventListener("abort", () => run.stop());
  try {
    await show(run);
    const outcome = await run.outcome;
    if (interruption.signal.aborted) return { kind: "interrupted" };
    const complaint = timedOut ? "the time-out came before the power-off" : complaintOf(outcome);
    if (complaint === null) return { kind: "done" };
    process.stderr.write(`${complaint}\n`);
    return { kind: "red" };
  } finally {
    run.stop();
    clearTimeout(timer);
    interruption.release();
  }
}

async function show(run: MachineRun): Promise<void> {
  for await (const line of run.lines) process.stdout.write(`${line}\n`);
}

function complaintOf(outcome: RunOutcome): string | null {
  switch (outcome.kind) {
    case "powered-off":
      if (outcome.result === PowerOff.Passed) return null;
      return `the machine powered off as ${PowerOff[outcome.result]?.toLowerCase() ?? outcome.result}`;
    case "stopped":
      return "the machine was stopped";
    case "deadlocked":
      return `deadlock: ${outcome.reason}`;
    case "hung":
      return `the machine hung: ${outcome.reason}`;
    case "crashed":
      return `the machine failed: ${outcome.reason}`;
    default:
      return outcome satisfies never;
  }
}
