// Explore: from a target to a verdict. The order of work: a few random walks, the exhaustive search, a livelock pass where
// there may be cycles, and for a violation its counterexample. What stopped is resumed in the phase where it was.
//
// Owner: one exploration. Invariant: `passed` is reported only when nothing was cut off.
// Partners: session.ts is what the phases share; first-look.ts, search-alone.ts, search-together.ts, livelock.ts and
// counterexample-search.ts are the phases.

import { hashOf } from "./report/counterexample.ts";
import type { Exploration, ExploreOptions } from "./exploration.ts";
import { counterexampleOf } from "./report/counterexample-search.ts";
import { look } from "./search/first-look.ts";
import { lookForLivelocks } from "./search/livelock.ts";
import { UnusableModule } from "./program/unusable-module.ts";
import { SHARED_BYTES_MAX } from "./search/shared-table.ts";
import { searchAlone } from "./search/search-alone.ts";
import { searchTogether } from "./search/search-together.ts";
import type { PhaseEnding } from "./search/session.ts";
import { Session } from "./search/session.ts";
import type { Target } from "./program/target.ts";
import { WORKERS_MAX } from "./search/work-queue.ts";

/** Explores a target. Throws MalformedModule, UnsupportedModule or UnusableModule (one line each) for user mistakes. */
export async function explore(target: Target, options: ExploreOptions = {}): Promise<Exploration> {
  const { session, ending } = await decide(target, options);
  switch (ending.kind) {
    case "none":
      return session.result({ kind: "passed" });
    case "violated":
      return session.result({ kind: "violated", counterexample: counterexampleOf(session, ending.found) });
    case "incomplete":
      return session.result({ kind: "incomplete", reason: ending.reason }, ending.unfinished);
    default:
      return ending satisfies never;
  }
}

export type Ending = PhaseEnding<{ readonly kind: "none" }>;

/** The same, for those who need no counterexample: a violation as it was found. */
export async function decide(
  target: Target,
  options: ExploreOptions,
): Promise<{ readonly session: Session; readonly ending: Ending }> {
  const artifact = { sha256: await hashOf(target.wasm), bytes: target.wasm.length };
  const session = new Session(target, options, artifact);
  refuseMistakes(session);
  const ending = await phases(session);
  // A bound that was reached refutes nothing.
  if (ending.kind === "violated" && ending.found.violation.kind === "plain-loop")
    return { session, ending: { kind: "incomplete", reason: "plain-loop" } };
  return { session, ending };
}

function refuseMistakes(session: Session): void {
  const { target, options, artifact, question, memoryMax } = session;
  const { resume, workers = 1, strategy } = options;
  if (target.costCounters !== undefined && workers > 1)
    throw new UnusableModule("cost counters are read by one worker; leave the others out");
  if (target.probe !== undefined && workers > 1)
    throw new UnusableModule("a probe is called by one worker; leave the others out");
  if (resume && strategy !== undefined && strategy !== "exhaustive")
    throw new UnusableModule(`a saved search goes on exhaustively; strategy ${strategy} cannot resume it`);
  if (resume && (resume.sha256 !== artifact.sha256 || resume.question !== question))
    throw new UnusableModule("the saved search is about another module, other threads or other reductions");
  if (workers > WORKERS_MAX)
    throw new UnusableModule(`${workers} workers are asked for; the explorer takes up to ${WORKERS_MAX}`);
  if (workers > 1 && memoryMax > SHARED_BYTES_MAX)
    throw new UnusableModule("several workers share at most 2 GiB; allow no more memory, or use one worker");
}

/** `none`: nothing is wrong in any state. */
async function phases(session: Session): Promise<Ending> {
  const { strategy, workers = 1, resume } = session.options;
  const found = session.begin() ?? (resume ? undefined : look(session));
  if (found) return { kind: "violated", found };
  if (strategy === "random") return { kind: "incomplete", reason: "random" };
  if (resume?.rest.kind === "livelock") {
    session.resume(resume);
    return lookForLivelocks(session, resume);
  }
  const isShared = workers > 1 && strategy !== "preemptions";
  const searched = isShared ? await searchTogether(session, workers) : await searchAlone(session);
  if (searched.kind !== "exhausted") return searched;
  return searched.cycles ? lookForLivelocks(session) : { kind: "none" };
}
