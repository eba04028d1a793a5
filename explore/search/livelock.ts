// Livelock: the pass after an exhausted search that looks for states from which not everybody can finish any more.
//
// Owner: one exploration. Partners: components.ts is the algorithm; explore.ts asks for it where there may be cycles.

import { findLivelock } from "./components.ts";
import type { SearchState } from "./resume.ts";
import { tableOf } from "./resume.ts";
import type { PhaseEnding, Session } from "./session.ts";
import { StateTable } from "./state-table.ts";

/** `saved`: a pass that stopped and goes on. */
export function lookForLivelocks(session: Session, saved?: SearchState): PhaseEnding<{ readonly kind: "none" }> {
  const { program, options, memoryMax, counts: found, progress } = session;
  const table = saved ? tableOf(saved.states, memoryMax) : new StateTable(memoryMax);
  if (!table) return { kind: "incomplete", reason: "memory", unfinished: saved };
  // Races are the search's business; without footprints there are fewer states. From the first step on: a thread that ends
  // before any atomic access would keep its own.
  program.trackRaces(false);
  session.begin();
  const outcome = findLivelock(
    program,
    table,
    session.prefix,
    {
      transitionsMax: options.transitionsMax ?? Infinity,
      onProgress: (counts, depth, frontier) =>
        progress.goesOn("livelock", counts, depth, frontier, () => Math.min(1, counts.states / found.states)),
    },
    saved?.rest.kind === "livelock" ? saved.rest.stack : undefined,
  );
  program.trackRaces(program.options.races);
  session.tableBytes = Math.max(session.tableBytes, table.words.byteLength);
  switch (outcome.kind) {
    case "none":
      return outcome;
    case "stopped": {
      const { reason, stack } = outcome;
      const unfinished = session.saved({ kind: "livelock", statesFound: found.states, stack }, table.words);
      return { kind: "incomplete", reason, unfinished };
    }
    case "livelock": {
      const { size, schedule, states } = outcome;
      const violation = { kind: "livelock", states: size } as const;
      return { kind: "violated", found: { violation, schedule, states, known: program.words.known } };
    }
    default:
      return outcome satisfies never;
  }
}
