// Runtime: the helper functions that every instrumented module carries, written in wasm by hand.
//
// Owner: instrument.ts appends them to the module. They own the control page, the thread blocks, the shadow and the log.
// Invariant: a word of user memory or of a thread's block changes only through `put` or `putUser`, which log the old
// word and keep the sums; so undoing the log restores memory and sums together.
// Pairs with: layout.ts (addresses), resumable.ts and rewrite.ts (call these), program.ts (calls the exported ones).

import type { HelperFunction } from "./runtime-builder.ts";
import { RuntimeBuilder } from "./runtime-builder.ts";
import type { Layout } from "./layout.ts";
import { accessHelpers } from "./runtime-access.ts";
import { memoryHelpers } from "./runtime-memory.ts";
import { invisibleHelpers } from "./runtime-invisible.ts";
import { stepHelpers } from "./runtime-step.ts";
import { waitHelpers } from "./runtime-wait.ts";

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
  "noting",
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

export function runtimeHelpers(context: RuntimeContext): ReadonlyMap<Helper, HelperFunction> {
  const book = new RuntimeBuilder(context);
  memoryHelpers(book);
  invisibleHelpers(book);
  accessHelpers(book);
  waitHelpers(book);
  stepHelpers(book);
  return book.helpers;
}
