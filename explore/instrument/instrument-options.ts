// Instrument options: what the instrumenter is asked and what it returns, as types.
//
// Owner: none, types only. Pairs with: instrument.ts (makes the result), program/ (asks and uses it).

import type { Layout } from "./engine-layout.ts";
import type { Site } from "./rewrite.ts";
import type { ThreadLocals } from "./start-up.ts";

/** A call of an exported function with constant arguments. */
export interface Entry {
  readonly functionIndex: number;
  readonly args: readonly bigint[];
}

export interface InstrumentOptions {
  /** What threads and the main thread may run; the first `threads` of them are the threads. */
  readonly entries: readonly Entry[];
  /** Which entries are checks. */
  readonly invariant: number | undefined;
  readonly final: number | undefined;
  readonly threads: number;
  readonly races: boolean;
  readonly traced: boolean;
  readonly zeroDead: boolean;
  readonly plainInStep: boolean;
  readonly coalesceInvisible: boolean;
  readonly ghosts: boolean;
  readonly countSteps: boolean;
  readonly stackBytes: number;
  readonly logBytes: number;
  /** Pages that memory.grow may add. */
  readonly growPages: number;
  readonly threadLocals: ThreadLocals | undefined;
  /** Names of function imports ("module.name") that the host supplies. */
  readonly hostImports: ReadonlySet<string>;
}

export interface Instrumented {
  readonly bytes: Uint8Array;
  readonly layout: Layout;
  readonly sites: readonly Site[];
  readonly stackPointer: number | undefined;
  /** The entry that sets up a thread's thread-local variables; the main thread is the last. */
  readonly threadLocalsEntry: (thread: number) => number;
  /** The module's function that a function of the result was made from, by their indices; undefined: the engine's own. */
  readonly originOf: (functionIndex: number) => number | undefined;
  /** Entries of checks that run in one go; the invariant then marks where it reads. Others run step by step. */
  readonly inOne: ReadonlySet<number>;
  /** For profiles: "module", the check that a function of the instrumented module is a copy for, or the runtime's function. */
  readonly roleOf: (functionIndex: number) => string;
}
