// Breaks: every deliberate fault of the kernel, with the clause that it breaks: the table's and the scenarios' own.
//
// Owner: none. Pairs with: ../breaks/table.ts, verify/scenarios (planted faults), plan.ts.

import { scenarios } from "../scenarios/suite.ts";
import type { ClauseId } from "../clause-id.ts";
import { COUNTERFACTUALS } from "../breaks/table.ts";
import type { Edit } from "../breaks/edit.ts";

export interface Break {
  readonly clause: ClauseId;
  readonly title: string;
  readonly edits: readonly Edit[];
  /** The scenario that plants it; undefined: it is the table's. */
  readonly plantedBy?: string;
}

export function allBreaks(): readonly Break[] {
  const planted = scenarios.flatMap(({ name, faults }) =>
    faults.map(({ clause, title, file, from, to }): Break => ({
      clause,
      title,
      edits: [{ file: `kernel/${file}`, old: from, new: to }],
      plantedBy: name,
    })),
  );
  return [...COUNTERFACTUALS, ...planted];
}

/** Whether it changes what scenarios explore: code of the kernel, not of a machine. */
export function isOfKernel({ edits }: Break): boolean {
  return edits.every(({ file }) => file.startsWith("kernel/"));
}
