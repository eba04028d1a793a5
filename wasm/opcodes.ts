// Opcodes: what each instruction takes from and leaves on the operand stack, and how its immediates are laid out.
//
// Owner: none, constants only. An opcode with a prefix byte is written prefix << 8 | number (0xfe10 is i32.atomic.load).
// Pairs with: module.ts, which decodes by it, and resumable.ts, which follows the stack by it.

import { certain } from "./certain.ts";

export type ValueType = 0x7f | 0x7e | 0x7d | 0x7c;
export const I32 = 0x7f;
export const I64 = 0x7e;
export const F32 = 0x7d;
export const F64 = 0x7c;

/** Operand and result types, bottom of the stack first. */
export interface StackEffect {
  readonly takes: readonly ValueType[];
  readonly gives: readonly ValueType[];
}

const TYPE_OF_CODE: Record<string, ValueType> = { i: I32, I: I64, f: F32, F: F64 };
const effects = new Map<number, StackEffect>();

function define(first: number, last: number, signature: string): void {
  const [takes, gives] = signature.split(">").map((side) => [...side].map((code) => certain(TYPE_OF_CODE[code])));
  for (let op = first; op <= last; op++) effects.set(op, { takes: certain(takes), gives: certain(gives) });
}

// Loads and stores.
for (const [first, last, value] of [
  [0x28, 0x28, "i"],
  [0x29, 0x29, "I"],
  [0x2a, 0x2a, "f"],
  [0x2b, 0x2b, "F"],
  [0x2c, 0x2f, "i"],
  [0x30, 0x35, "I"],
] as const)
  define(first, last, `i>${value}`);
define(0x36, 0x36, "ii>");
define(0x37, 0x37, "iI>");
define(0x38, 0x38, "if>");
define(0x39, 0x39, "iF>");
define(0x3a, 0x3b, "ii>");
define(0x3c, 0x3e, "iI>");
define(0x3f, 0x3f, ">i");
define(0x40, 0x40, "i>i");
// Constants and numbers.
define(0x41, 0x41, ">i");
define(0x42, 0x42, ">I");
define(0x43, 0x43, ">f");
define(0x44, 0x44, ">F");
define(0x45, 0x45, "i>i");
define(0x46, 0x4f, "ii>i");
define(0x50, 0x50, "I>i");
define(0x51, 0x5a, "II>i");
define(0x5b, 0x60, "ff>i");
define(0x61, 0x66, "FF>i");
define(0x67, 0x69, "i>i");
define(0x6a, 0x78, "ii>i");
define(0x79, 0x7b, "I>I");
define(0x7c, 0x8a, "II>I");
define(0x8b, 0x91, "f>f");
define(0x92, 0x98, "ff>f");
define(0x99, 0x9f, "F>F");
define(0xa0, 0xa6, "FF>F");
for (const [
  index,
  signature,
] of "I>i f>i f>i F>i F>i i>I i>I f>I f>I F>I F>I i>f i>f I>f I>f F>f i>F i>F I>F I>F f>F f>i F>I i>f I>F i>i i>i I>I I>I I>I"
  .split(" ")
  .entries())
  define(0xa7 + index, 0xa7 + index, signature);
define(0xfc00, 0xfc01, "f>i");
define(0xfc02, 0xfc03, "F>i");
define(0xfc04, 0xfc05, "f>I");
define(0xfc06, 0xfc07, "F>I");
define(0xfc08, 0xfc08, "iii>");
define(0xfc09, 0xfc09, ">");
define(0xfc0a, 0xfc0b, "iii>");
// Threads.
define(0xfe00, 0xfe00, "ii>i");
define(0xfe01, 0xfe01, "iiI>i");
define(0xfe02, 0xfe02, "iII>i");
define(0xfe03, 0xfe03, ">");
for (const op of [0xfe10, 0xfe12, 0xfe13]) define(op, op, "i>i");
for (const op of [0xfe11, 0xfe14, 0xfe15, 0xfe16]) define(op, op, "i>I");
for (const op of [0xfe17, 0xfe19, 0xfe1a]) define(op, op, "ii>");
for (const op of [0xfe18, 0xfe1b, 0xfe1c, 0xfe1d]) define(op, op, "iI>");
/** The seven shapes of a read-modify-write, in the order of their opcodes: value type and bytes in memory. */
export const RMW_SHAPES: readonly (readonly [ValueType, number])[] = [
  [I32, 4],
  [I64, 8],
  [I32, 1],
  [I32, 2],
  [I64, 1],
  [I64, 2],
  [I64, 4],
];
export const RMW_NAMES = ["add", "sub", "and", "or", "xor", "xchg", "cmpxchg"] as const;
for (let op = 0xfe1e; op <= 0xfe4e; op++) {
  const code = certain(RMW_SHAPES[(op - 0xfe1e) % 7])[0] === I32 ? "i" : "I";
  define(op, op, op >= 0xfe48 ? `i${code}${code}>${code}` : `i${code}>${code}`);
}

/** The fixed stack effect of an opcode; undefined for those that depend on the module, and for unknown ones. */
export function effectOf(op: number): StackEffect | undefined {
  return effects.get(op);
}

const PLAIN_WIDTH = [4, 8, 4, 8, 1, 1, 2, 2, 1, 1, 2, 2, 4, 4, 4, 8, 4, 8, 1, 2, 1, 2, 4];
const ATOMIC_WIDTH = [4, 8, 1, 2, 1, 2, 4, 4, 8, 1, 2, 1, 2, 4];

/** Bytes that a plain load or store (0x28 to 0x3e) touches. */
export function plainWidth(op: number): number {
  return certain(PLAIN_WIDTH[op - 0x28]);
}

/** Bytes that an atomic access touches; wait and notify count the word they look at. */
export function atomicWidth(op: number): number {
  if (op === 0xfe02) return 8;
  if (op < 0xfe10) return 4;
  return op < 0xfe1e ? certain(ATOMIC_WIDTH[op - 0xfe10]) : certain(RMW_SHAPES[(op - 0xfe1e) % 7])[1];
}

export const MEMORY_SIZE = 0x3f;
export const MEMORY_GROW = 0x40;
export const isSizeAccess = (op: number): boolean => op === MEMORY_SIZE || op === MEMORY_GROW;
/** memory.init, memory.copy and memory.fill. */
export const isBulk = (op: number): boolean => op === 0xfc08 || op === 0xfc0a || op === 0xfc0b;
export const isPlainLoad = (op: number): boolean => op >= 0x28 && op <= 0x35;
export const isPlainStore = (op: number): boolean => op >= 0x36 && op <= 0x3e;
/** Everything behind 0xfe but the fence, which orders nothing that interleavings do not order already. */
export const isAtomic = (op: number): boolean => op >= 0xfe00 && op <= 0xfe4e && op !== 0xfe03;
export const isAtomicLoad = (op: number): boolean => op >= 0xfe10 && op <= 0xfe16;

const bits = (type: ValueType): string => (type === I32 ? "i32" : "i64");

/** The spelling of an atomic instruction in the text format. */
export function atomicName(op: number): string {
  if (op === 0xfe00) return "memory.atomic.notify";
  if (op === 0xfe01) return "memory.atomic.wait32";
  if (op === 0xfe02) return "memory.atomic.wait64";
  const width = atomicWidth(op);
  const type = certain(effectOf(op)).takes[1] ?? certain(certain(effectOf(op)).gives[0]);
  const full = width === (type === I32 ? 4 : 8);
  const narrow = full ? "" : String(width * 8);
  if (op <= 0xfe16) return `${bits(type)}.atomic.load${narrow}${full ? "" : "_u"}`;
  if (op <= 0xfe1d) return `${bits(type)}.atomic.store${narrow}`;
  return `${bits(type)}.atomic.rmw${narrow}.${RMW_NAMES[Math.floor((op - 0xfe1e) / 7)]}${full ? "" : "_u"}`;
}
