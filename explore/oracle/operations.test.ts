// Each atomic access and each plain one against the engine itself, operand by operand.

import { describe, expect, test } from "vitest";
import { prepare } from "../program/prepared-target.ts";
import type { Expression, Place, Statement, Width } from "./ast.ts";
import { RMW_ACTIONS } from "./ast.ts";
import { constant } from "./body.ts";
import { encode } from "./encode-program.ts";

/** Values at which widths, signs and carries change. */
const BOUNDARIES = [
  0n,
  1n,
  77n,
  0x7fn,
  0x80n,
  0xffn,
  0x100n,
  0x7fffn,
  0x8000n,
  0xffffn,
  0x10000n,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  0x100000000n,
  0x123456789abcdef0n,
  0x7fffffffffffffffn,
  0x8000000000000000n,
  0xffffffffffffffffn,
];
const SHAPES: readonly (readonly ["i32" | "i64", Width])[] = [
  ["i32", 4],
  ["i64", 8],
  ["i32", 1],
  ["i32", 2],
  ["i64", 1],
  ["i64", 2],
  ["i64", 4],
];
const CASE_BYTES = 16;
/** Operations of one module: each is a pause point, and so a block of the function. */
const CASES_MAX = 192;

/** One operation on the word at an address of its own; what it leaves goes to the word behind. */
interface Case {
  readonly before: bigint;
  readonly operation: (at: Place) => Expression | Statement;
}

const integer = (type: "i32" | "i64", value: bigint): Expression => constant(type, value);
const isStatement = (made: Expression | Statement): made is Statement =>
  made.kind === "atomic-store" || made.kind === "store";

function statementOf({ operation }: Case, index: number): Statement {
  const made = operation({ address: constant("i32", 0), offset: CASE_BYTES * index });
  if (isStatement(made)) return made;
  const value: Expression = made.type === "i64" ? made : { kind: "convert", type: "i64", value: made };
  return { kind: "store", width: 8, place: { address: constant("i32", 8), offset: CASE_BYTES * index }, value };
}

function moduleOf(cases: readonly Case[]): Uint8Array {
  const bytes = cases.flatMap(({ before }) => [
    ...Array.from({ length: 8 }, (_, i) => Number((before >> BigInt(8 * i)) & 0xffn)),
    ...Array.from({ length: 8 }, () => 0),
  ]);
  return encode({
    seed: 0,
    functions: [{ signature: { params: [], results: [] }, locals: [], body: cases.map(statementOf), results: [] }],
    globals: [],
    table: [],
    segments: [{ at: 0, bytes }],
    pages: 1,
    pagesMax: 1,
    importsMemory: true,
    threads: [{ callee: 0, args: [] }],
    start: undefined,
    init: undefined,
    invariant: undefined,
    final: undefined,
    threadLocalBytes: 0,
  });
}

function inEngine(wasm: Uint8Array, length: number): Uint8Array {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const imports = { env: { memory, abort: () => undefined } };
  const instance = new WebAssembly.Instance(new WebAssembly.Module(wasm as BufferSource), imports);
  (instance.exports["f0"] as () => void)();
  return new Uint8Array(memory.buffer).slice(0, length);
}

/** The explorer's steps, to the thread's end. `coalesceInvisible`: without a pause at each access. */
function inExplorer(wasm: Uint8Array, length: number, coalesceInvisible: boolean): Uint8Array {
  const program = prepare({ wasm, threads: [{ function: "f0" }], reductions: { coalesceInvisible } }).newProgram();
  for (let step = 0; !program.allFinished; step++) {
    if (step > 2 * CASES_MAX) throw new Error("the thread does not end");
    const violation = program.apply(0);
    if (violation) throw new Error(violation.kind);
  }
  const { userBase } = program.layout;
  return program.u8.slice(userBase, userBase + length);
}

function expectSame(cases: readonly Case[]): void {
  for (let from = 0; from < cases.length; from += CASES_MAX) {
    const part = cases.slice(from, from + CASES_MAX);
    const wasm = moduleOf(part);
    const length = CASE_BYTES * part.length;
    const wanted = inEngine(wasm, length);
    const got = inExplorer(wasm, length, (from / CASES_MAX) % 2 === 0);
    const at = got.findIndex((byte, index) => byte !== wanted[index]);
    expect(at < 0 ? "the same" : `case ${from + Math.floor(at / CASE_BYTES)} differs`).toBe("the same");
  }
}

const pairs = (): (readonly [bigint, bigint])[] => BOUNDARIES.flatMap((a) => BOUNDARIES.map((b) => [a, b] as const));

describe.each(SHAPES)("operations on %s, %i bytes", (type, width) => {
  test.each(RMW_ACTIONS)("rmw.%s: every pair of boundary values: as the engine", (action) => {
    expectSame(
      pairs().map(([before, operand]) => ({
        before,
        operation: (place) => ({ kind: "rmw", type, width, action, place, operand: integer(type, operand) }),
      })),
    );
  });

  test("cmpxchg: every pair of boundary values, and what is there with higher bits set: as the engine", () => {
    const replacement = integer(type, 0x1234_5678_9abc_def5n);
    expectSame(
      pairs().flatMap(([other, before], index) =>
        index % 3 !== 0
          ? []
          : [
              other,
              BigInt.asUintN(8 * width, before),
              BigInt.asUintN(8 * width, before) | (1n << BigInt(8 * width)),
            ].map((expected): Case => ({
              before,
              operation: (place) => ({
                kind: "cmpxchg",
                type,
                width,
                place,
                expected: integer(type, expected),
                replacement,
              }),
            })),
      ),
    );
  });

  test("loads and stores, atomic and plain, with and without sign: as the engine", () => {
    const cases = BOUNDARIES.flatMap((before): Case[] => [
      { before, operation: (place) => ({ kind: "atomic-load", type, width, place }) },
      { before, operation: (place) => ({ kind: "load", type, width, signed: true, place }) },
      { before, operation: (place) => ({ kind: "load", type, width, signed: false, place }) },
      ...BOUNDARIES.flatMap((value): Case[] => [
        { before, operation: (place) => ({ kind: "atomic-store", width, place, value: integer(type, value) }) },
        { before, operation: (place) => ({ kind: "store", width, place, value: integer(type, value) }) },
      ]),
    ]);
    expectSame(cases);
  });
});

test("operations: a comparison of results that differ: reported", () => {
  const wasm = (operand: bigint): Uint8Array =>
    moduleOf([
      {
        before: 1n,
        operation: (place) => ({
          kind: "rmw",
          type: "i32",
          width: 4,
          action: "add",
          place,
          operand: integer("i32", operand),
        }),
      },
    ]);
  expect(inExplorer(wasm(1n), CASE_BYTES, true)).not.toEqual(inEngine(wasm(2n), CASE_BYTES));
});
