// hartbeat mutate: small changes of the kernel that boots, one at a time, each of which some check has to find.
//
// Parses, chooses, calls, prints. Partners: verify/mutants does the work; docs/mutation.md has the method.

import { availableParallelism } from "node:os";
import { join } from "node:path";
import { type Command, Option } from "commander";
import { packageRoot } from "../toolchain/package-root.ts";
import type { Mutant } from "../verify/mutants/mutant.ts";
import type { ShippedOutcome } from "../verify/mutants/shipped.ts";
import type { Tried } from "../verify/mutants/mutant-table.ts";
import type { TrialOutcome } from "../verify/mutants/mutant-trial.ts";
import { parseCount, parseSeed } from "./argument.ts";
import { writeWhole } from "./output-file.ts";
import type { CommandEnding } from "./exit-code.ts";
import { type Interruption, watchInterruption } from "./interruption.ts";
import { COVERAGE_FORMAT } from "./report-sources.ts";

interface MutateFlags {
  readonly files: string[];
  readonly kinds: string[];
  readonly mutant?: string;
  readonly sample?: number;
  readonly seed: number;
  readonly jobs: number;
  readonly until: "unit" | "explored" | "paused" | "sim";
  readonly grain: "source" | "copy";
  readonly list?: true;
  readonly coverage?: true;
  readonly layer: "kernel" | "virt";
  readonly fresh?: true;
  readonly json?: true;
}

const JOBS_DEFAULT = 2;
const TIER = "fast";

export function addMutate(program: Command, end: (ending: CommandEnding) => void): void {
  program
    .command("mutate")
    .description("change the kernel in one place at a time, and show that some check finds each change")
    .addOption(
      new Option("--files <names>", "only of these files of kernel/, by comma").argParser(byComma).default([], "all"),
    )
    .addOption(new Option("--kinds <names>", "only of these kinds, by comma").argParser(byComma).default([], "all"))
    .option("--mutant <id>", "only this one, and how it came out")
    .addOption(new Option("--sample <count>", "as many, chosen by --seed").argParser(parseCount))
    .addOption(new Option("--seed <seed>", "which sample").argParser(parseSeed).default(1))
    .addOption(
      new Option("--jobs <count>", "mutants at a time")
        .argParser(parseCount)
        .default(Math.min(JOBS_DEFAULT, availableParallelism())),
    )
    .addOption(
      new Option("--until <stage>", "leave dearer checks out")
        .choices(["unit", "explored", "paused", "sim"])
        .default("sim"),
    )
    .addOption(
      new Option("--grain <grain>", "change a source place wherever it was inlined, or one copy of it")
        .choices(["source", "copy"])
        .default("source"),
    )
    .addOption(new Option("--layer <layer>", "what is changed").choices(["kernel", "virt"]).default("kernel"))
    .option("--list", "print the mutants and try none")
    .option("--coverage", "print which lines the checks reach, and try no mutant")
    .option("--fresh", "forget the results that are kept")
    .option("--json", "print one object a mutant")
    .action(async (flags: MutateFlags) => end(await mutate(flags)));
}

function byComma(text: string): string[] {
  return text.split(",").filter((name) => name !== "");
}

async function mutate(flags: MutateFlags): Promise<CommandEnding> {
  if (flags.layer === "virt") return (await import("./mutate-virt.ts")).mutateVirt(flags);
  const { shippedArtifact } = await import("../verify/mutants/shipped.ts");
  const shipped = await shippedArtifact();
  if (shipped.kind === "refused") return { kind: "usage", message: shipped.lines.join("; ") };
  const { catalogueOf, choose } = await import("../verify/mutants/catalogue.ts");
  const catalogue = catalogueOf(shipped.artifact, flags.grain);
  if (flags.coverage === true) return printCoverage(shipped, flags);
  const chosen = choose(catalogue, { files: flags.files, kinds: flags.kinds, sample: flags.sample, seed: flags.seed });
  if (chosen.kind === "unknown") return { kind: "usage", message: chosen.message };
  const mutants = flags.mutant === undefined ? chosen.mutants : catalogue.filter(({ id }) => id === flags.mutant);
  if (mutants.length === 0) return { kind: "nothing-selected", message: "no mutant is selected; see mutate --list" };
  if (flags.list === true) {
    for (const mutant of mutants) process.stdout.write(`${await line(mutant, flags)}\n`);
    return { kind: "done" };
  }
  return runAll(shipped, catalogue, mutants, flags);
}

type Shipped = Extract<ShippedOutcome, { kind: "ready" }>;

async function line(mutant: Mutant, { json }: MutateFlags, outcome?: TrialOutcome): Promise<string> {
  const { describeMutant, functionsOf } = await import("../verify/mutants/mutant.ts");
  const { id, file, line: number, kind, change, text } = mutant;
  const functions = functionsOf(mutant);
  if (json === true)
    return JSON.stringify({ version: 2, id, file, line: number, functions, kind, change, text, outcome });
  return `${id}: ${describeMutant(mutant)}`;
}

async function printCoverage(shipped: Shipped, flags: MutateFlags): Promise<CommandEnding> {
  const { coverageOf, readUncovered, renderCoverage, uncoveredLines } = await import("../verify/mutants/coverage.ts");
  const coverage = coverageOf(shipped.artifact, await baselineOf(shipped, flags));
  const { lines, stale } = uncoveredLines(shipped.artifact, coverage, await readUncovered());
  process.stdout.write(`${renderCoverage(coverage)}\n`);
  keepCoverage(shipped, coverage);
  const open = lines.filter(({ reason }) => reason === undefined);
  for (const { file, line: number, text, reason } of lines)
    process.stdout.write(`${file}:${number}: ${reason === undefined ? "NOT EXPLAINED" : reason}: ${text}\n`);
  for (const complaint of stale) process.stderr.write(`${complaint}\n`);
  process.stdout.write(`${lines.length} lines that no check reaches, ${open.length} of them not explained\n`);
  return open.length > 0 || stale.length > 0 ? { kind: "red" } : { kind: "done" };
}

/** For `hartbeat report`. */
function keepCoverage({ hash }: Shipped, files: readonly object[]): void {
  const kept = { format: COVERAGE_FORMAT, version: 1, kernel: hash, files };
  writeWhole(join(".hartbeat", "coverage.json"), `${JSON.stringify(kept)}\n`);
}

async function baselineOf(shipped: Shipped, { until }: MutateFlags) {
  const { baselineFor } = await import("../verify/mutants/shipped.ts");
  const progress = drawer();
  const options = {
    tier: TIER,
    until,
    onCheck: (name: string, done: number, of: number) => progress.draw(`${done} of ${of} checks unmutated  ${name}`),
  } as const;
  try {
    return await baselineFor(shipped, options);
  } finally {
    progress.clear();
  }
}

async function runAll(
  shipped: Shipped,
  catalogue: readonly Mutant[],
  mutants: readonly Mutant[],
  flags: MutateFlags,
): Promise<CommandEnding> {
  const interruption = watchInterruption();
  try {
    const tried = await tryAll(shipped, mutants, flags, interruption);
    if (flags.mutant !== undefined)
      for (const { outcome } of tried) process.stdout.write(`${JSON.stringify(outcome)}\n`);
    const ending = await report(catalogue, tried, flags);
    if (interruption.signal.aborted) return { kind: "interrupted" };
    return ending;
  } finally {
    interruption.release();
  }
}

async function tryAll(
  shipped: Shipped,
  mutants: readonly Mutant[],
  flags: MutateFlags,
  { signal }: Interruption,
): Promise<readonly Tried[]> {
  const { Results } = await import("../verify/mutants/mutant-results.ts");
  const { runMutants } = await import("../verify/mutants/mutation-run.ts");
  const { resultsKey } = await import("../verify/mutants/shipped.ts");
  const baseline = await baselineOf(shipped, flags);
  const path = join(packageRoot, ".hartbeat", "mutants", "results.ndjson");
  const results = new Results(path, await resultsKey(shipped, TIER), flags.until);
  if (flags.fresh === true) results.clear();
  const left = mutants.filter(({ id }) => results.outcomeOf(id) === undefined);
  const progress = drawer();
  const known = new Map<Mutant, TrialOutcome>();
  const { artifact, surroundings } = shipped;
  const { wasm, sourceMap } = artifact;
  const options = { tier: TIER, until: flags.until } as const;
  const print = async (mutant: Mutant, outcome: TrialOutcome): Promise<void> => {
    if (flags.json === true) process.stdout.write(`${await line(mutant, flags, outcome)}\n`);
  };
  await runMutants(
    left,
    { wasm, sourceMap, root: packageRoot, surroundings, baseline, options },
    {
      jobs: flags.jobs,
      signal,
      onResult: (mutant, outcome) => {
        results.keep(mutant.id, outcome);
        known.set(mutant, outcome);
        progress.draw(`${known.size} of ${left.length}  ${outcome.kind}  ${mutant.id}`);
      },
    },
  );
  progress.clear();
  const tried: Tried[] = [];
  for (const mutant of mutants) {
    const outcome = results.outcomeOf(mutant.id);
    if (outcome === undefined) continue;
    tried.push({ mutant, outcome });
    await print(mutant, outcome);
  }
  return tried;
}

async function report(
  catalogue: readonly Mutant[],
  tried: readonly Tried[],
  flags: MutateFlags,
): Promise<CommandEnding> {
  const { renderTable, tally } = await import("../verify/mutants/mutant-table.ts");
  const { readSurvivors, staleEntries, unusedEntries } = await import("../verify/mutants/survivors.ts");
  const { describeMutant } = await import("../verify/mutants/mutant.ts");
  const explanations = await readSurvivors();
  const outcomes = new Map(tried.map(({ mutant, outcome }) => [mutant.id, outcome]));
  const wrong = [
    ...staleEntries(explanations, catalogue),
    ...unusedEntries(explanations, catalogue, ({ id }) => outcomes.get(id)),
  ];
  const { rows, unexplained, isGoalReached, verdicts } = tally(tried, explanations);
  if (flags.json !== true) {
    for (const { mutant, outcome } of unexplained) {
      const why = outcome.kind === "undecided" ? `no verdict (${outcome.reason})` : "survived";
      process.stdout.write(`${why}: ${mutant.id}: ${describeMutant(mutant)}\n`);
    }
    process.stdout.write(`${renderTable(rows)}\n`);
    for (const verdict of verdicts) process.stdout.write(`${verdict}\n`);
  }
  for (const complaint of wrong) process.stderr.write(`${complaint}\n`);
  return isGoalReached && wrong.length === 0 ? { kind: "done" } : { kind: "red" };
}

const CLEAR_LINE = "\r\u001b[K";
const COLUMNS_WHERE_UNKNOWN = 80;

/** One line on a terminal's stderr; elsewhere nothing. */
function drawer(stream = process.stderr): { draw(text: string): void; clear(): void } {
  if (!stream.isTTY) return { draw: () => undefined, clear: () => undefined };
  return {
    draw: (text) => stream.write(`${CLEAR_LINE}${text.slice(0, (stream.columns ?? COLUMNS_WHERE_UNKNOWN) - 1)}`),
    clear: () => stream.write(CLEAR_LINE),
  };
}
