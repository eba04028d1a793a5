// Module: a WebAssembly module decoded, instruction by instruction.
//
// Owner: who decoded or made it; nothing changes it afterwards.
// Invariant: function indices are the binary's own (imports first), offsets count from the file's first byte.
// Partners: decode.ts (reads), encode.ts (writes), opcodes.ts (instructions), names.ts and dwarf-lines.ts (custom sections).

import type { ValueType } from "./opcodes.ts";
import type { ExternalKind } from "./sections.ts";

/** The module is well formed, but uses what the library, or who asked, cannot take; the message is one line. */
export class UnsupportedModule extends Error {}

/** Pages that a 32-bit memory can have. */
export const PAGES_MAX = 65536;

export interface FunctionType {
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
}

/**
 * One instruction: bytes [start, end) of the file. `a` and `b` are its immediates in order: an index; a memory access's
 * alignment (log2) and offset; a block's type, signed, as the binary has it.
 */
export interface Instruction {
  readonly op: number;
  readonly start: number;
  readonly end: number;
  readonly a: number;
  readonly b: number;
  /** block, loop, if: the type of the block. */
  readonly type: FunctionType | undefined;
  /** br_table: every target, the default last. */
  readonly targets: readonly number[] | undefined;
  /** The constant of the four const instructions: signed; of a float its bits. */
  readonly value: bigint | undefined;
  /** block, loop, if, else: index of the matching end; if: `elseAt` too (the end's index where there is no else). */
  match: number;
  elseAt: number;
}

export interface WasmFunction {
  readonly index: number;
  readonly type: FunctionType;
  readonly typeIndex: number;
  /** Types of the declared locals, without the parameters. */
  readonly locals: readonly ValueType[];
  /** The closing `end` of the function is included. */
  readonly body: readonly Instruction[];
}

/** Where an import comes from. */
export interface Imported {
  readonly module: string;
  readonly name: string;
}

export interface FunctionImport extends Imported {
  readonly typeIndex: number;
}

export interface GlobalVariable {
  readonly type: ValueType;
  readonly mutable: boolean;
  /** The initial value as 64 bits; of an import what the caller of the decoder supplies, else 0. */
  readonly initial: bigint;
  /** The constant expression, with its end, where it is more than the constant. */
  readonly code?: Uint8Array | undefined;
  readonly imported: Imported | undefined;
}

/** In pages of 64 KiB for a memory, in entries for a table. */
export interface Limits {
  readonly initial: number;
  readonly maximum: number | undefined;
  readonly shared: boolean;
}

/** A table of functions, or the memory. */
export interface Storage extends Limits {
  readonly imported: Imported | undefined;
}

/** Where an active segment goes. */
interface Placed {
  /** Of other segments 0. */
  readonly offset: number;
  /** The constant expression, with its end, where it is more than the constant. */
  readonly code?: Uint8Array | undefined;
}

export interface DataSegment extends Placed {
  readonly passive: boolean;
  readonly bytes: Uint8Array;
}

export interface ElementSegment extends Placed {
  readonly kind: "active" | "passive" | "declared";
  readonly functions: readonly number[];
}

export interface CustomSection {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Number of the section before it that is no custom one; 0 for the first in the module. */
  readonly after: number;
}

export interface WasmModule {
  readonly bytes: Uint8Array;
  readonly types: readonly FunctionType[];
  /** Of functions; other imports stand where what they import does. */
  readonly imports: readonly FunctionImport[];
  /** Kinds of all imports, in their order. */
  readonly importOrder: readonly ExternalKind[];
  readonly functions: readonly WasmFunction[];
  readonly globals: readonly GlobalVariable[];
  readonly table: Storage | undefined;
  readonly memory: Storage | undefined;
  readonly exports: ReadonlyMap<string, { readonly kind: ExternalKind; readonly index: number }>;
  readonly start: number | undefined;
  readonly elements: readonly ElementSegment[];
  readonly data: readonly DataSegment[];
  /** Whether the number of data segments stands before the code, too. */
  readonly hasDataCount: boolean;
  readonly customSections: readonly CustomSection[];
  /** Contents of custom sections by name; of equal names the last. */
  readonly custom: ReadonlyMap<string, Uint8Array>;
  /** Offset of the code section's contents: DWARF addresses count from it. */
  readonly codeStart: number;
}

export function isSameType(a: FunctionType, b: FunctionType): boolean {
  return a.params.join() === b.params.join() && a.results.join() === b.results.join();
}

/** The type of a function, imported or not. */
export function typeOfFunction({ imports, functions, types }: WasmModule, index: number): FunctionType | undefined {
  const item = imports[index];
  return item === undefined ? functions[index - imports.length]?.type : types[item.typeIndex];
}
