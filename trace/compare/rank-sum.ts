// Rank sum: the Mann-Whitney U test (Mann and Whitney, 1947) of whether one of two sets of runs tends to larger values.
//
// Up to EXACT_MAX values the p-value is exact, ties included: over all ways to divide the values into two sets of these
// sizes, the share in which the rank sum lies at least as far from its mean. Above, it is the normal approximation with
// the corrections for ties and continuity. Both are two-sided.
// Equal values share the mean of their ranks; ranks are doubled, so that they are whole numbers.

export interface RankSum {
  /** Pairs in which a's value is larger, an equal pair as half. */
  readonly u: number;
  readonly p: number;
  readonly isExact: boolean;
}

/** Values of both sides together. */
export const EXACT_MAX = 60;

export function rankSumTest(a: readonly number[], b: readonly number[]): RankSum {
  const ranks = doubledRanks([...a, ...b]);
  const rankSum = sum(ranks.slice(0, a.length));
  const u = rankSum / 2 - (a.length * (a.length + 1)) / 2;
  if (a.length === 0 || b.length === 0) return { u, p: 1, isExact: true };
  const isExact = ranks.length <= EXACT_MAX;
  return { u, p: isExact ? exactP(ranks, a.length, rankSum) : approximateP(ranks, a.length, u), isExact };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Twice the rank of each value. */
function doubledRanks(values: readonly number[]): number[] {
  const order = values.map((_, index) => index).toSorted((i, j) => (values[i] ?? 0) - (values[j] ?? 0));
  const ranks = values.map(() => 0);
  for (let from = 0; from < order.length;) {
    let to = from;
    while (to + 1 < order.length && values[order[to + 1] ?? 0] === values[order[from] ?? 0]) to += 1;
    // The mean of the ranks from + 1 to to + 1, twice.
    for (let i = from; i <= to; i++) ranks[order[i] ?? 0] = from + to + 2;
    from = to + 1;
  }
  return ranks;
}

/** Counts the sets of `size` ranks by their sum. */
function exactP(ranks: readonly number[], size: number, observed: number): number {
  const total = sum(ranks);
  const counts = Array.from({ length: size + 1 }, () => new Float64Array(total + 1));
  const [none] = counts;
  if (none !== undefined) none[0] = 1;
  for (const rank of ranks)
    for (let chosen = size; chosen >= 1; chosen--) {
      const taken = counts[chosen];
      const without = counts[chosen - 1];
      if (taken === undefined || without === undefined) continue;
      for (let s = total; s >= rank; s--) taken[s] = (taken[s] ?? 0) + (without[s - rank] ?? 0);
    }
  const mean = (size * total) / ranks.length;
  const distance = Math.abs(observed - mean) - 1e-9;
  let all = 0;
  let asFar = 0;
  for (const [s, count] of (counts[size] ?? []).entries()) {
    all += count;
    if (Math.abs(s - mean) >= distance) asFar += count;
  }
  return Math.min(1, asFar / all);
}

function approximateP(ranks: readonly number[], size: number, u: number): number {
  const n = ranks.length;
  const other = n - size;
  const ties = new Map<number, number>();
  for (const rank of ranks) ties.set(rank, (ties.get(rank) ?? 0) + 1);
  const tied = sum([...ties.values()].map((count) => count ** 3 - count));
  const variance = ((size * other) / 12) * (n + 1 - tied / (n * (n - 1)));
  if (variance <= 0) return 1;
  const z = Math.max(0, Math.abs(u - (size * other) / 2) - 0.5) / Math.sqrt(variance);
  return Math.min(1, 2 * (1 - normalBelow(z)));
}

/** The normal distribution function, by formula 26.2.17 of Abramowitz and Stegun; wrong by less than 1e-7. */
function normalBelow(z: number): number {
  const t = 1 / (1 + 0.2316419 * z);
  const poly = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return 1 - (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * poly;
}

/**
 * The smallest p-value of sides of these sizes: no value of one is as large as any of the other. That is one division of
 * the values, and its mirror image.
 */
export function smallestP(a: number, b: number): number {
  let divisions = 1;
  for (let i = 1; i <= Math.min(a, b); i++) divisions = (divisions * (a + b - i + 1)) / i;
  return Math.min(1, 2 / divisions);
}

/**
 * The step-up correction of Benjamini and Hochberg (1995) for all rows together: of the rows whose value is below a bound,
 * at most that share is expected to be there by chance (the false discovery rate).
 */
export function correctedP(pValues: readonly number[]): number[] {
  const order = pValues.map((_, index) => index).toSorted((i, j) => (pValues[j] ?? 1) - (pValues[i] ?? 1));
  const corrected = pValues.map(() => 1);
  let smallest = 1;
  for (const [above, index] of order.entries()) {
    const rank = pValues.length - above;
    smallest = Math.min(smallest, ((pValues[index] ?? 1) * pValues.length) / rank);
    corrected[index] = smallest;
  }
  return corrected;
}
