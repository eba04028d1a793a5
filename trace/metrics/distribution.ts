// Distribution: what is reported of many times: how many there were, and their quantiles.
//
// A quantile is one of the values: the smallest that at least this share of them does not exceed (nearest rank).

export interface Quantiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** ticks and microseconds: null where there is no value. */
export interface Distribution {
  readonly count: number;
  readonly ticks: Quantiles | null;
  readonly microseconds: Quantiles | null;
}

export function distributionOf(valuesTicks: readonly number[], ticksPerSecond: number): Distribution {
  const sorted = valuesTicks.toSorted((a, b) => a - b);
  const max = sorted.at(-1);
  if (max === undefined) return { count: 0, ticks: null, microseconds: null };
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? max;
  const ticks = { p50: at(0.5), p95: at(0.95), p99: at(0.99), max };
  const micros = (value: number): number => toMicroseconds(value, ticksPerSecond);
  const microseconds = {
    p50: micros(ticks.p50),
    p95: micros(ticks.p95),
    p99: micros(ticks.p99),
    max: micros(ticks.max),
  };
  return { count: sorted.length, ticks, microseconds };
}

/** To a nanosecond. */
export function toMicroseconds(ticks: number, ticksPerSecond: number): number {
  return Math.round((ticks * 1e9) / ticksPerSecond) / 1000;
}
