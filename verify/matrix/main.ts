// Main: `npm run matrix -- [clause…] [--jobs 2] [--needed]`: each break of a clause against each proof that claims the
// clause; with --needed only until each break is red in some proof and each claim has a break that it turns red.
//
// One line a pair on stdout, the matrix in .hartbeat/matrix.json; a run goes on where another stopped. Exit code 0: each
// break is red in some proof and each scenario turns some break of each of its clauses red; 1: not so; 2: usage;
// 5: pairs are left undecided.
// Pairs with: plan.ts, needed.ts, matrix-run.ts, matrix-file.ts, verdicts.ts.

import { shippedParts } from "../scenarios/suite-run.ts";
import { allChecks } from "../clauses/index.ts";
import { packageRoot } from "../../toolchain/package-root.ts";
import { sha256Of } from "../../toolchain/sha256.ts";
import { CLAUSE_IDS } from "../clause-id.ts";
import { keyOf, type Matrix, type MatrixEntry, readMatrix, writeMatrix } from "./matrix-file.ts";
import { nextNeeded } from "./needed.ts";
import { nameOf, planOf, type Proof, type Row } from "./plan.ts";
import { runRow } from "./matrix-run.ts";
import { judgeMatrix } from "./verdicts.ts";

const EXIT = { passed: 0, red: 1, usage: 2, incomplete: 5 } as const;

process.exitCode = await main(process.argv.slice(2));

interface Arguments {
  readonly clauses: readonly string[];
  readonly jobs: number;
  readonly isNeededOnly: boolean;
}

/** The arguments, or what is wrong with them. */
function parse(args: readonly string[]): Arguments | string {
  const at = args.indexOf("--jobs");
  const jobs = at < 0 ? 1 : Number(args[at + 1]);
  const names = args.filter((arg, index) => arg !== "--needed" && (at < 0 || (index !== at && index !== at + 1)));
  const stranger = names.find((name) => !CLAUSE_IDS.some((clause) => clause === name));
  if (stranger !== undefined) return `no clause "${stranger}"`;
  if (!Number.isInteger(jobs) || jobs < 1) return "--jobs takes a number of 1 or more";
  return { clauses: names, jobs, isNeededOnly: args.includes("--needed") };
}

async function main(args: readonly string[]): Promise<number> {
  const parsed = parse(args);
  if (typeof parsed === "string") {
    process.stderr.write(`matrix: ${parsed}: give some of ${CLAUSE_IDS.join(" ")}, or none for all\n`);
    return EXIT.usage;
  }
  const shipped = await shippedParts();
  if (shipped.kind !== "ready") {
    process.stderr.write(`matrix: ${shipped.lines.join("; ")}\n`);
    return EXIT.red;
  }
  const { kernel, harness } = shipped.parts;
  const matrix = readMatrix(packageRoot, sha256Of(kernel), sha256Of(harness));
  const rows = planOf(parsed.clauses);
  if (parsed.isNeededOnly) await fillNeeded(matrix, rows, harness);
  else {
    for (const [index, row] of rows.entries()) {
      showProgress(`${index + 1} of ${rows.length} breaks`);
      const missing = row.proofs.filter((proof) => keptOf(matrix, row, proof) === undefined);
      if (missing.length > 0) await fill(matrix, row, missing, harness, parsed.jobs);
    }
  }
  return report(rows, matrix, parsed.isNeededOnly);
}

/** Runs one pair after another until none is needed any more. */
async function fillNeeded(matrix: Matrix, rows: readonly Row[], harness: Uint8Array): Promise<void> {
  const find = (row: Row, proof: Proof): MatrixEntry | undefined => keptOf(matrix, row, proof);
  let count = 0;
  for (let pair = nextNeeded(rows, find); pair !== undefined; pair = nextNeeded(rows, find)) {
    count += 1;
    showProgress(`pair ${count}`);
    await fill(matrix, pair.row, [pair.proof], harness, 1);
  }
}

function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${text}\r`);
}

/** What was found of a pair, with this very break and proof. */
function keptOf(matrix: Matrix, row: Row, proof: Proof): MatrixEntry | undefined {
  const entries = matrix.clauses[row.clause] ?? [];
  const kept = entries.find((entry) => entry.break === row.break.title && entry.proof === nameOf(proof));
  return kept?.key === keyFor(row, proof) ? kept : undefined;
}

async function fill(
  matrix: Matrix,
  row: Row,
  missing: readonly Proof[],
  harness: Uint8Array,
  jobs: number,
): Promise<void> {
  const entries = (matrix.clauses[row.clause] ??= []);
  await runRow(row, missing, harness, jobs, (proof, { red, how }) => {
    const entry = { break: row.break.title, proof: nameOf(proof), red, how, key: keyFor(row, proof) };
    const old = entries.findIndex((one) => one.break === entry.break && one.proof === entry.proof);
    if (old >= 0) entries.splice(old, 1);
    entries.push(entry);
    const word = red === null ? "undecided" : red ? "red" : "not red";
    process.stdout.write(`${row.clause} ${row.break.title} | ${entry.proof} | ${word} | ${how}\n`);
  });
  writeMatrix(packageRoot, matrix);
}

function keyFor(row: Row, proof: Proof): string {
  if (proof.kind === "scenario") return keyOf([row.break.edits, proof.scenario, proof.tier]);
  const checks = allChecks.filter((check) => check.clause === row.clause);
  return keyOf([row.break.edits, checks.map(({ title, run }) => [title, run.toString()])]);
}

function report(rows: readonly Row[], matrix: Matrix, isNeededOnly: boolean): number {
  const { survivors, emptyClaims, openClaims, undecided, pairs, red } = judgeMatrix(rows, matrix);
  for (const one of isNeededOnly ? openClaims : undecided) process.stdout.write(`undecided: ${one}\n`);
  for (const one of emptyClaims) process.stdout.write(`empty claim: ${one}, and no break of it turns it red\n`);
  for (const one of survivors) process.stdout.write(`survives: ${one}\n`);
  const clauses = new Set(rows.map(({ clause }) => clause)).size;
  process.stdout.write(
    `${rows.length} breaks of ${clauses} clauses, ${pairs} pairs: ${red} red, ${undecided.length} undecided or not run; ` +
      `${survivors.length} breaks survive, ${emptyClaims.length} claims are empty\n`,
  );
  if (survivors.length > 0 || emptyClaims.length > 0) return EXIT.red;
  return (isNeededOnly ? openClaims : undecided).length > 0 ? EXIT.incomplete : EXIT.passed;
}
