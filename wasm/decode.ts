// Decode: the bytes of a module as a WasmModule.
//
// Owner: none, pure. It does not validate: engines do. What the library does not know (SIMD, exceptions, tail calls,
// garbage collection, 64-bit memories, several memories or tables) is refused in one line.
// Partners: decode-code.ts (function bodies), constant.ts (constant expressions), encode.ts (the way back).

import { Cursor, MalformedModule } from "./bytes.ts";
import { type Constant, type Scope, constant, valueType } from "./constant.ts";
import { functionBodies } from "./decode-code.ts";
import type {
  CustomSection,
  DataSegment,
  ElementSegment,
  FunctionImport,
  FunctionType,
  GlobalVariable,
  Imported,
  Limits,
  Storage,
  WasmFunction,
  WasmModule,
} from "./module.ts";
import { UnsupportedModule } from "./module.ts";
import { FUNCREF, I32, Op } from "./opcodes.ts";
import { EXTERNAL, type ExternalKind, SECTION, behindHeader } from "./sections.ts";

/** The first byte of a function type. */
export const FUNCTION_TYPE = 0x60;
/** The elements of a segment are given as functions' indices. */
export const ELEMENTS_ARE_FUNCTIONS = 0x00;

/** Bits of a storage's limits. */
export const LIMITS = { maximum: 1, shared: 2, wide: 4 } as const;
/** Bits of an element segment's form. */
export const ELEMENTS = { passive: 1, extended: 2, expressions: 4, all: 7 } as const;

const NO_CONSTANT: Constant = { value: 0n, code: undefined };
const EXTERNALS: ReadonlySet<number> = new Set(Object.values(EXTERNAL));

/**
 * Decodes a binary module. supplied: the values of imported globals, by their names. Throws MalformedModule or
 * UnsupportedModule, each with one line.
 */
export function decodeModule(bytes: Uint8Array, supplied: ReadonlyMap<string, number> = new Map()): WasmModule {
  const cursor = behindHeader(bytes);
  const decoder = new Decoder(bytes, supplied);
  while (!cursor.done) {
    const id = cursor.byte();
    const size = cursor.u32();
    const section = new Cursor(bytes, cursor.position, cursor.position + size);
    cursor.take(size);
    decoder.section(id, section);
    if (!section.done)
      throw new MalformedModule(`section ${id} is longer than its contents, at byte ${section.position}`);
  }
  return decoder.module();
}

class Decoder implements Scope {
  types: FunctionType[] = [];
  readonly globals: GlobalVariable[] = [];
  private readonly imports: FunctionImport[] = [];
  private readonly importOrder: ExternalKind[] = [];
  private declared: number[] = [];
  private table: Storage | undefined;
  private memory: Storage | undefined;
  private readonly exports = new Map<string, { kind: ExternalKind; index: number }>();
  private start: number | undefined;
  private elements: ElementSegment[] = [];
  private data: DataSegment[] = [];
  private hasDataCount = false;
  private functions: WasmFunction[] = [];
  private readonly customSections: CustomSection[] = [];
  private codeStart = 0;
  private last = 0;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly supplied: ReadonlyMap<string, number>,
  ) {}

  module(): WasmModule {
    const { bytes, types, imports, importOrder, functions, globals, table, memory, exports, start } = this;
    const { elements, data, hasDataCount, customSections, codeStart } = this;
    if (functions.length !== this.declared.length) throw new MalformedModule("function and code sections disagree");
    const custom = new Map(customSections.map((each) => [each.name, each.bytes]));
    return {
      ...{ bytes, types, imports, importOrder, functions, globals, table, memory, exports, start },
      ...{ elements, data, hasDataCount, customSections, custom, codeStart },
    };
  }

  section(id: number, input: Cursor): void {
    if (id === SECTION.custom) {
      const name = input.name();
      this.customSections.push({ name, bytes: input.rest(), after: this.last });
      return;
    }
    this.last = id;
    switch (id) {
      case SECTION.type:
        this.types = input.list((index) => functionType(input, index));
        return;
      case SECTION.import:
        input.list(() => this.import(input));
        return;
      case SECTION.function:
        this.declared = input.list(() => input.u32());
        return;
      case SECTION.table:
        input.list(() => this.addTable(input, undefined));
        return;
      case SECTION.memory:
        input.list(() => this.addMemory(input, undefined));
        return;
      case SECTION.global:
        input.list(() => this.global(input));
        return;
      case SECTION.export:
        input.list(() => this.export(input));
        return;
      case SECTION.start:
        this.start = input.u32();
        return;
      case SECTION.element:
        this.elements = input.list(() => this.element(input));
        return;
      case SECTION.dataCount:
        this.hasDataCount = true;
        input.u32();
        return;
      case SECTION.code:
        this.codeStart = input.position;
        this.functions = functionBodies(input, this.types, this.declared, this.imports.length);
        return;
      case SECTION.data:
        this.data = input.list(() => this.segment(input));
        return;
      default:
        throw new UnsupportedModule(
          `the module has a section of the unknown kind ${id}${id === 13 ? " (exceptions)" : ""}`,
        );
    }
  }

  private import(input: Cursor): void {
    const imported = { module: input.name(), name: input.name() };
    const kind = external(input);
    this.importOrder.push(kind);
    switch (kind) {
      case EXTERNAL.function:
        this.imports.push({ ...imported, typeIndex: input.u32() });
        return;
      case EXTERNAL.table:
        return this.addTable(input, imported);
      case EXTERNAL.memory:
        return this.addMemory(input, imported);
      case EXTERNAL.global: {
        const type = valueType(input.byte(), `the import ${imported.module}.${imported.name}`);
        const mutable = input.byte() === 1;
        const initial = BigInt(this.supplied.get(imported.name) ?? 0);
        this.globals.push({ type, mutable, initial, code: undefined, imported });
        return;
      }
      case EXTERNAL.tag:
        throw new UnsupportedModule(
          `the module imports the exception tag ${imported.module}.${imported.name}; build without exceptions`,
        );
      default:
        kind satisfies never;
    }
  }

  private addTable(input: Cursor, imported: Imported | undefined): void {
    if (this.table !== undefined) throw new UnsupportedModule("the module has several tables; one is taken");
    if (input.byte() !== FUNCREF) throw new UnsupportedModule("the module has a table of other things than functions");
    this.table = { ...limits(input), imported };
  }

  private addMemory(input: Cursor, imported: Imported | undefined): void {
    if (this.memory !== undefined) throw new UnsupportedModule("the module has several memories; one is taken");
    this.memory = { ...limits(input), imported };
  }

  private global(input: Cursor): void {
    const type = valueType(input.byte(), "a global");
    const mutable = input.byte() === 1;
    const { value, code } = constant(input, type, this);
    this.globals.push({ type, mutable, initial: value, code, imported: undefined });
  }

  private export(input: Cursor): void {
    this.exports.set(input.name(), { kind: external(input), index: input.u32() });
  }

  private element(input: Cursor): ElementSegment {
    const flags = input.u32();
    if (flags > ELEMENTS.all) throw new MalformedModule(`an element segment has the unknown form ${flags}`);
    const isActive = (flags & ELEMENTS.passive) === 0;
    const isExtended = (flags & ELEMENTS.extended) !== 0;
    const hasExpressions = (flags & ELEMENTS.expressions) !== 0;
    if (isActive && isExtended && input.u32() !== 0)
      throw new UnsupportedModule("the module has several tables; one is taken");
    const { value, code } = isActive ? constant(input, I32, this) : NO_CONSTANT;
    if ((!isActive || isExtended) && input.byte() !== (hasExpressions ? FUNCREF : ELEMENTS_ARE_FUNCTIONS))
      throw new UnsupportedModule("an element segment holds other things than functions");
    return {
      kind: isActive ? "active" : isExtended ? "declared" : "passive",
      offset: Number(value),
      code,
      functions: input.list(() => (hasExpressions ? elementExpression(input) : input.u32())),
    };
  }

  private segment(input: Cursor): DataSegment {
    const flags = input.u32();
    if (flags > 2) throw new MalformedModule(`a data segment has the unknown form ${flags}`);
    if (flags === 2 && input.u32() !== 0) throw new UnsupportedModule("the module has several memories; one is taken");
    const passive = flags === 1;
    const { value, code } = passive ? NO_CONSTANT : constant(input, I32, this);
    return { passive, offset: Number(BigInt.asUintN(32, value)), code, bytes: input.take(input.u32()) };
  }
}

function functionType(input: Cursor, index: number): FunctionType {
  if (input.byte() !== FUNCTION_TYPE)
    throw new UnsupportedModule(`type ${index} is not a function type (garbage collection)`);
  const types = () => input.list(() => valueType(input.byte(), `type ${index}`));
  return { params: types(), results: types() };
}

function limits(input: Cursor): Limits {
  const flags = input.byte();
  if (flags & LIMITS.wide) throw new UnsupportedModule("the memory is a 64-bit one; build for wasm32");
  const initial = input.u32();
  const maximum = flags & LIMITS.maximum ? input.u32() : undefined;
  return { initial, maximum, shared: (flags & LIMITS.shared) !== 0 };
}

function external(input: Cursor): ExternalKind {
  const kind = input.byte();
  if (!EXTERNALS.has(kind)) throw new MalformedModule(`an import or export is of the unknown kind ${kind}`);
  return kind as ExternalKind;
}

/** An element written as an expression: the function that it refers to. */
function elementExpression(input: Cursor): number {
  if (input.byte() !== Op["ref.func"])
    throw new UnsupportedModule("an element segment holds null references; functions only");
  const index = input.u32();
  if (input.byte() !== Op.end) throw new MalformedModule(`an element expression goes on at byte ${input.position}`);
  return index;
}
