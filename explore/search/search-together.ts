// Search together: the exhaustive search by several workers (Node), in rounds.
//
// A round that meets a word which footprints must be kept of ends, and the next one begins with it.
// Owner: one exploration. Partners: parallel.ts makes a round; search-rounds.ts; search-alone.ts is the same in one thread.

import { wholeFrom } from "./branch.ts";
import { seenOf } from "./first-look.ts";
import { sharedTableOf } from "./resume.ts";
import type { RoundBeginning, RoundEnding } from "./search-rounds.ts";
import { searchInRounds } from "./search-rounds.ts";
import type { SearchEnding, Session } from "./session.ts";
import { sum } from "./session.ts";
import { SharedTable } from "./shared-table.ts";

export function searchTogether(session: Session, workers: number): Promise<SearchEnding> {
  return searchInRounds(session, (beginning) => searchRound(session, beginning, workers));
}

async function searchRound(
  session: Session,
  { branches, sample, saved }: RoundBeginning,
  workers: number,
): Promise<RoundEnding> {
  const { searchInParallel } = await import("./parallel.ts");
  const { options, program, progress, target } = session;
  const table = sharedTableOf(saved?.states ?? new Int32Array(), session.memoryMax, workers);
  if (!table) return { kind: "incomplete", reason: "memory", unfinished: saved };
  session.tableBytes = table.shared.memory.buffer.byteLength;
  const view = new SharedTable(table.shared, workers, workers);
  const before = session.counts;
  const round = await searchInParallel(target, {
    workers,
    workerModule: options.workerModule ?? new URL("./worker.js", import.meta.url),
    raceTracked: program.words.raceTrackedWords(),
    accessSummary: program.words.accessSummary(),
    branches,
    table: table.shared,
    statesBefore: table.statesBefore,
    transitionsMax: options.transitionsMax ?? Infinity,
    collectFinals: session.finals !== undefined,
    onProgress: (counts, depth, frontier) =>
      progress.goesOn("search", sum(before, counts), depth, frontier, () => seenOf(sample, view)),
  });
  session.counts = sum(before, round.counts);
  session.searchSeconds += round.seconds;
  for (const { finals, worstSteps } of round.reports) {
    for (const final of finals) session.finals?.add(final);
    program.raiseWorstSteps(worstSteps);
  }
  // What one worker saw of a word and what another did may be one thing together.
  const isLearnt = round.reports.map(({ raceTracked, accessSummary }) => {
    program.words.trackRaces([...new Set([...program.words.raceTrackedWords(), ...raceTracked])]);
    return program.words.learn(accessSummary);
  });
  const { outcome } = round;
  switch (outcome.kind) {
    case "violated":
      return { kind: "violated", found: outcome };
    case "stopped": {
      // The states were made without what is learnt just now: what is resumed restarts with it.
      const unfinished = isLearnt.includes(true)
        ? session.saved({ kind: "search", branches: [wholeFrom(session.prefix)], cycles: false }, new Int32Array())
        : session.saved({ kind: "search", branches: round.left, cycles: true }, view.words);
      return { kind: "incomplete", reason: outcome.reason, unfinished };
    }
    case "restart":
      return outcome;
    case "exhausted":
      if (isLearnt.includes(true)) return { kind: "restart" };
      if (round.reports.some(({ raceTrackedTooMany }) => raceTrackedTooMany))
        return { kind: "incomplete", reason: "contended" };
      return outcome;
    default:
      return outcome satisfies never;
  }
}
