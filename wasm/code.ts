// Code: writes instructions into a byte list; the assembler for helpers and rewritten functions.
//
// Owner: one function body under construction. Calls chain, in the order of the instructions.
// Pairs with: runtime.ts, resumable.ts, rewrite.ts.

import { pushSigned, pushU32 } from "./bytes.ts";
import type { ValueType } from "./opcodes.ts";
import { F32, F64, I32, I64 } from "./opcodes.ts";

export class Code {
  readonly bytes: number[] = [];

  /** Opcodes without immediates. */
  op(...codes: number[]): this {
    this.bytes.push(...codes);
    return this;
  }
  raw(bytes: Iterable<number>): this {
    for (const byte of bytes) this.bytes.push(byte);
    return this;
  }
  private indexed(code: number, index: number): this {
    this.bytes.push(code);
    pushU32(this.bytes, index);
    return this;
  }
  get(local: number): this {
    return this.indexed(0x20, local);
  }
  set(local: number): this {
    return this.indexed(0x21, local);
  }
  tee(local: number): this {
    return this.indexed(0x22, local);
  }
  globalGet(index: number): this {
    return this.indexed(0x23, index);
  }
  globalSet(index: number): this {
    return this.indexed(0x24, index);
  }
  call(index: number): this {
    return this.indexed(0x10, index);
  }
  callIndirect(typeIndex: number, table: number): this {
    this.indexed(0x11, typeIndex);
    pushU32(this.bytes, table);
    return this;
  }
  i32(value: number): this {
    this.bytes.push(0x41);
    pushSigned(this.bytes, value | 0);
    return this;
  }
  i64(value: bigint): this {
    this.bytes.push(0x42);
    pushSigned(this.bytes, BigInt.asIntN(64, value));
    return this;
  }
  /** A load or store; the alignment hint is none. */
  memory(code: number, offset = 0): this {
    this.bytes.push(code, 0);
    pushU32(this.bytes, offset);
    return this;
  }
  load32(offset = 0): this {
    return this.memory(0x28, offset);
  }
  load64(offset = 0): this {
    return this.memory(0x29, offset);
  }
  store32(offset = 0): this {
    return this.memory(0x36, offset);
  }
  store64(offset = 0): this {
    return this.memory(0x37, offset);
  }
  block(): this {
    return this.op(0x02, 0x40);
  }
  loop(): this {
    return this.op(0x03, 0x40);
  }
  if(): this {
    return this.op(0x04, 0x40);
  }
  else(): this {
    return this.op(0x05);
  }
  end(): this {
    return this.op(0x0b);
  }
  br(depth: number): this {
    return this.indexed(0x0c, depth);
  }
  brIf(depth: number): this {
    return this.indexed(0x0d, depth);
  }
  return(): this {
    return this.op(0x0f);
  }
  unreachable(): this {
    return this.op(0x00);
  }
  // The arithmetic that helpers need, by the text format's names.
  add(): this {
    return this.op(0x6a);
  }
  sub(): this {
    return this.op(0x6b);
  }
  and(): this {
    return this.op(0x71);
  }
  or(): this {
    return this.op(0x72);
  }
  shl(): this {
    return this.op(0x74);
  }
  shrU(): this {
    return this.op(0x76);
  }
  eqz(): this {
    return this.op(0x45);
  }
  eq(): this {
    return this.op(0x46);
  }
  ne(): this {
    return this.op(0x47);
  }
  ltU(): this {
    return this.op(0x49);
  }
  gtU(): this {
    return this.op(0x4b);
  }
  geU(): this {
    return this.op(0x4f);
  }
  /** Adds a constant to the i32 on the stack. */
  plus(value: number): this {
    return value === 0 ? this : this.i32(value).add();
  }
  /** Turns the value on the stack into the 64-bit word that holds it. */
  toWord(type: ValueType): this {
    if (type === I32) return this.op(0xad);
    if (type === F32) return this.op(0xbc, 0xad);
    return type === F64 ? this.op(0xbd) : this;
  }
  /** Loads a value of a type from a word at the address on the stack. */
  loadWord(type: ValueType, offset: number): this {
    return this.memory(type === I32 ? 0x28 : type === I64 ? 0x29 : type === F32 ? 0x2a : 0x2b, offset);
  }
}

/** A function body with its size in front, from its locals (without parameters) and its code, which ends in `end`. */
export function functionBody(locals: readonly ValueType[], code: readonly number[]): number[] {
  const groups: [ValueType, number][] = [];
  for (const type of locals) {
    const last = groups.at(-1);
    if (last && last[0] === type) last[1]++;
    else groups.push([type, 1]);
  }
  const inner: number[] = [];
  pushU32(inner, groups.length);
  for (const [type, count] of groups) {
    pushU32(inner, count);
    inner.push(type);
  }
  const out: number[] = [];
  pushU32(out, inner.length + code.length);
  for (const byte of inner) out.push(byte);
  for (const byte of code) out.push(byte);
  return out;
}
