import { expect, test } from "vitest";
import { Code, functionBody } from "./code.ts";
import { encodeType } from "./encode.ts";
import { type Body, type Inlinable, inlineCalls } from "./inline.ts";
import type { FunctionType } from "./module.ts";
import { I32, Op } from "./opcodes.ts";
import { EXTERNAL, SECTION, moduleOf, named, u32, vector } from "./sections.ts";

const TYPE: FunctionType = { params: [I32, I32], results: [I32] };

/** `f(a, b)`, function 1 of a module whose function 0 is `g`; both of one type. */
function run(g: Body, f: Body, a: number, b: number): unknown {
  const bytes = moduleOf([
    { id: SECTION.type, contents: vector([encodeType(TYPE)]) },
    { id: SECTION.function, contents: vector([[0], [0]]) },
    { id: SECTION.export, contents: vector([[...named("f"), EXTERNAL.function, ...u32(1)]]) },
    { id: SECTION.code, contents: vector([g, f].map(({ locals, code }) => functionBody(locals, code))) },
  ]);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes as BufferSource));
  return (exports["f"] as (a: number, b: number) => unknown)(a, b);
}

// Counts in a local that begins as zero, returns out of a loop, and branches to the end of the function by depth.
const loop = new Code().loop().get(2).plus(1).tee(2).get(0).geU().if().get(2).get(1).add().return().end().br(0).end();
const early = new Code().get(0).i32(5).get(0).i32(3).eq().brIf(0).op(Op.drop).get(1).sub();
const CALLEES: readonly (readonly [string, Inlinable])[] = [
  ["a loop over a local, left by return", { type: TYPE, locals: [I32], code: loop.unreachable().end().bytes }],
  ["a branch to the function's end", { type: TYPE, locals: [], code: early.end().bytes }],
];
const f: Body = {
  locals: [],
  code: new Code().get(0).get(1).call(0).get(0).plus(1).get(1).call(0).op(Op["i32.mul"]).end().bytes,
};

test.each(CALLEES)("inline: %s, called twice: the same results without a call", (_, g) => {
  const inlined = inlineCalls(2, f, new Map([[0, g]]), [TYPE]);
  for (let a = 0; a < 6; a++) expect(run(g, inlined, a, 7), `f(${a}, 7)`).toBe(run(g, f, a, 7));
  // The function put in is not there any more, and nothing changes.
  const trap: Body = { locals: [], code: new Code().unreachable().end().bytes };
  expect(run(trap, inlined, 4, 7)).toBe(run(g, f, 4, 7));
  expect(() => run(trap, f, 4, 7)).toThrow(WebAssembly.RuntimeError);
});

test("inline: a function that is not called: the body as it was", () => {
  const body: Body = { locals: [I32], code: new Code().get(0).end().bytes };
  expect(inlineCalls(2, body, new Map(CALLEES.slice(0, 1).map(([, g]) => [0, g])), [TYPE])).toBe(body);
});
