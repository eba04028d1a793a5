// Body options: what a generated function is made from.
//
// Owner: none, a type. Pairs with: generate.ts (chooses), body.ts and access.ts (use it).

import type { FunctionBody, Segment } from "./ast.ts";

export interface BodyOptions {
  readonly params: readonly ("i32" | "i64")[];
  readonly segments: readonly Segment[];
  /** Functions that may be called. */
  readonly callees: readonly FunctionBody[];
  readonly table: readonly (number | undefined)[];
  readonly budget: number;
  /** The thread's own word. */
  readonly own: number | undefined;
}
