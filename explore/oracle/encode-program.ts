// Encode program: an abstract program as a WebAssembly module, with the exports that the explorer asks for.
//
// Owner: none, pure. The exports: f0, f1, ... the functions; what threads need for thread-local variables, by the names
// that linkers give them.
// Pairs with: ast.ts, encode-code.ts (bodies), compare.ts.

import { Code } from "../../wasm/code.ts";
import { constantExpression } from "../../wasm/constant.ts";
import { encodeLimits, encodeType } from "../../wasm/encode.ts";
import { FUNCREF, I32, type ValueType } from "../../wasm/opcodes.ts";
import { EXTERNAL, SECTION, type Section, moduleOf, named, u32, vector } from "../../wasm/sections.ts";
import type { AbstractProgram, Signature, Type } from "./ast.ts";
import { TypeIndices } from "./encode-types.ts";
import { FunctionWriter, TYPE_CODE } from "./encode-code.ts";

const ABORT: Signature = { params: ["i32", "i32", "i32", "i32"], results: [] };

export const functionName = (index: number): string => `f${index}`;

export function encode(program: AbstractProgram): Uint8Array {
  const types = new TypeIndices();
  const abort = types.of(ABORT);
  const hasLocals = program.threadLocalBytes > 0;
  const bodies = program.functions.map((body) => new FunctionWriter(body, types).run());
  const declared = program.functions.map(({ signature }) => types.of(signature));
  if (hasLocals) {
    bodies.push(threadLocalsInit(program));
    declared.push(types.of({ params: ["i32"], results: [] }));
  }
  const memoryType = encodeLimits({ initial: program.pages, maximum: program.pagesMax, shared: true });
  const imports = [[...named("env", "abort"), EXTERNAL.function, ...u32(abort)]];
  if (program.importsMemory) imports.push([...named("env", "memory"), EXTERNAL.memory, ...memoryType]);
  const codes = (list: readonly Type[]): ValueType[] => list.map((type) => TYPE_CODE[type]);
  const signatures = types.signatures.map(({ params, results }) =>
    encodeType({ params: codes(params), results: codes(results) }),
  );
  const section = (id: number, items: readonly (readonly number[])[]): Section => ({ id, contents: vector(items) });
  const table = { initial: program.table.length, maximum: undefined, shared: false };
  const segments = program.segments.map(({ at, bytes }) => [
    ...(at === undefined ? [1] : [0, ...constantExpression(I32, BigInt(at))]),
    ...u32(bytes.length),
    ...bytes,
  ]);
  return moduleOf([
    section(SECTION.type, signatures),
    section(SECTION.import, imports),
    section(SECTION.function, declared.map(u32)),
    section(SECTION.table, [[FUNCREF, ...encodeLimits(table)]]),
    ...(program.importsMemory ? [] : [section(SECTION.memory, [memoryType])]),
    section(SECTION.global, globals(program)),
    section(SECTION.export, exports(program)),
    ...(program.start === undefined ? [] : [{ id: SECTION.start, contents: u32(program.start + 1) }]),
    section(SECTION.element, elements(program)),
    { id: SECTION.dataCount, contents: u32(program.segments.length) },
    section(
      SECTION.code,
      bodies.map((body) => [...u32(body.length), ...body]),
    ),
    section(SECTION.data, segments),
  ]);
}

/** Behind the program's own globals the size and alignment of thread-local variables. */
function globals(program: AbstractProgram): number[][] {
  const own = program.globals.map(({ type, initial }) => [
    TYPE_CODE[type],
    1,
    ...constantExpression(TYPE_CODE[type], initial),
  ]);
  if (program.threadLocalBytes === 0) return own;
  const constant = (value: number): number[] => [I32, 0, ...constantExpression(I32, BigInt(value))];
  return [...own, constant(program.threadLocalBytes), constant(8)];
}

function exports(program: AbstractProgram): number[][] {
  const all = program.functions.map((_, index) => [
    ...named(functionName(index)),
    EXTERNAL.function,
    ...u32(index + 1),
  ]);
  if (!program.importsMemory) all.push([...named("memory"), EXTERNAL.memory, 0]);
  if (program.threadLocalBytes === 0) return all;
  const { length } = program.globals;
  return [
    ...all,
    [...named("__wasm_init_tls"), EXTERNAL.function, ...u32(program.functions.length + 1)],
    [...named("__tls_base"), EXTERNAL.global, 0],
    [...named("__tls_size"), EXTERNAL.global, ...u32(length)],
    [...named("__tls_align"), EXTERNAL.global, ...u32(length + 1)],
  ];
}

function elements({ table }: AbstractProgram): number[][] {
  return table.flatMap((callee, slot) =>
    callee === undefined ? [] : [[0, ...constantExpression(I32, BigInt(slot)), 1, ...u32(callee + 1)]],
  );
}

/** global.set 0; memory.init of segment 0. */
function threadLocalsInit({ threadLocalBytes }: AbstractProgram): number[] {
  const code = new Code().get(0).globalSet(0).get(0).i32(0).i32(threadLocalBytes).memoryInit(0).end();
  return [0, ...code.bytes];
}
