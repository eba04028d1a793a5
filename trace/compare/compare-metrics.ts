// Compare metrics: two runs, or two groups of runs, row by row.
//
// A row is more than noise if the rank sum test's p-value, after the correction of Benjamini and Hochberg over all rows
// that were tested, is below ALPHA: of the rows reported so, at most that share is expected to be there by chance. Where
// not even two sides that do not overlap could come below it, the verdict is that there are too few runs. One run a side
// is no test: then only the change is there.
// Partners: rank-sum.ts and intervals.ts, which have the statistics; comparison-table.ts prints it.

import { type MetricRow, type MetricScope, rowsOf } from "../metrics/metric-rows.ts";
import type { TraceMetrics } from "../metrics/trace-metrics.ts";
import { type Interval, changeInterval, medianInterval, medianOf, relativeChange } from "./intervals.ts";
import { correctedP, rankSumTest, smallestP } from "./rank-sum.ts";

export const ALPHA = 0.05;
export const COMPARISON_VERSION = 2;

export interface Side {
  readonly runs: number;
  readonly median: number;
  readonly interval: Interval;
}

export interface ComparedRow {
  readonly scope: MetricScope;
  readonly id: string;
  readonly metric: string;
  readonly unit: MetricRow["unit"];
  /** null: no run of that side has a value. */
  readonly a: Side | null;
  readonly b: Side | null;
  /** Of the medians, from a to b: 0.5 is half as much again. null: from nothing. */
  readonly change: number | null;
  readonly changeInterval: Interval | null;
  readonly test: RowTest | null;
}

export interface RowTest {
  readonly u: number;
  readonly p: number;
  readonly correctedP: number;
  readonly isExact: boolean;
  readonly verdict: Verdict;
}

/** too-few-runs: with so many rows no change of this row could be distinguished from noise, however large. */
export type Verdict = "more-than-noise" | "noise" | "too-few-runs";

export interface Comparison {
  readonly format: "hartbeat-comparison";
  readonly version: typeof COMPARISON_VERSION;
  readonly runs: readonly [number, number];
  readonly alpha: number;
  /** Runs a side with which a row that alone differs can be more than noise; null: no row was tested. */
  readonly runsNeeded: number | null;
  readonly rows: readonly ComparedRow[];
  /** What makes the two sides different in more than what was measured. */
  readonly remarks: readonly string[];
}

export interface CompareOptions {
  /** The scopes to compare: fewer rows leave each a larger part of ALPHA. */
  readonly scopes: readonly MetricScope[];
  /** Of the bootstrap. */
  readonly seed: number;
}

export function compareMetrics(
  a: readonly TraceMetrics[],
  b: readonly TraceMetrics[],
  { scopes, seed }: CompareOptions,
): Comparison {
  const [left, right] = [valuesOf(a, scopes), valuesOf(b, scopes)];
  const rows = new Map([...left.rows, ...right.rows]);
  const untested = [...rows].map(([key, row]) =>
    compareRow(row, padded(row, left.values.get(key), a.length), padded(row, right.values.get(key), b.length), seed),
  );
  return {
    format: "hartbeat-comparison",
    version: COMPARISON_VERSION,
    runs: [a.length, b.length],
    alpha: ALPHA,
    runsNeeded: runsNeeded(untested.filter(({ raw }) => raw !== null).length),
    rows: corrected(untested),
    remarks: remarksOf(a, b),
  };
}

interface Values {
  readonly rows: ReadonlyMap<string, MetricRow>;
  readonly values: ReadonlyMap<string, readonly number[]>;
}

function valuesOf(group: readonly TraceMetrics[], scopes: readonly MetricScope[]): Values {
  const rows = new Map<string, MetricRow>();
  const values = new Map<string, number[]>();
  for (const row of group.flatMap((metrics) => rowsOf(metrics))) {
    // The same time in ticks would be tested twice.
    if (!scopes.includes(row.scope) || (row.unit === "ticks" && /p\d|max/.test(row.metric))) continue;
    const key = `${row.scope} ${row.id} ${row.metric} ${row.unit}`;
    rows.set(key, row);
    if (row.value !== null) values.set(key, [...(values.get(key) ?? []), row.value]);
  }
  return { rows, values };
}

/** Metrics have a row for a reject only where there was one: the other runs had none. */
function padded(row: MetricRow, values: readonly number[] | undefined, runs: number): readonly number[] {
  const known = values ?? [];
  if (!row.metric.startsWith("rejects ")) return known;
  return [...known, ...Array.from({ length: runs - known.length }, () => 0)];
}

type Untested = ComparedRow & { readonly raw: ReturnType<typeof rankSumTest> | null };

function compareRow(row: MetricRow, a: readonly number[], b: readonly number[], seed: number): Untested {
  const { scope, id, metric, unit } = row;
  const [left, right] = [sideOf(a), sideOf(b)];
  const isTested = a.length > 1 && b.length > 1;
  return {
    scope,
    id,
    metric,
    unit,
    a: left,
    b: right,
    change: left === null || right === null ? null : relativeChange(left.median, right.median),
    changeInterval: changeInterval(a, b, seed),
    test: null,
    raw: isTested ? rankSumTest(a, b) : null,
  };
}

function sideOf(values: readonly number[]): Side | null {
  if (values.length === 0) return null;
  return { runs: values.length, median: medianOf(values), interval: medianInterval(values) };
}

function corrected(rows: readonly Untested[]): ComparedRow[] {
  const tested = rows.filter(({ raw }) => raw !== null);
  const pValues = tested.map(({ raw }) => raw?.p ?? 1);
  const all = correctedP(pValues);
  return rows.map(({ raw, ...row }) => {
    if (raw === null) return row;
    const index = tested.findIndex((one) => one.raw === raw);
    const value = all[index] ?? 1;
    const least = smallestP(row.a?.runs ?? 0, row.b?.runs ?? 0);
    const verdict = value < ALPHA ? "more-than-noise" : canPass(pValues, index, least) ? "noise" : "too-few-runs";
    return { ...row, test: { ...raw, correctedP: value, verdict } };
  });
}

/** Whether a row could be more than noise beside the others as they are. least: the smallest p-value that it can have. */
function canPass(pValues: readonly number[], index: number, least: number): boolean {
  return (correctedP(pValues.with(index, least))[index] ?? 1) < ALPHA;
}

/** Runs a side with which one row of so many that alone differs comes below ALPHA. */
function runsNeeded(rows: number): number | null {
  if (rows === 0) return null;
  let runs = 2;
  while (smallestP(runs, runs) * rows >= ALPHA) runs += 1;
  return runs;
}

function remarksOf(a: readonly TraceMetrics[], b: readonly TraceMetrics[]): string[] {
  const remarks: string[] = [];
  const differ = (what: string, of: (metrics: TraceMetrics) => string | number): void => {
    const [left, right] = [a, b].map((side) => [...new Set(side.map(of))].toSorted().join(", "));
    if (left !== right) remarks.push(`${what} differ: ${left} and ${right}`);
  };
  differ("machines", ({ machine }) => machine);
  differ("numbers of harts", ({ cpus }) => cpus);
  differ("kernels", ({ kernel }) => kernel.slice(0, 12));
  const lost = [...a, ...b].filter((metrics) => metrics.lost > 0).length;
  if (lost > 0) remarks.push(`${lost} of the runs lost records: their numbers are incomplete`);
  return remarks;
}
