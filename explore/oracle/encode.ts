// Encode: an abstract program as a WebAssembly module, with the exports that the explorer asks for.
//
// Owner: none, pure. The exports: f0, f1, ... the functions; what threads need for thread-local variables, by the names
// that linkers give them.
// Pairs with: ast.ts, encode-code.ts (bodies), compare.ts.

import type { AbstractProgram, Signature } from "./ast.ts";
import { FunctionWriter } from "./encode-code.ts";
import { TYPE_CODE, list, name, signed, unsigned } from "./encode-bytes.ts";

const MEMORY_EXPORT = 2;
const GLOBAL_EXPORT = 3;
const ABORT: Signature = { params: ["i32", "i32", "i32", "i32"], results: [] };

export const functionName = (index: number): string => `f${index}`;

/** Types of a module, each once. */
export class TypeIndices {
  readonly signatures: Signature[] = [];

  of({ params, results }: Signature): number {
    const key = `${params.join()}>${results.join()}`;
    const known = this.signatures.findIndex((other) => `${other.params.join()}>${other.results.join()}` === key);
    return known >= 0 ? known : this.signatures.push({ params, results }) - 1;
  }
}

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
  const memoryType = [3, ...unsigned(program.pages), ...unsigned(program.pagesMax)];
  const imports = [[...name("env"), ...name("abort"), 0, ...unsigned(abort)]];
  if (program.importsMemory) imports.push([...name("env"), ...name("memory"), 2, ...memoryType]);
  const out: number[] = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  const section = (id: number, contents: readonly number[]): void => {
    out.push(id, ...unsigned(contents.length));
    for (const byte of contents) out.push(byte);
  };
  const typeBytes = types.signatures.map(({ params, results }) => [
    0x60,
    ...list(params.map((type) => [TYPE_CODE[type]])),
    ...list(results.map((type) => [TYPE_CODE[type]])),
  ]);
  section(1, list(typeBytes));
  section(2, list(imports));
  section(3, list(declared.map(unsigned)));
  section(4, list([[0x70, 0, ...unsigned(program.table.length)]]));
  if (!program.importsMemory) section(5, list([memoryType]));
  section(6, list(globals(program)));
  section(7, list(exports(program)));
  if (program.start !== undefined) section(8, unsigned(program.start + 1));
  section(9, list(elements(program)));
  section(12, unsigned(program.segments.length));
  section(10, list(bodies.map((body) => [...unsigned(body.length), ...body])));
  const segments = program.segments.map(({ at, bytes }) => [
    ...(at === undefined ? [1] : [0, 0x41, ...signed(BigInt(at)), 0x0b]),
    ...unsigned(bytes.length),
    ...bytes,
  ]);
  section(11, list(segments));
  return Uint8Array.from(out);
}

/** Behind the program's own globals the size and alignment of thread-local variables. */
function globals(program: AbstractProgram): number[][] {
  const own = program.globals.map(({ type, initial }) => [
    TYPE_CODE[type],
    1,
    type === "i32" ? 0x41 : 0x42,
    ...signed(BigInt.asIntN(type === "i32" ? 32 : 64, initial)),
    0x0b,
  ]);
  if (program.threadLocalBytes === 0) return own;
  const constant = (value: number): number[] => [TYPE_CODE.i32, 0, 0x41, ...signed(BigInt(value)), 0x0b];
  return [...own, constant(program.threadLocalBytes), constant(8)];
}

function exports(program: AbstractProgram): number[][] {
  const all = program.functions.map((_, index) => [...name(functionName(index)), 0, ...unsigned(index + 1)]);
  if (!program.importsMemory) all.push([...name("memory"), MEMORY_EXPORT, 0]);
  if (program.threadLocalBytes === 0) return all;
  const { length } = program.globals;
  return [
    ...all,
    [...name("__wasm_init_tls"), 0, ...unsigned(program.functions.length + 1)],
    [...name("__tls_base"), GLOBAL_EXPORT, 0],
    [...name("__tls_size"), GLOBAL_EXPORT, ...unsigned(length)],
    [...name("__tls_align"), GLOBAL_EXPORT, ...unsigned(length + 1)],
  ];
}

function elements({ table }: AbstractProgram): number[][] {
  return table.flatMap((callee, slot) =>
    callee === undefined ? [] : [[0, 0x41, ...signed(BigInt(slot)), 0x0b, 1, ...unsigned(callee + 1)]],
  );
}

/** global.set 0; memory.init of segment 0. */
function threadLocalsInit({ threadLocalBytes }: AbstractProgram): number[] {
  const init = [0x20, 0, 0x41, 0, 0x41, ...signed(BigInt(threadLocalBytes)), 0xfc, 8, 0, 0];
  return [0, 0x20, 0, 0x24, 0, ...init, 0x0b];
}
