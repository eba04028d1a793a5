// Decode, code: the bodies of functions, instruction by instruction, blocks matched up with their ends.
//
// Owner: none, pure. Pairs with: decode.ts; encode.ts (the way back).

import { Cursor, MalformedModule } from "./bytes.ts";
import { assertDefined } from "./assert-defined.ts";
import { valueType } from "./constant.ts";
import type { FunctionType, Instruction, WasmFunction } from "./module.ts";
import { UnsupportedModule } from "./module.ts";
import type { Opcode, ValueType } from "./opcodes.ts";
import { EMPTY_BLOCK, OPCODES, Op, PREFIXES } from "./opcodes.ts";

/** Engines have this limit, too. */
const LOCALS_MAX = 50_000;
/** A bit of the alignment that marks that a memory is named. */
const NAMES_MEMORY = 0x40;

/** declared: the types of the functions, by their indices. importCount: of functions. */
export function functionBodies(
  input: Cursor,
  types: readonly FunctionType[],
  declared: readonly number[],
  importCount: number,
): WasmFunction[] {
  return input.list((at) => {
    const size = input.u32();
    const body = new Cursor(input.bytes, input.position, input.position + size);
    input.take(size);
    const index = importCount + at;
    const where = `function ${index}`;
    const typeIndex = declared[at];
    if (typeIndex === undefined) throw new MalformedModule("function and code sections disagree");
    const type = types[typeIndex];
    if (type === undefined) throw new MalformedModule(`${where} has the type ${typeIndex}, which does not exist`);
    const locals = readLocals(body, where);
    return { index, type, typeIndex, locals, body: readInstructions(body, types, where) };
  });
}

function readLocals(input: Cursor, where: string): ValueType[] {
  const locals: ValueType[] = [];
  input.list(() => {
    const count = input.u32();
    const type = valueType(input.byte(), where);
    if (locals.length + count > LOCALS_MAX) throw new MalformedModule(`${where} has more than ${LOCALS_MAX} locals`);
    for (let i = 0; i < count; i++) locals.push(type);
  });
  return locals;
}

/** The instructions up to the cursor's end. where: the function, for messages. tables: that indirect calls may name. */
export function readInstructions(
  input: Cursor,
  types: readonly FunctionType[],
  where: string,
  tables = 1,
): Instruction[] {
  const list: Instruction[] = [];
  const open: number[] = [];
  while (!input.done) {
    const start = input.position;
    const opcode = readOpcode(input, where);
    const { a, b, type, targets, value } = readImmediates(input, opcode, types, where, tables);
    const op = opcode.code;
    if (op === Op.else) {
      const opener = list[open.at(-1) ?? -1];
      if (opener !== undefined) opener.elseAt = list.length;
    } else if (op === Op.end) close(list, open.pop());
    else if (opcode.immediates === "block") open.push(list.length);
    list.push({ op, start, end: input.position, a, b, type, targets, value, match: -1, elseAt: -1 });
  }
  return list;
}

/** The end that comes next closes the block that was opened by this instruction. */
function close(list: readonly Instruction[], openedBy: number | undefined): void {
  const opener = list[openedBy ?? -1];
  if (opener === undefined) return;
  opener.match = list.length;
  if (opener.op !== Op.if) return;
  if (opener.elseAt < 0) opener.elseAt = list.length;
  else assertDefined(list[opener.elseAt]).match = list.length;
}

/** What a group of opcodes is that the library does not know, by the first byte. */
const UNKNOWN: readonly (readonly [from: number, end: number, what: string])[] = [
  [0x06, 0x0b, "exceptions; build without them"],
  [0x12, 0x14, "tail calls; build without them"],
  [0xfd, 0xfe, "SIMD; build without simd128"],
];

function readOpcode(input: Cursor, where: string): Opcode {
  const first = input.byte();
  const op = PREFIXES.includes(first) ? (first << 8) | input.u32() : first;
  const opcode = OPCODES.get(op);
  if (opcode !== undefined) return opcode;
  const known = UNKNOWN.find(([from, end]) => from <= op && op < end);
  throw new UnsupportedModule(
    known === undefined
      ? `${where} uses opcode 0x${op.toString(16)}, which is not known here`
      : `${where} uses ${known[2]}`,
  );
}

type Immediate = Pick<Instruction, "a" | "b" | "type" | "targets" | "value">;
const NONE: Immediate = { a: 0, b: 0, type: undefined, targets: undefined, value: undefined };
const indices = (a: number, b = 0): Immediate => ({ a, b, type: undefined, targets: undefined, value: undefined });
const constant = (value: bigint): Immediate => ({ a: 0, b: 0, type: undefined, targets: undefined, value });
const typed = (a: number, type: FunctionType): Immediate => ({ a, b: 0, type, targets: undefined, value: undefined });

function readImmediates(
  input: Cursor,
  opcode: Opcode,
  types: readonly FunctionType[],
  where: string,
  tables: number,
): Immediate {
  switch (opcode.immediates) {
    case "none":
      return NONE;
    case "block":
      return blockType(input, types, where);
    case "index":
      return indices(input.u32());
    case "labels":
      return { ...NONE, targets: [...input.list(() => input.u32()), input.u32()] };
    case "indirect": {
      const a = input.u32();
      if (input.u32() >= tables) throw new UnsupportedModule(`${where} calls through a second table; one is taken`);
      return indices(a);
    }
    case "types":
      if (input.u32() !== 1) throw new MalformedModule(`${where} has a select of several values`);
      return indices(valueType(input.byte(), where));
    case "type":
      return indices(input.byte());
    case "memory": {
      const a = input.u32();
      if (a & NAMES_MEMORY) throw new UnsupportedModule("the module has several memories; one is taken");
      return indices(a, input.u32());
    }
    case "i32":
    case "i64":
      return constant(input.signed());
    case "f32":
      return constant(input.little(4));
    case "f64":
      return constant(input.little(8));
    case "zero":
      input.take(1);
      return NONE;
    case "zero-zero":
      input.take(2);
      return NONE;
    case "index-zero": {
      const a = input.u32();
      input.take(1);
      return indices(a);
    }
    default:
      return opcode.immediates satisfies never;
  }
}

function blockType(input: Cursor, types: readonly FunctionType[], where: string): Immediate {
  const a = Number(input.signed());
  if (a >= 0) {
    const type = types[a];
    if (type === undefined) throw new MalformedModule(`${where} has a block of type ${a}, which does not exist`);
    return typed(a, type);
  }
  // Value types are written as one byte, which as a signed number is negative.
  const code = a & 0x7f;
  return typed(a, { params: [], results: code === EMPTY_BLOCK ? [] : [valueType(code, where)] });
}
