// Proof event: what happens while a list of runs is proved, in order; reporters are functions of these.
//
// Invariants: one `begun`, then for each run `run-begun`, its `line`s and `run-ended`, at last one `ended`;
// where all runs passed and the kernel is known, one `covered` before it.
// Partners: cli/prove.ts reports, reporters/ show.

import type { ClauseFact } from "./clauses.ts";
import type { ConsoleLine } from "./console-line.ts";
import type { Rung } from "./ladder.ts";
import type { ProofRunReport } from "./proof-run.ts";
import type { Verdict } from "./verdict.ts";

export interface RunName {
  readonly machine: "sim" | "virt";
  readonly harts: number;
  /** null on a machine that knows no seed. */
  readonly seed: number | null;
  /** From 1: the how-manieth boot of the same run. */
  readonly boot: number;
  /** The command that repeats this run alone. */
  readonly replay: string;
}

export interface ProofSummary {
  readonly runs: number;
  readonly passed: number;
  readonly failed: number;
  readonly inconclusive: number;
  readonly notRun: number;
  /** Of the first run that did not pass; null when all did. */
  readonly replay: string | null;
}

/** What the explorations that were kept say of the kernel that was booted. */
export interface ClauseCoverage {
  /** SHA-256 of the kernel's artifact, hexadecimal. */
  readonly kernel: string;
  readonly clauses: readonly ClauseFact[];
  /** Scenarios that were explored on it, of how many; none: nothing was. */
  readonly explored: number;
  readonly of: number;
  /** The command that explores what is left; null where nothing is. */
  readonly next: string | null;
}

export type ProofEvent =
  | { readonly kind: "begun"; readonly runs: number }
  | { readonly kind: "run-begun"; readonly run: RunName }
  | {
      readonly kind: "line";
      readonly run: RunName;
      readonly text: string;
      readonly line: ConsoleLine;
      readonly rung: Rung | null;
    }
  | {
      readonly kind: "run-ended";
      readonly run: RunName;
      readonly report: ProofRunReport;
      /** Where the console and the evidence were kept; null where they were not. */
      readonly folder: string | null;
    }
  | { readonly kind: "covered"; readonly coverage: ClauseCoverage }
  | { readonly kind: "ended"; readonly summary: ProofSummary };

export type Reporter = (event: ProofEvent) => void;

/** Where a reporter writes: text with its line ends. */
export type Sink = (text: string) => void;

/** `sim smp=2 seed=7`: how a run is called in reports. */
export function runTitle(run: RunName): string {
  const seed = run.seed === null ? "" : ` seed=${run.seed}`;
  return `${run.machine} smp=${run.harts}${seed}${run.boot > 1 ? ` boot=${run.boot}` : ""}`;
}

/** `failed: reason` for people and for reports; a passed verdict is one word. */
export function verdictMessage(verdict: Verdict): string {
  switch (verdict.kind) {
    case "passed":
      return "passed";
    case "failed":
      return `failed: ${verdict.reasons.join("; ")}`;
    case "inconclusive":
      return `inconclusive: ${verdict.reason}`;
    default:
      return verdict satisfies never;
  }
}
