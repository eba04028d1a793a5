// First look: random walks, before the search or instead of it. Faults and contended words often show up early.
//
// Partners: random-walk.ts walks; explore.ts looks first, search-rounds.ts takes a sample for the estimate of what is left.

import { Random, walk } from "./random-walk.ts";
import type { Found, Session } from "./session.ts";
import type { Table } from "./state-table.ts";
import { assertDefined } from "../../wasm/assert-defined.ts";

const WALKS_BEFORE_SEARCH = 200;
const WALKS_INSTEAD = 10_000;

export function look(session: Session): Found | undefined {
  const { options, counts, program } = session;
  const random = new Random(options.seed ?? 1);
  const only = options.strategy === "random";
  const walks = options.walks ?? (only ? WALKS_INSTEAD : WALKS_BEFORE_SEARCH);
  let stepsExpected = 50;
  for (let i = 0; i < walks; i++) {
    const early = session.begin();
    if (early) return early;
    const outcome = walk(program, random, session.prefix, {
      strategy: i % 2 === 0 ? "pct" : "uniform",
      changes: 1 + (i % 5),
      stepsMax: only ? 100_000 : 2000,
      stepsExpected,
    });
    if (outcome.kind === "violated") return outcome;
    counts.transitions += outcome.steps;
    if (outcome.kind === "ended") stepsExpected = Math.max(stepsExpected, outcome.steps);
    counts.depthMax = Math.max(counts.depthMax, outcome.steps);
    if (!session.progress.goesOn("walk", counts, outcome.steps, walks - i)) break;
  }
  return undefined;
}

/** States of random walks. Their like is not spread evenly, so they show roughly how much a search has seen. */
export interface Sample {
  /** Fingerprints, as pairs of words. */
  readonly states: readonly number[];
  /** A walk met a word to keep footprints of that was not known before. */
  readonly metNewWord: boolean;
}

export const NO_SAMPLE: Sample = { states: [], metNewWord: false };
const SAMPLE_WALKS = 32;
const SAMPLE_WORDS_MAX = 8192;

export function takeSample(session: Session): Sample {
  const random = new Random(session.options.seed ?? 1);
  let states: number[] = [];
  let metNewWord = false;
  for (let i = 0; i < SAMPLE_WALKS && states.length < SAMPLE_WORDS_MAX; i++) {
    if (session.begin()) break;
    const onState = (low: number, high: number): void => void states.push(low, high);
    const options = { strategy: "uniform", changes: 0, stepsMax: 2000, stepsExpected: 0, onState } as const;
    if (walk(session.program, random, session.prefix, options).kind !== "restart") continue;
    // With another word to keep footprints of, the states before have other fingerprints.
    states = [];
    metNewWord = true;
  }
  return { states, metNewWord };
}

/** The share of a sample that a table holds; undefined without one. */
export function seenOf({ states }: Sample, table: Table): number | undefined {
  let seen = 0;
  for (let at = 0; at < states.length; at += 2)
    if (table.find(assertDefined(states[at]), assertDefined(states[at + 1])) >= 0) seen++;
  return states.length === 0 ? undefined : (2 * seen) / states.length;
}
