// hartbeat boot: runs one machine and shows its console; nothing is judged but how it powered off.

import { type Command, Option } from "commander";
import { PowerOff } from "../abi/results.ts";
import { parseHartCount } from "./argument.ts";
import type { CommandEnding } from "./exit-code.ts";
import { complaintOfEnd, followRun, type RunEnd } from "./followed-run.ts";
import { type OpenMachine, bootOrCrash } from "./open-machine.ts";
import { FIRST_SEED, type MachineFlags, SMP_RANGE, addMachineFlags, conflictOf, specOf } from "./machine-options.ts";
import { openTrace } from "./trace-output.ts";
import { addProgramFlags, conflictOfPrograms, type ProgramRequest } from "./program-request.ts";

interface BootFlags extends MachineFlags {
  readonly smp: number;
  readonly trace?: string;
}

export function addBoot(program: Command, openMachine: OpenMachine, end: (ending: CommandEnding) => void): void {
  const command = program
    .command("boot")
    .description("boot, and show the console as it is")
    .addOption(new Option("--smp <harts>", `number of harts, ${SMP_RANGE}`).argParser(parseHartCount).default(2))
    .option("--trace <file>", "write what happened on every hart to this file, as JSON Lines (docs/running.md)");
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

  const output = flags.trace === undefined ? null : openTrace(flags.trace);
  if (output?.kind === "usage") return output;
  const spec = { ...specOf(flags, flags.smp, flags.seed ?? FIRST_SEED), observe: output !== null };
  const run = bootOrCrash(opening.start, spec);
  try {
    const { outcome, isInterrupted } = await followRun(run, flags.timeout, (line) => {
      process.stdout.write(`${line}\n`);
      output?.take(line);
    });
    const isWhole = output === null || output.finish(run, spec, opening);
    if (isInterrupted) return { kind: "interrupted" };
    const complaint = complaintOf(outcome);
    if (complaint !== null) process.stderr.write(`${complaint}\n`);
    return complaint === null && isWhole ? { kind: "done" } : { kind: "red" };
  } finally {
    output?.drop();
  }
}

function complaintOf(outcome: RunEnd["outcome"]): string | null {
  if (outcome === "timed-out") return "the time-out came before the power-off";
  if (outcome.kind !== "powered-off") return complaintOfEnd(outcome);
  if (outcome.result === PowerOff.Passed) return null;
  return `the machine powered off as ${PowerOff[outcome.result]?.toLowerCase() ?? outcome.result}`;
}
