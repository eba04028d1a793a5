// Breaks file: what each break came to, in .hartbeat/breaks.json, for `hartbeat report`.
//
// Owner: main.ts of this folder. Invariant: all rows are about one kernel; a run over some clauses replaces theirs only.
// Partners: cli/report-sources.ts reads it.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { sha256Of } from "../../toolchain/sha256.ts";
import type { BreakResult } from "../../proof/report/report-data.ts";

const FORMAT = "hartbeat-breaks";
const FILE = join(".hartbeat", "breaks.json");

interface Kept {
  readonly format: string;
  readonly version: number;
  /** SHA-256 of kernel.wasm. */
  readonly kernel: string;
  readonly breaks: readonly BreakResult[];
}

/** wasm: the kernel of today, without a break. */
export function keepBreaks(wasm: Uint8Array, tried: readonly BreakResult[], file = FILE): void {
  const kernel = sha256Of(wasm);
  const clauses = new Set(tried.map(({ clause }) => clause));
  const others = knownOf(kernel, file).filter(({ clause }) => !clauses.has(clause));
  const breaks = [...others, ...tried].toSorted((a, b) => (a.clause < b.clause ? -1 : a.clause > b.clause ? 1 : 0));
  const kept: Kept = { format: FORMAT, version: 1, kernel, breaks };
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(kept, null, 2)}\n`);
}

function knownOf(kernel: string, file: string): readonly BreakResult[] {
  try {
    const kept = JSON.parse(readFileSync(file, "utf8")) as Partial<Kept> | null;
    return kept?.format === FORMAT && kept.kernel === kernel && Array.isArray(kept.breaks) ? kept.breaks : [];
  } catch {
    return [];
  }
}
