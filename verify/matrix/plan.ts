// Plan: which proofs each break is run against: the scenarios that list its clause, and the checks of the clause.
//
// Owner: none, pure. Pairs with: ../breaks/table.ts, matrix-run.ts, matrix-file.ts.

import { allChecks } from "../clauses/index.ts";
import type { Scenario, Tier } from "../scenarios/scenario.ts";
import { scenarios } from "../scenarios/suite.ts";
import { CLAUSE_IDS, type ClauseId } from "../clause-id.ts";
import type { Break } from "../breaks/break.ts";
import { BREAKS, isOfKernel } from "../breaks/table.ts";

/** A proof of a clause: a scenario, or all unit checks of the clause together. */
export type Proof =
  | { readonly kind: "scenario"; readonly scenario: Scenario; readonly tier: Tier }
  | { readonly kind: "checks"; readonly clause: ClauseId };

export interface Row {
  readonly clause: ClauseId;
  readonly break: Break;
  readonly proofs: readonly Proof[];
}

export function nameOf(proof: Proof): string {
  return proof.kind === "scenario" ? `scenario ${proof.scenario.name}` : `checks of ${proof.clause}`;
}

/** The rows of these clauses, of all when none is named. */
export function planOf(clauses: readonly string[]): readonly Row[] {
  return CLAUSE_IDS.filter((clause) => clauses.length === 0 || clauses.includes(clause)).flatMap((clause) => {
    const listed = scenarios.filter((scenario) => scenario.clauses.includes(clause));
    return BREAKS.filter(({ clauses: ids }) => ids.includes(clause)).map((one): Row => ({
      clause,
      break: one,
      proofs: [...checksOf(clause), ...explorationsOf(one, listed)],
    }));
  });
}

function checksOf(clause: ClauseId): readonly Proof[] {
  return allChecks.some((check) => check.clause === clause) ? [{ kind: "checks", clause }] : [];
}

function explorationsOf(one: Break, listed: readonly Scenario[]): readonly Proof[] {
  if (!isOfKernel(one)) return [];
  return listed.map((scenario): Proof => ({
    kind: "scenario",
    scenario,
    tier: scenario.fast === undefined ? "full" : "fast",
  }));
}

/** Clauses and scenarios that claim each other without any break that could turn the claim red. */
export function unbreakable(): readonly string[] {
  const rows = planOf([]);
  return scenarios.flatMap(({ name, clauses }) =>
    clauses
      .filter((clause) => !rows.some((row) => row.clause === clause && isOfKernel(row.break)))
      .map((clause) => `${name} claims ${clause}, which no break of the kernel is about`),
  );
}
