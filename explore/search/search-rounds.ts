// Search rounds: the exhaustive search, restarted whenever a round has met a word that footprints must be kept of.
//
// Owner: one exploration. Partners: search-alone.ts and search-together.ts make a round.

import type { Branch } from "./branch.ts";
import { wholeFrom } from "./branch.ts";
import type { Sample } from "./first-look.ts";
import { NO_SAMPLE, takeSample } from "./first-look.ts";
import type { SearchState } from "./resume.ts";
import type { Found, SearchEnding, Session } from "./session.ts";
import { RESTARTS_MAX } from "./session.ts";

/** Where a round begins. */
export interface RoundBeginning {
  readonly kind: "ready";
  readonly branches: readonly Branch[];
  /** May what is resumed have seen a cycle? */
  readonly cycles: boolean;
  /** Empty where nobody asks how far the search is. */
  readonly sample: Sample;
  /** What is resumed; undefined: the search is new. */
  readonly saved: SearchState | undefined;
}

export type RoundEnding = SearchEnding | { readonly kind: "restart" };

/** Searches round by round until one does not ask for another. */
export async function searchInRounds(
  session: Session,
  searchRound: (beginning: RoundBeginning) => RoundEnding | Promise<RoundEnding>,
): Promise<SearchEnding> {
  let saved = session.options.resume;
  for (let restarts = 0; restarts < RESTARTS_MAX; restarts++) {
    const begun = beginRound(session, saved);
    const ending = begun.kind === "ready" ? await searchRound(begun) : begun;
    if (ending.kind !== "restart") return ending;
    saved = undefined;
  }
  return { kind: "incomplete", reason: "contended" };
}

/** Restart: what is resumed does not know of a word that footprints must be kept of. */
function beginRound(
  session: Session,
  saved: SearchState | undefined,
): RoundBeginning | { readonly kind: "violated"; readonly found: Found } | { readonly kind: "restart" } {
  const { options, prepared, progress } = session;
  if (!session.resume(saved)) return { kind: "restart" };
  const early = session.begin();
  if (early) return { kind: "violated", found: early };
  const isSampled = progress.isWanted && options.strategy !== "preemptions" && prepared.reductions.mergeStates;
  const sample = isSampled ? takeSample(session) : NO_SAMPLE;
  // Then the states that were saved have other fingerprints, too.
  if (sample.metNewWord && saved) return { kind: "restart" };
  if (saved?.rest.kind !== "search")
    return { kind: "ready", branches: [wholeFrom(session.prefix)], cycles: false, sample, saved };
  // The branch of one worker goes on as if it had never stopped. Between several, steps back may have gone unseen.
  const { branches, cycles } = saved.rest;
  return { kind: "ready", branches, cycles: cycles || branches.length > 1, sample, saved };
}
