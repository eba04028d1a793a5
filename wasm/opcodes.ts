// Opcodes: named constants and questions about instructions, all answered by the table.
//
// Owner: none, constants only. `Op["i32.add"]` is the number of i32.add; a name is the text format's.
// Partners: opcode-table.ts (the table), decode.ts and encode.ts (immediates), stack.ts (effects).

import { pushU32 } from "./bytes.ts";
import { assertDefined } from "./assert-defined.ts";
import { type Immediates, type Row, TABLE } from "./opcode-table.ts";

export type { Immediates } from "./opcode-table.ts";

export type ValueType = 0x7f | 0x7e | 0x7d | 0x7c;
export const I32 = 0x7f;
export const I64 = 0x7e;
export const F32 = 0x7d;
export const F64 = 0x7c;
/** The type of a block without parameters and results. */
export const EMPTY_BLOCK = 0x40;
/** The reference type of tables. */
export const FUNCREF = 0x70;

/** As the text format has it, but for `select` with its type written out, which is `select t`. */
export type OpName = keyof typeof TABLE;

const ROWS = Object.entries(TABLE) as [OpName, Row][];

/** The number of each instruction. */
export const Op = Object.fromEntries(ROWS.map(([name, [code]]) => [name, code])) as {
  readonly [Name in OpName]: (typeof TABLE)[Name][0];
};

/** Operand and result types, bottom of the stack first. */
export interface StackEffect {
  readonly takes: readonly ValueType[];
  readonly gives: readonly ValueType[];
}

export interface Opcode {
  readonly code: number;
  readonly name: OpName;
  readonly immediates: Immediates;
  /** How many values it takes and leaves; undefined where that depends on the module. */
  readonly counts: { readonly takes: number; readonly gives: number } | undefined;
  /** Undefined where the types, or their number, depend on the module. */
  readonly effect: StackEffect | undefined;
  /** Bytes of memory that it accesses; undefined where it accesses none, or as many as its operands say. */
  readonly bytes: number | undefined;
}

const TYPE_OF: Readonly<Record<string, ValueType>> = { i: I32, I: I64, f: F32, F: F64 };

function opcodeOf(name: OpName, [code, immediates, signature, bytes]: Row): Opcode {
  const [takes, gives] = signature?.split(">") ?? [];
  const types = (side: string): ValueType[] => [...side].map((type) => assertDefined(TYPE_OF[type]));
  const isFixed = signature !== undefined && !signature.includes("*");
  return {
    code,
    name,
    immediates,
    counts: takes === undefined || gives === undefined ? undefined : { takes: takes.length, gives: gives.length },
    effect: isFixed ? { takes: types(takes ?? ""), gives: types(gives ?? "") } : undefined,
    bytes,
  };
}

/** By number. */
export const OPCODES: ReadonlyMap<number, Opcode> = new Map(
  ROWS.map(([name, row]) => [row[0], opcodeOf(name, row)] as const),
);

/** The name in the text format. */
export function nameOf(op: number): OpName {
  return assertDefined(OPCODES.get(op)).name;
}

/** The fixed stack effect of an opcode; undefined for those that depend on the module, and for unknown ones. */
export function effectOf(op: number): StackEffect | undefined {
  return OPCODES.get(op)?.effect;
}

/** How many values an opcode takes and leaves; undefined where that depends on the module, and for unknown ones. */
export function stackCounts(op: number): Opcode["counts"] {
  return OPCODES.get(op)?.counts;
}

/** Bytes of memory that a load, store or atomic accesses; of wait and notify the word that they compare. */
export function accessBytes(op: number): number {
  return assertDefined(OPCODES.get(op)?.bytes);
}

/** The first byte of an opcode with a prefix. */
export const PREFIXES: readonly number[] = [0xfc, 0xfe];

/** Appends an opcode, with its prefix byte where it has one. */
export function pushOpcode(out: number[], op: number): void {
  if (op <= 0xff) out.push(op);
  else {
    out.push(op >> 8);
    pushU32(out, op & 0xff);
  }
}

export const isSizeAccess = (op: number): boolean => op === Op["memory.size"] || op === Op["memory.grow"];
/** memory.init, memory.copy and memory.fill. */
export const isBulk = (op: number): boolean =>
  op === Op["memory.init"] || op === Op["memory.copy"] || op === Op["memory.fill"];
export const isPlainLoad = (op: number): boolean => op >= Op["i32.load"] && op <= Op["i64.load32_u"];
export const isPlainStore = (op: number): boolean => op >= Op["i32.store"] && op <= Op["i64.store32"];
/** Everything behind 0xfe but the fence, which orders nothing that interleavings do not order already. */
export const isAtomic = (op: number): boolean => op >= Op["memory.atomic.notify"] && op !== Op["atomic.fence"];
export const isAtomicLoad = (op: number): boolean => op >= Op["i32.atomic.load"] && op <= Op["i64.atomic.load32_u"];
export const isAtomicStore = (op: number): boolean => op >= Op["i32.atomic.store"] && op <= Op["i64.atomic.store32"];
export const isReadModifyWrite = (op: number): boolean =>
  op >= Op["i32.atomic.rmw.add"] && op <= Op["i64.atomic.rmw32.cmpxchg_u"];
/** An atomic load, store or read-modify-write: all atomics but waiting, notifying and the fence. */
export const isAtomicAccess = (op: number): boolean => op >= Op["i32.atomic.load"];
export const isWait = (op: number): boolean => op === Op["memory.atomic.wait32"] || op === Op["memory.atomic.wait64"];
/** block, loop and if. */
export const isBlock = (op: number): boolean => op === Op.block || op === Op.loop || op === Op.if;

/** The operations of a read-modify-write, in the order of their opcodes. */
export const RMW_OPERATIONS = ["add", "sub", "and", "or", "xor", "xchg", "cmpxchg"] as const;
export type RmwOperation = (typeof RMW_OPERATIONS)[number];

/** Each operation has an opcode for each type and width that an atomic can have. */
const RMW_SHAPES = 7;

export interface ReadModifyWrite {
  readonly operation: RmwOperation;
  readonly type: ValueType;
  readonly bytes: number;
}

/** What a read-modify-write does. */
export function readModifyWriteOf(op: number): ReadModifyWrite {
  const operation = assertDefined(RMW_OPERATIONS[Math.floor((op - Op["i32.atomic.rmw.add"]) / RMW_SHAPES)]);
  return { operation, type: assertDefined(effectOf(op)?.gives[0]), bytes: accessBytes(op) };
}

/** The opcode of the same type and width with another operation. */
export function withOperation(op: number, operation: RmwOperation): number {
  const shape = (op - Op["i32.atomic.rmw.add"]) % RMW_SHAPES;
  return Op["i32.atomic.rmw.add"] + RMW_OPERATIONS.indexOf(operation) * RMW_SHAPES + shape;
}

const BY_NAME: ReadonlyMap<string, number> = new Map(ROWS.map(([name, [code]]) => [name, code]));

/** The number of an instruction whose name was put together; the name is known to the table. */
export function opNamed(name: string): number {
  return assertDefined(BY_NAME.get(name));
}

/** `i32`, as the text format has it. */
export type TypeName = "i32" | "i64" | "f32" | "f64";

const TYPE_NAMES: Readonly<Record<ValueType, TypeName>> = { [I32]: "i32", [I64]: "i64", [F32]: "f32", [F64]: "f64" };

export function typeName(type: ValueType): TypeName {
  return TYPE_NAMES[type];
}

/** The plain load or store of an atomic one: the same type and width, unsigned where narrow. */
export function plainForm(op: number): number {
  return opNamed(nameOf(op).replace(".atomic", ""));
}

/** The plain load of an integer of so many bytes, unsigned where narrow. */
export function loadOf(type: ValueType, bytes: number): number {
  const isFull = bytes === (type === I64 ? 8 : 4);
  return opNamed(`${typeName(type)}.load${isFull ? "" : `${bytes * 8}_u`}`);
}
