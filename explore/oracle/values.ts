// Values: what the interpreter's operations do with numbers. Every value is a bigint of its bits, without a sign.
//
// Owner: none, pure. Pairs with: abstract-machine.ts.

import type { RmwAction } from "./ast.ts";

const shiftOf = (right: bigint, bits: number): bigint => right % BigInt(bits);

export function binary(type: "i32" | "i64", operation: string, left: bigint, right: bigint): bigint {
  const bits = type === "i32" ? 32 : 64;
  const wrap = (value: bigint): bigint => BigInt.asUintN(bits, value);
  switch (operation) {
    case "add":
      return wrap(left + right);
    case "sub":
      return wrap(left - right);
    case "mul":
      return wrap(left * right);
    case "and":
      return left & right;
    case "or":
      return left | right;
    case "xor":
      return left ^ right;
    case "shl":
      return wrap(left << shiftOf(right, bits));
    case "shr_u":
      return left >> shiftOf(right, bits);
    case "eq":
      return left === right ? 1n : 0n;
    case "ne":
      return left === right ? 0n : 1n;
    case "lt_u":
      return left < right ? 1n : 0n;
    default:
      throw new Error(`the interpreter knows no ${operation}`);
  }
}

/** What a read-modify-write leaves in memory; the caller cuts it to the width. */
export function modified(action: RmwAction, old: bigint, operand: bigint): bigint {
  switch (action) {
    case "add":
      return old + operand;
    case "sub":
      return old - operand;
    case "and":
      return old & operand;
    case "or":
      return old | operand;
    case "xor":
      return old ^ operand;
    case "xchg":
      return operand;
    default:
      return action satisfies never;
  }
}
