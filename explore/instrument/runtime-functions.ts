// Runtime: the functions that every instrumented module carries, linked into it.
//
// They are written in AssemblyScript in explore/runtime/ and compiled once. Here their bodies are copied: their imports
// `engine.NAME` become globals of the instrumented module, their imports `layout.NAME` constants.
// Owner: instrument.ts appends them to the module. Pairs with: wasm/relocate.ts, index-plan.ts (their indices),
// runtime-names.ts.

import { decodeModule } from "../../wasm/decode.ts";
import type { FunctionType, GlobalVariable, WasmModule } from "../../wasm/module.ts";
import { readNames } from "../../wasm/names.ts";
import { type Replacement, relocatedBody } from "../../wasm/relocate.ts";
import type { Layout } from "./engine-layout.ts";
import { RUNTIME_BASE64 } from "./runtime-bytes.js";
import { ENGINE_GLOBALS, type EngineGlobal, type Helper } from "./runtime-names.ts";
import { assertDefined } from "../../wasm/assert-defined.ts";

export const RUNTIME: WasmModule = decodeModule(Uint8Array.from(atob(RUNTIME_BASE64), (each) => each.charCodeAt(0)));

/** A helper's place among the runtime's functions. */
export function placeOf(helper: Helper): number {
  return assertDefined(RUNTIME.exports.get(helper)).index;
}

/** The name of the function at a place, helper or not. */
export const runtimeNames: readonly string[] = RUNTIME.functions.map(({ index }) =>
  assertDefined(readNames(RUNTIME).functionName(index).split("/").at(-1)),
);

/** What the runtime depends on, besides the layout. */
export interface RuntimeOptions {
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

/** Where the runtime lies in the instrumented module. */
export interface RuntimePlaces {
  /** Index of its first function. */
  readonly first: number;
  readonly global: (name: EngineGlobal) => number;
  readonly typeIndex: (type: FunctionType) => number;
  /** The table of resume and begin functions, and the place of the first begin function in it. */
  readonly table: number;
  readonly firstBegin: number;
}

export interface RuntimeFunction {
  readonly typeIndex: number;
  /** The body with its size in front. */
  readonly body: readonly number[];
}

/** The functions, in the order of their places. */
export function linkRuntime(places: RuntimePlaces, layout: Layout, options: RuntimeOptions): RuntimeFunction[] {
  const constants = constantsOf(places, layout, options);
  const types = RUNTIME.types.map(places.typeIndex);
  const moved = {
    functions: RUNTIME.functions.map((_, place) => places.first + place),
    globals: RUNTIME.globals.map((global) => replacementOf(global, places, constants)),
    types,
    dataFrom: 0,
    table: places.table,
  };
  return RUNTIME.functions.map((func) => ({
    typeIndex: assertDefined(types[func.typeIndex]),
    body: relocatedBody(func, moved).bytes,
  }));
}

/** The members of `layout` in explore/runtime/supplied.ts. */
function constantsOf(
  { firstBegin }: RuntimePlaces,
  layout: Layout,
  options: RuntimeOptions,
): Readonly<Record<string, number | boolean>> {
  const { threads, blocks, footprint, frames, shadow, checked, invisibly, summarized, scratchEnd } = layout;
  const { userBase, userPages, modulePages } = layout;
  return {
    ...{ threads, blocks, footprint, frames, shadow, checked, invisibly, scratchEnd, userBase, userPages, modulePages },
    ...{ hasSummaries: summarized !== undefined, summarized: summarized ?? 0, firstBegin },
    ...options,
  };
}

function replacementOf(
  { type, imported }: GlobalVariable,
  { global }: RuntimePlaces,
  constants: Readonly<Record<string, number | boolean>>,
): Replacement {
  const [group, name] = imported?.name.split(".") ?? [];
  const engineGlobal = ENGINE_GLOBALS.find((each) => group === "engine" && each === name);
  if (engineGlobal !== undefined) return { kind: "global", index: global(engineGlobal) };
  const value = group === "layout" && name !== undefined ? constants[name] : undefined;
  if (value === undefined) throw new Error(`the runtime imports ${imported?.name ?? "nothing"}, which is not supplied`);
  return { kind: "constant", type, value: BigInt(value) };
}
