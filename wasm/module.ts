// Module: a WebAssembly module decoded as far as the explorer needs, instruction by instruction.
//
// Owner: decodeModule's caller; nothing changes it afterwards.
// Invariant: function indices are the binary's own (imports first), offsets count from the file's first byte.
// Partners: opcodes.ts (stack effects), instrument.ts (rewrites), names.ts and source-map.ts (custom sections).

import { Cursor, MalformedModule } from "./bytes.ts";
import type { ValueType } from "./opcodes.ts";
import { F32, F64, I32, I64, effectOf } from "./opcodes.ts";
import { certain } from "./certain.ts";

/** The module is well formed, but uses what the explorer cannot take; the message is one line. */
export class UnsupportedModule extends Error {}

export interface FunctionType {
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
}

/** One instruction: bytes [start, end) of the file. `a` and `b` are its immediates in order; `type` a block's type. */
export interface Instruction {
  readonly op: number;
  readonly start: number;
  readonly end: number;
  readonly a: number;
  readonly b: number;
  readonly type: FunctionType | undefined;
  /** br_table: every target, the default last. */
  readonly targets: readonly number[] | undefined;
  /** block, loop, if, else: index of the matching end; if: `elseAt` too (the end's index where there is no else). */
  match: number;
  elseAt: number;
}

export interface WasmFunction {
  readonly index: number;
  readonly type: FunctionType;
  readonly typeIndex: number;
  /** Types of the declared locals, without the parameters. */
  readonly locals: readonly ValueType[];
  readonly body: readonly Instruction[];
}

export interface FunctionImport {
  readonly module: string;
  readonly name: string;
  readonly typeIndex: number;
}

export interface GlobalVariable {
  readonly type: ValueType;
  readonly mutable: boolean;
  /** The initial value as 64 bits; of an imported stack pointer whoever supplies the stacks. */
  readonly initial: bigint;
  /** The import's name, where it is one. */
  readonly imported?: string;
}

/** What a loader decides for a position-independent module. A page and a slot are left free below, so null stays null. */
const MEMORY_BASE = 65536;
const TABLE_BASE = 1;
const LOADED_AT: ReadonlyMap<string, number> = new Map([
  ["__memory_base", MEMORY_BASE],
  ["__table_base", TABLE_BASE],
  ["__stack_pointer", 0],
]);

export interface DataSegment {
  readonly passive: boolean;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

export interface ElementSegment {
  readonly kind: "active" | "passive";
  readonly offset: number;
  readonly functions: readonly number[];
}

export interface WasmModule {
  readonly bytes: Uint8Array;
  readonly types: readonly FunctionType[];
  readonly imports: readonly FunctionImport[];
  readonly functions: readonly WasmFunction[];
  readonly globals: readonly GlobalVariable[];
  readonly tableSize: number | undefined;
  /** In pages of 64 KiB. */
  readonly memory: { readonly initial: number; readonly maximum: number; readonly shared: boolean };
  readonly exports: ReadonlyMap<string, { readonly kind: number; readonly index: number }>;
  readonly start: number | undefined;
  readonly elements: readonly ElementSegment[];
  readonly data: readonly DataSegment[];
  /** Custom sections by name; of equal names the last. */
  readonly custom: ReadonlyMap<string, Uint8Array>;
  /** Offset of the code section's contents: DWARF addresses count from it. */
  readonly codeStart: number;
}

const hex = (op: number): string => `0x${op.toString(16)}`;

function valueType(code: number, where: string): ValueType {
  if (code === I32 || code === I64 || code === F32 || code === F64) return code;
  if (code === 0x7b) throw new UnsupportedModule(`${where} uses SIMD values; build the module without simd128`);
  throw new UnsupportedModule(`${where} uses reference types; the explorer takes numbers only`);
}

function types(cursor: Cursor): FunctionType[] {
  return Array.from({ length: cursor.u32() }, (_, index) => {
    if (cursor.byte() !== 0x60)
      throw new UnsupportedModule(`type ${index} is not a function type (garbage collection)`);
    const list = (): ValueType[] =>
      Array.from({ length: cursor.u32() }, () => valueType(cursor.byte(), `type ${index}`));
    const params = list();
    return { params, results: list() };
  });
}

function limits(cursor: Cursor): { initial: number; maximum: number; shared: boolean } {
  const flags = cursor.byte();
  if (flags & 4) throw new UnsupportedModule("the memory is a 64-bit one; build for wasm32");
  const initial = cursor.u32();
  return { initial, maximum: flags & 1 ? cursor.u32() : 65536, shared: (flags & 2) !== 0 };
}

/** The initial size of a table of functions, of which a module may have one. */
function table(cursor: Cursor, known: number | undefined): number {
  if (known !== undefined) throw new UnsupportedModule("the module has several tables; one is taken");
  if (cursor.byte() !== 0x70) throw new UnsupportedModule("the module has a table of other things than functions");
  return limits(cursor).initial;
}

function importedGlobal(cursor: Cursor, module: string, name: string): GlobalVariable {
  const type = valueType(cursor.byte(), `the import ${module}.${name}`);
  const mutable = cursor.byte() === 1;
  const initial = LOADED_AT.get(name);
  if (initial !== undefined && type === I32) return { type, mutable, initial: BigInt(initial), imported: name };
  throw new UnsupportedModule(
    module.startsWith("GOT.")
      ? `the module imports ${module}.${name}, which a dynamic linker supplies; link it without -shared and -pie`
      : `the module imports the global ${module}.${name}; define it in the module (of globals the explorer supplies ${[...LOADED_AT.keys()].join(", ")})`,
  );
}

/** A constant expression's value as 64 bits. */
function constant(cursor: Cursor, globals: readonly GlobalVariable[]): bigint {
  const stack: bigint[] = [];
  for (;;) {
    const op = cursor.byte();
    if (op === 0x0b) return stack.at(-1) ?? 0n;
    if (op === 0x41 || op === 0x42) stack.push(cursor.signed());
    else if (op === 0x43 || op === 0x44) {
      const raw = cursor.take(op === 0x43 ? 4 : 8);
      stack.push(raw.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n));
    } else if (op === 0x23) stack.push(globals[cursor.u32()]?.initial ?? 0n);
    else if ((op >= 0x6a && op <= 0x6c) || (op >= 0x7c && op <= 0x7e)) {
      const [right, left] = [stack.pop() ?? 0n, stack.pop() ?? 0n];
      const action = op >= 0x7c ? op - 0x7c : op - 0x6a;
      const result = action === 0 ? left + right : action === 1 ? left - right : left * right;
      stack.push(BigInt.asIntN(op >= 0x7c ? 64 : 32, result));
    } else
      throw new UnsupportedModule(`a constant expression uses opcode ${hex(op)}, which the explorer does not know`);
  }
}

/** An element written as an expression: the function that it refers to. */
function elementExpression(cursor: Cursor): number {
  if (cursor.byte() !== 0xd2) throw new UnsupportedModule("an element segment holds null references; functions only");
  const index = cursor.u32();
  if (cursor.byte() !== 0x0b) throw new MalformedModule(`an element expression goes on at byte ${cursor.position}`);
  return index;
}

function elementSegment(cursor: Cursor, globals: readonly GlobalVariable[]): ElementSegment {
  // Bits: 1 passive, 2 a table (active) or declared only (passive), 4 expressions instead of indices.
  const flags = cursor.u32();
  if (flags > 7) throw new MalformedModule(`an element segment has the unknown form ${flags}`);
  if ((flags & 3) === 2 && cursor.u32() !== 0)
    throw new UnsupportedModule("the module has several tables; one is taken");
  const active = (flags & 1) === 0;
  const offset = active ? Number(constant(cursor, globals)) : 0;
  if (flags & 3 && cursor.byte() !== (flags & 4 ? 0x70 : 0))
    throw new UnsupportedModule("an element segment holds other things than functions");
  return {
    kind: active ? "active" : "passive",
    offset,
    functions: Array.from({ length: cursor.u32() }, () => (flags & 4 ? elementExpression(cursor) : cursor.u32())),
  };
}

function dataSegment(cursor: Cursor, globals: readonly GlobalVariable[]): DataSegment {
  const flags = cursor.u32();
  if (flags === 2 && cursor.u32() !== 0) throw new UnsupportedModule("the module has several memories; one is taken");
  const offset = flags === 1 ? 0 : Number(BigInt.asUintN(32, constant(cursor, globals)));
  return { passive: flags === 1, offset, bytes: cursor.take(cursor.u32()) };
}

/** Instructions of one body, structure matched up. */
function instructions(cursor: Cursor, end: number, moduleTypes: readonly FunctionType[], where: string): Instruction[] {
  const list: Instruction[] = [];
  const open: number[] = [];
  while (cursor.position < end) {
    const start = cursor.position;
    let op = cursor.byte();
    if (op === 0xfc || op === 0xfe) op = (op << 8) | cursor.u32();
    let a = 0;
    let b = 0;
    let type: FunctionType | undefined;
    let targets: number[] | undefined;
    if (op >= 0x02 && op <= 0x04) {
      const code = Number(cursor.signed());
      if (code >= 0) type = moduleTypes[code];
      else type = { params: [], results: code === -64 ? [] : [valueType(code & 0x7f, where)] };
      open.push(list.length);
    } else if (op === 0x05) {
      const opener = list[certain(open.at(-1))];
      if (opener) opener.elseAt = list.length;
    } else if (op === 0x0c || op === 0x0d || op === 0x10 || (op >= 0x20 && op <= 0x24)) a = cursor.u32();
    else if (op === 0x0e) targets = Array.from({ length: cursor.u32() + 1 }, () => cursor.u32());
    else if (op === 0x11) {
      a = cursor.u32();
      if (cursor.u32() !== 0) throw new UnsupportedModule(`${where} calls through a second table; one is taken`);
    } else if (op === 0x1c) {
      if (cursor.u32() !== 1) throw new MalformedModule(`${where} has a select of several values`);
      valueType(cursor.byte(), where);
    } else if ((op >= 0x28 && op <= 0x3e) || (op >= 0xfe00 && op !== 0xfe03)) {
      a = cursor.u32();
      if (a & 0x40) throw new UnsupportedModule("the module has several memories; one is taken");
      b = cursor.u32();
    } else if (op === 0x3f || op === 0x40 || op === 0xfe03) cursor.byte();
    else if (op === 0x41 || op === 0x42) cursor.signed();
    else if (op === 0x43) cursor.take(4);
    else if (op === 0x44) cursor.take(8);
    else if (op === 0xfc08) {
      a = cursor.u32();
      cursor.byte();
    } else if (op === 0xfc09) a = cursor.u32();
    else if (op === 0xfc0a) cursor.take(2);
    else if (op === 0xfc0b) cursor.byte();
    else if (op === 0x0b) {
      const opener = list[open.pop() ?? -1];
      if (opener) {
        opener.match = list.length;
        if (opener.op === 0x04 && opener.elseAt < 0) opener.elseAt = list.length;
        else if (opener.op === 0x04) certain(list[opener.elseAt]).match = list.length;
      }
    } else if (op >= 0x06 && op <= 0x0a) throw new UnsupportedModule(`${where} uses exceptions; build without them`);
    else if (op === 0x12 || op === 0x13) throw new UnsupportedModule(`${where} uses tail calls; build without them`);
    else if (op > 0x01 && op !== 0x0f && op !== 0x1a && op !== 0x1b && !effectOf(op)) {
      const simd = op === 0xfd ? " (SIMD)" : "";
      throw new UnsupportedModule(`${where} uses opcode ${hex(op)}${simd}, which the explorer does not know`);
    }
    list.push({ op, start, end: cursor.position, a, b, type, targets, match: -1, elseAt: -1 });
  }
  return list;
}

/** Decodes a binary module. Throws MalformedModule or UnsupportedModule, each with one line. */
export function decodeModule(bytes: Uint8Array): WasmModule {
  if (bytes.length < 8 || String.fromCharCode(...bytes.subarray(0, 4)) !== "\0asm" || bytes[4] !== 1)
    throw new MalformedModule("this is not a WebAssembly module (version 1)");
  const cursor = new Cursor(bytes, 8);
  let typeList: FunctionType[] = [];
  const imports: FunctionImport[] = [];
  let declared: number[] = [];
  let tableSize: number | undefined;
  let memory: WasmModule["memory"] | undefined;
  const globals: GlobalVariable[] = [];
  const exports = new Map<string, { kind: number; index: number }>();
  let start: number | undefined;
  let elements: ElementSegment[] = [];
  let data: DataSegment[] = [];
  const functions: WasmFunction[] = [];
  const custom = new Map<string, Uint8Array>();
  let codeStart = 0;

  while (!cursor.done) {
    const id = cursor.byte();
    const size = cursor.u32();
    const section = new Cursor(bytes, cursor.position, cursor.position + size);
    cursor.take(size);
    if (id === 0) {
      const name = section.name();
      custom.set(name, bytes.subarray(section.position, section.end));
    } else if (id === 1) typeList = types(section);
    else if (id === 2) {
      for (let count = section.u32(); count > 0; count--) {
        const module = section.name();
        const name = section.name();
        const kind = section.byte();
        if (kind === 0) imports.push({ module, name, typeIndex: section.u32() });
        else if (kind === 2) memory = limits(section);
        else if (kind === 1) tableSize = table(section, tableSize);
        else if (kind === 3) globals.push(importedGlobal(section, module, name));
        else
          throw new UnsupportedModule(
            `the module imports the exception tag ${module}.${name}; build without exceptions`,
          );
      }
    } else if (id === 3) declared = Array.from({ length: section.u32() }, () => section.u32());
    else if (id === 4) {
      for (let count = section.u32(); count > 0; count--) tableSize = table(section, tableSize);
    } else if (id === 5) {
      if (section.u32() > 0) memory = limits(section);
    } else if (id === 6) {
      for (let count = section.u32(); count > 0; count--) {
        const type = valueType(section.byte(), "a global");
        const mutable = section.byte() === 1;
        globals.push({ type, mutable, initial: constant(section, globals) });
      }
    } else if (id === 7) {
      for (let count = section.u32(); count > 0; count--)
        exports.set(section.name(), { kind: section.byte(), index: section.u32() });
    } else if (id === 8) start = section.u32();
    else if (id === 9) elements = Array.from({ length: section.u32() }, () => elementSegment(section, globals));
    else if (id === 11) data = Array.from({ length: section.u32() }, () => dataSegment(section, globals));
    else if (id === 10) {
      codeStart = section.position;
      const count = section.u32();
      if (count !== declared.length) throw new MalformedModule("function and code sections disagree");
      for (let index = 0; index < count; index++) {
        const length = section.u32();
        const end = section.position + length;
        const where = `function ${imports.length + index}`;
        const locals: ValueType[] = [];
        for (let groups = section.u32(); groups > 0; groups--) {
          const repeat = section.u32();
          const type = valueType(section.byte(), where);
          for (let i = 0; i < repeat; i++) locals.push(type);
        }
        const typeIndex = certain(declared[index]);
        const body = instructions(section, end, typeList, where);
        functions.push({ index: imports.length + index, type: certain(typeList[typeIndex]), typeIndex, locals, body });
      }
    }
  }
  if (!memory) throw new UnsupportedModule("the module has no memory, so its threads share nothing");
  const asks = (name: string): boolean => globals.some(({ imported }) => imported === name);
  if (asks("__memory_base")) {
    const initial = memory.initial + MEMORY_BASE / 65536;
    memory = { ...memory, initial, maximum: Math.max(initial, memory.maximum) };
  }
  if (asks("__table_base") && tableSize !== undefined) tableSize += TABLE_BASE;
  return {
    bytes,
    types: typeList,
    imports,
    functions,
    globals,
    tableSize,
    memory,
    exports,
    start,
    elements,
    data,
    custom,
    codeStart,
  };
}
