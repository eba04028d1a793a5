// Trials as tests: the breaks of some sections before what has to find them, one test a break.
//
// Left to `npm run counterfactuals`: breaks for whose checks the kernel is compiled as it ships, which takes several
// seconds each (Q1 and T4; the gates that find them have planted faults of their own in toolchain/).
// The groups run side by side, each in a test file of its own: trials-*.test.ts.

import { describe, expect, test } from "vitest";
import type { Break } from "./break.ts";
import { MUSEUM } from "./museum.ts";
import { EVIDENCE_BREAKS } from "./table-evidence.ts";
import { IDENTITY_BREAKS } from "./table-identity.ts";
import { MACHINE_BREAKS } from "./table-machine.ts";
import { QUEUES_BREAKS } from "./table-queues.ts";
import { RESCHED_BREAKS } from "./table-resched.ts";
import { STEALING_BREAKS } from "./table-stealing.ts";
import { TASKS_BREAKS } from "./table-tasks.ts";
import { plantsOf } from "./plants.ts";
import { buildFor, tryBreak } from "./trial.ts";

/** All breaks, by the name of the test file: `trials-queues.test.ts`. */
export const GROUPS = {
  queues: [...QUEUES_BREAKS, ...STEALING_BREAKS],
  resched: [...RESCHED_BREAKS, ...IDENTITY_BREAKS, ...MACHINE_BREAKS],
  tasks: [...TASKS_BREAKS, ...EVIDENCE_BREAKS, ...MUSEUM],
} as const satisfies Record<string, readonly Break[]>;

function isQuick(one: Break): boolean {
  return plantsOf(one).length > 0 || buildFor(one.clauses) === "debug";
}

export function testBreaks(group: keyof typeof GROUPS): void {
  const quick = GROUPS[group].filter((one) => isQuick(one));
  describe("every break is found", () => {
    test.each(quick.map((one) => [one.clauses.join(", "), one.title, one] as const))(
      "break: %s: %s: red",
      async (_, _title, one) => {
        const outcome = await tryBreak(one);
        const isSkipped = outcome.kind === "skipped" && process.env["CI"] !== "true";
        expect(outcome, JSON.stringify(outcome)).toMatchObject(isSkipped ? { kind: "skipped" } : { kind: "red" });
      },
    );
  });
}
