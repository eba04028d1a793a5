import { describe, expect, it } from "vitest";
import { metricsOf, type TraceMetrics } from "../metrics/trace-metrics.ts";
import { modelTrace, randomFrom } from "../testing/model-scheduler.ts";
import { compareMetrics } from "./compare-metrics.ts";
import { formatComparison } from "./comparison-table.ts";
import { changeInterval, medianInterval, medianOf } from "./intervals.ts";
import { correctedP, rankSumTest, smallestP } from "./rank-sum.ts";

const runs = (from: number, steals: boolean): TraceMetrics[] =>
  Array.from({ length: 8 }, (_, index) =>
    metricsOf(modelTrace({ seed: from + index, cpus: 3, tasks: 7, endTicks: 1500, steals })),
  );

/** The same run with every time a hundred times as long. */
function stretched(metrics: TraceMetrics): TraceMetrics {
  const scale = (value: unknown, name: string): unknown => {
    if (typeof value === "number") return /^(p\d+|max|\w*Ticks)$/.test(name) ? value * 100 : value;
    if (Array.isArray(value)) return value.map((one) => scale(one, ""));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, scale(one, key)]));
  };
  return scale(metrics, "") as TraceMetrics;
}

/** Every division of the values, one by one. */
function pByEnumeration(a: readonly number[], b: readonly number[]): number {
  const values = [...a, ...b];
  const uOf = (isA: (index: number) => boolean): number => {
    let u = 0;
    for (const [i, x] of values.entries())
      for (const [j, y] of values.entries()) if (isA(i) && !isA(j)) u += x > y ? 1 : x === y ? 0.5 : 0;
    return u;
  };
  const mean = (a.length * b.length) / 2;
  const observed = Math.abs(uOf((index) => index < a.length) - mean);
  let all = 0;
  let asFar = 0;
  for (let mask = 0; mask < 1 << values.length; mask++) {
    const isA = (index: number): boolean => ((mask >> index) & 1) === 1;
    if (values.filter((_, index) => isA(index)).length !== a.length) continue;
    all += 1;
    if (Math.abs(uOf(isA) - mean) >= observed - 1e-9) asFar += 1;
  }
  return asFar / all;
}

describe("rank sum", () => {
  it("exact p: random values with ties: as by enumeration of all divisions", () => {
    const random = randomFrom(5);
    for (let i = 0; i < 12; i++) {
      const a = Array.from({ length: 2 + random(3) }, () => random(5));
      const b = Array.from({ length: 2 + random(4) }, () => random(6));
      expect(rankSumTest(a, b).p, JSON.stringify([a, b])).toBeCloseTo(pByEnumeration(a, b), 10);
    }
  });

  it("exact p: published critical values (n1 = n2 = 5: U = 2 is the largest below 0.05, n1 = 4, n2 = 6: likewise 2)", () => {
    // A set of ranks with that U, and one with U = 3.
    expect(rankSumTest([1, 2, 3, 4, 7], [5, 6, 8, 9, 10])).toMatchObject({ u: 2, isExact: true });
    expect(rankSumTest([1, 2, 3, 4, 7], [5, 6, 8, 9, 10]).p).toBeLessThanOrEqual(0.05);
    expect(rankSumTest([1, 2, 3, 4, 8], [5, 6, 7, 9, 10]).p).toBeGreaterThan(0.05);
    expect(rankSumTest([1, 2, 3, 6], [4, 5, 7, 8, 9, 10]).p).toBeLessThanOrEqual(0.05);
    expect(rankSumTest([1, 2, 3, 7], [4, 5, 6, 8, 9, 10]).p).toBeGreaterThan(0.05);
  });

  it("approximate p: many values: near the exact one of a few less", () => {
    const a = Array.from({ length: 30 }, (_, index) => index * 1.1);
    const b = Array.from({ length: 30 }, (_, index) => index + 6);
    const many = Array.from({ length: 31 }, (_, index) => index + 6);
    const exact = rankSumTest(a, b);
    const approximate = rankSumTest(a, many);
    expect([exact.isExact, approximate.isExact]).toEqual([true, false]);
    expect(Math.abs(exact.p - approximate.p)).toBeLessThan(0.06);
  });

  it("correction: the example of Benjamini and Hochberg's paper: four of fifteen are below 0.05", () => {
    const paper = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344];
    const others = [0.0459, 0.324, 0.4262, 0.5719, 0.6528, 0.759, 1];
    const corrected = correctedP([...others, ...paper]);
    expect(corrected.filter((p) => p < 0.05).length).toBe(4);
    expect(corrected[others.length]).toBeCloseTo(0.0015, 6);
    expect(correctedP([0.01, 0.04, 0.03]).map((p) => p.toFixed(2))).toEqual(["0.03", "0.04", "0.04"]);
  });

  it("smallest p: sides that do not overlap: as by the exact test", () => {
    for (const [a, b] of [
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      [
        [1, 2, 3, 4, 5, 6],
        [7, 8, 9, 10, 11, 12],
      ],
      [
        [1, 2],
        [3, 4, 5, 6, 7],
      ],
    ] as const)
      expect(smallestP(a.length, b.length)).toBeCloseTo(rankSumTest(a, b).p, 12);
  });
});

describe("intervals", () => {
  it("median: order statistics: 6 values are the fewest with 95 %, 10 leave out one at each end", () => {
    const six = medianInterval([6, 5, 4, 3, 2, 1]);
    expect([six.low, six.high]).toEqual([1, 6]);
    expect(six.confidence).toBeCloseTo(0.969, 3);
    expect(medianInterval([1, 2, 3, 4, 5]).confidence).toBeLessThan(0.95);
    const ten = medianInterval([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect([ten.low, ten.high, ten.confidence.toFixed(3)]).toEqual([2, 9, "0.979"]);
    expect(medianOf([4, 1, 3, 2])).toBe(2.5);
  });

  it("change: bootstrap: one seed, one interval, around the change of the medians", () => {
    const a = [10, 11, 12, 10, 11, 12];
    const b = [20, 22, 21, 23, 22, 20];
    const interval = changeInterval(a, b, 3);
    expect(interval).toEqual(changeInterval(a, b, 3));
    expect(interval?.low).toBeGreaterThan(0.6);
    expect(interval?.high).toBeLessThan(1.4);
    expect(changeInterval([0, 0], [1, 1], 1)).toBeNull();
  });
});

describe("compare metrics", () => {
  const options = { scopes: ["run", "hart"], seed: 1 } as const;

  const stealing = runs(1, true);
  const without = runs(101, false);

  it("with and without stealing: the steals differ by more than noise, and the table states the test", () => {
    const comparison = compareMetrics(stealing, without, options);
    const steals = comparison.rows.find((row) => row.scope === "run" && row.metric === "steals");
    expect(steals?.change).toBe(-1);
    expect(steals?.test?.verdict).toBe("more-than-noise");
    const table = formatComparison(comparison, true);
    expect(table).toMatch(/run +steals +count +[\d.]+ \[.*\] +0 \[0, 0\] +-100\.0 %.*more, p/);
    expect(table).toContain("Mann-Whitney U");
  });

  it("the same set-up with other seeds: nothing is more than noise", () => {
    const comparison = compareMetrics(stealing, runs(201, true), options);
    expect(comparison.rows.filter((row) => row.test?.verdict === "more-than-noise")).toEqual([]);
    expect(comparison.rows.some((row) => row.test?.verdict === "noise")).toBe(true);
  });

  it("one run a side: the change, and no test", () => {
    const comparison = compareMetrics(stealing.slice(0, 1), stealing.slice(1, 2), options);
    expect(comparison.rows.every((row) => row.test === null)).toBe(true);
    expect(formatComparison(comparison, true)).toContain("no test");
  });

  it("three runs a side: too few for any row, and the table reports how many suffice", () => {
    const comparison = compareMetrics(stealing.slice(0, 3), without.slice(0, 3), options);
    const verdicts = comparison.rows.flatMap(({ test }) => test?.verdict ?? []);
    expect([...new Set(verdicts)]).toEqual(["too-few-runs"]);
    const table = formatComparison(comparison, true);
    expect(table).toContain("too few runs, p = ");
    const rows = verdicts.length;
    const needed = Number(/; (\d+) runs a side suffice/.exec(table)?.[1]);
    expect(smallestP(needed, needed) * rows).toBeLessThan(0.05);
    expect(smallestP(needed - 1, needed - 1) * rows).toBeGreaterThanOrEqual(0.05);
  });

  it("six runs a side, all different in many rows: more than noise where the sides do not overlap", () => {
    const slower = stealing.slice(0, 6).map((metrics) => stretched(metrics));
    const comparison = compareMetrics(stealing.slice(0, 6), slower, options);
    // Some seeds have no task of a class: such a row has fewer values.
    const whole = comparison.rows.filter(({ a, b }) => a?.runs === 6 && b?.runs === 6);
    const apart = whole.filter(({ a, b }) => (a?.interval.high ?? 0) < (b?.interval.low ?? 0));
    expect(apart.length).toBeGreaterThan(5);
    expect(apart.map(({ test }) => test?.verdict)).toEqual(apart.map(() => "more-than-noise"));
  });
});
