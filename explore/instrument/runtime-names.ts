// Runtime names: the runtime's functions that others call, and its globals.
//
// Owner: none, names only. Pairs with: explore/runtime/ (the functions), index-plan.ts (their indices).

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

/** What the instrumenter and the program call; the runtime exports these. */
export const HELPERS = [
  "put",
  "putUser",
  "store1",
  "store2",
  "store4",
  "store8",
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
  "finish",
  "step",
  "expire",
  "undo",
  "advance",
  "restore",
  "check",
  "prepare",
] as const;
export type Helper = (typeof HELPERS)[number];
/** What the instrumented module exports. */
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
