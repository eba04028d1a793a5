// Reductions: what the explorer leaves out because something else stands for it, each with a switch.
//
// Pairs with: target.ts, which asks for them; reductions.test.ts, which compares each with enumeration without it.

/** Each reduction has a switch; all are on by default. */
export interface Reductions {
  readonly mergeStates: boolean;
  readonly plainInStep: boolean;
  /** Needs races; off where two threads are interchangeable, because they would be taken for one. */
  readonly coalesceInvisible: boolean;
  readonly sleepSets: boolean;
  readonly symmetry: boolean;
  readonly zeroDead: boolean;
  /** Off where checks access memory atomically, call indirectly or copy memory. */
  readonly incrementalInvariant: boolean;
}

export const ALL_REDUCTIONS: Reductions = {
  mergeStates: true,
  plainInStep: true,
  coalesceInvisible: true,
  sleepSets: true,
  symmetry: true,
  zeroDead: true,
  incrementalInvariant: true,
};

/** Every interleaving is enumerated. */
export const NO_REDUCTIONS: Reductions = {
  mergeStates: false,
  plainInStep: false,
  coalesceInvisible: false,
  sleepSets: false,
  symmetry: false,
  zeroDead: false,
  incrementalInvariant: false,
};
