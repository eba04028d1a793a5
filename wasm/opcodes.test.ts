import { expect, test } from "vitest";
import { assemble } from "../toolchain/testing/assemble.ts";
import { assertDefined } from "./assert-defined.ts";
import { Code, functionBody } from "./code.ts";
import { decodeModule } from "./decode.ts";
import { encodeLimits, encodeType } from "./encode.ts";
import { F32, F64, I32, I64, OPCODES, Op, type Opcode, type ValueType, typeName } from "./opcodes.ts";
import { SECTION, moduleOf, u32, vector } from "./sections.ts";

const TYPES: readonly ValueType[] = [I32, I64, F32, F64];
const CONTROL: ReadonlySet<number> = new Set([Op.unreachable, Op.nop]);

/** What an instruction needs beside its operands. */
function written(opcode: Opcode): Code {
  const code = new Code();
  switch (opcode.immediates) {
    case "memory":
      return code.memory(opcode.code, 0, Math.log2(assertDefined(opcode.bytes)));
    case "zero":
      return code.op(opcode.code).raw([0]);
    case "zero-zero":
      return code.op(opcode.code).raw([0, 0]);
    case "index":
      return code.op(opcode.code).raw([0]);
    case "index-zero":
      return code.op(opcode.code).raw([0, 0]);
    case "i32":
    case "i64":
      return code.op(opcode.code).raw([0]);
    case "f32":
      return code.f32(0n);
    case "f64":
      return code.f64(0n);
    default:
      return code.op(opcode.code);
  }
}

/** A module with one function that takes the operands as parameters and leaves the results. */
function using(opcode: Opcode, takes: readonly ValueType[], gives: readonly ValueType[]): Uint8Array {
  const gets = new Code();
  for (const index of takes.keys()) gets.get(index);
  const code = gets.raw(written(opcode).bytes).end().bytes;
  const one = (id: number, item: readonly number[]) => ({ id, contents: vector([item]) });
  return moduleOf([
    one(SECTION.type, encodeType({ params: takes, results: gives })),
    one(SECTION.function, u32(0)),
    one(SECTION.memory, encodeLimits({ initial: 1, maximum: 1, shared: true })),
    { id: SECTION.dataCount, contents: u32(1) },
    one(SECTION.code, functionBody([], code)),
    one(SECTION.data, [1, 0]),
  ]);
}

const FIXED = [...OPCODES.values()].filter(({ code, effect }) => effect !== undefined && !CONTROL.has(code));

test("opcodes: number, immediates and stack effect of each with a fixed effect: what the engine takes, and no other", () => {
  for (const opcode of FIXED) {
    const { takes, gives } = assertDefined(opcode.effect);
    expect(WebAssembly.validate(using(opcode, takes, gives) as BufferSource), opcode.name).toBe(true);
    // Any other type of an operand or result, one less and one more: refused.
    const others: (readonly [readonly ValueType[], readonly ValueType[]])[] = [
      ...takes.flatMap((type, at) =>
        TYPES.filter((other) => other !== type).map((other) => [takes.with(at, other), gives] as const),
      ),
      ...gives.flatMap((type, at) =>
        TYPES.filter((other) => other !== type).map((other) => [takes, gives.with(at, other)] as const),
      ),
      [takes, [...gives, I32]] as const,
      ...(takes.length > 0 ? [[takes.slice(1), gives] as const] : []),
    ];
    for (const [operands, results] of others)
      expect(WebAssembly.validate(using(opcode, operands, results) as BufferSource), opcode.name).toBe(false);
  }
});

test("opcodes: an access with a larger alignment than the table's width: refused by the engine", () => {
  for (const opcode of FIXED.filter(({ immediates }) => immediates === "memory")) {
    const wider = { ...opcode, bytes: assertDefined(opcode.bytes) * 2 };
    const { takes, gives } = assertDefined(opcode.effect);
    expect(WebAssembly.validate(using(wider, takes, gives) as BufferSource), opcode.name).toBe(false);
  }
});

test("opcodes: each name, assembled from the text format: decoded under that name", () => {
  const named = FIXED.filter(
    ({ immediates }) => !["i32", "i64", "f32", "f64", "index", "index-zero"].includes(immediates),
  );
  const functions = named.map(({ name, effect }) => {
    const { takes, gives } = assertDefined(effect);
    const params = takes.map((type) => `(param ${typeName(type)})`).join(" ");
    const results = gives.map((type) => `(result ${typeName(type)})`).join(" ");
    return `(func ${params} ${results} (${name} ${takes.map((_, at) => `(local.get ${at})`).join(" ")}))`;
  });
  const { functions: bodies } = decodeModule(assemble(`(module (memory 1 1 shared) ${functions.join("\n")})`));
  expect(bodies.map(({ body }) => OPCODES.get(assertDefined(body.at(-2)).op)?.name)).toEqual(
    named.map(({ name }) => name),
  );
});
