// hartbeat prove: runs machines through the gate. Parses, plans the runs, informs the reporters.

import { type Command, Option } from "commander";
import { type PlannedRun, proveAll } from "../proof/run-list.ts";
import type { RunName } from "../proof/proof-event.ts";
import { parseCount, parseHartCounts } from "./argument.ts";
import { type CommandEnding, endingOfSummary } from "./exit-code.ts";
import { watchInterruption } from "./interruption.ts";
import { findHarness } from "./kernel-parts.ts";
import { type MachineInterface, type OpenMachine, bootOrCrash } from "./open-machine.ts";
import {
  FIRST_SEED,
  type MachineFlags,
  SMP_RANGE,
  type MachineSpec,
  addMachineFlags,
  conflictOf,
  flagsOf,
  specOf,
} from "./machine-options.ts";
import { type ReporterChoice, openReporters, parseReporters } from "./reporter-choice.ts";
import { keepRun, sessionFolder, sessionId } from "./run-folder.ts";
import { coverageFor } from "./clause-coverage.ts";

interface ProveFlags extends MachineFlags {
  readonly smp: number[];
  readonly seeds?: number;
  readonly boots: number;
  readonly untilMarker?: true;
  readonly requireSmp?: true;
  readonly reporter: ReporterChoice[];
  readonly timeout: number;
}

const TIMEOUT = "90s";

/** How the kernel's BOOT line calls the ways of an IPI. */
const BOOT_NAMES = { firmware: "firmware", sswi: "aclint-sswi" } as const;

export function addProve(program: Command, openMachine: OpenMachine, end: (ending: CommandEnding) => void): void {
  const command = program
    .command("prove")
    .description("boot, and check every marker and the evidence behind it")
    .addOption(
      new Option("--smp <harts>", `numbers of harts, ${SMP_RANGE} each: 2 or 1,2,4`)
        .argParser(parseHartCounts)
        .default([2], "2"),
    );
  addMachineFlags(command, TIMEOUT)
    .addOption(new Option("--seeds <count>", "sim: as many seeds in a row, from --seed on").argParser(parseCount))
    .addOption(
      new Option("--boots <count>", "boot each run so often; where a run repeats exactly, the consoles must agree")
        .argParser(parseCount)
        .default(1),
    )
    .option("--until-marker", "end a run at its last marker instead of at power-off")
    .option("--require-smp", "refuse to run on one hart (also: REQUIRE_SMP=1 in the environment)")
    .addOption(
      new Option("--reporter <list>", "list, json, junit, by comma; name=file writes to a file")
        .argParser(parseReporters)
        .default(parseReporters("list"), "list"),
    )
    .option("--json", "the same as --reporter json")
    .action(async (flags: ProveFlags & { readonly json?: true }) => {
      const reporter = flags.json === true ? parseReporters("json") : flags.reporter;
      end(await prove({ ...flags, reporter }, openMachine));
    });
}

async function prove(flags: ProveFlags, openMachine: OpenMachine): Promise<CommandEnding> {
  const conflict = conflictOf(flags) ?? proveConflict(flags);
  if (conflict !== null) return { kind: "usage", message: conflict };
  const opening = await openMachine(flags.machine, flags.elf);
  if (opening.kind !== "open") return opening;

  const session = sessionId(new Date());
  const interruption = watchInterruption();
  try {
    const summary = await proveAll(plan(flags, opening.start), {
      untilMarker: flags.untilMarker === true,
      timeoutMilliseconds: flags.timeout,
      signal: interruption.signal,
      emit: openReporters(flags.reporter, sessionFolder(session)),
      keep: (name, report) => keepRun(session, name, report),
      cover: async () => (opening.kernel === null ? null : coverageFor(opening.kernel, findHarness)),
    });
    return interruption.signal.aborted ? { kind: "interrupted" } : endingOfSummary(summary);
  } finally {
    interruption.release();
  }
}

function proveConflict(flags: ProveFlags): string | null {
  if (flags.machine === "virt" && flags.seeds !== undefined) {
    return "--seeds belongs to --machine sim; on virt, --boots runs the same machine several times";
  }
  const required = flags.requireSmp === true || process.env["REQUIRE_SMP"] === "1";
  if (required && flags.smp.some((harts) => harts < 2)) {
    return "SMP is required (REQUIRE_SMP=1 or --require-smp), so --smp must be at least 2, not 1";
  }
  return null;
}

/** Every run, machine sizes outermost. */
function plan(flags: ProveFlags, start: MachineInterface): PlannedRun[] {
  const firstSeed = flags.seed ?? FIRST_SEED;
  const runs: PlannedRun[] = [];
  for (const harts of flags.smp) {
    for (let seed = firstSeed; seed < firstSeed + (flags.seeds ?? 1); seed += 1) {
      const spec = specOf(flags, harts, seed);
      for (let boot = 1; boot <= flags.boots; boot += 1) runs.push(planRun(flags, spec, boot, start));
    }
  }
  return runs;
}

function planRun(flags: ProveFlags, spec: MachineSpec, boot: number, start: MachineInterface): PlannedRun {
  const replay = [
    `npx hartbeat prove ${flagsOf(spec)}`,
    ...(flags.elf === undefined ? [] : [`--elf ${flags.elf}`]),
    // The second boot fails by comparison with the first, so it takes both to see it again.
    ...(boot > 1 && repeats(spec) ? ["--boots 2"] : []),
    ...(flags.untilMarker === true ? ["--until-marker"] : []),
  ];
  const name: RunName = {
    machine: spec.kind,
    harts: spec.harts,
    seed: spec.kind === "sim" ? spec.seed : null,
    boot,
    replay: replay.join(" "),
  };
  const sameAs = flags.boots > 1 && repeats(spec) ? flagsOf(spec) : null;
  return { name, sameAs, ipi: BOOT_NAMES[spec.ipi], boot: () => bootOrCrash(start, spec) };
}

/** Whether the machine gives the same console each time. */
function repeats(spec: MachineSpec): boolean {
  return spec.kind === "sim" || spec.icount;
}
