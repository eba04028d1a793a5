// Suite: every scenario, in the order in which they are run and listed.
//
// Pairs with: the .scenario.ts files; run.ts and the command, which choose by name.

import { authorityScenarios } from "./authority.scenario.ts";
import { bootScenarios } from "./boot.scenario.ts";
import { chainScenarios } from "./chain.scenario.ts";
import { lifeScenarios } from "./lives.scenario.ts";
import { machineScenarios } from "./machine.scenario.ts";
import { queueScenarios } from "./queues.scenario.ts";
import { saturationScenarios } from "./saturation.scenario.ts";
import type { Scenario } from "./scenario.ts";
import { sleepScenarios } from "./sleep.scenario.ts";

export const scenarios: readonly Scenario[] = [
  ...queueScenarios,
  ...sleepScenarios,
  ...authorityScenarios,
  ...lifeScenarios,
  ...saturationScenarios,
  ...chainScenarios,
  ...machineScenarios,
  ...bootScenarios,
];

export type Selection =
  | { readonly kind: "selected"; readonly scenarios: readonly Scenario[] }
  /** message: one line that names what there is. */
  | { readonly kind: "unknown"; readonly message: string };

/** The scenarios of these names; all of them when none is named. */
export function select(names: readonly string[]): Selection {
  const unknown = names.find((name) => !scenarios.some((one) => one.name === name));
  if (unknown !== undefined) {
    const list = scenarios.map(({ name }) => name).join(", ");
    return { kind: "unknown", message: `there is no scenario "${unknown}"; there are ${list}` };
  }
  return { kind: "selected", scenarios: scenarios.filter(({ name }) => names.length === 0 || names.includes(name)) };
}
