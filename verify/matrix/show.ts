// Show: the matrix as lines, clause by clause: of the breaks of the clause, which ones each proof turned red.
//
// Owner: none, pure. Pairs with: matrix-file.ts; cli/kernel-report.ts (`explore --kernel --clauses`) prints these.

import type { Matrix, MatrixEntry } from "./matrix-file.ts";

/** A line for each clause and proof that has been run: `Q8  checks of Q8  2 of 2 red: title; title`. */
export function matrixLines(matrix: Matrix): string[] {
  return Object.entries(matrix.clauses).flatMap(([clause, entries]) => {
    const proofs = [...new Set(entries.map(({ proof }) => proof))];
    return proofs.map((proof) =>
      lineOf(
        clause,
        proof,
        entries.filter((entry) => entry.proof === proof),
      ),
    );
  });
}

function lineOf(clause: string, proof: string, entries: readonly MatrixEntry[]): string {
  const killed = entries.filter(({ red }) => red === true).map((entry) => entry.break);
  const undecided = entries.filter(({ red }) => red === null).length;
  const open = undecided === 0 ? "" : `, ${undecided} undecided`;
  const names = killed.length === 0 ? "" : `: ${killed.join("; ")}`;
  return `${clause}  ${proof}  ${killed.length} of ${entries.length} red${open}${names}`;
}
