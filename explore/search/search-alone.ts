// Search alone: the exhaustive search in the calling thread, or the one within a bound on preemptions.
//
// Owner: one exploration. Invariant: `exhausted` is reported only when no branch is left and nothing was cut off.
// Partners: depth-first.ts searches; search-rounds.ts; search-together.ts is the same with several workers.

import type { Branch } from "./branch.ts";
import type { DepthFirstOutcome } from "./depth-first.ts";
import { DepthFirst } from "./depth-first.ts";
import { seenOf } from "./first-look.ts";
import { tableOf } from "./resume.ts";
import type { RoundBeginning, RoundEnding } from "./search-rounds.ts";
import { searchInRounds } from "./search-rounds.ts";
import type { SearchEnding, Session } from "./session.ts";
import { sum } from "./session.ts";
import type { Table } from "./state-table.ts";
import { StateTable } from "./state-table.ts";

const PREEMPTIONS_MAX = 2;

export function searchAlone(session: Session): Promise<SearchEnding> {
  return searchInRounds(session, (beginning) => searchRound(session, beginning));
}

function searchRound(session: Session, { branches, sample, saved, ...begun }: RoundBeginning): RoundEnding {
  const { program, memoryMax } = session;
  const table = saved ? tableOf(saved.states, memoryMax) : new StateTable(memoryMax);
  if (!table) return { kind: "incomplete", reason: "memory", unfinished: saved };
  const from = performance.now();
  const round = searchBranches(session, table, branches, () => seenOf(sample, table));
  session.searchSeconds += (performance.now() - from) / 1000;
  session.tableBytes = table.words.byteLength;
  const cycles = begun.cycles || round.cycles;
  const { outcome, left } = round;
  switch (outcome.kind) {
    case "restart":
      return outcome;
    case "violated":
      return { kind: "violated", found: outcome };
    case "stopped": {
      const unfinished = session.saved({ kind: "search", branches: left, cycles }, table.words);
      return { kind: "incomplete", reason: outcome.reason, unfinished };
    }
    case "exhausted":
      if (outcome.cut) return { kind: "incomplete", reason: "preemptions" };
      if (program.words.raceTrackedTooMany) return { kind: "incomplete", reason: "contended" };
      return { kind: "exhausted", cycles };
    default:
      return outcome satisfies never;
  }
}

interface Round {
  readonly outcome: DepthFirstOutcome;
  readonly left: readonly Branch[];
  readonly cycles: boolean;
}

/** One branch after the other, until one of them does not come to its end. */
function searchBranches(
  session: Session,
  table: Table,
  branches: readonly Branch[],
  seen: () => number | undefined,
): Round {
  const { options, program, progress, prepared, finals } = session;
  const { sleepSets, mergeStates } = prepared.reductions;
  const bound =
    options.strategy === "preemptions" ? { preemptionsMax: options.preemptionsMax ?? PREEMPTIONS_MAX } : undefined;
  const transitionsMax = session.counts.transitions + (options.transitionsMax ?? Infinity);
  const left = [...branches];
  let [cycles, cut] = [false, false];
  for (let branch = left.shift(); branch; branch = left.shift()) {
    program.restart();
    const before = session.counts;
    const search = new DepthFirst(program, table, {
      sleepSets: sleepSets && mergeStates,
      mergeStates,
      transitionsMax: transitionsMax - before.transitions,
      ...bound,
      ...(finals ? { finals } : {}),
      onProgress: (counts, depth, frontier) => progress.goesOn("search", sum(before, counts), depth, frontier, seen),
    });
    const outcome = search.runBranch(branch);
    session.counts = sum(before, { ...search.counts, depthMax: search.scheduleMax });
    cycles ||= search.cyclesSeen;
    if (outcome.kind === "stopped") return { outcome, left: [search.left(), ...left], cycles };
    if (outcome.kind !== "exhausted") return { outcome, left, cycles };
    cycles ||= outcome.cycles;
    cut ||= outcome.cut;
    // A branch may be too small to ask on its way.
    if (left.length > 0 && !progress.goesOn("search", session.counts, 0, left.length, seen))
      return { outcome: { kind: "stopped", reason: "interrupted" }, left, cycles };
  }
  return { outcome: { kind: "exhausted", cycles, cut }, left, cycles };
}
