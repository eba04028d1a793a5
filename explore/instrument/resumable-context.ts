// Resumable context: what a function that can pause is made with, and what comes of it, as types.
//
// Owner: none, types only. Pairs with: instrument.ts (makes it), resumable.ts, wrappers.ts.

import type { FunctionType, Instruction } from "../../wasm/module.ts";
import type { ValueType } from "../../wasm/opcodes.ts";
import type { RewriteContext } from "./rewrite.ts";

export interface ResumableContext extends RewriteContext {
  readonly zeroDead: boolean;
  readonly coalesceInvisible: boolean;
  /** Is this instruction a place where a thread pauses, or a call that may pause? */
  readonly pauses: (instruction: Instruction) => boolean;
  readonly plainInStep: boolean;
  readonly typeOf: (functionIndex: number) => FunctionType;
  /** Function index of `run` for a function that may pause; its place in the resume table. */
  readonly runOf: (functionIndex: number) => number;
  readonly resumeIndexOf: (functionIndex: number) => number;
}

export interface ResumableFunction {
  /** Parameters of `run`: the function's own, then frame and point. */
  readonly locals: readonly ValueType[];
  readonly code: readonly number[];
  readonly frameBytes: number;
}
