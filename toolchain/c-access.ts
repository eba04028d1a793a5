// C accesses: how printed C prints an address, and which accessor of wasm-c.h a load, store or atomic uses.
//
// Owner: none, pure functions.
import type { GlobalVariable } from "../wasm/module.ts";
import { accessBytes, I32, type OpName, Op } from "../wasm/opcodes.ts";
import { type Value, wrapped } from "./c-values.ts";

/**
 * Displacements stay below this. The first byte above the lower 2 GiB that is mapped (the kernel image) is
 * 2 MiB above them, so no displacement can reach it.
 */
export const DISPLACEMENT_MAX = 0x200000;

/** `i32_at(address, displacement)`. offset: the access's static one, below DISPLACEMENT_MAX. */
export function pointer(accessor: string, address: Value, offset: number): string {
  if (address.sum !== null) {
    const displacement = Number(address.sum.addend) + offset;
    if (Math.abs(displacement) < DISPLACEMENT_MAX) return `${accessor}(${address.sum.base}, ${displacement})`;
  }
  return `${accessor}(${address.text}, ${offset})`;
}

/** A plain load's value. */
export function loadText(op: OpName, address: Value, offset: number): { text: string; atomic: boolean } {
  const bits = accessBytes(Op[op]) * 8;
  const read = `*${pointer(`${op.endsWith("_u") ? "u" : "i"}${bits}_at`, address, offset)}`;
  const widens = op.startsWith("i64") && bits < 64;
  return { text: widens ? `(int64_t)${read}` : read, atomic: true };
}

/** A plain store as a statement. */
export function storeText(op: OpName, address: Value, stored: Value, offset: number): string {
  const bits = accessBytes(Op[op]) * 8;
  const whole = bits === (op.startsWith("i64") ? 64 : 32);
  return `*${pointer(`i${bits}_at`, address, offset)} = ${whole ? stored.text : `(int${bits}_t)${wrapped(stored)}`};`;
}

/** The pointer's accessor for an atomic: words are signed, narrower accesses zero-extend. */
function atomicAccessor(op: OpName): string {
  const bits = accessBytes(Op[op]) * 8;
  const narrow = bits < (op.startsWith("i64") ? 64 : 32);
  return `${narrow ? "u" : "i"}${bits}_at`;
}

/** `wasm_atomic_load_i64_32(...)` and the like, without the closing parenthesis of the call. */
export function atomicCall(op: OpName, address: Value, offset: number, operands: Value[]): string {
  const type = op.slice(0, 3);
  const bits = accessBytes(Op[op]) * 8;
  const kind = /\.(load|store)|\.([a-z]+)(?:_u)?$/.exec(op.replace(/^i\d\d\.atomic/, ""));
  const access = kind?.[1] ?? kind?.[2];
  if (access === undefined) throw new Error(`no accessor for ${op}`);
  const name = access === "load" || access === "store" ? `${access}_${type}_${bits}` : `${access}_${type}`;
  const list = [pointer(atomicAccessor(op), address, offset), ...operands.map((one) => one.text)];
  return `wasm_atomic_${name}(${list.join(", ")})`;
}

/** A mutable global as C reads and writes it: the last of them lies lowest. */
export function globalText(globals: readonly GlobalVariable[], index: number, top: string): string {
  const place = globals.slice(0, index + 1).filter(({ mutable }) => mutable).length;
  return `*(${globals[index]?.type === I32 ? "int32_t" : "int64_t"} *)(${top} - ${8 * place})`;
}

/** A narrow read-modify-write has no instruction on RISC-V. */
export function isNarrowUpdate(op: OpName): boolean {
  return /\.rmw(8|16|32)\./.test(op);
}
