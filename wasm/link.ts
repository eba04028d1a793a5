// Link: several modules over one memory made into one, each one's imports satisfied by another's exports.
//
// So an artifact can be explored as it is, together with a model of what it imports and the scenario that drives it. Bodies are
// copied instruction by instruction; only indices change.
// Owner: none, pure. Invariant: functions keep their order, module by module; what nobody exports stays an import.
// Pairs with: module.ts (decodes what this makes), target.ts (its callers pass the result as the module).

import { certain } from "./certain.ts";
import { pushName, pushSigned, pushU32 } from "./bytes.ts";
import { functionBody } from "./code.ts";
import type { FunctionType, Instruction, WasmFunction, WasmModule } from "./module.ts";
import { UnsupportedModule } from "./module.ts";
import { readNames } from "./names.ts";
import { F32, I32, I64 } from "./opcodes.ts";

export interface Linkable {
  /** The name under which other modules import from this one. */
  readonly name: string;
  readonly module: WasmModule;
}

/** An instruction of the result, by its offset there, and where it came from: which of the modules, its offset in it. */
export interface Origin {
  readonly at: number;
  readonly index: number;
  readonly offset: number;
}

export interface Linked {
  readonly bytes: Uint8Array;
  /** Of every instruction, in the order of the result. */
  readonly origins: readonly Origin[];
  /** Where the instruction at an offset of the result came from: which of the modules, and its offset there. */
  readonly originOf: (offset: number) => { readonly index: number; readonly offset: number } | undefined;
}

/**
 * Counts atomic accesses between two moments, without a change of the modules: where one part calls an export of another
 * is an operation of that one, and each of its atomic accesses is announced. The three are exports of the calling part and
 * give nothing back; what they do with it is theirs.
 */
export interface Meter {
  /** The part whose operations are measured. */
  readonly of: string;
  /** The part that calls them, and has these functions. */
  readonly by: string;
  /** Called before each atomic access. */
  readonly access: string;
  /** Called with the operation's number, and after it. */
  readonly begin: string;
  readonly end: string;
  /** The operations' exports, by their numbers. */
  readonly operations: readonly string[];
}

/** What is put before and after an instruction. */
type Wrap = (
  instruction: Instruction,
) => { readonly before: readonly number[]; readonly after: readonly number[] } | undefined;

/** Indices of one module in the result. */
interface Places {
  readonly functions: readonly number[];
  readonly globalsFrom: number;
  readonly typesFrom: number;
  readonly dataFrom: number;
}

const leb = (value: number): number[] => {
  const out: number[] = [];
  pushU32(out, value);
  return out;
};

const vector = (items: readonly (readonly number[])[]): number[] => [...leb(items.length), ...items.flat()];

function encodeType({ params, results }: FunctionType): number[] {
  return [0x60, ...vector(params.map((type) => [type])), ...vector(results.map((type) => [type]))];
}

/** One instruction with its indices moved. */
function relocate(instruction: Instruction, module: WasmModule, places: Places): readonly number[] {
  const { op, a, b } = instruction;
  switch (op) {
    case 0x10:
      return [op, ...leb(certain(places.functions[a]))];
    case 0x11:
      return [op, ...leb(places.typesFrom + a), ...leb(b)];
    case 0x23:
    case 0x24:
      return [op, ...leb(places.globalsFrom + a)];
    case 0xfc08:
      return [0xfc, ...leb(8), ...leb(places.dataFrom + a), 0];
    case 0xfc09:
      return [0xfc, ...leb(9), ...leb(places.dataFrom + a)];
    case 0x02:
    case 0x03:
    case 0x04: {
      const { params, results } = certain(instruction.type);
      if (params.length === 0 && results.length <= 1) return [op, results[0] ?? 0x40];
      const out: number[] = [op];
      pushSigned(out, places.typesFrom + certain(module.types.indexOf(certain(instruction.type))));
      return out;
    }
    default:
      return [...module.bytes.subarray(instruction.start, instruction.end)];
  }
}

/** Links modules. Throws UnsupportedModule, in one line, for what cannot be one module. */
export function link(parts: readonly Linkable[], meter?: Meter): Linked {
  const only = <T>(what: string, values: readonly (T | undefined)[]): T | undefined => {
    const present = values.filter((value) => value !== undefined);
    if (present.length > 1) throw new UnsupportedModule(`several of the linked modules have ${what}; one may`);
    return present[0];
  };
  const tableSize = only(
    "a table",
    parts.map(({ module }) => module.tableSize),
  );
  only(
    "a start function",
    parts.map(({ module }) => module.start),
  );

  // Who exports what, and which imports stay.
  const exported = new Map<string, { readonly part: number; readonly index: number }>();
  for (const [part, { name, module }] of parts.entries())
    for (const [field, { kind, index }] of module.exports)
      if (kind === 0) exported.set(`${name}.${field}`, { part, index });
  const open = new Map<string, { readonly module: string; readonly name: string; readonly type: number }>();
  const typesFrom = offsets(parts.map(({ module }) => module.types.length));
  for (const [part, { module }] of parts.entries())
    for (const { module: from, name, typeIndex } of module.imports) {
      const key = `${from}.${name}`;
      if (!exported.has(key) && !open.has(key))
        open.set(key, { module: from, name, type: certain(typesFrom[part]) + typeIndex });
    }
  const openIndex = new Map([...open.keys()].map((key, index) => [key, index]));
  const functionsFrom = offsets(
    parts.map(({ module }) => module.functions.length),
    open.size,
  );
  const indexIn = (part: number, index: number): number => {
    const { module } = certain(parts[part]);
    const item = module.imports[index];
    if (!item) return certain(functionsFrom[part]) + index - module.imports.length;
    const key = `${item.module}.${item.name}`;
    const there = exported.get(key);
    return there ? indexIn(there.part, there.index) : certain(openIndex.get(key));
  };
  const globalsFrom = offsets(parts.map(({ module }) => module.globals.length));
  const dataFrom = offsets(parts.map(({ module }) => module.data.length));
  const places = parts.map(({ module }, part): Places => {
    const count = module.imports.length + module.functions.length;
    return {
      functions: Array.from({ length: count }, (_, index) => indexIn(part, index)),
      globalsFrom: certain(globalsFrom[part]),
      typesFrom: certain(typesFrom[part]),
      dataFrom: certain(dataFrom[part]),
    };
  });
  checkSignatures(parts, exported);
  const meterFunction = (name: string): number => {
    const there = exported.get(`${meter?.by}.${name}`);
    if (!there) throw new UnsupportedModule(`${meter?.by} does not export ${name}, which the meter needs`);
    return indexIn(there.part, there.index);
  };
  const wraps = parts.map(({ name, module }) => (meter ? wrapOf(meter, name, module, meterFunction) : undefined));

  const out: number[] = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  const section = (id: number, contents: readonly number[]): void => {
    out.push(id, ...leb(contents.length));
    for (const byte of contents) out.push(byte);
  };
  const named = (module: string, name: string, rest: readonly number[]): number[] => {
    const item: number[] = [];
    pushName(item, module);
    pushName(item, name);
    return [...item, ...rest];
  };
  section(1, vector(parts.flatMap(({ module }) => module.types.map(encodeType))));
  const pages = Math.max(...parts.map(({ module }) => module.memory.initial));
  const pagesMax = Math.max(pages, Math.min(...parts.map(({ module }) => module.memory.maximum)));
  const imports = [...open.values()].map(({ module, name, type }) => named(module, name, [0, ...leb(type)]));
  section(2, vector([...imports, named("env", "memory", [2, 3, ...leb(pages), ...leb(pagesMax)])]));
  section(
    3,
    vector(
      parts.flatMap(({ module }, part) =>
        module.functions.map(({ typeIndex }) => leb(certain(typesFrom[part]) + typeIndex)),
      ),
    ),
  );
  if (tableSize !== undefined) section(4, vector([[0x70, 0, ...leb(tableSize)]]));
  section(
    6,
    vector(
      parts.flatMap(({ module }) =>
        module.globals.map(({ type, mutable, initial }) => [type, mutable ? 1 : 0, ...constant(type, initial)]),
      ),
    ),
  );
  const exports = new Map<string, number>();
  for (const [part, { module }] of parts.entries())
    for (const [name, { kind, index }] of module.exports) if (kind === 0) exports.set(name, indexIn(part, index));
  section(
    7,
    vector(
      [...exports].map(([name, index]) => {
        const item: number[] = [];
        pushName(item, name);
        return [...item, 0, ...leb(index)];
      }),
    ),
  );
  for (const [part, { module }] of parts.entries())
    if (module.start !== undefined) section(8, leb(indexIn(part, module.start)));
  const elements = parts.flatMap(({ module }, part) =>
    module.elements
      .filter(({ kind }) => kind === "active")
      .map(({ offset, functions }) => [
        0,
        ...constant(I32, BigInt(offset)),
        ...vector(functions.map((index) => leb(indexIn(part, index)))),
      ]),
  );
  if (elements.length > 0) section(9, vector(elements));
  const dataCount = parts.reduce((sum, { module }) => sum + module.data.length, 0);
  if (dataCount > 0) section(12, leb(dataCount));

  // Bodies, and where each instruction of theirs came from.
  const origins: { at: number; index: number; offset: number }[] = [];
  const bodies = parts.flatMap(({ module }, part) =>
    module.functions.map((func) => body(func, module, certain(places[part]), part, wraps[part])),
  );
  const contents: number[] = leb(bodies.length);
  for (const { bytes, marks } of bodies) {
    for (const mark of marks) origins.push({ ...mark, at: contents.length + mark.at });
    for (const byte of bytes) contents.push(byte);
  }
  const codeStart = out.length + 1 + leb(contents.length).length;
  section(10, contents);
  const data = parts.flatMap(({ module }) =>
    module.data.map(({ passive, offset, bytes }) => [
      ...(passive ? [1] : [0, ...constant(I32, BigInt(offset))]),
      ...leb(bytes.length),
      ...bytes,
    ]),
  );
  if (data.length > 0) section(11, vector(data));
  section(0, nameSection(parts, places));

  for (const origin of origins) origin.at += codeStart;
  return {
    bytes: Uint8Array.from(out),
    origins,
    originOf: (offset) => {
      let low = 0;
      let high = origins.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (certain(origins[middle]).at <= offset) low = middle + 1;
        else high = middle;
      }
      const found = origins[low - 1];
      return found && { index: found.index, offset: found.offset };
    },
  };
}

/** Running sums: where each one's items begin. */
function offsets(counts: readonly number[], from = 0): number[] {
  let sum = from;
  return counts.map((count) => {
    const here = sum;
    sum += count;
    return here;
  });
}

function checkSignatures(
  parts: readonly Linkable[],
  exported: ReadonlyMap<string, { readonly part: number; readonly index: number }>,
): void {
  for (const { name: importer, module } of parts)
    for (const { module: from, name, typeIndex } of module.imports) {
      const there = exported.get(`${from}.${name}`);
      if (!there) continue;
      const target = certain(parts[there.part]).module;
      const given = target.functions[there.index - target.imports.length]?.type;
      const wanted = certain(module.types[typeIndex]);
      if (given && (given.params.join() !== wanted.params.join() || given.results.join() !== wanted.results.join()))
        throw new UnsupportedModule(
          `${importer} imports ${from}.${name} with another signature than it is exported with`,
        );
    }
}

function constant(type: number, value: bigint): number[] {
  const out: number[] = [];
  if (type === I32 || type === I64) {
    out.push(type === I32 ? 0x41 : 0x42);
    pushSigned(out, BigInt.asIntN(type === I32 ? 32 : 64, value));
  } else {
    const bytes = type === F32 ? 4 : 8;
    out.push(type === F32 ? 0x43 : 0x44);
    for (let byte = 0; byte < bytes; byte++) out.push(Number((value >> BigInt(8 * byte)) & 0xffn));
  }
  out.push(0x0b);
  return out;
}

function body(
  func: WasmFunction,
  module: WasmModule,
  places: Places,
  index: number,
  wrap: Wrap | undefined,
): { bytes: number[]; marks: { at: number; index: number; offset: number }[] } {
  const code: number[] = [];
  const marks = func.body.map((instruction) => {
    const around = wrap?.(instruction);
    if (around) code.push(...around.before);
    const mark = { at: code.length, index, offset: instruction.start };
    for (const byte of relocate(instruction, module, places)) code.push(byte);
    if (around) code.push(...around.after);
    return mark;
  });
  const bytes = functionBody(func.locals, code);
  const before = bytes.length - code.length;
  return { bytes, marks: marks.map((mark) => ({ ...mark, at: mark.at + before })) };
}

const FENCE = 0xfe03;

function wrapOf(
  meter: Meter,
  part: string,
  module: WasmModule,
  functionIndex: (name: string) => number,
): Wrap | undefined {
  const call = (name: string): number[] => [0x10, ...leb(functionIndex(name))];
  if (part === meter.of) {
    const before = call(meter.access);
    return ({ op }) => (op >= 0xfe00 && op !== FENCE ? { before, after: [] } : undefined);
  }
  if (part !== meter.by) return undefined;
  return ({ op, a }) => {
    const item = op === 0x10 ? module.imports[a] : undefined;
    const operation = item?.module === meter.of ? meter.operations.indexOf(item.name) : -1;
    if (operation < 0) return undefined;
    return { before: [...constant(I32, BigInt(operation)).slice(0, -1), ...call(meter.begin)], after: call(meter.end) };
  };
}

function nameSection(parts: readonly Linkable[], places: readonly Places[]): number[] {
  const functions = new Map<number, string>();
  const globals = new Map<number, string>();
  for (const [part, { module }] of parts.entries()) {
    const names = readNames(module);
    const { functions: indices, globalsFrom } = certain(places[part]);
    for (const { index } of module.functions) functions.set(certain(indices[index]), names.functionName(index));
    for (const [index, name] of names.globals) globals.set(globalsFrom + index, name);
  }
  const out: number[] = [];
  pushName(out, "name");
  for (const [id, names] of [
    [1, functions],
    [7, globals],
  ] as const) {
    const items = [...names]
      .toSorted(([a], [b]) => a - b)
      .map(([index, name]) => {
        const item = leb(index);
        pushName(item, name);
        return item;
      });
    const contents = vector(items);
    out.push(id, ...leb(contents.length), ...contents);
  }
  return out;
}
