// Inline: calls of small functions, replaced by the functions' bodies. For engines that do not inline wasm functions.
//
// Owner: the writer of a module, which hands its bodies through here. Invariant: a body computes what it did with the call;
// a local of the function that is put in is zero at each call, as in the function.
// Pairs with: code.ts (bodies), decode-code.ts (reads them).

import { Cursor } from "./bytes.ts";
import { Code } from "./code.ts";
import { readInstructions } from "./decode-code.ts";
import type { FunctionType, Instruction } from "./module.ts";
import { u32 } from "./sections.ts";
import { EMPTY_BLOCK, F32, F64, I32, I64, Op, type ValueType, isBlock } from "./opcodes.ts";

/** Bodies may call through any table. */
const TABLES_MAX = 2 ** 32;

/** A body as functions are written from: its locals without the parameters, and its code, which ends in `end`. */
export interface Body {
  readonly locals: readonly ValueType[];
  readonly code: readonly number[];
}

/** A function that is put in where it is called. It has one result or none. */
export interface Inlinable extends Body {
  readonly type: FunctionType;
}

/** The body with calls of these functions, by index, replaced. types: those that its blocks refer to. */
export function inlineCalls(
  parameterCount: number,
  body: Body,
  inlinable: ReadonlyMap<number, Inlinable>,
  types: readonly FunctionType[],
): Body {
  const bytes = Uint8Array.from(body.code);
  const instructions = readInstructions(new Cursor(bytes, 0, bytes.length), types, "a body", TABLES_MAX);
  if (!instructions.some(({ op, a }) => op === Op.call && inlinable.has(a))) return body;
  const locals = [...body.locals];
  const code = new Code();
  const places = new Map<number, number>();
  let copied = 0;
  for (const { op, a, start, end } of instructions) {
    const callee = op === Op.call ? inlinable.get(a) : undefined;
    if (callee === undefined) continue;
    code.raw(bytes.subarray(copied, start));
    copied = end;
    // One set of locals a function, shared by its calls.
    const first = places.get(a) ?? parameterCount + locals.length;
    if (!places.has(a)) locals.push(...callee.type.params, ...callee.locals);
    places.set(a, first);
    putIn(code, callee, first, types);
  }
  return { locals, code: [...code.bytes, ...bytes.subarray(copied)] };
}

/** Arguments go to locals from `first` on, in the order of the stack; the body is a block, which `return` leaves. */
function putIn(
  code: Code,
  { type, locals, code: body }: Inlinable,
  first: number,
  types: readonly FunctionType[],
): void {
  for (let i = type.params.length - 1; i >= 0; i--) code.set(first + i);
  for (const [i, local] of locals.entries()) zero(code, local).set(first + type.params.length + i);
  code.op(Op.block).raw([type.results[0] ?? EMPTY_BLOCK]);
  const bytes = Uint8Array.from(body);
  let depth = 0;
  for (const instruction of readInstructions(new Cursor(bytes, 0, bytes.length), types, "a body", TABLES_MAX)) {
    const { op, a, start, end } = instruction;
    if (isBlock(op)) depth++;
    else if (op === Op.end) depth--;
    if (isLocal(instruction)) code.op(op).raw(u32(first + a));
    else if (op === Op.return) code.br(depth);
    else code.raw(bytes.subarray(start, end));
  }
}

const isLocal = ({ op }: Instruction): boolean =>
  op === Op["local.get"] || op === Op["local.set"] || op === Op["local.tee"];

function zero(code: Code, type: ValueType): Code {
  switch (type) {
    case I32:
      return code.i32(0);
    case I64:
      return code.i64(0n);
    case F32:
      return code.f32(0n);
    case F64:
      return code.f64(0n);
    default:
      return type satisfies never;
  }
}
