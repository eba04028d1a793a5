// Runtime: the helper functions that every instrumented module carries, written in wasm by hand.
//
// Owner: instrument.ts appends them to the module. They own the control page, the thread blocks, the shadow and the log.
// Invariant: a word of user memory or of a thread's block changes only through `put` or `putUser`, which log the old
// word and keep the sums; so undoing the log restores memory and sums together.
// Pairs with: layout.ts (addresses), resumable.ts and rewrite.ts (call these), program.ts (calls the exported ones).

import { assertDefined } from "../assert-defined.ts";
import { inlineCalls } from "../../wasm/inline.ts";
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
  const book = new RuntimeBuilder(context);
  memoryHelpers(book);
  invisibleHelpers(book);
  accessHelpers(book);
  waitHelpers(book);
  stepHelpers(book);
  return inlined(book.helpers, context);
}

/** Small functions that every step calls, callees first. Node 20's engine does not inline wasm functions by itself. */
const INLINED: readonly Helper[] = ["mix", "rawLog", "put"];

function inlined(helpers: ReadonlyMap<Helper, HelperFunction>, context: RuntimeContext): Map<Helper, HelperFunction> {
  const result = new Map(helpers);
  const inlinable = new Map<number, HelperFunction>();
  const withoutCalls = (name: Helper): HelperFunction => {
    const helper = assertDefined(helpers.get(name));
    return { type: helper.type, ...inlineCalls(helper.type.params.length, helper, inlinable, []) };
  };
  for (const name of INLINED) {
    result.set(name, withoutCalls(name));
    inlinable.set(context.helper(name), assertDefined(result.get(name)));
  }
  for (const name of helpers.keys()) if (!INLINED.includes(name)) result.set(name, withoutCalls(name));
  return result;
}
