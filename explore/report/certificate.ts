// Certificate: what an exploration that passed covers, as a plain value.
//
// Owner: none, pure. Invariant: made only from `passed`; everything else has no certificate.
// Pairs with: exploration.ts; proof reports read the saved file.

import type { Exploration } from "../exploration.ts";
import type { Reductions } from "../program/reductions.ts";
import type { Target } from "../program/target.ts";

export const CERTIFICATE_FORMAT = "hartbeat-certificate";

export interface Certificate {
  readonly format: typeof CERTIFICATE_FORMAT;
  readonly version: 1;
  /** What was explored, as the caller describes it. */
  readonly scenario: string;
  readonly artifact: { readonly sha256: string; readonly bytes: number };
  readonly target: Omit<Target, "wasm">;
  readonly checked: readonly string[];
  readonly states: number;
  readonly transitions: number;
  readonly depthMax: number;
  readonly reductions: Reductions;
  readonly oddsOfMiss: number;
  /** Atomic steps at worst, thread by thread; only where a bound was asked for. */
  readonly worstSteps: readonly number[] | null;
  readonly seconds: number;
}

/** Undefined unless the exploration passed. */
export function certificateOf(scenario: string, target: Target, exploration: Exploration): Certificate | undefined {
  if (exploration.verdict.kind !== "passed") return undefined;
  const { wasm, ...rest } = target;
  void wasm;
  const checked = ["traps", "assertions", "deadlock", "livelock", "atomic widths", "alignment"];
  if (exploration.racesChecked) checked.push("data races");
  if (target.invariant !== undefined) checked.push(`invariant ${target.invariant} in every state`);
  if (target.final !== undefined) checked.push(`final ${target.final} in every end state`);
  if (target.stepsMax !== undefined) checked.push(`at most ${target.stepsMax} steps a thread`);
  return {
    format: CERTIFICATE_FORMAT,
    version: 1,
    scenario,
    artifact: exploration.artifact,
    target: rest,
    checked,
    states: exploration.states,
    transitions: exploration.transitions,
    depthMax: exploration.depthMax,
    reductions: exploration.reductions,
    oddsOfMiss: exploration.oddsOfMiss,
    worstSteps: exploration.worstSteps ?? null,
    seconds: exploration.seconds,
  };
}
