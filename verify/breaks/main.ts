// Main: `node dist/verify/breaks/main.js [clause…]`: every break must turn its clause red. The clause `museum`
// stands for the bugs that other kernels had; without arguments they are tried too.
//
// First the checks of each clause run on an unbroken copy and must pass. One line a trial on stdout; exit code 0 when
// all are red, 1 when one stays green or does not fit the sources, 2 for a clause that there is not.
// Partners: trial.ts, table.ts.

import { readFile } from "node:fs/promises";
import { buildArtifacts } from "../../toolchain/build.ts";
import type { BreakResult } from "../../proof/report/report.ts";
import { keepBreaks } from "./breaks-file.ts";
import { type Counterfactual, COUNTERFACTUALS } from "./table.ts";
import { MUSEUM } from "./museum.ts";
import { tryRealBug } from "./museum-trial.ts";
import { type TrialOutcome, tryCounterfactual, tryUnbroken } from "./trial.ts";

const ALL_RED = 0;
const NOT_ALL_RED = 1;
const USAGE = 2;
const MUSEUM_NAME = "museum";

process.exitCode = await main(process.argv.slice(2));

async function main(names: readonly string[]): Promise<number> {
  const known = [...new Set(COUNTERFACTUALS.map(({ clause }) => clause))];
  const stranger = names.find((name) => name !== MUSEUM_NAME && !known.some((clause) => clause === name));
  if (stranger !== undefined) {
    process.stderr.write(
      `counterfactuals: no clause "${stranger}": give some of ${known.join(" ")} ${MUSEUM_NAME}, or none for all\n`,
    );
    return USAGE;
  }
  const clauses = known.filter((clause) => names.length === 0 || names.includes(clause));
  let failed = 0;
  const tried: BreakResult[] = [];
  for (const clause of clauses) {
    const unbroken = await tryUnbroken(clause);
    if (unbroken.kind !== "green" && unbroken.kind !== "skipped") {
      failed += 1;
      print(clause, "unbroken", unbroken);
    }
    for (const one of COUNTERFACTUALS.filter((each) => each.clause === clause)) failed += await trial(one, tried);
  }
  const built = await buildArtifacts();
  if (built.kind === "built") keepBreaks(await readFile(built.artifacts.kernel), tried);
  const count = COUNTERFACTUALS.filter(({ clause }) => clauses.includes(clause)).length;
  process.stdout.write(`${count} counterfactuals of ${clauses.length} clauses, ${failed} not red\n`);
  if (names.length === 0 || names.includes(MUSEUM_NAME)) failed += await museum();
  return failed === 0 ? ALL_RED : NOT_ALL_RED;
}

/** How many of the real bugs are not red. */
async function museum(): Promise<number> {
  let failed = 0;
  for (const bug of MUSEUM) {
    const outcome = await tryRealBug(bug);
    print(`${bug.source}:`, bug.title, outcome);
    if (outcome.kind !== "red" && outcome.kind !== "skipped") failed += 1;
  }
  process.stdout.write(`${MUSEUM.length} bugs of other kernels, ${failed} not red\n`);
  return failed;
}

/** 1 when it counts as a failure. */
async function trial(one: Counterfactual, tried: BreakResult[]): Promise<number> {
  const outcome = await tryCounterfactual(one);
  const by = outcome.kind === "red" ? outcome.check : null;
  tried.push({ clause: one.clause, title: one.title, outcome: outcome.kind, by });
  print(one.clause, one.title, outcome);
  return outcome.kind === "red" || outcome.kind === "skipped" ? 0 : 1;
}

function print(clause: string, title: string, outcome: TrialOutcome): void {
  process.stdout.write(`${clause} ${title}: ${words(outcome)}\n`);
}

function words(outcome: TrialOutcome): string {
  switch (outcome.kind) {
    case "red":
      return `red (${outcome.check}: ${outcome.reason})`;
    case "green":
      return "GREEN: no check of the clause finds it";
    case "refused":
      return `REFUSED: ${outcome.reason}`;
    case "skipped":
      return `skipped: ${outcome.reason}`;
    default:
      return outcome satisfies never;
  }
}
