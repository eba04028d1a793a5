// Museum trial: one real bug before what has to find it, a clause's unit checks or an explored scenario.
//
// Invariant: as of a trial, red means that the kernel was refuted; nothing else is red.
// Partners: museum.ts, trial.ts (unit checks), verify/scenarios.

import { rm } from "node:fs/promises";
import { explore } from "../../explore/index.ts";
import { harness } from "../scenarios/compile.ts";
import { targetOf } from "../scenarios/parts.ts";
import { select } from "../scenarios/suite.ts";
import { compile, kernelJob } from "../../toolchain/asc.ts";
import { packageRoot } from "../../toolchain/package-root.ts";
import { breakCopy, type Edit } from "./edit.ts";
import type { RealBug } from "./museum.ts";
import { type TrialOutcome, tryCounterfactual } from "./trial.ts";

export async function tryRealBug(bug: RealBug, root = packageRoot): Promise<TrialOutcome> {
  switch (bug.foundBy.kind) {
    case "check":
      return tryCounterfactual(bug, root);
    case "scenario":
      return tryInScenario(bug.edits, bug.foundBy.name, root);
    default:
      return bug.foundBy satisfies never;
  }
}

/** A broken copy of the kernel in one scenario of the fast tier. */
export async function tryInScenario(edits: readonly Edit[], name: string, root = packageRoot): Promise<TrialOutcome> {
  const selection = select([name]);
  const scenario = selection.kind === "selected" ? selection.scenarios[0] : undefined;
  if (scenario === undefined) return { kind: "refused", reason: `there is no scenario ${name}` };
  const copy = await breakCopy(root, edits);
  if (copy.kind === "refused") return copy;
  try {
    const built = await compile(kernelJob(copy.folder, "debug"));
    if (built.kind === "refused")
      return { kind: "refused", reason: `it does not compile: ${built.diagnostics[0] ?? "no reason given"}` };
    const target = targetOf(scenario, "fast", { kernel: built.wasm, harness: await harness() });
    const { verdict } = await explore(target, { shortest: false });
    switch (verdict.kind) {
      case "passed":
        return { kind: "green" };
      case "violated":
        return {
          kind: "red",
          check: `scenario ${name}`,
          reason: JSON.stringify(verdict.counterexample.violation),
        };
      case "incomplete":
        return { kind: "refused", reason: `scenario ${name} stopped: ${verdict.reason}` };
      default:
        return verdict satisfies never;
    }
  } finally {
    await rm(copy.folder, { recursive: true, force: true });
  }
}
