// Runtime functions: the helper functions that every instrumented module carries, written in wasm by hand.
//
// Owner: instrument.ts appends them to the module. They own the control page, the thread blocks, the shadow and the log.
// Invariant: a word of user memory or of a thread's block changes only through `put` or `putUser`, which log the old
// word and keep the sums; so undoing the log restores memory and sums together.
// Pairs with: engine-layout.ts (addresses), resumable.ts and rewrite.ts (call these), program.ts (calls the exported ones).

import type { HelperFunction } from "./runtime-builder.ts";
import { RuntimeBuilder } from "./runtime-builder.ts";
import type { Helper, RuntimeContext } from "./runtime-names.ts";
import { accessHelpers } from "./runtime-access.ts";
import { memoryHelpers } from "./runtime-memory.ts";
import { invisibleHelpers } from "./runtime-invisible.ts";
import { stepHelpers } from "./runtime-step.ts";
import { waitHelpers } from "./runtime-wait.ts";

/** The helpers by name. */
export function runtimeHelpers(context: RuntimeContext): ReadonlyMap<Helper, HelperFunction> {
  const builder = new RuntimeBuilder(context);
  memoryHelpers(builder);
  invisibleHelpers(builder);
  accessHelpers(builder);
  waitHelpers(builder);
  stepHelpers(builder);
  return builder.helpers;
}
