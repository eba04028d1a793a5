// hartbeat compare: two runs, or two groups of runs, side by side, and whether a change is more than noise.

import { type Command, Option } from "commander";
import { compareMetrics } from "../trace/compare/compare-metrics.ts";
import { formatComparison } from "../trace/compare/comparison-table.ts";
import { parseSeed } from "./argument.ts";
import type { CommandEnding } from "./exit-code.ts";
import { readRuns } from "./trace-input.ts";

interface CompareFlags {
  readonly tasks?: true;
  readonly all?: true;
  readonly json?: true;
  readonly seed: number;
}

const MORE = `
A and B are each a trace, what \`metrics --json\` printed, several of these with commas between, or a folder of them.
With two runs and more a side each row is tested: Mann-Whitney U, two-sided, p-values corrected by Benjamini and Hochberg
over all rows; "more" is more than noise, at a false discovery rate of 5 %. Intervals of medians are between order statistics, those of changes bootstrap.

Exit codes: 0 compared, 2 usage.`;

export function addCompare(program: Command, end: (ending: CommandEnding) => void): void {
  program
    .command("compare")
    .description("two traces or groups of runs side by side, and whether a change is more than noise")
    .argument("<a>", "before")
    .argument("<b>", "after")
    .option("--tasks", "task by task as well; more rows ask for more runs")
    .option("--all", "show rows that are equal too")
    .option("--json", "one versioned object")
    .addOption(new Option("--seed <number>", "of the bootstrap").argParser(parseSeed).default(1))
    .addHelpText("after", MORE)
    .action((a: string, b: string, flags: CompareFlags) => end(compare(a, b, flags)));
}

function compare(pathsA: string, pathsB: string, flags: CompareFlags): CommandEnding {
  const a = readRuns(pathsA);
  if (a.kind === "usage") return a;
  const b = readRuns(pathsB);
  if (b.kind === "usage") return b;
  const scopes = flags.tasks ? (["run", "class", "hart", "task"] as const) : (["run", "class", "hart"] as const);
  const comparison = compareMetrics(a.runs, b.runs, { scopes, seed: flags.seed });
  process.stdout.write(
    flags.json ? `${JSON.stringify(comparison)}\n` : formatComparison(comparison, flags.all === undefined),
  );
  return { kind: "done" };
}
