// hartbeat soak: the same machine again and again, seeds or boots, until so many have been run.
//
// Parses, hands chunks to lanes, keeps what is known after each. The same command goes on where it stopped.
// Partners: soak-lanes.ts runs, soak-state.ts keeps, soak-report.ts prints.

import { availableParallelism } from "node:os";
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Command, Option } from "commander";
import type { Chunk, SoakSetup, SoakPrograms } from "../proof/soak/soak-setup.ts";
import { SOAK_PROGRAMS } from "../proof/soak/soak-setup.ts";
import { parseCount, parseDuration, parseHartCount, parseSeed } from "./argument.ts";
import type { CommandEnding } from "./exit-code.ts";
import { watchInterruption } from "./interruption.ts";
import { FIRST_SEED, type IpiChoice, type MachineKind, SMP_RANGE } from "./machine-options.ts";
import type { LaneOpener, OpenLanes } from "./soak-lanes.ts";
import { replayCommand, replayRun } from "./soak-replay.ts";
import { SoakReport } from "./soak-report.ts";
import { dropState, loadState, nextChunk, saveState, soakFolder, type SoakState, withResult } from "./soak-state.ts";

export interface SoakFlags {
  readonly machine: MachineKind;
  readonly smp: number;
  readonly seeds?: number;
  readonly seed?: number;
  readonly boots?: number;
  readonly ipi: IpiChoice;
  readonly programs: SoakPrograms;
  readonly faults?: true;
  readonly workers?: number;
  readonly timeout: number;
  readonly elf?: string;
  readonly replay?: number;
  readonly fresh?: true;
  readonly json?: true;
}

/** Which numbers were asked for: [from, to). */
export type Asked = Chunk;

export function addSoak(program: Command, openLanes: LaneOpener, end: (ending: CommandEnding) => void): void {
  program
    .command("soak")
    .description("run many seeds or boots, keep a tally and every failure; the same command goes on where it stopped")
    .addOption(new Option("--machine <machine>", "where to run").choices(["sim", "virt"]).default("sim"))
    .addOption(new Option("--smp <harts>", `number of harts, ${SMP_RANGE}`).argParser(parseHartCount).default(2))
    .addOption(new Option("--seeds <count>", "sim: as many seeds in a row, from --seed on").argParser(parseCount))
    .addOption(new Option("--seed <seed>", `sim: the first seed (default: ${FIRST_SEED})`).argParser(parseSeed))
    .addOption(new Option("--boots <count>", "virt: as many boots").argParser(parseCount))
    .addOption(new Option("--ipi <path>", "how an IPI travels").choices(["firmware", "sswi"]).default("firmware"))
    .addOption(
      new Option("--programs <set>", "user tasks: the default set, random system calls, or (virt) random bytes")
        .choices(SOAK_PROGRAMS)
        .default("default"),
    )
    .option("--faults", "sim: give each run the faults that follow from its seed")
    .addOption(
      new Option("--workers <count>", "runs at a time (default: sim: all cores, virt: 1)").argParser(parseCount),
    )
    .addOption(
      new Option("--timeout <time>", "virt: a boot that takes longer is red")
        .argParser(parseDuration)
        .default(parseDuration("90s"), "90s"),
    )
    .option("--elf <file>", "virt: boot this image as it is")
    .addOption(new Option("--replay <number>", "run one seed or boot again and show its console").argParser(parseSeed))
    .option("--fresh", "forget what is known of this soak and begin again")
    .option("--json", "the result as one JSON object")
    .action(async (flags: SoakFlags) => end(await soak(flags, openLanes)));
}

async function soak(flags: SoakFlags, openLanes: LaneOpener): Promise<CommandEnding> {
  const conflict = conflictOf(flags);
  if (conflict !== null) return { kind: "usage", message: conflict };
  const setup: SoakSetup = {
    machine: flags.machine,
    harts: flags.smp,
    ipi: flags.ipi,
    programs: flags.programs,
    faults: flags.faults === true,
  };
  if (flags.replay !== undefined) return replayRun(setup, flags.replay, flags);
  const interruption = watchInterruption();
  try {
    const opening = await openLanes(setup, laneOptions(flags), interruption.signal);
    if (opening.kind !== "open") return opening;
    try {
      return await runAll(setup, flags, opening, interruption.signal);
    } finally {
      await opening.close();
    }
  } finally {
    interruption.release();
  }
}

function laneOptions(flags: SoakFlags) {
  return {
    workers: flags.workers ?? (flags.machine === "sim" ? availableParallelism() : 1),
    timeoutMilliseconds: flags.timeout,
    ...(flags.elf === undefined ? {} : { elf: flags.elf }),
  };
}

async function runAll(
  setup: SoakSetup,
  flags: SoakFlags,
  { lanes, images, elf, chunkRuns }: OpenLanes,
  signal: AbortSignal,
): Promise<CommandEnding> {
  if (flags.fresh === true) dropState(setup, images);
  const asked = askedOf(flags);
  const folder = soakFolder(setup, images);
  const kept = elf === null ? null : keepImage(elf, folder);
  let state: SoakState = loadState(setup, images);
  const report = new SoakReport(state, asked, { json: flags.json === true, kept });
  const handedOut: Chunk[] = [];

  const work = async (lane: (typeof lanes)[number]): Promise<void> => {
    while (!signal.aborted) {
      const chunk = nextChunk([...state.done, ...handedOut], asked.from, asked.to, chunkRuns);
      if (chunk === undefined) return;
      handedOut.push(chunk);
      const result = await lane(chunk);
      handedOut.splice(handedOut.indexOf(chunk), 1);
      state = withResult(state, result, (number) => replayCommand(setup, number, kept));
      saveState(state);
      report.progress(state);
    }
  };
  await Promise.all(lanes.map(work));
  report.end(state);
  if (signal.aborted) return { kind: "interrupted" };
  return state.tally.failed > 0 ? { kind: "red" } : { kind: "done" };
}

function askedOf(flags: SoakFlags): Asked {
  const from = flags.machine === "sim" ? (flags.seed ?? FIRST_SEED) : 1;
  return { from, to: from + ((flags.machine === "sim" ? flags.seeds : flags.boots) ?? 0) };
}

/** The image beside its failures, so that a failure can be booted when the sources have moved on. */
function keepImage(elf: string, folder: string): string {
  const copy = join(folder, "hartbeat.elf");
  mkdirSync(folder, { recursive: true });
  if (elf !== copy) copyFileSync(elf, copy);
  return copy;
}

function conflictOf(flags: SoakFlags): string | null {
  if (flags.machine === "sim") {
    if (flags.boots !== undefined) return "--boots belongs to --machine virt; on sim, a run is a seed: give --seeds";
    if (flags.elf !== undefined) return "--elf belongs to --machine virt";
    if (flags.programs === "bytes") return "--programs bytes belongs to --machine virt: sim runs no machine code";
    if (flags.seeds === undefined && flags.replay === undefined) return "give how many: --seeds <count>";
    return null;
  }
  if (flags.seeds !== undefined) return "--seeds belongs to --machine sim; on virt, a run is a boot: give --boots";
  if (flags.seed !== undefined) return "--seed belongs to --machine sim";
  if (flags.faults === true) return "--faults belongs to --machine sim: QEMU's board has none to give";
  if (flags.boots === undefined && flags.replay === undefined) return "give how many: --boots <count>";
  return null;
}
