// Matrix file: what each break did to each proof of its clause, kept so that a run goes on where another stopped.
//
// An entry counts only for the kernel, harness, break and proof that it was found with: its key names them.
// Owner: .hartbeat/matrix.json; written whole after each break.
// Pairs with: main.ts, cli/clause-coverage.ts (reads it for --clauses).

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

export interface MatrixEntry {
  readonly break: string;
  readonly proof: string;
  /** null: the proof came to no end within its bounds, or cannot be run with this break. */
  readonly red: boolean | null;
  /** What was found, in one line. */
  readonly how: string;
  readonly key: string;
}

export interface Matrix {
  readonly version: 1;
  /** SHA-256 of the unbroken artifact and of the harness. */
  readonly artifact: string;
  readonly harness: string;
  readonly clauses: Record<string, MatrixEntry[]>;
}

export function matrixPath(folder: string): string {
  return join(folder, ".hartbeat", "matrix.json");
}

/** The matrix kept for this artifact and harness; an empty one where there is none. */
export function readMatrix(folder: string, artifact: string, harness: string): Matrix {
  const empty: Matrix = { version: 1, artifact, harness, clauses: {} };
  let text: string;
  try {
    text = readFileSync(matrixPath(folder), "utf8");
  } catch {
    return empty;
  }
  try {
    const kept = JSON.parse(text) as Matrix;
    const isSame = kept.version === 1 && kept.artifact === artifact && kept.harness === harness;
    return isSame ? kept : empty;
  } catch {
    return empty;
  }
}

export function writeMatrix(folder: string, matrix: Matrix): void {
  const path = matrixPath(folder);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, `${JSON.stringify(matrix, undefined, 2)}\n`);
  renameSync(`${path}.new`, path);
}

/** A short hash of everything that an entry depends on. */
export function keyOf(parts: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);
}
