// Coverage: which lines and basic blocks of the kernel the checks reach, from the artifact's source map.
//
// A line counts as reached when any copy of it is: a function that is inlined in five places is one text. A block is
// counted where it lies, by its first instruction.
// Owner: none, pure; uncovered.json is written by people. Invariant: an explanation without its uncovered line is an error.
// Pairs with: baseline.ts (what is reached), blocks.ts.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { assertDefined } from "../../wasm/assert-defined.ts";
import { packageRoot } from "../../toolchain/package-root.ts";
import type { Artifact } from "./artifact.ts";
import type { Baseline } from "./baseline.ts";
import { blocksOf } from "./blocks.ts";

export interface Share {
  readonly reached: number;
  readonly of: number;
}

export interface FileCoverage {
  readonly file: string;
  readonly lines: Share;
  /** Lines that scenarios reach, that is, in every interleaving of something. */
  readonly explored: Share;
  readonly blocks: Share;
  /** Numbers of the lines that nothing reaches, ascending. */
  readonly uncovered: readonly number[];
}

export function coverageOf(artifact: Artifact, baseline: Baseline): readonly FileCoverage[] {
  const reached = new Set(baseline.checks.flatMap(({ blocks }) => blocks));
  const explored = new Set(baseline.checks.flatMap(({ stage, blocks }) => (stage === "explored" ? blocks : [])));
  const lines = new Map<string, { any: boolean; explored: boolean }>();
  const blocks = new Map<string, { reached: number; of: number }>();
  for (const [number, { functionIndex, from, end }] of blocksOf(artifact).list.entries()) {
    const { places } = assertDefined(artifact.functions[functionIndex]);
    for (let at = from; at < end; at++) {
      const { file, line } = assertDefined(places[at]);
      const key = `${file}:${line}`;
      const known = lines.get(key) ?? { any: false, explored: false };
      lines.set(key, { any: known.any || reached.has(number), explored: known.explored || explored.has(number) });
    }
    const { file } = assertDefined(places[from]);
    const known = blocks.get(file) ?? { reached: 0, of: 0 };
    blocks.set(file, { reached: known.reached + Number(reached.has(number)), of: known.of + 1 });
  }
  return [...blocks.keys()]
    .filter((file) => file.startsWith("kernel/"))
    .toSorted()
    .map((file) => {
      const own = [...lines].filter(([key]) => key.startsWith(`${file}:`));
      const lineOf = (key: string): number => Number(key.slice(file.length + 1));
      const count = (isReached: (line: { any: boolean; explored: boolean }) => boolean): Share => ({
        reached: own.filter(([, line]) => isReached(line)).length,
        of: own.length,
      });
      return {
        file,
        lines: count(({ any }) => any),
        explored: count((line) => line.explored),
        blocks: blocks.get(file) ?? { reached: 0, of: 0 },
        uncovered: own
          .filter(([, line]) => !line.any)
          .map(([key]) => lineOf(key))
          .toSorted((a, b) => a - b),
      };
    });
}

export interface UncoveredEntry {
  readonly file: string;
  /** The source line, trimmed. */
  readonly text: string;
  readonly reason: string;
}

export const UNCOVERED_FILE = join(packageRoot, "verify", "mutants", "uncovered.json");

/** Throws one line where the file is no list of explanations. */
export async function readUncovered(path = UNCOVERED_FILE): Promise<readonly UncoveredEntry[]> {
  const parsed: unknown = JSON.parse(await readFile(path, "utf8"));
  if (!Array.isArray(parsed)) throw new Error(`${path}: not a list`);
  return parsed.map((entry: unknown, index) => {
    const fields = (typeof entry === "object" && entry !== null ? entry : {}) as Record<string, unknown>;
    const isWhole = ["file", "text", "reason"].every((name) => typeof fields[name] === "string" && fields[name] !== "");
    if (!isWhole) throw new Error(`${path}: entry ${index}: file, text and reason are due`);
    return fields as unknown as UncoveredEntry;
  });
}

export interface UncoveredLine {
  readonly file: string;
  readonly line: number;
  readonly text: string;
  /** Why that is right; undefined: none is given. */
  readonly reason: string | undefined;
}

/** The lines that nothing reaches, with their explanations; and one line for each explanation that is stale. */
export function uncoveredLines(
  artifact: Artifact,
  coverage: readonly FileCoverage[],
  entries: readonly UncoveredEntry[],
): { readonly lines: readonly UncoveredLine[]; readonly stale: readonly string[] } {
  const lines = coverage.flatMap(({ file, uncovered }) =>
    uncovered.map((line) => {
      const text = artifact.lineText(file, line);
      return { file, line, text, reason: entries.find((entry) => entry.file === file && entry.text === text)?.reason };
    }),
  );
  const stale = entries
    .filter((entry) => !lines.some(({ file, text }) => file === entry.file && text === entry.text))
    .map(({ file, text }) => `uncovered.json: stale: ${file}: ${text}`);
  return { lines, stale };
}

export function renderCoverage(coverage: readonly FileCoverage[]): string {
  const head = ["file", "lines", "reached", "explored", "branches", "reached", "uncovered lines"];
  const rows = coverage.map(({ file, lines, explored, blocks, uncovered }) => [
    file,
    `${lines.of}`,
    percent(lines),
    percent(explored),
    `${blocks.of}`,
    percent(blocks),
    uncovered.join(" "),
  ]);
  const sum = (pick: (one: FileCoverage) => Share): Share => ({
    reached: coverage.reduce((total, one) => total + pick(one).reached, 0),
    of: coverage.reduce((total, one) => total + pick(one).of, 0),
  });
  const [lines, explored, blocks] = [sum((one) => one.lines), sum((one) => one.explored), sum((one) => one.blocks)];
  const total = ["total", `${lines.of}`, percent(lines), percent(explored), `${blocks.of}`, percent(blocks), ""];
  const texts = [head, ...rows, total];
  const widths = head.map((_, column) => Math.max(...texts.map((row) => row[column]?.length ?? 0)));
  return texts
    .map((row) =>
      row
        .map((text, column) => {
          if (column === head.length - 1) return text;
          return column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0);
        })
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function percent({ reached, of }: Share): string {
  return of === 0 ? "-" : `${((100 * reached) / of).toFixed(1)} %`;
}
