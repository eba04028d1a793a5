// Instrument: module in, resumable module out, with the tables that say what its pause points are.
//
// Owner: none, a pure function of module and options; the same input gives the same bytes.
// Invariant: the module's own function, type and global indices stay; what the engine adds comes after them.
// Partners: index-plan.ts (order), resumable.ts, rewrite.ts, wrappers.ts and entries.ts (bodies), runtime-functions.ts (the runtime's functions),
// encoding.ts (bytes); program.ts instantiates the result.

import type { FunctionType, WasmModule } from "../../wasm/module.ts";
import { findGlobal } from "../../wasm/names.ts";
import { I32 } from "../../wasm/opcodes.ts";
import { FunctionList, encodeInstrumented } from "./encoding.ts";
import { beginFunction, threadLocalsEntries } from "./entries.ts";
import type { ExplorableModule } from "./explorable.ts";
import { refuseForeignImports } from "./foreign-imports.ts";
import { IndexPlan } from "./index-plan.ts";
import type { Entry, InstrumentOptions, Instrumented } from "./instrument-options.ts";
import type { Layout } from "./engine-layout.ts";
import { BLOCK, layOut } from "./engine-layout.ts";
import { growsMemory } from "./pausing.ts";
import type { ResumableContext } from "./resumable-context.ts";
import { makeResumable } from "./resumable.ts";
import { linkRuntime } from "./runtime-functions.ts";
import { TypeTable } from "./type-table.ts";
import { oldSignature, resumeWrapper, rewriteNative, segmentInit } from "./wrappers.ts";
import { assertDefined } from "../../wasm/assert-defined.ts";

export function instrument(module: ExplorableModule, options: InstrumentOptions): Instrumented {
  refuseForeignImports(module, options.hostImports);
  const stackPointer = stackPointerOf(module);
  const layout = layoutOf(module, options, stackPointer);
  const entries = [...options.entries, ...threadLocalsEntries(options, layout)];
  const plan = new IndexPlan(module, options, entries);
  const context = contextOf(plan, options, layout, stackPointer);
  const types = new TypeTable(module.types);
  const functions = new FunctionList();
  addModuleFunctions(functions, plan, context);
  addRuntime(functions, types, plan, options, context);
  addResumables(functions, types, plan, context);
  const inOne = addEntries(functions, types, plan, options, entries, layout);
  for (const { index, inCheck } of plan.copies) {
    const func = assertDefined(module.functions[index - plan.first]);
    const body = rewriteNative(func, { ...context, inCheck }, (callee) => assertDefined(plan.copyOf(callee, inCheck)));
    functions.add(func.typeIndex, body);
  }
  return {
    bytes: encodeInstrumented(plan, types, functions, layout),
    layout,
    sites: context.sites,
    stackPointer,
    inOne,
    roleOf: plan.roleOf,
    threadLocalsEntry: (thread) => options.entries.length + thread,
    originOf: plan.originOf,
  };
}

function stackPointerOf(module: WasmModule): number | undefined {
  const found = findGlobal(module, "__stack_pointer");
  return found !== undefined && module.globals[found]?.type === I32 ? found : undefined;
}

function layoutOf(module: ExplorableModule, options: InstrumentOptions, stackPointer: number | undefined): Layout {
  const isStackOurs = stackPointer !== undefined && assertDefined(module.globals[stackPointer]).imported !== undefined;
  return layOut({
    threads: options.threads,
    // Behind the module's own globals one word a data segment: has this instance dropped it?
    globals: module.globals.length + module.data.length,
    modulePages: growsMemory(module)
      ? Math.min(module.memory.maximum, module.memory.initial + options.growPages)
      : module.memory.initial,
    // The main thread uses the module's own stack, unless it has none.
    stacks: options.threads + (isStackOurs ? 1 : 0),
    stackBytes: stackPointer === undefined ? 0 : options.stackBytes,
    threadLocals: options.threadLocals ?? { bytes: 0, align: 1 },
    logBytes: options.logBytes,
  });
}

function contextOf(
  plan: IndexPlan,
  options: InstrumentOptions,
  layout: Layout,
  stackPointer: number | undefined,
): ResumableContext {
  const { module, helper, global, grows, segmentInit: init, pauses, typeOf, runOf, resumeIndexOf } = plan;
  return {
    module,
    layout,
    helper,
    global,
    stackPointer,
    races: options.races,
    grows,
    traced: options.traced,
    inCheck: "none",
    sites: [],
    segmentInit: init,
    segmentDropped: (segment) => BLOCK.globals + 8 * (module.globals.length + segment),
    zeroDead: options.zeroDead,
    plainInStep: options.plainInStep,
    // Where an invariant reads must be known, so that no value of what it reads passes within a step.
    coalesceInvisible: options.coalesceInvisible && plan.isInvariantCopied,
    pauses,
    typeOf,
    runOf,
    resumeIndexOf,
  };
}

/** The module's own functions: rewritten, or for those that may pause a way in with the old signature. */
function addModuleFunctions(functions: FunctionList, plan: IndexPlan, context: ResumableContext): void {
  for (const func of plan.module.functions) {
    const isPausing = plan.pausing.has(func.index);
    const body = isPausing ? { locals: [], code: oldSignature(func, context).bytes } : rewriteNative(func, context);
    functions.add(func.typeIndex, body);
  }
}

const RESUME: FunctionType = { params: [I32], results: [I32] };
const BEGIN: FunctionType = { params: [], results: [I32] };

function addRuntime(
  functions: FunctionList,
  types: TypeTable,
  plan: IndexPlan,
  options: InstrumentOptions,
  context: ResumableContext,
): void {
  const places = {
    first: plan.helperBase,
    global: plan.global,
    typeIndex: (type: FunctionType) => types.indexOf(type),
    table: plan.table,
    firstBegin: plan.order.length,
  };
  const { zeroDead, plainInStep, races, ghosts, countSteps } = options;
  const { coalesceInvisible, grows } = context;
  const runtime = linkRuntime(places, context.layout, {
    ...{ zeroDead, plainInStep, races, ghosts, countSteps, coalesceInvisible, grows },
  });
  for (const { typeIndex, body } of runtime) functions.addBody(typeIndex, body);
  const initType: FunctionType = { params: [I32, I32, I32], results: [] };
  for (const [segment, data] of plan.module.data.entries()) {
    const { bytes } = segmentInit(segment, data, context);
    functions.add(types.indexOf(initType), { locals: [], code: bytes });
  }
}

/** Of each function that may pause: `run`, and behind all of them `resume`. */
function addResumables(functions: FunctionList, types: TypeTable, plan: IndexPlan, context: ResumableContext): void {
  const results = plan.order.map((index) =>
    makeResumable(assertDefined(plan.module.functions[index - plan.first]), context),
  );
  for (const [place, index] of plan.order.entries()) {
    const { params } = plan.typeOf(index);
    functions.add(types.indexOf({ params: [...params, I32, I32], results: [I32] }), assertDefined(results[place]));
  }
  for (const [place, index] of plan.order.entries()) {
    const { frameBytes } = assertDefined(results[place]);
    const { bytes } = resumeWrapper(plan.typeOf(index), plan.runOf(index), frameBytes);
    functions.add(types.indexOf(RESUME), { locals: [], code: bytes });
  }
}

/** The begin functions; those of checks that run in one go are returned. */
function addEntries(
  functions: FunctionList,
  types: TypeTable,
  plan: IndexPlan,
  options: InstrumentOptions,
  entries: readonly Entry[],
  layout: Layout,
): Set<number> {
  const inOne = new Set<number>();
  for (const [index, entry] of entries.entries()) {
    const check = index === options.invariant ? "invariant" : index === options.final ? "final" : undefined;
    const copy = check && plan.copyOf(entry.functionIndex, check);
    if (copy !== undefined) inOne.add(index);
    functions.add(types.indexOf(BEGIN), beginFunction(entry, copy, plan, layout));
  }
  return inOne;
}
