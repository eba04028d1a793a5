// Unit checks: the cases of verify/clauses, run in process on a given artifact.
//
// A case that needs the pausable form costs Binaryen's seconds and is run later, in a stage of its own; which do is
// found by running them once (baseline.ts). So is which cases judge sources instead of behaviour: they are left out.
// Owner: whoever asked. Pairs with: verify/clauses, subject.ts.

import { StuckSignal, OutsideSignal } from "../../machines/sim/signal.ts";
import type { Case } from "../rig/case.ts";
import { allChecks } from "../clauses/index.ts";
import type { KernelImage } from "../rig/kernel-image.ts";
import { isRefutation } from "../rig/refutation.ts";
import { type Check, type CheckOutcome, PASSED, firstLine } from "./check.ts";
import { NeedsPauses } from "./subject.ts";
import { isOutOfFuel } from "./weave.ts";

/** The reason of a case that needs the pausable form and is given none: it belongs to the later stage. */
export const NEEDS_PAUSES = "it needs the pausable form";

/** Every case that needs no other tool, as a check of that stage. */
export function unitChecks(stage: "unit" | "paused", cases: readonly Case[] = allChecks): Check[] {
  return cases
    .filter(({ needs }) => needs === undefined)
    .map((one) => ({
      name: `${one.clause} ${one.title}`,
      stage,
      run: (subject) => runCase(one, stage === "unit" ? () => subject.plainImage : () => subject.image),
    }));
}

async function runCase(one: Case, image: () => KernelImage): Promise<CheckOutcome> {
  try {
    await one.run(image());
    return PASSED;
  } catch (thrown) {
    if (thrown instanceof NeedsPauses) return { kind: "broken", reason: NEEDS_PAUSES };
    if (isOutOfFuel(thrown)) return { kind: "unbounded", reason: "a loop does not end" };
    if (thrown instanceof StuckSignal) return { kind: "unbounded", reason: "a loop does not end" };
    if (thrown instanceof OutsideSignal) return { kind: "failed", reason: "an access beyond the kernel's memory" };
    // The explanation of a refutation is for people; that there is one is the verdict.
    if (isRefutation(thrown)) return { kind: "failed", reason: firstLine(thrown) };
    return { kind: "broken", reason: firstLine(thrown) };
  }
}
