// Shape: what one generated program is like as a whole, drawn first: how many threads, which words are shared and how.
//
// Owner: one generation. Addresses: 0 to 31 shared atomically, 32 to 47 guarded, 48 to 79 each thread's own, 80 to 95 read
// only, 96 to 127 free; the ends of pages 1 and 2.
// Pairs with: generate.ts.

import type { Width } from "./ast.ts";
import type { RandomSource } from "./random-numbers.ts";

export interface Shape {
  readonly threads: number;
  /** All threads run one function with the same arguments. */
  readonly alike: boolean;
  /** Of each of the four words that are shared atomically. */
  readonly widths: readonly Width[];
  /** How many of them are used. */
  readonly sharedWords: number;
  /** Share of accesses that ignore what a word is for. */
  readonly wild: number;
  /** Share of accesses to what is not there, or not aligned. */
  readonly stray: number;
  readonly grows: boolean;
  readonly waits: boolean;
  readonly awaits: boolean;
  readonly threadLocals: boolean;
  readonly start: boolean;
  readonly init: boolean;
  readonly bulk: boolean;
  readonly floats: boolean;
  readonly helpers: number;
  readonly invariant: boolean;
  readonly final: boolean;
  /** Accesses that a thread may make, loops counted out. */
  readonly budget: number;
}

export const SHARED_FROM = 0;
export const GUARDED_FROM = 32;
export const OWN_FROM = 48;
export const CONSTANT_FROM = 80;
export const FREE_FROM = 96;

const BUDGETS: Readonly<Record<number, number>> = { 2: 7, 3: 5, 4: 3 };

export function drawShape(random: RandomSource): Shape {
  const threads = random.pick([2, 2, 2, 2, 3, 3, 3, 4]);
  const threadLocals = random.chance(0.12);
  const width = (): Width => random.pick<Width>([4, 4, 4, 8, 8, 1, 2]);
  return {
    threads,
    alike: random.chance(0.12),
    widths: [width(), width(), width(), width()],
    sharedWords: 1 + random.below(4),
    wild: random.pick([0, 0, 0, 0, 0, 0.05, 0.1, 0.3]),
    stray: random.pick([0, 0, 0, 0, 0, 0.03]),
    // Behind pages that cannot grow lie thread-local variables: an access past the end would hit them.
    grows: random.chance(0.2) && !threadLocals,
    waits: random.chance(0.35),
    awaits: random.chance(0.25),
    threadLocals,
    start: random.chance(0.15),
    init: random.chance(0.2),
    bulk: random.chance(0.25),
    floats: random.chance(0.15),
    helpers: random.below(3),
    invariant: random.chance(0.2),
    final: random.chance(0.25),
    budget: Math.max(2, (BUDGETS[threads] ?? 3) - random.below(3)),
  };
}
