// Constant: value types and constant expressions, as globals and segments have them.
//
// Owner: none, pure. Pairs with: decode.ts, encode.ts.

import { type Cursor, littleEndian, pushSigned } from "./bytes.ts";
import type { FunctionType, GlobalVariable } from "./module.ts";
import { UnsupportedModule } from "./module.ts";
import type { ValueType } from "./opcodes.ts";
import { F32, F64, I32, I64, OPCODES, Op } from "./opcodes.ts";

/** What has been decoded so far. */
export interface Scope {
  readonly types: readonly FunctionType[];
  readonly globals: readonly GlobalVariable[];
}

const V128 = 0x7b;

/** where: for the refusal. */
export function valueType(code: number, where: string): ValueType {
  if (code === I32 || code === I64 || code === F32 || code === F64) return code;
  if (code === V128) throw new UnsupportedModule(`${where} uses SIMD values; build the module without simd128`);
  throw new UnsupportedModule(`${where} uses reference types; numbers only are taken`);
}

export interface Constant {
  readonly value: bigint;
  /** The expression, where it is more than that constant. */
  readonly code: Uint8Array | undefined;
}

/** An expression that leaves a value of this type: sums are computed, and globals have their initial values. */
export function constant(input: Cursor, type: ValueType, { globals }: Scope): Constant {
  const start = input.position;
  const value = evaluate(input, globals);
  const code = input.bytes.subarray(start, input.position);
  const isPlain = constantExpression(type, value).join() === code.join();
  return { value, code: isPlain ? undefined : code };
}

function evaluate(input: Cursor, globals: readonly GlobalVariable[]): bigint {
  const stack: bigint[] = [];
  const pop = (): bigint => stack.pop() ?? 0n;
  for (;;) {
    const op = input.byte();
    switch (op) {
      case Op.end:
        return stack.at(-1) ?? 0n;
      case Op["i32.const"]:
      case Op["i64.const"]:
        stack.push(input.signed());
        break;
      case Op["f32.const"]:
        stack.push(input.little(4));
        break;
      case Op["f64.const"]:
        stack.push(input.little(8));
        break;
      case Op["global.get"]:
        stack.push(globals[input.u32()]?.initial ?? 0n);
        break;
      default: {
        const compute = SUMS.get(op);
        if (compute === undefined)
          throw new UnsupportedModule(
            `a constant expression uses ${OPCODES.get(op)?.name ?? `opcode 0x${op.toString(16)}`}, which is not taken there`,
          );
        const right = pop();
        stack.push(compute(pop(), right));
      }
    }
  }
}

type Sum = (left: bigint, right: bigint) => bigint;
const wrapped =
  (bits: number, sum: Sum): Sum =>
  (left, right) =>
    BigInt.asIntN(bits, sum(left, right));
const SUMS: ReadonlyMap<number, Sum> = new Map([
  [Op["i32.add"], wrapped(32, (a, b) => a + b)],
  [Op["i32.sub"], wrapped(32, (a, b) => a - b)],
  [Op["i32.mul"], wrapped(32, (a, b) => a * b)],
  [Op["i64.add"], wrapped(64, (a, b) => a + b)],
  [Op["i64.sub"], wrapped(64, (a, b) => a - b)],
  [Op["i64.mul"], wrapped(64, (a, b) => a * b)],
]);

/** The instruction that leaves a constant; value: of a float its bits. */
export function constantInstruction(type: ValueType, value: bigint): number[] {
  const out: number[] = [];
  switch (type) {
    case I32:
      out.push(Op["i32.const"]);
      pushSigned(out, BigInt.asIntN(32, value));
      return out;
    case I64:
      out.push(Op["i64.const"]);
      pushSigned(out, BigInt.asIntN(64, value));
      return out;
    case F32:
      return [Op["f32.const"], ...littleEndian(value, 4)];
    case F64:
      return [Op["f64.const"], ...littleEndian(value, 8)];
    default:
      return type satisfies never;
  }
}

/** A constant as an expression of its own. */
export function constantExpression(type: ValueType, value: bigint): number[] {
  return [...constantInstruction(type, value), Op.end];
}
