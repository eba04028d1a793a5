// Opcodes: the instructions of WebAssembly 1.0 with sign extension, bulk memory and threads, by their numbers.
//
// Owner: none, a flat table. Floats are named so that a gate can refuse them by name; SIMD, references,
// exceptions and garbage collection are unknown here, and what is unknown is refused by the reader.

/** What follows an opcode in the binary. */
export type Immediates =
  | "none"
  /** A block type. */
  | "block"
  /** One index: a label, function, local or global. */
  | "index"
  /** A vector of labels and a default label. */
  | "table"
  /** A type index and a table index. */
  | "indirect"
  /** Alignment (log2) and offset. */
  | "memory"
  | "i32"
  | "i64"
  | "f32"
  | "f64"
  /** One reserved byte. */
  | "zero"
  /** Two reserved bytes. */
  | "zero-zero"
  /** A data segment and a reserved byte. */
  | "index-zero";

export interface Opcode {
  name: string;
  immediates: Immediates;
}

const plain = (first: number, names: string): [number, Opcode][] =>
  names.split(" ").map((name, i) => [first + i, { name, immediates: "none" }]);
const memory = (first: number, names: string): [number, Opcode][] =>
  names.split(" ").map((name, i) => [first + i, { name, immediates: "memory" }]);
const one = (number: number, name: string, immediates: Immediates): [number, Opcode] => [number, { name, immediates }];

/** The seven forms of an atomic read-modify-write, in the order of their numbers. */
const rmw = (operation: string): string =>
  [
    `i32.atomic.rmw.${operation}`,
    `i64.atomic.rmw.${operation}`,
    `i32.atomic.rmw8.${operation}_u`,
    `i32.atomic.rmw16.${operation}_u`,
    `i64.atomic.rmw8.${operation}_u`,
    `i64.atomic.rmw16.${operation}_u`,
    `i64.atomic.rmw32.${operation}_u`,
  ].join(" ");

const integerArithmetic = (type: string): string =>
  ["clz", "ctz", "popcnt", "add", "sub", "mul", "div_s", "div_u", "rem_s", "rem_u", "and", "or", "xor"]
    .concat(["shl", "shr_s", "shr_u", "rotl", "rotr"])
    .map((name) => `${type}.${name}`)
    .join(" ");

const integerComparisons = (type: string): string =>
  ["eqz", "eq", "ne", "lt_s", "lt_u", "gt_s", "gt_u", "le_s", "le_u", "ge_s", "ge_u"]
    .map((name) => `${type}.${name}`)
    .join(" ");

const floatComparisons = (type: string): string =>
  ["eq", "ne", "lt", "gt", "le", "ge"].map((name) => `${type}.${name}`).join(" ");

const floatArithmetic = (type: string): string =>
  ["abs", "neg", "ceil", "floor", "trunc", "nearest", "sqrt", "add", "sub", "mul", "div", "min", "max", "copysign"]
    .map((name) => `${type}.${name}`)
    .join(" ");

/** Opcodes of one byte. */
export const OPCODES: ReadonlyMap<number, Opcode> = new Map([
  ...plain(0x00, "unreachable nop"),
  one(0x02, "block", "block"),
  one(0x03, "loop", "block"),
  one(0x04, "if", "block"),
  one(0x05, "else", "none"),
  one(0x0b, "end", "none"),
  one(0x0c, "br", "index"),
  one(0x0d, "br_if", "index"),
  one(0x0e, "br_table", "table"),
  one(0x0f, "return", "none"),
  one(0x10, "call", "index"),
  one(0x11, "call_indirect", "indirect"),
  ...plain(0x1a, "drop select"),
  one(0x20, "local.get", "index"),
  one(0x21, "local.set", "index"),
  one(0x22, "local.tee", "index"),
  one(0x23, "global.get", "index"),
  one(0x24, "global.set", "index"),
  ...memory(0x28, "i32.load i64.load f32.load f64.load i32.load8_s i32.load8_u i32.load16_s i32.load16_u"),
  ...memory(0x30, "i64.load8_s i64.load8_u i64.load16_s i64.load16_u i64.load32_s i64.load32_u"),
  ...memory(0x36, "i32.store i64.store f32.store f64.store i32.store8 i32.store16 i64.store8 i64.store16 i64.store32"),
  one(0x3f, "memory.size", "zero"),
  one(0x40, "memory.grow", "zero"),
  one(0x41, "i32.const", "i32"),
  one(0x42, "i64.const", "i64"),
  one(0x43, "f32.const", "f32"),
  one(0x44, "f64.const", "f64"),
  ...plain(0x45, integerComparisons("i32")),
  ...plain(0x50, integerComparisons("i64")),
  ...plain(0x5b, floatComparisons("f32")),
  ...plain(0x61, floatComparisons("f64")),
  ...plain(0x67, integerArithmetic("i32")),
  ...plain(0x79, integerArithmetic("i64")),
  ...plain(0x8b, floatArithmetic("f32")),
  ...plain(0x99, floatArithmetic("f64")),
  ...plain(0xa7, "i32.wrap_i64 i32.trunc_f32_s i32.trunc_f32_u i32.trunc_f64_s i32.trunc_f64_u"),
  ...plain(0xac, "i64.extend_i32_s i64.extend_i32_u i64.trunc_f32_s i64.trunc_f32_u i64.trunc_f64_s i64.trunc_f64_u"),
  ...plain(0xb2, "f32.convert_i32_s f32.convert_i32_u f32.convert_i64_s f32.convert_i64_u f32.demote_f64"),
  ...plain(0xb7, "f64.convert_i32_s f64.convert_i32_u f64.convert_i64_s f64.convert_i64_u f64.promote_f32"),
  ...plain(0xbc, "i32.reinterpret_f32 i64.reinterpret_f64 f32.reinterpret_i32 f64.reinterpret_i64"),
  ...plain(0xc0, "i32.extend8_s i32.extend16_s i64.extend8_s i64.extend16_s i64.extend32_s"),
]);

/** Opcodes after the prefix 0xFC. */
export const OPCODES_FC: ReadonlyMap<number, Opcode> = new Map([
  ...plain(0, "i32.trunc_sat_f32_s i32.trunc_sat_f32_u i32.trunc_sat_f64_s i32.trunc_sat_f64_u"),
  ...plain(4, "i64.trunc_sat_f32_s i64.trunc_sat_f32_u i64.trunc_sat_f64_s i64.trunc_sat_f64_u"),
  one(8, "memory.init", "index-zero"),
  one(9, "data.drop", "index"),
  one(10, "memory.copy", "zero-zero"),
  one(11, "memory.fill", "zero"),
]);

/** Opcodes after the prefix 0xFE: threads. */
export const OPCODES_FE: ReadonlyMap<number, Opcode> = new Map([
  ...memory(0x00, "memory.atomic.notify memory.atomic.wait32 memory.atomic.wait64"),
  one(0x03, "atomic.fence", "zero"),
  ...memory(0x10, "i32.atomic.load i64.atomic.load i32.atomic.load8_u i32.atomic.load16_u"),
  ...memory(0x14, "i64.atomic.load8_u i64.atomic.load16_u i64.atomic.load32_u"),
  ...memory(0x17, "i32.atomic.store i64.atomic.store i32.atomic.store8 i32.atomic.store16"),
  ...memory(0x1b, "i64.atomic.store8 i64.atomic.store16 i64.atomic.store32"),
  ...memory(0x1e, rmw("add")),
  ...memory(0x25, rmw("sub")),
  ...memory(0x2c, rmw("and")),
  ...memory(0x33, rmw("or")),
  ...memory(0x3a, rmw("xor")),
  ...memory(0x41, rmw("xchg")),
  ...memory(0x48, rmw("cmpxchg")),
]);

/** Bytes that a load, store or atomic touches: `i64.load32_u` 4, `i64.atomic.rmw.add` 8. */
export function accessBytes(name: string): number {
  const narrow = /(?:load|store|rmw|wait)(8|16|32|64)/.exec(name);
  if (narrow !== null) return Number(narrow[1]) / 8;
  if (name === "memory.atomic.notify") return 4;
  return /^[if]64/.test(name) ? 8 : 4;
}
