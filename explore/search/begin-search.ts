// Begin search: what a search for states has before its first step, whether it is new or resumed.
//
// Partners: search-alone.ts and search-together.ts.

import type { Branch } from "./branch.ts";
import { wholeFrom } from "./branch.ts";
import type { Sample } from "./first-look.ts";
import { NO_SAMPLE, takeSample } from "./first-look.ts";
import type { SearchState } from "./resume.ts";
import type { Found, Session } from "./session.ts";

export type SearchBeginning =
  | { readonly kind: "violated"; readonly found: Found }
  | {
      readonly kind: "ready";
      readonly branches: readonly Branch[];
      /** May what is resumed have seen a cycle? */
      readonly cycles: boolean;
      /** Empty where nobody asks how far the search is. */
      readonly sample: Sample;
    }
  /** What is resumed does not know of a word that footprints must be kept of: it has to begin again. */
  | { readonly kind: "restart" };

/** Goes to where the search begins or is resumed. */
export function beginSearch(session: Session, saved: SearchState | undefined): SearchBeginning {
  const { options, prepared, progress } = session;
  if (!session.resume(saved)) return { kind: "restart" };
  const early = session.begin();
  if (early) return { kind: "violated", found: early };
  const isSampled = progress.isWanted && options.strategy !== "preemptions" && prepared.reductions.mergeStates;
  const sample = isSampled ? takeSample(session) : NO_SAMPLE;
  // Then the states that were saved have other fingerprints, too.
  if (sample.metNewWord && saved) return { kind: "restart" };
  if (saved?.rest.kind !== "search")
    return { kind: "ready", branches: [wholeFrom(session.prefix)], cycles: false, sample };
  // The branch of one worker goes on as if it had never stopped. Between several, steps back may have gone unseen.
  const { branches, cycles } = saved.rest;
  return { kind: "ready", branches, cycles: cycles || branches.length > 1, sample };
}
