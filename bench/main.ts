// Main: `npm run bench`: what the kernel and its exploration cost, in tables, beside their targets.
//
// Invariants: tables go to stdout, progress to stderr when it is a terminal; a missing tool is one clear line and exit
// code 3, a mistake in the arguments one line and 2, a figure that cannot be had one line and 1. A missed target is
// shown and fails nothing: the tables say how it is.
import { readFileSync, writeFileSync } from "node:fs";
import { Command, CommanderError, Option } from "commander";
import { measureBoot } from "./boot-time.ts";
import { measureChains } from "./chains.ts";
import { measureExploration } from "./exploration-rate.ts";
import { changesBetween, parseFigures } from "./figures.ts";
import { measureOperations, measureScaling } from "./kernel-operations.ts";
import { measureObservation } from "./observation-cost.ts";
import { type BenchSize, type GroupOutcome, renderSection } from "./result.ts";
import { measureSim } from "./sim-speed.ts";
import { measureSizes } from "./sizes.ts";

const GROUPS = {
  operations: measureOperations,
  scaling: measureScaling,
  chains: measureChains,
  observation: measureObservation,
  boot: measureBoot,
  sim: measureSim,
  exploration: measureExploration,
  sizes: measureSizes,
} as const satisfies Record<string, (size: BenchSize) => Promise<GroupOutcome>>;

type GroupName = keyof typeof GROUPS;

interface Flags {
  only?: GroupName;
  smallest?: true;
  json?: true;
  save?: string;
  compare?: string;
}

const FAILED = 1;
const USAGE = 2;
const MISSING = 3;

function parseFlags(args: readonly string[]): Flags {
  const names = Object.keys(GROUPS);
  const command = new Command("bench")
    .description("Counts what the kernel's operations cost, and how fast it is explored.")
    .addOption(new Option("--only <group>", "measure one group").choices(names))
    .option("--smallest", "measure everything once, to see that it works; the figures mean nothing")
    .option("--json", "figures by name, as JSON, in place of the tables")
    .option("--save <file>", "write the figures to a file as well")
    .option("--compare <file>", "say which figures differ from those of a saved file")
    .allowExcessArguments(false)
    .exitOverride();
  return command.parse(args, { from: "user" }).opts<Flags>();
}

export async function main(args: readonly string[]): Promise<number> {
  let flags: Flags;
  try {
    flags = parseFlags(args);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
    throw error;
  }
  const saved = flags.compare === undefined ? undefined : readFigures(flags.compare);
  if (typeof saved === "string") return report(saved, USAGE);

  const figures: Record<string, number> = {};
  for (const [name, measure] of Object.entries(GROUPS)) {
    if (flags.only !== undefined && name !== flags.only) continue;
    if (process.stderr.isTTY) process.stderr.write(`measuring ${name}\n`);
    const outcome = await measure(flags.smallest === true ? "smallest" : "whole");
    if (outcome.kind === "missing-tool") return report(outcome.message, MISSING);
    if (outcome.kind === "failed") return report(outcome.message, FAILED);
    Object.assign(figures, outcome.result.figures);
    if (flags.json !== true) for (const section of outcome.result.sections) console.log(renderSection(section));
  }
  if (flags.json === true) console.log(JSON.stringify({ version: 1, figures }, null, 2));
  if (saved !== undefined) for (const change of changesBetween(saved, figures)) console.log(change);
  if (flags.save !== undefined) {
    try {
      writeFileSync(flags.save, `${JSON.stringify({ version: 1, figures }, null, 2)}\n`);
    } catch (error) {
      return report(`${flags.save} cannot be written (${(error as NodeJS.ErrnoException).code})`, USAGE);
    }
  }
  return 0;
}

/** The figures of a saved file, or what is wrong with it, in one line. */
function readFigures(path: string): Record<string, number> | string {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    return `${path} cannot be read (${(error as NodeJS.ErrnoException).code}); make it with --save`;
  }
  return parseFigures(text) ?? `${path} holds no figures of this benchmark; make it with --save`;
}

function report(message: string, code: number): number {
  process.stderr.write(`error: ${message}\n`);
  return code;
}

process.exitCode = await main(process.argv.slice(2));
