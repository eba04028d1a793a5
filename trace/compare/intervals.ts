// Intervals: the medians of several runs, and how far they can be trusted.
//
// The interval of a median lies between two of the values: so many from either end that the true median of any
// continuous distribution is between them with at least CONFIDENCE (binomial distribution; David and Nagaraja, "Order
// Statistics", 7.1). Fewer than 6 values have no such interval: then it is their whole range, with the confidence that it has.
// The interval of a change of medians is the percentile bootstrap (Efron, 1979), with numbers from a seed.

export const CONFIDENCE = 0.95;
const RESAMPLES = 2000;

export interface Interval {
  readonly low: number;
  readonly high: number;
  /** At least this probability. */
  readonly confidence: number;
}

export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

export function medianInterval(values: readonly number[]): Interval {
  const sorted = values.toSorted((a, b) => a - b);
  const n = sorted.length;
  const interval = (skipped: number, confidence: number): Interval => ({
    low: sorted[skipped] ?? Number.NaN,
    high: sorted[n - 1 - skipped] ?? Number.NaN,
    confidence,
  });
  let best = interval(0, confidenceOf(n, 0));
  for (let skipped = 1; skipped * 2 < n && confidenceOf(n, skipped) >= CONFIDENCE; skipped++)
    best = interval(skipped, confidenceOf(n, skipped));
  return best;
}

/** The probability that the median lies between the values that follow `skipped` ones from either end. */
function confidenceOf(n: number, skipped: number): number {
  let outside = 0;
  let ways = 1;
  for (let k = 0; k <= skipped; k++) {
    outside += ways * 0.5 ** n;
    ways = (ways * (n - k)) / (k + 1);
  }
  return Math.max(0, 1 - 2 * outside);
}

/** The relative change of the median from a to b; null where a's is 0 or a side has one value. */
export function changeInterval(a: readonly number[], b: readonly number[], seed: number): Interval | null {
  if (a.length < 2 || b.length < 2 || medianOf(a) === 0) return null;
  const random = numbersFrom(seed);
  const draw = (values: readonly number[]): number[] =>
    values.map(() => values[Math.floor(random() * values.length)] ?? Number.NaN);
  const changes: number[] = [];
  for (let i = 0; i < RESAMPLES; i++) {
    const change = relativeChange(medianOf(draw(a)), medianOf(draw(b)));
    if (change !== null) changes.push(change);
  }
  changes.sort((x, y) => x - y);
  const at = (share: number): number => changes[Math.floor(share * (changes.length - 1))] ?? Number.NaN;
  const tail = (1 - CONFIDENCE) / 2;
  return { low: at(tail), high: at(1 - tail), confidence: CONFIDENCE };
}

/** (b - a) / a; null: a is 0 and b is not. */
export function relativeChange(a: number, b: number): number | null {
  if (a === b) return 0;
  return a === 0 ? null : (b - a) / Math.abs(a);
}

/** Numbers in [0, 1): the generator of Steele, Lea and Flood, "Fast splittable pseudorandom number generators", on 32 bits. */
function numbersFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32;
  };
}
