import { expect, test } from "vitest";
import { Code, functionBody } from "./code.ts";
import { decodeModule } from "./decode.ts";
import { encodeType } from "./encode.ts";
import { I32, I64, Op } from "./opcodes.ts";
import { type Places, relocatedBody } from "./relocate.ts";
import { EXTERNAL, SECTION, moduleOf, named, u32, vector } from "./sections.ts";

/** One function over three globals: a constant of each type, and one that it writes. */
function example(code: Code): ReturnType<typeof decodeModule> {
  const globals = [
    [...named("from", "narrow"), EXTERNAL.global, I32, 0],
    [...named("from", "wide"), EXTERNAL.global, I64, 0],
    [...named("from", "mutable"), EXTERNAL.global, I32, 1],
  ];
  return decodeModule(
    moduleOf([
      { id: SECTION.type, contents: vector([encodeType({ params: [], results: [] })]) },
      { id: SECTION.import, contents: vector(globals) },
      { id: SECTION.function, contents: vector([u32(0)]) },
      { id: SECTION.code, contents: vector([functionBody([], code.end().bytes)]) },
    ]),
  );
}

const PLACES: Places = {
  functions: [70],
  globals: [
    { kind: "constant", type: I32, value: -2n },
    { kind: "constant", type: I64, value: 2n ** 40n },
    { kind: "global", index: 300 },
  ],
  types: [9],
  dataFrom: 4,
  table: 1,
};

const relocated = (code: Code): readonly number[] => {
  const [func] = example(code).functions;
  if (func === undefined) throw new Error("the example has one function");
  return relocatedBody(func, PLACES).bytes;
};

test("relocate: globals with a constant, and one without: the constants, and the other's index", () => {
  const code = new Code().globalGet(0).globalSet(2).globalGet(1).op(Op.drop);
  const expected = new Code()
    .i32(-2)
    .globalSet(300)
    .i64(2n ** 40n)
    .op(Op.drop);
  expect(relocated(code)).toEqual(functionBody([], expected.end().bytes));
});

test("relocate: a call, and one through the table: their function, type and table", () => {
  const code = new Code().call(0).i32(0).callIndirect(0, 0);
  const expected = new Code().call(70).i32(0).callIndirect(9, 1);
  expect(relocated(code)).toEqual(functionBody([], expected.end().bytes));
});

test("relocate: a write to a global that became a constant: refused", () => {
  expect(() => relocated(new Code().i32(1).globalSet(0))).toThrow("writes a global that stands for a constant");
});
