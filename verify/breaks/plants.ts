// Plants: which scenarios plant a break, and so have to report it.
//
// Owner: none. Pairs with: verify/scenarios (faults, by title), table.ts.

import type { PlantedFault, Scenario } from "../scenarios/scenario.ts";
import { scenarios } from "../scenarios/suite.ts";
import type { Break } from "./break.ts";

export interface Plant {
  readonly scenario: Scenario;
  readonly fault: PlantedFault;
}

export function plantsOf({ title }: Break): readonly Plant[] {
  return scenarios.flatMap((scenario) =>
    scenario.faults.filter((fault) => fault.break === title).map((fault) => ({ scenario, fault })),
  );
}
