// Resumable: turns a function that can reach a pause point into one that returns when its thread pauses and can be
// entered again where it left off.
//
// The result is `run(params, frame, point) -> 0 done | 1 paused`: basic blocks under one dispatch loop, where only the
// control structures that contain a pause point are flattened. Between blocks every operand lies in a local ("slot");
// at a pause the live locals and operands go to the frame. Results of a finished function go to the control page.
//
// Layers, each a class over the one before: fragments.ts, operand-stack.ts, spilling.ts, pause-points.ts, instructions.ts,
// block-flattening.ts.
// Owner: one BlockFlattening a function. Partners: instrument.ts and wrappers.ts, runtime-functions.ts (the trampoline in `step`).

import type { WasmFunction } from "../../wasm/module.ts";
import { BlockFlattening } from "./block-flattening.ts";
import type { ResumableContext, ResumableFunction } from "./resumable-context.ts";

export function makeResumable(func: WasmFunction, context: ResumableContext): ResumableFunction {
  return new BlockFlattening(func, context).run();
}
