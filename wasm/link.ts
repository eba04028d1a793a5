// Link: several modules over one memory made into one, each one's imports satisfied by another's exports.
//
// So an artifact can be explored as it is, together with a model of what it imports and the scenario that drives it.
// Owner: none, pure.
// Pairs with: link-plan.ts (indices), relocate.ts (bodies), decode.ts (decodes what this makes), explore/program/target.ts (its callers pass the result as the module).

import { assertDefined } from "./assert-defined.ts";
import { constantExpression, constantInstruction } from "./constant.ts";
import { encodeLimits, encodeType } from "./encode.ts";
import { type Linkable, type LinkPlan, planLink } from "./link-plan.ts";
import type { WasmModule } from "./module.ts";
import { UnsupportedModule } from "./module.ts";
import { NAMES, readNames } from "./names.ts";
import { FUNCREF, I32, isAtomic, Op } from "./opcodes.ts";
import { relocatedBody, type Wrap } from "./relocate.ts";
import { EXTERNAL, moduleOf, named, SECTION, type Section, u32, vector } from "./sections.ts";

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
  const plan = planLink(parts);
  const before = sectionsBeforeCode(parts, plan);
  const { contents, origins } = codeSection(parts, plan, counter);
  const codeStart = moduleOf(before).length + 1 + u32(contents.length).length;
  const placed = origins.map((origin) => ({ ...origin, at: codeStart + origin.at }));
  return {
    bytes: moduleOf([
      ...before,
      { id: SECTION.code, contents },
      ...listSection(SECTION.data, parts.flatMap(dataSegments)),
      { id: SECTION.custom, contents: nameSection(parts, plan) },
    ]),
    origins: placed,
    originOf: (offset) => originIn(placed, offset),
  };
}

/** A section that lists items; none where there are none. */
function listSection(id: number, items: readonly (readonly number[])[]): Section[] {
  return items.length > 0 ? [{ id, contents: vector(items) }] : [];
}

function sectionsBeforeCode(parts: readonly Linkable[], plan: LinkPlan): Section[] {
  const imports = plan.imports.map(({ module, name, type }) => [
    ...named(module, name),
    EXTERNAL.function,
    ...u32(type),
  ]);
  const memory = [...named("env", "memory"), EXTERNAL.memory, ...encodeLimits(plan.memory)];
  const { tableSize: initial } = plan;
  const table =
    initial === undefined ? [] : [[FUNCREF, ...encodeLimits({ initial, maximum: undefined, shared: false })]];
  const exports = [...plan.exports].map(([name, index]) => [...named(name), EXTERNAL.function, ...u32(index)]);
  const dataCount = parts.reduce((sum, { module }) => sum + module.data.length, 0);
  return [
    ...listSection(
      SECTION.type,
      parts.flatMap(({ module }) => module.types.map(encodeType)),
    ),
    ...listSection(SECTION.import, [...imports, memory]),
    ...listSection(
      SECTION.function,
      parts.flatMap(({ module }, part) =>
        module.functions.map(({ typeIndex }) => u32(assertDefined(plan.places[part]?.types[typeIndex]))),
      ),
    ),
    ...listSection(SECTION.table, table),
    ...listSection(
      SECTION.global,
      parts.flatMap(({ module }) =>
        module.globals.map(({ type, mutable, initial: value }) => [
          type,
          mutable ? 1 : 0,
          ...constantExpression(type, value),
        ]),
      ),
    ),
    ...listSection(SECTION.export, exports),
    ...(plan.start === undefined ? [] : [{ id: SECTION.start, contents: u32(plan.start) }]),
    ...listSection(
      SECTION.element,
      parts.flatMap((part, index) => activeElements(part, assertDefined(plan.places[index]).functions)),
    ),
    ...(dataCount > 0 ? [{ id: SECTION.dataCount, contents: u32(dataCount) }] : []),
  ];
}

function activeElements({ module }: Linkable, places: readonly number[]): number[][] {
  return module.elements
    .filter(({ kind }) => kind === "active")
    .map(({ offset, functions }) => [
      0,
      ...constantExpression(I32, BigInt(offset)),
      ...vector(functions.map((index) => u32(assertDefined(places[index])))),
    ]);
}

function dataSegments({ module }: Linkable): number[][] {
  return module.data.map(({ passive, offset, bytes }) => [
    ...(passive ? [1] : [0, ...constantExpression(I32, BigInt(offset))]),
    ...u32(bytes.length),
    ...bytes,
  ]);
}

/** The bodies, and where each instruction of theirs came from; `at` counts from the section's contents on. */
function codeSection(
  parts: readonly Linkable[],
  plan: LinkPlan,
  counter: CostCounter | undefined,
): { readonly contents: Uint8Array; readonly origins: readonly Origin[] } {
  const wraps = parts.map(({ name, module }) => counter && wrapOf(counter, name, module, plan));
  const bodies = parts.flatMap(({ module }, part) =>
    module.functions.map((func) => ({ part, ...relocatedBody(func, assertDefined(plan.places[part]), wraps[part]) })),
  );
  const origins: Origin[] = [];
  let bodyAt = u32(bodies.length).length;
  for (const { part, bytes, marks } of bodies) {
    for (const { at, offset } of marks) origins.push({ at: bodyAt + at, index: part, offset });
    bodyAt += bytes.length;
  }
  return { contents: vector(bodies.map(({ bytes }) => bytes)), origins };
}

/** The last of the origins that begins at an offset or before it. */
function originIn(origins: readonly Origin[], offset: number): { index: number; offset: number } | undefined {
  let low = 0;
  let high = origins.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (assertDefined(origins[middle]).at <= offset) low = middle + 1;
    else high = middle;
  }
  const found = origins[low - 1];
  return found && { index: found.index, offset: found.offset };
}

/** What a cost counter adds to the bodies of a part. */
function wrapOf(counter: CostCounter, part: string, module: WasmModule, plan: LinkPlan): Wrap | undefined {
  const call = (name: string): number[] => {
    const index = plan.exportOf(counter.by, name);
    if (index === undefined)
      throw new UnsupportedModule(`${counter.by} does not export ${name}, which the cost counter needs`);
    return [Op.call, ...u32(index)];
  };
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

function nameSection(parts: readonly Linkable[], { places, globalsFrom }: LinkPlan): number[] {
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
