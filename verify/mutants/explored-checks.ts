// Explored checks: the kernel's scenarios, every interleaving of each, on a given artifact linked with the harness.
//
// Owner: whoever asked. Invariant: what stops at a bound is `unbounded`: neither passed nor failed.
// Pairs with: verify/scenarios, subject.ts.

import { explore } from "../../explore/index.ts";
import { targetOf } from "../scenarios/parts.ts";
import type { Scenario, Tier } from "../scenarios/scenario.ts";
import { threadsOf } from "../scenarios/scenario.ts";
import { scenarios } from "../scenarios/suite.ts";
import { type Check, type CheckOutcome, PASSED, firstLine } from "./check.ts";
import type { Subject } from "./subject.ts";

/** Transitions that a mutant's search may make where the unmutated kernel's is not known: more than the fast tier has. */
const TRANSITIONS_MAX = 50_000_000;
const MEMORY_MAX = 2 ** 30;

export interface ExploredCheck extends Check {
  /** Transitions of the last run that came to its end. */
  readonly transitions: () => number;
}

/** transitionsMax: by scenario. */
export function exploredChecks(
  tier: Tier,
  transitionsMax: ReadonlyMap<string, number> = new Map(),
  from: readonly Scenario[] = scenarios,
): ExploredCheck[] {
  return from
    .filter((scenario) => threadsOf(scenario, tier) !== undefined)
    .map((scenario) => {
      let transitions = 0;
      return {
        name: `scenario ${scenario.name}`,
        stage: "explored",
        transitions: () => transitions,
        run: async (subject: Subject): Promise<CheckOutcome> => {
          const bound = transitionsMax.get(scenario.name) ?? TRANSITIONS_MAX;
          const outcome = await exploreOne(scenario, tier, subject, bound);
          if ("transitions" in outcome) transitions = outcome.transitions;
          return "transitions" in outcome ? PASSED : outcome;
        },
      };
    });
}

async function exploreOne(
  scenario: Scenario,
  tier: Tier,
  subject: Subject,
  transitionsMax: number,
): Promise<Exclude<CheckOutcome, { kind: "passed" }> | { readonly transitions: number }> {
  const { probe } = subject;
  try {
    const target = { ...targetOf(scenario, tier, subject.parts), ...(probe === undefined ? {} : { probe }) };
    const { verdict, transitions } = await explore(target, { shortest: false, transitionsMax, memoryMax: MEMORY_MAX });
    switch (verdict.kind) {
      case "passed":
        return { transitions };
      case "violated":
        return { kind: "failed", reason: JSON.stringify(verdict.counterexample.violation) };
      case "incomplete":
        return { kind: "unbounded", reason: `the search stopped: ${verdict.reason}` };
      default:
        return verdict satisfies never;
    }
  } catch (thrown) {
    // The set-up is made of the kernel's own operations: one that traps there is refused by the explorer.
    return { kind: "failed", reason: firstLine(thrown) };
  }
}
