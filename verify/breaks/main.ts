// Main: `node dist/verify/breaks/main.js [clause… | museum]`: every break must be found by the scenarios that plant it
// or by the checks of its clauses. `museum` stands for the bugs that other kernels had; without arguments all are tried.
//
// First the checks of each clause run on an unbroken copy and must pass. One line a trial on stdout; exit code 0 when
// all are red, 1 when one stays green or does not fit the sources, 2 for a clause that there is not.
// Pairs with: trial.ts, table.ts.

import { readFile } from "node:fs/promises";
import { buildArtifacts } from "../../toolchain/build.ts";
import type { BreakResult } from "../../proof/report/report-data.ts";
import { CLAUSE_IDS } from "../clause-id.ts";
import type { Break } from "./break.ts";
import { keepBreaks } from "./breaks-file.ts";
import { plantsOf } from "./plants.ts";
import { BREAKS } from "./table.ts";
import { type TrialOutcome, tryBreak, tryUnbroken } from "./trial.ts";

const ALL_RED = 0;
const NOT_ALL_RED = 1;
const USAGE = 2;
const MUSEUM_NAME = "museum";

process.exitCode = await main(process.argv.slice(2));

async function main(names: readonly string[]): Promise<number> {
  const known = CLAUSE_IDS.filter((id) => BREAKS.some(({ clauses }) => clauses.includes(id)));
  const stranger = names.find((name) => name !== MUSEUM_NAME && !known.some((clause) => clause === name));
  if (stranger !== undefined) {
    process.stderr.write(
      `counterfactuals: no clause "${stranger}": give some of ${known.join(" ")} ${MUSEUM_NAME}, or none for all\n`,
    );
    return USAGE;
  }
  const isAsked = ({ clauses, source }: Break): boolean =>
    names.length === 0 ||
    clauses.some((clause) => names.includes(clause)) ||
    (source !== undefined && names.includes(MUSEUM_NAME));
  const asked = BREAKS.filter((one) => isAsked(one));
  const checked = asked.filter((one) => plantsOf(one).length === 0);
  let failed = 0;
  for (const clause of known.filter((id) => checked.some(({ clauses }) => clauses.includes(id)))) {
    const unbroken = await tryUnbroken(clause);
    if (unbroken.kind === "green" || unbroken.kind === "skipped") continue;
    failed += 1;
    print(`${clause} unbroken`, unbroken);
  }
  const tried: BreakResult[] = [];
  for (const one of asked) failed += await trial(one, tried);
  const built = await buildArtifacts();
  // The file keeps whole clauses.
  const whole = known.filter((id) => BREAKS.every((one) => isAsked(one) || !one.clauses.includes(id)));
  const kept = tried.filter(({ clause }) => whole.some((id) => id === clause));
  if (built.kind === "built") keepBreaks(await readFile(built.artifacts.kernel), kept);
  process.stdout.write(`${asked.length} breaks of ${BREAKS.length}, ${failed} not red\n`);
  return failed === 0 ? ALL_RED : NOT_ALL_RED;
}

/** 1 when it counts as a failure. */
async function trial(one: Break, tried: BreakResult[]): Promise<number> {
  const outcome = await tryBreak(one);
  const by = outcome.kind === "red" ? outcome.check : null;
  for (const clause of one.clauses) tried.push({ clause, title: one.title, outcome: outcome.kind, by });
  const source = one.source === undefined ? "" : ` (${one.source})`;
  print(`${one.clauses.join(", ")} ${one.title}${source}`, outcome);
  return outcome.kind === "red" || outcome.kind === "skipped" ? 0 : 1;
}

function print(subject: string, outcome: TrialOutcome): void {
  process.stdout.write(`${subject}: ${lineOf(outcome)}\n`);
}

function lineOf(outcome: TrialOutcome): string {
  switch (outcome.kind) {
    case "red":
      return `red (${outcome.check}: ${outcome.reason})`;
    case "green":
      return "GREEN: nothing that should find it does";
    case "refused":
      return `REFUSED: ${outcome.reason}`;
    case "skipped":
      return `skipped: ${outcome.reason}`;
    default:
      return outcome satisfies never;
  }
}
