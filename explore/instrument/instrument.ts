// Instrument: module in, resumable module out, with the tables that say what its pause points are.
//
// Owner: none, a pure function of module and options; the same input gives the same bytes.
// Invariant: the module's own function, type and global indices stay; what the engine adds comes after them.
// Partners: resumable.ts and rewrite.ts (bodies), runtime.ts (helpers), program.ts (instantiates the result).

import { Code, functionBody } from "../../wasm/code.ts";
import { constantExpression } from "../../wasm/constant.ts";
import { ELEMENTS, ELEMENTS_ARE_FUNCTIONS } from "../../wasm/decode.ts";
import { encodeLimits, encodeType } from "../../wasm/encode.ts";
import type { FunctionType, Instruction, WasmFunction, WasmModule } from "../../wasm/module.ts";
import { UnsupportedModule, typeOfFunction } from "../../wasm/module.ts";
import type { ValueType } from "../../wasm/opcodes.ts";
import {
  F32,
  F64,
  FUNCREF,
  I32,
  I64,
  Op,
  isAtomic,
  isBulk,
  isPlainLoad,
  isPlainStore,
  isSizeAccess,
} from "../../wasm/opcodes.ts";
import { EXTERNAL, SECTION, type Section, moduleOf, named, u32, vector } from "../../wasm/sections.ts";
import type { ExplorableModule } from "./explorable.ts";
import { findGlobal, readNames } from "../../wasm/names.ts";
import type { Layout } from "./layout.ts";
import type { ThreadLocals } from "./start-up.ts";
import { BLOCK, CONTROL, layOut } from "./layout.ts";
import { runtimeHelpers } from "./runtime.ts";
import type { EngineGlobal, Helper } from "./runtime-names.ts";
import { ENGINE_GLOBALS, EXPORTED, HELPERS } from "./runtime-names.ts";
import type { Site, Temporary } from "./rewrite.ts";
import { burnFuel, rewritePlain } from "./rewrite.ts";
import type { ResumableContext } from "./resumable.ts";
import { makeResumable } from "./resumable.ts";
import { assertDefined } from "../assert-defined.ts";

/** A call of an exported function with constant arguments. */
export interface Entry {
  readonly functionIndex: number;
  readonly args: readonly bigint[];
}

export interface InstrumentOptions {
  /** What threads and the main thread may run; the first `threads` of them are the threads. */
  readonly entries: readonly Entry[];
  /** Which entries are checks. */
  readonly invariant: number | undefined;
  readonly final: number | undefined;
  readonly threads: number;
  readonly races: boolean;
  readonly traced: boolean;
  readonly zeroDead: boolean;
  readonly plainInStep: boolean;
  readonly coalesceInvisible: boolean;
  readonly ghosts: boolean;
  readonly countSteps: boolean;
  readonly stackBytes: number;
  readonly logBytes: number;
  /** Pages that memory.grow may add. */
  readonly growPages: number;
  readonly threadLocals: ThreadLocals | undefined;
  /** Names of function imports ("module.name") that the host supplies. */
  readonly hostImports: ReadonlySet<string>;
}

export interface Instrumented {
  readonly bytes: Uint8Array;
  readonly layout: Layout;
  readonly sites: readonly Site[];
  readonly stackPointer: number | undefined;
  /** The entry that sets up a thread's thread-local variables; the main thread is the last. */
  readonly threadLocalsEntry: (thread: number) => number;
  /** The module's function that a function of the result was made from, by their indices; undefined: the engine's own. */
  readonly originOf: (functionIndex: number) => number | undefined;
  /** Entries of checks that run in one go; the invariant then notes where it reads. Others run step by step. */
  readonly inOne: ReadonlySet<number>;
  /** For profiles: whether a function of the instrumented module is the module's own, a check's copy or a helper. */
  readonly roleOf: (functionIndex: number) => "module" | "invariant" | "final" | Helper;
}

/**
 * Functions that checks reach by direct calls, which get copies of their own. Undefined where some of them does what a
 * copy is not made for: atomic accesses, indirect calls, memory.copy.
 */
function checkedFunctions(module: WasmModule, roots: readonly number[]): ReadonlySet<number> | undefined {
  const first = module.imports.length;
  const found = new Set<number>();
  const left = [...roots];
  for (let index = left.pop(); index !== undefined; index = left.pop()) {
    if (index < first || found.has(index)) continue;
    found.add(index);
    for (const { op, a } of assertDefined(module.functions[index - first]).body) {
      if (isAtomic(op) || op === Op.call_indirect || op === Op["memory.copy"]) return undefined;
      if (op === Op.call) left.push(a);
    }
  }
  return found;
}

export function growsMemory({ functions }: WasmModule): boolean {
  return functions.some(({ body }) => body.some(({ op }) => op === Op["memory.grow"]));
}

/** Functions that can reach an atomic access (or, unless plain accesses stay in the step, any access). */
function pausingFunctions(module: WasmModule, pausesItself: (instruction: Instruction) => boolean): Set<number> {
  const first = module.imports.length;
  const inTable = new Set(module.elements.flatMap((segment) => [...segment.functions]));
  const sameType = (a: FunctionType, b: FunctionType): boolean =>
    a.params.join() === b.params.join() && a.results.join() === b.results.join();
  const pausing = new Set<number>();
  for (const func of module.functions) if (func.body.some(pausesItself)) pausing.add(func.index);
  for (let changed = true; changed;) {
    changed = false;
    for (const func of module.functions) {
      if (pausing.has(func.index)) continue;
      const reaches = func.body.some(
        ({ op, a }) =>
          (op === Op.call && pausing.has(a)) ||
          (op === Op.call_indirect &&
            [...inTable].some(
              (index) =>
                pausing.has(index) &&
                sameType(assertDefined(module.functions[index - first]).type, assertDefined(module.types[a])),
            )),
      );
      if (reaches) {
        pausing.add(func.index);
        changed = true;
      }
    }
  }
  return pausing;
}

/** Types of the output: the module's own, then the engine's, each once. */
class TypeTable {
  readonly types: FunctionType[];
  private readonly own: number;
  constructor(types: readonly FunctionType[]) {
    this.types = [...types];
    this.own = types.length;
  }
  indexOf(type: FunctionType): number {
    const key = `${type.params.join()}>${type.results.join()}`;
    const known = this.types.findIndex(
      (other, i) => i >= this.own && `${other.params.join()}>${other.results.join()}` === key,
    );
    return known >= 0 ? known : this.types.push(type) - 1;
  }
  entries(): number[][] {
    return this.types.map(encodeType);
  }
}

/** A function without pause points: the same structure, its accesses rewritten. `callee`: whom its calls go to. */
function rewriteNative(
  func: WasmFunction,
  context: ResumableContext,
  callee: (index: number) => number = (index) => index,
): { locals: ValueType[]; code: readonly number[] } {
  const code = new Code();
  const locals = [...func.locals];
  const temporaries = new Map<string, number>();
  const temporary: Temporary = (type, purpose) => {
    const key = `${purpose} ${type}`;
    const known = temporaries.get(key);
    if (known !== undefined) return known;
    const local = func.type.params.length + locals.push(type) - 1;
    temporaries.set(key, local);
    return local;
  };
  for (const instruction of func.body) {
    if (instruction.op === Op.call) code.call(callee(instruction.a));
    else rewritePlain(code, instruction, context, func.index, temporary);
    if (instruction.op === Op.loop) burnFuel(code, context);
  }
  return { locals, code: code.bytes };
}

/** Whoever imports what only a host could answer gets the first such import, and the way out. */
function refuseForeignImports({ imports }: WasmModule, supplied: ReadonlySet<string>): void {
  const foreign = imports.filter(({ module: from, name }) => !supplied.has(`${from}.${name}`));
  const [first, ...others] = foreign;
  if (!first) return;
  const count = others.length === 0 ? "" : ` (and ${others.length} more)`;
  const what = `the module imports ${first.module}.${first.name}${count}, which`;
  if (first.module.startsWith("wasi_"))
    throw new UnsupportedModule(
      `${what} only a system answers; build without the standard library, for the target wasm32-unknown-unknown (Zig: wasm32-freestanding)`,
    );
  if (/^(wbg|__wbindgen)/.test(first.module))
    throw new UnsupportedModule(`${what} only JavaScript answers; build without wasm-bindgen`);
  throw new UnsupportedModule(
    `${what} the explorer does not supply (it supplies env.abort and a memory); define it in the module, or leave out what calls it`,
  );
}

function stackPointerOf(module: WasmModule): number | undefined {
  const found = findGlobal(module, "__stack_pointer");
  return found !== undefined && module.globals[found]?.type === I32 ? found : undefined;
}

/** One entry a thread, the main one included: its block is set up. */
function threadLocalsEntries({ threads, threadLocals }: InstrumentOptions, layout: Layout): Entry[] {
  if (!threadLocals) return [];
  return Array.from({ length: threads + 1 }, (_, thread) => ({
    functionIndex: threadLocals.initFunction,
    args: [BigInt(layout.threadLocals(thread))],
  }));
}

export function instrument(module: ExplorableModule, options: InstrumentOptions): Instrumented {
  refuseForeignImports(module, options.hostImports);
  const names = readNames(module);
  const stackPointer = stackPointerOf(module);
  const isStackOurs = stackPointer !== undefined && assertDefined(module.globals[stackPointer]).imported !== undefined;
  const grows = growsMemory(module);
  const layout = layOut({
    threads: options.threads,
    // Behind the module's own globals one word a data segment: has this instance dropped it?
    globals: module.globals.length + module.data.length,
    modulePages: grows
      ? Math.min(module.memory.maximum, module.memory.initial + options.growPages)
      : module.memory.initial,
    // The main thread uses the module's own stack, unless it has none.
    stacks: options.threads + (isStackOurs ? 1 : 0),
    stackBytes: stackPointer === undefined ? 0 : options.stackBytes,
    threadLocals: options.threadLocals ?? { bytes: 0, align: 1 },
    logBytes: options.logBytes,
  });
  const entries = [...options.entries, ...threadLocalsEntries(options, layout)];

  const pausesItself = ({ op }: Instruction): boolean =>
    isAtomic(op) ||
    (grows && isSizeAccess(op)) ||
    (!options.plainInStep && (isPlainLoad(op) || isPlainStore(op) || isBulk(op)));
  const pausing = pausingFunctions(module, pausesItself);
  const order = [...pausing].sort((a, b) => a - b);
  const first = module.imports.length;

  // Function indices of what the engine adds.
  const helperBase = first + module.functions.length;
  const segmentBase = helperBase + HELPERS.length;
  const runBase = segmentBase + module.data.length;
  const resumeBase = runBase + order.length;
  const beginBase = resumeBase + order.length;
  const copyBase = beginBase + entries.length;
  const copiesOf = (entry: number | undefined): ReadonlySet<number> | undefined =>
    checkedFunctions(module, entry === undefined ? [] : [assertDefined(options.entries[entry]).functionIndex]);
  const [forInvariant, forFinal] = [copiesOf(options.invariant), copiesOf(options.final)];
  // A recorded build runs checks step by step, so that the record has their accesses too.
  const copies = options.traced
    ? []
    : [
        ...[...(forInvariant ?? [])].map((index) => ({ index, inCheck: "invariant" as const })),
        ...[...(forFinal ?? [])].map((index) => ({ index, inCheck: "final" as const })),
      ];
  const copyOf = (wanted: number, check: "invariant" | "final"): number | undefined => {
    if (wanted < first) return wanted;
    const place = copies.findIndex(({ index, inCheck }) => index === wanted && inCheck === check);
    return place < 0 ? undefined : copyBase + place;
  };
  // Where an invariant reads must be known, so that no value of what it reads passes within a step.
  const coalesceInvisible = options.coalesceInvisible && forInvariant !== undefined;
  const runIndex = new Map(order.map((index, i) => [index, i]));
  const types = new TypeTable(module.types);
  const typeOf = (index: number): FunctionType => assertDefined(typeOfFunction(module, index));
  const runType = (type: FunctionType): FunctionType => ({ params: [...type.params, I32, I32], results: [I32] });
  const global = (name: EngineGlobal): number => module.globals.length + ENGINE_GLOBALS.indexOf(name);
  const helper = (name: Helper): number => helperBase + HELPERS.indexOf(name);
  const table = module.table === undefined ? 0 : 1;
  const pausingInTable = module.elements.flatMap((segment) => segment.functions.filter((index) => pausing.has(index)));
  const sites: Site[] = [];
  const context: ResumableContext = {
    module,
    layout,
    helper,
    global,
    stackPointer,
    races: options.races,
    grows,
    traced: options.traced,
    inCheck: "none",
    sites,
    segmentInit: (segment) => segmentBase + segment,
    segmentDropped: (segment) => BLOCK.globals + 8 * (module.globals.length + segment),
    zeroDead: options.zeroDead,
    plainInStep: options.plainInStep,
    coalesceInvisible,
    pauses: (instruction) =>
      pausesItself(instruction) ||
      (instruction.op === Op.call && pausing.has(instruction.a)) ||
      (instruction.op === Op.call_indirect &&
        pausingInTable.some((index) => {
          const type = typeOf(index);
          const wanted = assertDefined(module.types[instruction.a]);
          return type.params.join() === wanted.params.join() && type.results.join() === wanted.results.join();
        })),
    typeOf,
    runOf: (index) => runBase + assertDefined(runIndex.get(index)),
    resumeIndexOf: (index) => assertDefined(runIndex.get(index)),
  };

  const typeIndices: number[] = [];
  const bodies: number[][] = [];
  const add = (type: number, locals: readonly ValueType[], code: readonly number[]): void => {
    typeIndices.push(type);
    bodies.push(functionBody(locals, code));
  };

  // The module's own functions: rewritten, or for those that may pause a way in with the old signature.
  for (const func of module.functions) {
    if (!pausing.has(func.index)) {
      const { locals, code } = rewriteNative(func, context);
      add(func.typeIndex, locals, code);
      continue;
    }
    const code = new Code();
    for (let i = 0; i < func.type.params.length; i++) code.get(i);
    code.globalGet(global("calleeFrame")).i32(0).call(context.runOf(func.index)).globalSet(global("callStatus"));
    for (const [i, type] of func.type.results.entries()) code.i32(0).loadWord(type, CONTROL.results + 8 * i);
    add(func.typeIndex, [], code.end().bytes);
  }
  const resumeType = types.indexOf({ params: [I32], results: [I32] });
  const beginType = types.indexOf({ params: [], results: [I32] });
  const helpers = runtimeHelpers({
    layout,
    helper,
    global,
    resumeType,
    beginType,
    table,
    firstBegin: order.length,
    zeroDead: options.zeroDead,
    plainInStep: options.plainInStep,
    coalesceInvisible,
    races: options.races,
    grows,
    ghosts: options.ghosts,
    countSteps: options.countSteps,
  });
  for (const name of HELPERS) {
    const { type, locals, code } = assertDefined(helpers.get(name));
    add(types.indexOf(type), locals, code);
  }
  // memory.init(destination, source, length), one a segment: through a scratch word, for as long as words are left. A
  // segment that was dropped is an empty one, as active segments are from the start.
  for (const [segment, { passive, bytes }] of module.data.entries()) {
    const code = new Code()
      .get(0)
      .get(2)
      .call(helper("inRange"))
      .get(1)
      .op(Op["i64.extend_i32_u"])
      .get(2)
      .op(Op["i64.extend_i32_u"], Op["i64.add"]);
    code.i64(0n).i64(BigInt(passive ? bytes.length : 0));
    code
      .globalGet(global("block"))
      .load32(context.segmentDropped(segment))
      .op(Op.select, Op["i64.gt_u"])
      .if()
      .unreachable()
      .end();
    const copy = (width: 1 | 8): void => {
      code.loop().get(2).i32(width).geU().if().i32(CONTROL.scratchWord).get(1).i32(width).memoryInit(segment);
      if (options.races)
        code
          .get(0)
          .i32(layout.userBase)
          .i32((width << 1) | 1)
          .call(helper("recordPlainAccess"))
          .op(Op.drop);
      code.get(0).i32(0);
      code
        .memory(width === 8 ? Op["i64.load"] : Op["i64.load8_u"], CONTROL.scratchWord)
        .i32(layout.userBase)
        .call(helper(`store${width}`));
      code.get(0).plus(width).set(0).get(1).plus(width).set(1).get(2).plus(-width).set(2).br(1).end().end();
    };
    if (passive) {
      copy(8);
      copy(1);
    }
    add(types.indexOf({ params: [I32, I32, I32], results: [] }), [], code.end().bytes);
  }
  const frameBytes = new Map<number, number>();
  for (const index of order) {
    const result = makeResumable(assertDefined(module.functions[index - first]), context);
    frameBytes.set(index, result.frameBytes);
    add(types.indexOf(runType(typeOf(index))), result.locals, result.code);
  }
  for (const index of order) {
    const code = new Code();
    const zero: Record<ValueType, () => void> = {
      [I32]: () => code.i32(0),
      [I64]: () => code.i64(0n),
      [F32]: () => code.f32(0n),
      [F64]: () => code.f64(0n),
    };
    for (const type of typeOf(index).params) zero[type]();
    code
      .get(0)
      .plus(-assertDefined(frameBytes.get(index)))
      .get(0)
      .plus(-4)
      .load32()
      .call(context.runOf(index));
    add(resumeType, [], code.end().bytes);
  }
  const inOne = new Set<number>();
  for (const [index, entry] of entries.entries()) {
    const type = typeOf(entry.functionIndex);
    const check = index === options.invariant ? "invariant" : index === options.final ? "final" : undefined;
    const copy = check && copyOf(entry.functionIndex, check);
    if (copy !== undefined) inOne.add(index);
    const code = new Code();
    for (const [i, param] of type.params.entries()) {
      const value = entry.args[i] ?? 0n;
      if (param === I32) code.i32(Number(BigInt.asIntN(32, value)));
      else if (param === I64) code.i64(value);
      else
        throw new UnsupportedModule(`${names.functionName(entry.functionIndex)} takes a float; entries take integers`);
    }
    if (pausing.has(entry.functionIndex) && copy === undefined)
      code.globalGet(global("block")).plus(layout.frames).i32(0).call(context.runOf(entry.functionIndex));
    else {
      const locals = type.results.map((_, i) => i);
      code.call(copy ?? entry.functionIndex);
      for (const i of locals.toReversed()) code.set(i);
      for (const [i, result] of type.results.entries())
        code
          .i32(0)
          .get(i)
          .toWord(result)
          .store64(CONTROL.results + 8 * i);
      code.i32(0);
    }
    add(beginType, pausing.has(entry.functionIndex) && copy === undefined ? [] : type.results, code.end().bytes);
  }
  for (const { index, inCheck } of copies) {
    const func = assertDefined(module.functions[index - first]);
    const { locals, code } = rewriteNative(func, { ...context, inCheck }, (callee) =>
      assertDefined(copyOf(callee, inCheck)),
    );
    add(func.typeIndex, locals, code);
  }

  return {
    bytes: assemble(),
    layout,
    sites,
    stackPointer,
    inOne,
    roleOf,
    threadLocalsEntry: (thread) => options.entries.length + thread,
    originOf: (index) =>
      index < helperBase
        ? index
        : index >= copyBase
          ? copies[index - copyBase]?.index
          : index >= runBase
            ? order[index - runBase]
            : undefined,
  };

  function roleOf(index: number): "module" | "invariant" | "final" | Helper {
    return HELPERS[index - helperBase] ?? copies[index - copyBase]?.inCheck ?? "module";
  }

  function assemble(): Uint8Array {
    const sections: Section[] = [];
    const section = (id: number, items: readonly (readonly number[])[]): void => {
      sections.push({ id, contents: vector(items) });
    };
    const tableOf = (initial: number): number[] => [FUNCREF, ...encodeLimits({ initial, ...FIXED })];
    section(SECTION.type, types.entries());
    section(SECTION.import, [
      ...module.imports.map(({ module: from, name, typeIndex }) => [
        ...named(from, name),
        EXTERNAL.function,
        ...u32(typeIndex),
      ]),
      [...named("engine", "memory"), EXTERNAL.memory, ...encodeLimits({ initial: layout.totalPages, ...FIXED })],
    ]);
    section(SECTION.function, typeIndices.map(u32));
    const own = [...order.map((_, i) => resumeBase + i), ...entries.map((_, i) => beginBase + i)];
    section(SECTION.table, [
      ...(module.table === undefined ? [] : [tableOf(module.table.initial)]),
      tableOf(own.length),
    ]);
    section(SECTION.global, [
      ...module.globals.map(({ type, mutable, initial }) => [
        type,
        mutable ? 1 : 0,
        ...constantExpression(type, initial),
      ]),
      ...ENGINE_GLOBALS.map(() => [I32, 1, ...constantExpression(I32, 0n)]),
    ]);
    section(
      SECTION.export,
      EXPORTED.map((name) => [...named(name), EXTERNAL.function, ...u32(helper(name))]),
    );
    const active = module.elements.filter((segment) => segment.kind === "active");
    section(SECTION.element, [
      ...active.map(({ offset, functions }) => [
        0,
        ...constantExpression(I32, BigInt(offset)),
        ...vector(functions.map(u32)),
      ]),
      // Of the second table: its number, where it begins, and the kind of its elements.
      [
        ELEMENTS.extended,
        ...u32(table),
        ...constantExpression(I32, 0n),
        ELEMENTS_ARE_FUNCTIONS,
        ...vector(own.map(u32)),
      ],
    ]);
    if (module.data.some(({ passive }) => passive))
      sections.push({ id: SECTION.dataCount, contents: u32(module.data.length) });
    section(SECTION.code, bodies);
    section(
      SECTION.data,
      module.data.map(({ passive, offset, bytes }) => [
        ...(passive ? [1] : [0, ...constantExpression(I32, BigInt(offset + layout.userBase))]),
        ...u32(bytes.length),
        ...bytes,
      ]),
    );
    return moduleOf(sections);
  }
}

/** A table or memory of the engine does not grow past its first size by a bound of its own. */
const FIXED = { maximum: undefined, shared: false } as const;
