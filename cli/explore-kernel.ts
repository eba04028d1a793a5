// hartbeat explore --kernel: the scenarios of verify/scenarios on the artifact that boots. Chooses, runs, ends.
//
// Partners: verify/scenarios runs them; explore.ts has the flags; kernel-report.ts reports and keeps.

import type { SuiteEntry } from "../verify/scenarios/suite-run.ts";
import { threadsOf } from "../verify/scenarios/scenario.ts";
import { select } from "../verify/scenarios/suite.ts";
import { loadSuite, loadSearch } from "./suite-file.ts";
import { identityOf } from "./certificate-store.ts";
import type { CommandEnding } from "./exit-code.ts";
import { watchInterruption } from "./interruption.ts";
import { type Asked, KernelReport, type KernelFlags } from "./kernel-report.ts";
import { findParts } from "./kernel-parts.ts";
import { sessionFolder, sessionId } from "./run-folder.ts";

/** Explores the scenarios of these names, all that have the tier when none is named, or what a stopped run has left. */
export async function exploreKernel(names: readonly string[], flags: KernelFlags): Promise<CommandEnding> {
  const interruption = watchInterruption();
  try {
    const asking = flags.resume === undefined ? askFor(names, flags) : askAgain(flags.resume);
    if (asking.kind !== "asked") return asking;
    const { asked, resume } = asking;
    const found = await findParts();
    // Ctrl-C reaches what builds, too: that it refuses then is no fault of the sources.
    if (interruption.signal.aborted) return { kind: "interrupted" };
    if (found.kind !== "ready") return found;
    if (resume !== undefined && JSON.stringify(resume.identity) !== JSON.stringify(identityOf(found.parts))) {
      return {
        kind: "usage",
        message: `${resume.folder}: it is about another kernel than today's; leave --resume out`,
      };
    }

    const report = new KernelReport(resume?.folder ?? sessionFolder(sessionId(new Date())), found.parts, asked, flags);
    report.begin();
    const { runSuite } = await import("../verify/scenarios/suite-run.ts");
    const entries = await runSuite(asked.chosen, found.parts, {
      tier: asked.tier,
      operations: flags.operations,
      jobs: flags.jobs,
      ...(flags.memory === undefined ? {} : { memoryMax: flags.memory }),
      ...(flags.transitions === undefined ? {} : { transitionsMax: flags.transitions }),
      ...(resume === undefined ? {} : { resume: (scenario) => loadSearch(resume.folder, scenario) }),
      signal: interruption.signal,
      onResult: (scenario, result) => report.add(scenario, result),
      onProgress: (now) => report.show(now),
    });
    report.end(entries);
    return endingOf(entries, asked.chosen.length, interruption.signal.aborted);
  } finally {
    interruption.release();
  }
}

type Asking =
  | { readonly kind: "asked"; readonly asked: Asked; readonly resume?: Resume }
  | Exclude<CommandEnding, { kind: "done" }>;

interface Resume {
  readonly folder: string;
  readonly identity: { readonly kernel: string; readonly harness: string };
}

function askFor(names: readonly string[], { tier }: KernelFlags): Asking {
  const selection = select(names);
  if (selection.kind !== "selected") return { kind: "usage", message: selection.message };
  const { scenarios } = selection;
  const chosen = scenarios.filter((scenario) => threadsOf(scenario, tier) !== undefined);
  if (chosen.length === 0) {
    const message = `of what was named nothing has a ${tier} tier; leave --fast out or give --full`;
    return { kind: "nothing-selected", message };
  }
  return { kind: "asked", asked: { tier, scenarios, chosen } };
}

function askAgain(folder: string): Asking {
  const loaded = loadSuite(folder);
  if (loaded.kind !== "loaded") return loaded;
  const { tier, asked, left, identity } = loaded.suite;
  const [before, rest] = [select(asked), select(left)];
  if (before.kind !== "selected" || rest.kind !== "selected" || left.length === 0) {
    return { kind: "usage", message: `${folder}: its scenarios are not there any more; leave --resume out` };
  }
  const chosen = rest.scenarios.filter((scenario) => threadsOf(scenario, tier) !== undefined);
  return {
    kind: "asked",
    asked: { tier, scenarios: before.scenarios, chosen },
    resume: { folder, identity },
  };
}

/** Does an operation go round without end? */
const isUnbounded = ({ result }: SuiteEntry): boolean =>
  result.kind === "passed" && result.certificate.operations?.kind === "unbounded";

/** An interruption is one whatever was found before it: that is in the report. */
function endingOf(entries: readonly SuiteEntry[], wanted: number, isInterrupted: boolean): CommandEnding {
  if (isInterrupted) return { kind: "interrupted" };
  if (entries.some(({ result }) => result.kind === "violated")) return { kind: "red" };
  if (entries.some(isUnbounded)) return { kind: "red" };
  const isWhole = entries.length === wanted && entries.every(({ result }) => result.kind === "passed");
  return isWhole ? { kind: "done" } : { kind: "incomplete" };
}
