// hartbeat explore --kernel: the scenarios of kernel/scenarios on the artifact that boots. Chooses, runs, ends.
//
// Partners: kernel/scenarios runs them; explore.ts has the flags; kernel-desk.ts tells and keeps.

import type { CampaignEntry } from "../kernel/scenarios/campaign.ts";
import type { CommandEnding } from "./exit-code.ts";
import { watchInterruption } from "./interruption.ts";
import { KernelDesk, type KernelFlags } from "./kernel-desk.ts";
import { findParts } from "./kernel-parts.ts";
import { sessionFolder, sessionId } from "./run-folder.ts";

/** Explores the scenarios of these names; all that have the tier when none is named. */
export async function exploreKernel(names: readonly string[], flags: KernelFlags): Promise<CommandEnding> {
  const { select } = await import("../kernel/scenarios/suite.ts");
  const selection = select(names);
  if (selection.kind !== "selected") return { kind: "usage", message: selection.message };
  const { threadsOf } = await import("../kernel/scenarios/scenario.ts");
  const chosen = selection.scenarios.filter((scenario) => threadsOf(scenario, flags.tier) !== undefined);
  if (chosen.length === 0) {
    const message = `of what was named nothing has a ${flags.tier} tier; leave --fast out or give --full`;
    return { kind: "nothing-selected", message };
  }
  const found = await findParts();
  if (found.kind !== "ready") return found;

  const asked = { isAll: names.length === 0, scenarios: selection.scenarios, chosen };
  const desk = new KernelDesk(sessionFolder(sessionId(new Date())), found.parts, asked, flags);
  desk.begin();
  const interruption = watchInterruption();
  try {
    const { runCampaign } = await import("../kernel/scenarios/campaign.ts");
    const entries = await runCampaign(chosen, found.parts, {
      tier: flags.tier,
      jobs: flags.jobs,
      ...(flags.memory === undefined ? {} : { memoryMax: flags.memory }),
      signal: interruption.signal,
      onResult: (scenario, result) => desk.tell(scenario, result),
    });
    desk.end(entries);
    return endingOf(entries, chosen.length, interruption.signal.aborted);
  } finally {
    interruption.release();
  }
}

function endingOf(entries: readonly CampaignEntry[], wanted: number, isInterrupted: boolean): CommandEnding {
  if (entries.some(({ result }) => result.kind === "violated")) return { kind: "red" };
  if (isInterrupted) return { kind: "interrupted" };
  const isWhole = entries.length === wanted && entries.every(({ result }) => result.kind === "passed");
  return isWhole ? { kind: "done" } : { kind: "incomplete" };
}
