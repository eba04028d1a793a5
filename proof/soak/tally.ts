// Tally: what the runs of a soak came to, as numbers that can be added.
//
// Invariants: runs = passed + failed; every other count is of something that the runs showed.
// Partners: judge.ts counts one run; cli/soak.ts adds and prints.

export interface Tally {
  readonly runs: number;
  readonly passed: number;
  readonly failed: number;
  /** By name: faults given, ends of tasks, system calls made by fuzzers. */
  readonly counts: Readonly<Record<string, number>>;
}

export const EMPTY_TALLY: Tally = { runs: 0, passed: 0, failed: 0, counts: {} };

export function addTallies(left: Tally, right: Tally): Tally {
  const counts: Record<string, number> = { ...left.counts };
  for (const [name, count] of Object.entries(right.counts)) counts[name] = (counts[name] ?? 0) + count;
  return {
    runs: left.runs + right.runs,
    passed: left.passed + right.passed,
    failed: left.failed + right.failed,
    counts,
  };
}

/** `a 3, b 1,204`: the counts by name. */
export function countLabel(tally: Tally): string {
  const names = Object.keys(tally.counts).toSorted();
  return names.map((name) => `${name} ${(tally.counts[name] ?? 0).toLocaleString("en")}`).join(", ");
}
