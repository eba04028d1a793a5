// Encode: a WasmModule as bytes, each number in its shortest form.
//
// Owner: none, pure. What was decoded comes back byte for byte where its writer used the same forms: shortest numbers, no
// empty sections, element segments as indices into the one table.
// Partners: decode.ts, code.ts (instructions by hand), link.ts (instructions with other indices).

import { littleEndian, pushSigned, pushU32 } from "./bytes.ts";
import { assertDefined } from "./assert-defined.ts";
import { functionBody } from "./code.ts";
import { constantExpression } from "./constant.ts";
import { ELEMENTS, ELEMENTS_ARE_FUNCTIONS, FUNCTION_TYPE, LIMITS } from "./decode.ts";
import type { DataSegment, ElementSegment, FunctionType, GlobalVariable, Instruction, Limits } from "./module.ts";
import type { WasmFunction, WasmModule } from "./module.ts";
import { FUNCREF, I32, OPCODES, pushOpcode } from "./opcodes.ts";
import { EXTERNAL, type ExternalKind, SECTION, type Section, moduleOf, named, u32, vector } from "./sections.ts";

export function encodeModule(module: WasmModule): Uint8Array {
  const { types, functions, globals, exports, elements, data, start } = module;
  const defined = globals.filter(({ imported }) => imported === undefined);
  const entries: readonly (readonly [id: number, entries: readonly (readonly number[])[]])[] = [
    [SECTION.type, types.map(encodeType)],
    [SECTION.import, encodeImports(module)],
    [SECTION.function, functions.map(({ typeIndex }) => u32(typeIndex))],
    [SECTION.table, ownStorage(module.table, [FUNCREF])],
    [SECTION.memory, ownStorage(module.memory, [])],
    [SECTION.global, defined.map((global) => [...encodeGlobalType(global), ...initialOf(global)])],
    [SECTION.export, [...exports].map(([name, { kind, index }]) => [...named(name), kind, ...u32(index)])],
    [SECTION.element, elements.map(encodeElements)],
    [SECTION.code, functions.map(encodeFunction)],
    [SECTION.data, data.map(encodeData)],
  ];
  const contents = new Map<number, ArrayLike<number>>(
    entries.filter(([, items]) => items.length > 0).map(([id, items]) => [id, vector(items)]),
  );
  if (start !== undefined) contents.set(SECTION.start, u32(start));
  if (module.hasDataCount) contents.set(SECTION.dataCount, u32(data.length));
  return moduleOf(
    Object.values(SECTION).flatMap((id): Section[] => {
      const own = contents.get(id);
      const custom = module.customSections
        .filter(({ after }) => after === id)
        .map(({ name, bytes }) => ({ id: SECTION.custom, contents: [...named(name), ...bytes] }));
      return own === undefined ? custom : [{ id, contents: own }, ...custom];
    }),
  );
}

export function encodeType({ params, results }: FunctionType): number[] {
  return [FUNCTION_TYPE, ...vector(params.map((type) => [type])), ...vector(results.map((type) => [type]))];
}

export function encodeLimits({ initial, maximum, shared }: Limits): number[] {
  const flags = (maximum === undefined ? 0 : LIMITS.maximum) | (shared ? LIMITS.shared : 0);
  return [flags, ...u32(initial), ...(maximum === undefined ? [] : u32(maximum))];
}

function ownStorage(storage: WasmModule["memory"], before: readonly number[]): number[][] {
  return storage === undefined || storage.imported !== undefined ? [] : [[...before, ...encodeLimits(storage)]];
}

function encodeGlobalType({ type, mutable }: GlobalVariable): number[] {
  return [type, mutable ? 1 : 0];
}

/** Each kind's imports in their own order, the kinds as they were mixed. */
function encodeImports({ imports, importOrder, globals, table, memory }: WasmModule): number[][] {
  const functions = imports.values();
  const imported = globals.filter((global) => global.imported !== undefined).values();
  const entryOf = (kind: ExternalKind): number[] => {
    switch (kind) {
      case EXTERNAL.function: {
        const { module, name, typeIndex } = assertDefined(functions.next().value);
        return [...named(module, name), kind, ...u32(typeIndex)];
      }
      case EXTERNAL.table: {
        const { module, name } = assertDefined(table?.imported);
        return [...named(module, name), kind, FUNCREF, ...encodeLimits(assertDefined(table))];
      }
      case EXTERNAL.memory: {
        const { module, name } = assertDefined(memory?.imported);
        return [...named(module, name), kind, ...encodeLimits(assertDefined(memory))];
      }
      case EXTERNAL.global: {
        const global = assertDefined(imported.next().value);
        const { module, name } = assertDefined(global.imported);
        return [...named(module, name), kind, ...encodeGlobalType(global)];
      }
      case EXTERNAL.tag:
        throw new Error("a tag among the imports: the model has none");
      default:
        return kind satisfies never;
    }
  };
  return importOrder.map(entryOf);
}

function initialOf({ type, initial, code }: GlobalVariable): ArrayLike<number> & Iterable<number> {
  return code ?? constantExpression(type, initial);
}

function placeOf({ offset, code }: ElementSegment | DataSegment): ArrayLike<number> & Iterable<number> {
  return code ?? constantExpression(I32, BigInt(offset));
}

function encodeElements(segment: ElementSegment): number[] {
  const { kind, functions } = segment;
  const indices = vector(functions.map(u32));
  if (kind === "active") return [0, ...placeOf(segment), ...indices];
  const flags = kind === "passive" ? ELEMENTS.passive : ELEMENTS.passive | ELEMENTS.extended;
  return [flags, ELEMENTS_ARE_FUNCTIONS, ...indices];
}

function encodeData(segment: DataSegment): number[] {
  const { passive, bytes } = segment;
  return [...(passive ? [1] : [0, ...placeOf(segment)]), ...u32(bytes.length), ...bytes];
}

function encodeFunction({ locals, body }: WasmFunction): number[] {
  const code: number[] = [];
  for (const instruction of body) pushInstruction(code, instruction);
  return functionBody(locals, code);
}

/** Appends an instruction. */
export function pushInstruction(out: number[], instruction: Instruction): void {
  const { op, a, b, targets, value } = instruction;
  pushOpcode(out, op);
  const { immediates } = assertDefined(OPCODES.get(op));
  switch (immediates) {
    case "none":
      return;
    case "block":
      return pushSigned(out, a);
    case "index":
      return pushU32(out, a);
    case "labels": {
      const all = assertDefined(targets);
      pushU32(out, all.length - 1);
      for (const target of all) pushU32(out, target);
      return;
    }
    case "indirect":
    case "index-zero":
      pushU32(out, a);
      out.push(0);
      return;
    case "types":
      out.push(1, a);
      return;
    case "type":
      out.push(a);
      return;
    case "memory":
      pushU32(out, a);
      return pushU32(out, b);
    case "i32":
    case "i64":
      return pushSigned(out, assertDefined(value));
    case "f32":
    case "f64":
      out.push(...littleEndian(assertDefined(value), immediates === "f32" ? 4 : 8));
      return;
    case "zero":
      out.push(0);
      return;
    case "zero-zero":
      out.push(0, 0);
      return;
    default:
      immediates satisfies never;
  }
}
