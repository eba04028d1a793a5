// Runtime names: the helper functions and globals of the runtime, in the order of their indices, and what they depend on.
//
// Owner: none, names and types only. Pairs with: runtime-functions.ts (makes the functions), instrument.ts (numbers them).

import type { Layout } from "./engine-layout.ts";

/** Mutable globals of the instrumented module, by their place after the module's own. */
export const ENGINE_GLOBALS = [
  "block",
  "thread",
  "top",
  "calleeFrame",
  "callStatus",
  "fuel",
  "invisible",
  "pauseStatus",
  "raceTracking",
  "touched",
  "stepLog",
] as const;
export type EngineGlobal = (typeof ENGINE_GLOBALS)[number];

export const HELPERS = [
  "mix",
  "put",
  "putUser",
  "rawLog",
  "store1",
  "store2",
  "store4",
  "store8",
  "recordAccessor",
  "recordWord",
  "hide",
  "contended",
  "recordPlainAccess",
  "inBounds",
  "inRange",
  "atomicAccess",
  "pend",
  "wait",
  "notify",
  "setGlobal",
  "setStackPointer",
  "clearFrame",
  "outOfFuel",
  "tooDeep",
  "copy",
  "fill",
  "grow",
  "trace",
  "settle",
  "finish",
  "step",
  "expire",
  "undo",
  "meets",
  "advance",
  "restore",
  "check",
  "prepare",
] as const;
export type Helper = (typeof HELPERS)[number];
export const EXPORTED: readonly Helper[] = [
  "step",
  "advance",
  "expire",
  "undo",
  "restore",
  "check",
  "prepare",
  "finish",
  "putUser",
  "setGlobal",
];

export interface RuntimeContext {
  readonly layout: Layout;
  readonly helper: (name: Helper) => number;
  readonly global: (name: EngineGlobal) => number;
  /** Type index of (i32) -> i32 and of () -> i32, and the table of resume and begin functions. */
  readonly resumeType: number;
  readonly beginType: number;
  readonly table: number;
  /** Table index of the first begin function. */
  readonly firstBegin: number;
  readonly zeroDead: boolean;
  readonly coalesceInvisible: boolean;
  readonly races: boolean;
  /** Can the memory grow? */
  readonly grows: boolean;
  /** Is there a word that is no part of the state? */
  readonly ghosts: boolean;
  readonly plainInStep: boolean;
  readonly countSteps: boolean;
}
