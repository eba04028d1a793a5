// Configurations: the ways in which the explorer is asked about one program.
//
// What every program gets, and what is shared out over the seeds because it costs more; the seed decides, so a program is
// always asked about in the same ways. A run of a few hundred programs has each of them.
// Owner: none, constants. Pairs with: compare.ts.

import { NO_REDUCTIONS, type Reductions } from "../program/reductions.ts";

export interface Configuration {
  readonly name: string;
  readonly reductions: Partial<Reductions>;
  readonly workers: number;
  /** Stopped after so many transitions, again and again. */
  readonly transitionsMax?: number;
  readonly walks?: number;
  /** Only where the states are few and no way leads back: every interleaving is gone through. */
  readonly needsSmall?: boolean;
}

const alone = (name: keyof Reductions): Configuration => ({
  name: `without ${name}`,
  reductions: { [name]: false },
  workers: 1,
});

const ALWAYS: readonly Configuration[] = [{ name: "all reductions", reductions: {}, workers: 1 }];

/** One of these for each program, in turn. */
const IN_TURN: readonly Configuration[] = [
  alone("sleepSets"),
  alone("coalesceInvisible"),
  alone("plainInStep"),
  alone("zeroDead"),
  alone("symmetry"),
  alone("incrementalInvariant"),
  { name: "stopped and resumed", reductions: {}, workers: 1, transitionsMax: 7 },
  { name: "after random walks", reductions: {}, workers: 1, walks: 10 },
  { name: "no reductions, states merged", reductions: { ...NO_REDUCTIONS, mergeStates: true }, workers: 1 },
  { name: "without mergeStates", reductions: { mergeStates: false }, workers: 1, needsSmall: true },
  { name: "no reductions", reductions: NO_REDUCTIONS, workers: 1, needsSmall: true },
];

/** Worker threads take time to start: one program in so many. */
const TOGETHER_EVERY = 512;
const TOGETHER: readonly Configuration[] = [
  { name: "two workers", reductions: {}, workers: 2 },
  { name: "two workers, stopped and resumed by one", reductions: {}, workers: 2, transitionsMax: 20 },
];

export const ALL_CONFIGURATIONS: readonly Configuration[] = [...ALWAYS, ...IN_TURN, ...TOGETHER];

/** `hasWorkers`: worker threads can be started here. */
export function configurationsFor(seed: number, hasWorkers: boolean): Configuration[] {
  const mixed = Math.imul(seed, 0x9e3779b1) >>> 8;
  const chosen = [...ALWAYS];
  const turn = IN_TURN[mixed % IN_TURN.length];
  if (turn) chosen.push(turn);
  const together = TOGETHER[Math.floor(mixed / TOGETHER_EVERY) % TOGETHER.length];
  if (hasWorkers && together && mixed % TOGETHER_EVERY === 0) chosen.push(together);
  return chosen;
}
