// Needed: the fewest pairs of the matrix that settle it: a break needs one proof that it turns red, and a scenario's
// claim of a clause needs one break of the clause that turns it red.
//
// Owner: none, pure. Pairs with: plan.ts (the pairs), main.ts (runs them), verdicts.ts (judges what was found).

import { nameOf, type Proof, type Row } from "./plan.ts";
import { SUPPORTS } from "./supports.ts";
import { plantsOf } from "../breaks/plants.ts";

export interface Pair {
  readonly row: Row;
  readonly proof: Proof;
}

/** What was found of a pair; undefined: it has not been run. */
export type FindEntry = (row: Row, proof: Proof) => { readonly red: boolean | null } | undefined;

/** The next pair to run; undefined: every break and every claim is settled, or all their pairs have been run. */
export function nextNeeded(rows: readonly Row[], find: FindEntry): Pair | undefined {
  for (const row of rows) {
    const missing = firstMissing(
      inOrder(row).map((proof): Pair => ({ row, proof })),
      find,
    );
    if (missing !== undefined) return missing;
  }
  for (const pairs of claimsIn(rows)) {
    const missing = firstMissing(pairs, find);
    if (missing !== undefined) return missing;
  }
  return undefined;
}

/** The first pair that has not been run, unless one of them is red. */
function firstMissing(pairs: readonly Pair[], find: FindEntry): Pair | undefined {
  if (pairs.some(({ row, proof }) => find(row, proof)?.red === true)) return undefined;
  return pairs.find(({ row, proof }) => find(row, proof) === undefined);
}

/** A break's proofs, the scenario that plants it first, then the cheap ones. */
function inOrder(row: Row): readonly Proof[] {
  const cost = (proof: Proof): number => {
    if (proof.kind === "checks") return 1;
    if (isPlanted(row, proof.scenario.name)) return 0;
    return proof.tier === "fast" ? 2 : 3;
  };
  return row.proofs.toSorted((one, other) => cost(one) - cost(other));
}

/** For each claim of a scenario its pairs, first the break that it plants itself, or that supports.ts names. */
function claimsIn(rows: readonly Row[]): readonly (readonly Pair[])[] {
  const claims = new Map<string, Pair[]>();
  for (const row of rows) {
    for (const proof of row.proofs) {
      if (proof.kind === "checks") continue;
      const name = `${row.clause} ${nameOf(proof)}`;
      const pairs = claims.get(name) ?? [];
      claims.set(name, pairs);
      if (isPlanted(row, proof.scenario.name) || supports(row, proof.scenario.name)) pairs.unshift({ row, proof });
      else pairs.push({ row, proof });
    }
  }
  return [...claims.values()];
}

function isPlanted(row: Row, name: string): boolean {
  return plantsOf(row.break).some(({ scenario }) => scenario.name === name);
}

function supports({ clause, break: { title } }: Row, name: string): boolean {
  return SUPPORTS.some((one) => one.clause === clause && one.break === title && one.scenarios.includes(name));
}
