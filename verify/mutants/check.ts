// Check: one of the things that a kernel is put through, of whatever kind, and how it came out.
//
// Owner: none, types only. Invariant: `failed` is the kernel's fault and is found by what it did; neither elapsed time
// nor the text of a console counts.
// Pairs with: unit-checks.ts, explored-checks.ts, boot-checks.ts (make them), mutant-trial.ts (runs them).

import type { Subject } from "./subject.ts";

/** In the order in which they are run. */
export const STAGES = ["unit", "explored", "paused", "sim", "virt"] as const;
export type Stage = (typeof STAGES)[number];

export type CheckOutcome =
  | { readonly kind: "passed" }
  | { readonly kind: "failed"; readonly reason: string }
  /** A bound on turns, steps or transitions was reached, several times what the unmutated kernel takes. */
  | { readonly kind: "unbounded"; readonly reason: string }
  /** The check itself could not do its work: no verdict. */
  | { readonly kind: "broken"; readonly reason: string };

export interface Check {
  readonly name: string;
  readonly stage: Stage;
  readonly run: (subject: Subject) => Promise<CheckOutcome>;
}

export const PASSED: CheckOutcome = { kind: "passed" };

export function firstLine(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message || thrown.name : String(thrown);
  return text.split("\n", 1)[0] ?? text;
}
