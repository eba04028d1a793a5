// Verdicts: what a complete or partial matrix shows of each clause, each break and each claim of a scenario.
//
// Owner: none, pure. Pairs with: matrix-file.ts (the entries), plan.ts (what there should be), main.ts.

import type { Matrix } from "./matrix-file.ts";
import { nameOf, type Row } from "./plan.ts";

export interface MatrixVerdict {
  /** Breaks that no proof of their clause turned red. */
  readonly survivors: readonly string[];
  /** Scenarios that list a clause of which they turned no break red. */
  readonly emptyClaims: readonly string[];
  /** Claims that no pair has made good yet, some of which are undecided. */
  readonly openClaims: readonly string[];
  /** Pairs that have not been run, or came to no end. */
  readonly undecided: readonly string[];
  readonly pairs: number;
  readonly red: number;
}

export function judgeMatrix(rows: readonly Row[], matrix: Matrix): MatrixVerdict {
  const survivors: string[] = [];
  const undecided: string[] = [];
  const claims = new Map<string, "red" | "open" | "empty">();
  let pairs = 0;
  let red = 0;
  for (const row of rows) {
    let isKilled = false;
    for (const proof of row.proofs) {
      pairs += 1;
      const found = entryOf(matrix, row, nameOf(proof));
      if (found?.red === true) red += 1;
      isKilled ||= found?.red === true;
      if (found === undefined || found.red === null)
        undecided.push(`${row.clause} "${row.break.title}": ${nameOf(proof)}: ${found?.how ?? "not run"}`);
      if (proof.kind === "checks") continue;
      const claim = `${proof.scenario.name} claims ${row.clause}`;
      const before = claims.get(claim) ?? "empty";
      if (found?.red === true) claims.set(claim, "red");
      else if (before !== "red") claims.set(claim, found?.red === false ? before : "open");
    }
    if (!isKilled) survivors.push(`${row.clause} "${row.break.title}"`);
  }
  const claimsIn = (wanted: string): string[] =>
    [...claims].flatMap(([claim, state]) => (state === wanted ? [claim] : []));
  return { survivors, emptyClaims: claimsIn("empty"), openClaims: claimsIn("open"), undecided, pairs, red };
}

function entryOf(matrix: Matrix, row: Row, proof: string) {
  return matrix.clauses[row.clause]?.find((entry) => entry.break === row.break.title && entry.proof === proof);
}
