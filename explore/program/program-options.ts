// Program options: what a program is made of, checked and with every default filled in.
//
// Owner: none, a type. Pairs with: target.ts (makes them), program.ts, word-knowledge.ts, faults.ts.

import type { ExplorableModule } from "../instrument/explorable.ts";
import type { Entry, Instrumented } from "../instrument/instrument-options.ts";
import type { ThreadLocals } from "../instrument/start-up.ts";

export interface ProgramOptions {
  readonly module: ExplorableModule;
  readonly instrumented: Instrumented;
  readonly entries: readonly Entry[];
  readonly threads: number;
  /** Symmetry class of each thread. */
  readonly classes: readonly number[];
  readonly plainLoopMax: number;
  readonly stepsMax: number | undefined;
  readonly races: boolean;
  readonly coalesceInvisible: boolean;
  /** Steps say truly whether they touch what checks read. */
  readonly incrementalInvariant: boolean;
  /** An end in which threads wait is a rest that `final` judges, not a deadlock. */
  readonly allowBlockedEnd: boolean;
  readonly threadLocals: ThreadLocals | undefined;
  /** Ranges of the user's bytes that are no state. */
  readonly ghosts: readonly (readonly [number, number])[];
  readonly costCounters: { readonly at: number; readonly count: number } | undefined;
  /** What the import `probe.at` calls. */
  readonly probe: ((argument: number) => void) | undefined;
  /** Indices into entries. */
  readonly start: number | undefined;
  /** What the main instance runs once, before init. */
  readonly constructors: readonly number[];
  readonly init: number | undefined;
  readonly invariant: number | undefined;
  readonly final: number | undefined;
}
