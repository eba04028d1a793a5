// Code: writes instructions into a byte list; the assembler for helpers and rewritten functions.
//
// Owner: one function body under construction. Calls chain, in the order of the instructions.
// Pairs with: encode.ts, for instructions that were decoded.

import { littleEndian, pushSigned, pushU32 } from "./bytes.ts";
import type { ValueType } from "./opcodes.ts";
import { EMPTY_BLOCK, F32, F64, I32, I64, Op, pushOpcode } from "./opcodes.ts";

/** A body as functions are written from: its locals without the parameters, and its code, which ends in `end`. */
export interface Body {
  readonly locals: readonly ValueType[];
  readonly code: readonly number[];
}

const WORD_LOADS: Readonly<Record<ValueType, number>> = {
  [I32]: Op["i32.load"],
  [I64]: Op["i64.load"],
  [F32]: Op["f32.load"],
  [F64]: Op["f64.load"],
};

export class Code {
  readonly bytes: number[] = [];

  /** Opcodes without immediates, or whose immediates follow. */
  op(...codes: number[]): this {
    for (const code of codes) pushOpcode(this.bytes, code);
    return this;
  }
  raw(bytes: Iterable<number>): this {
    for (const byte of bytes) this.bytes.push(byte);
    return this;
  }
  private indexed(code: number, index: number): this {
    pushOpcode(this.bytes, code);
    pushU32(this.bytes, index);
    return this;
  }
  get(local: number): this {
    return this.indexed(Op["local.get"], local);
  }
  set(local: number): this {
    return this.indexed(Op["local.set"], local);
  }
  tee(local: number): this {
    return this.indexed(Op["local.tee"], local);
  }
  globalGet(index: number): this {
    return this.indexed(Op["global.get"], index);
  }
  globalSet(index: number): this {
    return this.indexed(Op["global.set"], index);
  }
  call(index: number): this {
    return this.indexed(Op.call, index);
  }
  callIndirect(typeIndex: number, table: number): this {
    this.indexed(Op.call_indirect, typeIndex);
    pushU32(this.bytes, table);
    return this;
  }
  i32(value: number): this {
    this.bytes.push(Op["i32.const"]);
    pushSigned(this.bytes, value | 0);
    return this;
  }
  i64(value: bigint): this {
    this.bytes.push(Op["i64.const"]);
    pushSigned(this.bytes, BigInt.asIntN(64, value));
    return this;
  }
  /** The bits of a float. */
  f32(bits: bigint): this {
    return this.op(Op["f32.const"]).raw(littleEndian(bits, 4));
  }
  f64(bits: bigint): this {
    return this.op(Op["f64.const"]).raw(littleEndian(bits, 8));
  }
  memoryInit(segment: number): this {
    this.indexed(Op["memory.init"], segment);
    this.bytes.push(0);
    return this;
  }
  /** A load, store or atomic; align: the alignment as a power of two, which of an atomic is its width's. */
  memory(code: number, offset = 0, align = 0): this {
    pushOpcode(this.bytes, code);
    pushU32(this.bytes, align);
    pushU32(this.bytes, offset);
    return this;
  }
  load32(offset = 0): this {
    return this.memory(Op["i32.load"], offset);
  }
  load64(offset = 0): this {
    return this.memory(Op["i64.load"], offset);
  }
  store32(offset = 0): this {
    return this.memory(Op["i32.store"], offset);
  }
  store64(offset = 0): this {
    return this.memory(Op["i64.store"], offset);
  }
  private open(code: number): this {
    pushOpcode(this.bytes, code);
    this.bytes.push(EMPTY_BLOCK);
    return this;
  }
  block(): this {
    return this.open(Op.block);
  }
  loop(): this {
    return this.open(Op.loop);
  }
  if(): this {
    return this.open(Op.if);
  }
  else(): this {
    return this.op(Op.else);
  }
  end(): this {
    return this.op(Op.end);
  }
  br(depth: number): this {
    return this.indexed(Op.br, depth);
  }
  brIf(depth: number): this {
    return this.indexed(Op.br_if, depth);
  }
  return(): this {
    return this.op(Op.return);
  }
  unreachable(): this {
    return this.op(Op.unreachable);
  }
  // The arithmetic that helpers need, by the text format's names.
  add(): this {
    return this.op(Op["i32.add"]);
  }
  sub(): this {
    return this.op(Op["i32.sub"]);
  }
  and(): this {
    return this.op(Op["i32.and"]);
  }
  or(): this {
    return this.op(Op["i32.or"]);
  }
  shl(): this {
    return this.op(Op["i32.shl"]);
  }
  shrU(): this {
    return this.op(Op["i32.shr_u"]);
  }
  eqz(): this {
    return this.op(Op["i32.eqz"]);
  }
  eq(): this {
    return this.op(Op["i32.eq"]);
  }
  ne(): this {
    return this.op(Op["i32.ne"]);
  }
  ltU(): this {
    return this.op(Op["i32.lt_u"]);
  }
  gtU(): this {
    return this.op(Op["i32.gt_u"]);
  }
  geU(): this {
    return this.op(Op["i32.ge_u"]);
  }
  /** Adds a constant to the i32 on the stack. */
  plus(value: number): this {
    return value === 0 ? this : this.i32(value).add();
  }
  /** Turns the value on the stack into the 64-bit word that holds it. */
  toWord(type: ValueType): this {
    if (type === I32) return this.op(Op["i64.extend_i32_u"]);
    if (type === F32) return this.op(Op["i32.reinterpret_f32"], Op["i64.extend_i32_u"]);
    return type === F64 ? this.op(Op["i64.reinterpret_f64"]) : this;
  }
  /** Loads a value of a type from a word at the address on the stack. */
  loadWord(type: ValueType, offset: number): this {
    return this.memory(WORD_LOADS[type], offset);
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
  const size: number[] = [];
  pushU32(size, inner.length + code.length);
  return size.concat(inner, code);
}
