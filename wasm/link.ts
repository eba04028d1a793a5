// Link: several modules over one memory made into one, each one's imports satisfied by another's exports.
//
// So an artifact can be explored as it is, together with a model of what it imports and the scenario that drives it.
// Owner: none, pure. Invariant: functions keep their order, module by module; what nobody exports stays an import.
// Pairs with: relocate.ts (bodies), decode.ts (decodes what this makes), explore/program/target.ts (its callers pass the result as the module).

import { assertDefined } from "./assert-defined.ts";
import { constantExpression, constantInstruction } from "./constant.ts";
import { encodeLimits, encodeType } from "./encode.ts";
import type { Limits, WasmModule } from "./module.ts";
import { PAGES_MAX, UnsupportedModule, isSameType } from "./module.ts";
import { NAMES, readNames } from "./names.ts";
import { FUNCREF, I32, Op, isAtomic } from "./opcodes.ts";
import { type Places, type Wrap, relocatedBody } from "./relocate.ts";
import { EXTERNAL, SECTION, type Section, moduleOf, named, u32, vector } from "./sections.ts";

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
export interface CostCounter {
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

/** Links modules. Throws UnsupportedModule, in one line, for what cannot be one module. */
export function link(parts: readonly Linkable[], counter?: CostCounter): Linked {
  const only = <T>(what: string, values: readonly (T | undefined)[]): T | undefined => {
    const present = values.filter((value) => value !== undefined);
    if (present.length > 1) throw new UnsupportedModule(`several of the linked modules have ${what}; one may`);
    return present[0];
  };
  const tableSize = only(
    "a table",
    parts.map(({ module }) => module.table?.initial),
  );
  only(
    "a start function",
    parts.map(({ module }) => module.start),
  );

  // Who exports what, and which imports stay.
  const exported = new Map<string, { readonly part: number; readonly index: number }>();
  for (const [part, { name, module }] of parts.entries())
    for (const [field, { kind, index }] of module.exports)
      if (kind === EXTERNAL.function) exported.set(`${name}.${field}`, { part, index });
  const open = new Map<string, { readonly module: string; readonly name: string; readonly type: number }>();
  const typesFrom = offsets(parts.map(({ module }) => module.types.length));
  for (const [part, { module }] of parts.entries())
    for (const { module: from, name, typeIndex } of module.imports) {
      const key = `${from}.${name}`;
      if (!exported.has(key) && !open.has(key))
        open.set(key, { module: from, name, type: assertDefined(typesFrom[part]) + typeIndex });
    }
  const openIndex = new Map([...open.keys()].map((key, index) => [key, index]));
  const functionsFrom = offsets(
    parts.map(({ module }) => module.functions.length),
    open.size,
  );
  const indexIn = (part: number, index: number): number => {
    const { module } = assertDefined(parts[part]);
    const item = module.imports[index];
    if (!item) return assertDefined(functionsFrom[part]) + index - module.imports.length;
    const key = `${item.module}.${item.name}`;
    const there = exported.get(key);
    return there ? indexIn(there.part, there.index) : assertDefined(openIndex.get(key));
  };
  const globalsFrom = offsets(parts.map(({ module }) => module.globals.length));
  const dataFrom = offsets(parts.map(({ module }) => module.data.length));
  const places = parts.map(({ module }, part): Places => {
    const count = module.imports.length + module.functions.length;
    return {
      functions: Array.from({ length: count }, (_, index) => indexIn(part, index)),
      globals: module.globals.map((_, index) => ({ kind: "global", index: assertDefined(globalsFrom[part]) + index })),
      types: module.types.map((_, index) => assertDefined(typesFrom[part]) + index),
      dataFrom: assertDefined(dataFrom[part]),
      table: 0,
    };
  });
  checkSignatures(parts, exported);
  const counterFunction = (name: string): number => {
    const there = exported.get(`${counter?.by}.${name}`);
    if (!there) throw new UnsupportedModule(`${counter?.by} does not export ${name}, which the cost counter needs`);
    return indexIn(there.part, there.index);
  };
  const wraps = parts.map(({ name, module }) => (counter ? wrapOf(counter, name, module, counterFunction) : undefined));

  const sections: Section[] = [];
  const section = (id: number, items: readonly (readonly number[])[]): void => {
    if (items.length > 0) sections.push({ id, contents: vector(items) });
  };
  section(
    SECTION.type,
    parts.flatMap(({ module }) => module.types.map(encodeType)),
  );
  section(SECTION.import, [
    ...[...open.values()].map(({ module, name, type }) => [...named(module, name), EXTERNAL.function, ...u32(type)]),
    [...named("env", "memory"), EXTERNAL.memory, ...encodeLimits(memoryOf(parts))],
  ]);
  section(
    SECTION.function,
    parts.flatMap(({ module }, part) =>
      module.functions.map(({ typeIndex }) => u32(assertDefined(typesFrom[part]) + typeIndex)),
    ),
  );
  if (tableSize !== undefined)
    section(SECTION.table, [[FUNCREF, ...encodeLimits({ initial: tableSize, maximum: undefined, shared: false })]]);
  section(
    SECTION.global,
    parts.flatMap(({ module }) =>
      module.globals.map(({ type, mutable, initial }) => [type, mutable ? 1 : 0, ...constantExpression(type, initial)]),
    ),
  );
  const exports = new Map<string, number>();
  for (const [part, { module }] of parts.entries())
    for (const [name, { kind, index }] of module.exports)
      if (kind === EXTERNAL.function) exports.set(name, indexIn(part, index));
  section(
    SECTION.export,
    [...exports].map(([name, index]) => [...named(name), EXTERNAL.function, ...u32(index)]),
  );
  for (const [part, { module }] of parts.entries())
    if (module.start !== undefined) sections.push({ id: SECTION.start, contents: u32(indexIn(part, module.start)) });
  section(
    SECTION.element,
    parts.flatMap(({ module }, part) =>
      module.elements
        .filter(({ kind }) => kind === "active")
        .map(({ offset, functions }) => [
          0,
          ...constantExpression(I32, BigInt(offset)),
          ...vector(functions.map((index) => u32(indexIn(part, index)))),
        ]),
    ),
  );
  const dataCount = parts.reduce((sum, { module }) => sum + module.data.length, 0);
  if (dataCount > 0) sections.push({ id: SECTION.dataCount, contents: u32(dataCount) });

  // Bodies, and where each instruction of theirs came from.
  const origins: { at: number; index: number; offset: number }[] = [];
  const bodies = parts.flatMap(({ module }, part) =>
    module.functions.map((func) => ({ part, ...relocatedBody(func, assertDefined(places[part]), wraps[part]) })),
  );
  const contents = u32(bodies.length);
  for (const { part, bytes, marks } of bodies) {
    for (const { at, offset } of marks) origins.push({ at: contents.length + at, index: part, offset });
    for (const byte of bytes) contents.push(byte);
  }
  const codeStart = moduleOf(sections).length + 1 + u32(contents.length).length;
  sections.push({ id: SECTION.code, contents });
  section(
    SECTION.data,
    parts.flatMap(({ module }) =>
      module.data.map(({ passive, offset, bytes }) => [
        ...(passive ? [1] : [0, ...constantExpression(I32, BigInt(offset))]),
        ...u32(bytes.length),
        ...bytes,
      ]),
    ),
  );
  sections.push({ id: SECTION.custom, contents: nameSection(parts, places, globalsFrom) });

  for (const origin of origins) origin.at += codeStart;
  return {
    bytes: moduleOf(sections),
    origins,
    originOf: (offset) => {
      let low = 0;
      let high = origins.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (assertDefined(origins[middle]).at <= offset) low = middle + 1;
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

/** The memory that all of them fit. */
function memoryOf(parts: readonly Linkable[]): Limits {
  const memories = parts.map(({ name, module }) => {
    if (module.memory === undefined)
      throw new UnsupportedModule(`${name} has no memory, so the others share nothing with it`);
    return module.memory;
  });
  const initial = Math.max(...memories.map((memory) => memory.initial));
  const maximum = Math.max(initial, Math.min(...memories.map((memory) => memory.maximum ?? PAGES_MAX)));
  return { initial, maximum, shared: true };
}

function checkSignatures(
  parts: readonly Linkable[],
  exported: ReadonlyMap<string, { readonly part: number; readonly index: number }>,
): void {
  for (const { name: importer, module } of parts)
    for (const { module: from, name, typeIndex } of module.imports) {
      const there = exported.get(`${from}.${name}`);
      if (!there) continue;
      const target = assertDefined(parts[there.part]).module;
      const given = target.functions[there.index - target.imports.length]?.type;
      const wanted = assertDefined(module.types[typeIndex]);
      if (given && !isSameType(given, wanted))
        throw new UnsupportedModule(
          `${importer} imports ${from}.${name} with another signature than it is exported with`,
        );
    }
}

function wrapOf(
  counter: CostCounter,
  part: string,
  module: WasmModule,
  functionIndex: (name: string) => number,
): Wrap | undefined {
  const call = (name: string): number[] => [Op.call, ...u32(functionIndex(name))];
  if (part === counter.of) {
    const before = call(counter.access);
    return ({ op }) => (isAtomic(op) ? { before, after: [] } : undefined);
  }
  if (part !== counter.by) return undefined;
  return ({ op, a }) => {
    const item = op === Op.call ? module.imports[a] : undefined;
    const operation = item?.module === counter.of ? counter.operations.indexOf(item.name) : -1;
    if (operation < 0) return undefined;
    return {
      before: [...constantInstruction(I32, BigInt(operation)), ...call(counter.begin)],
      after: call(counter.end),
    };
  };
}

function nameSection(parts: readonly Linkable[], places: readonly Places[], globalsFrom: readonly number[]): number[] {
  const functions = new Map<number, string>();
  const globals = new Map<number, string>();
  for (const [part, { module }] of parts.entries()) {
    const names = readNames(module);
    const { functions: indices } = assertDefined(places[part]);
    for (const { index } of module.functions) functions.set(assertDefined(indices[index]), names.functionName(index));
    for (const [index, name] of names.globals) globals.set(assertDefined(globalsFrom[part]) + index, name);
  }
  const out = named("name");
  for (const [id, names] of [
    [NAMES.functions, functions],
    [NAMES.globals, globals],
  ] as const) {
    const items = [...names].toSorted(([a], [b]) => a - b).map(([index, name]) => [...u32(index), ...named(name)]);
    const contents = vector(items);
    out.push(id, ...u32(contents.length));
    for (const byte of contents) out.push(byte);
  }
  return out;
}
