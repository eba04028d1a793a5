// Comparison table: a comparison for people, side by side.

import { formatTable } from "../metrics/text-table.ts";
import type { ComparedRow, Comparison, Side, Verdict } from "./compare-metrics.ts";

/** onlyChanged: leaves out the rows whose medians are equal. */
export function formatComparison(comparison: Comparison, onlyChanged: boolean): string {
  const [runsA, runsB] = comparison.runs;
  const shown = comparison.rows.filter(
    (row) => !onlyChanged || row.change !== 0 || row.test?.verdict === "more-than-noise",
  );
  const rows = shown.map((row) => [
    `${row.scope} ${row.id}`.trimEnd(),
    row.metric,
    row.unit,
    formatSide(row.a),
    formatSide(row.b),
    formatChange(row),
    formatTest(row),
  ]);
  const head = [
    "of",
    "metric",
    "unit",
    `A (${runsA} ${runsOf(runsA)})`,
    `B (${runsB} ${runsOf(runsB)})`,
    "change",
    "noise?",
  ];
  const equal = comparison.rows.length - shown.length;
  const tested = comparison.rows.filter((row) => row.test !== null);
  const lines = [
    ...(equal > 0 ? [`${equal} rows are equal and not shown`] : []),
    tested.length > 0
      ? `medians [interval]; ${tested.length} rows tested: Mann-Whitney U, two-sided, p corrected by Benjamini and Hochberg, below ${comparison.alpha}: more than noise`
      : "one run a side: no test, the change alone",
    ...(tested.some(({ test }) => test?.verdict === "too-few-runs")
      ? [
          `too few runs: so few cannot be distinguished from noise, however large the change; ${comparison.runsNeeded} runs a side suffice`,
        ]
      : []),
    ...comparison.remarks,
  ];
  return `${formatTable([head, ...rows], 3)}\n${lines.join("\n")}\n`;
}

function runsOf(count: number): string {
  return count === 1 ? "run" : "runs";
}

function formatSide(side: Side | null): string {
  if (side === null) return "-";
  const { low, high } = side.interval;
  return side.runs === 1 ? short(side.median) : `${short(side.median)} [${short(low)}, ${short(high)}]`;
}

function short(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(1);
}

function formatChange({ a, b, change, changeInterval }: ComparedRow): string {
  if (a === null || b === null) return "-";
  if (change === null) return "from 0";
  const bars = changeInterval === null ? "" : ` [${percent(changeInterval.low)}, ${percent(changeInterval.high)}]`;
  return `${percent(change)} %${bars}`;
}

function percent(share: number): string {
  const value = (share * 100).toFixed(1);
  return share > 0 ? `+${value}` : value;
}

const VERDICTS: Readonly<Record<Verdict, string>> = {
  "more-than-noise": "more",
  noise: "noise",
  "too-few-runs": "too few runs",
};

function formatTest({ test }: ComparedRow): string {
  if (test === null) return "-";
  const p = test.correctedP < 0.001 ? "p < 0.001" : `p = ${test.correctedP.toFixed(3)}`;
  return `${VERDICTS[test.verdict]}, ${p}`;
}
