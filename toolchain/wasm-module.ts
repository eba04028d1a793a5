// Wasm module: what the reader makes of the binary, and what printer and gates read.
//
// Owner: wasm-reader.ts fills it; nobody changes it. Instructions keep their byte offset in the file, because
// the source map speaks of those.

export type ValueType = "i32" | "i64" | "f32" | "f64";

export interface FunctionType {
  params: ValueType[];
  results: ValueType[];
}

export interface Instruction {
  /** The name in the text format, such as `i32.add`. */
  op: string;
  /** Byte offset in the module. */
  at: number;
  /** Label depth, function, local, global or segment. */
  index: number;
  /** The constant, for the four const instructions; integers as their signed value. */
  constant: bigint;
  /** Result of a block, loop or if: none, or one value. */
  blockType: ValueType | null;
  /** Labels of a br_table; the default is `index`. */
  labels: number[];
  /** Static offset and alignment in bytes of a memory access. */
  offset: number;
  align: number;
}

export interface ImportedFunction {
  kind: "imported";
  module: string;
  base: string;
  name: string;
  type: FunctionType;
}

export interface DefinedFunction {
  kind: "defined";
  name: string;
  type: FunctionType;
  /** Types of the locals after the parameters. */
  locals: ValueType[];
  /** Names of parameters and locals, where the names section has them. */
  localNames: Map<number, string>;
  /** The closing `end` of the function is included. */
  body: Instruction[];
  /** Byte offset of the body. */
  at: number;
}

export type WasmFunction = ImportedFunction | DefinedFunction;

export interface WasmMemory {
  /** Null when the module defines it itself. */
  imported: { module: string; base: string } | null;
  initialPages: number;
  maximumPages: number | null;
  shared: boolean;
}

export interface WasmGlobal {
  imported: { module: string; base: string } | null;
  type: ValueType;
  mutable: boolean;
  /** The value of a constant initialiser, else null. */
  constant: bigint | null;
}

export interface DataSegment {
  /** Address in linear memory; null for a passive segment. */
  offset: number | null;
  bytes: Uint8Array;
}

export interface WasmExport {
  name: string;
  kind: "function" | "table" | "memory" | "global" | "tag";
  index: number;
}

export interface WasmModule {
  functions: WasmFunction[];
  memories: WasmMemory[];
  globals: WasmGlobal[];
  /** Number of tables, imported ones included. */
  tableCount: number;
  /** Imports that are neither function, memory, global nor table: kind and name. */
  otherImports: string[];
  exports: WasmExport[];
  segments: DataSegment[];
  /** Function that runs at instantiation. */
  start: number | null;
}

/** A load, store or read-modify-write that is atomic; waiting and notifying are not among them. */
export function isAtomicAccess(op: string): boolean {
  return /^i\d\d\.atomic\./.test(op);
}
