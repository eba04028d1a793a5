// Weave: a module with further instructions between its own: fuel for its loops, or a probe in each basic block.
//
// Fuel bounds a mutant that loops without end, by turns of loops and never by time: the turn that is one too many traps
// in a way in which the kernel, which has no floats, never does. Probes report which basic blocks are reached.
// Owner: none, pure. Pairs with: trial.ts (fuel), coverage.ts (probes).

import { Cursor, pushName, pushSigned, pushU32 } from "../../wasm/bytes.ts";
import { functionBody } from "../../wasm/code.ts";
import type { Instruction, WasmFunction } from "../../wasm/module.ts";
import { decodeModule } from "../../wasm/module.ts";
import { type Section, moduleOf, sectionsOf } from "./splice.ts";
import { OP } from "./structure.ts";

const SECTION = { custom: 0, type: 1, import: 2, global: 6, export: 7, code: 10 } as const;
const I32_CODE = 0x7f;
const VOID_BLOCK = 0x40;

/** Turns of loops that one instance may make: over a hundred times what any check of the unmutated kernel takes. */
export const FUEL = 1 << 25;

/** The trap of an instance without fuel. */
export function isOutOfFuel(thrown: unknown): boolean {
  return thrown instanceof WebAssembly.RuntimeError && /unrepresentable/.test(thrown.message);
}

/** f32.const NaN, i32.trunc_f32_s, drop. */
const TRAP_OUT_OF_FUEL = [0x43, 0x00, 0x00, 0xc0, 0x7f, 0xa8, OP.drop];

/** Each turn of each loop takes one of `fuel`; without any it traps. */
export function withFuel(wasm: Uint8Array, fuel: number): Uint8Array {
  const module = decodeModule(wasm);
  if (!module.functions.some(({ body }) => body.some(({ op }) => op === OP.loop))) return wasm;
  const global: number[] = [];
  pushU32(global, module.globals.length);
  const burn = [
    ...[OP.globalGet, ...global, OP.i32Eqz, OP.if, VOID_BLOCK, ...TRAP_OUT_OF_FUEL, OP.end],
    ...[OP.globalGet, ...global, OP.i32Const, 1, 0x6b, OP.globalSet, ...global],
  ];
  const initial: number[] = [I32_CODE, 1, OP.i32Const];
  pushSigned(initial, fuel);
  initial.push(OP.end);
  const sections = appended(sectionsOf(wasm), SECTION.global, initial).map(({ id, contents }) =>
    id === SECTION.code
      ? {
          id,
          contents: woven(
            wasm,
            module.functions,
            (_, { op }) => (op === OP.loop ? burn : []),
            (_, bytes) => bytes,
          ),
        }
      : { id, contents },
  );
  return moduleOf(wasm, sections);
}

/** The import that a woven module calls with the number of each basic block that it enters. */
export interface Probe {
  readonly module: string;
  readonly name: string;
  /** Further arguments, all 0. */
  readonly zeros: number;
}

/** The explorer's, and what the unit checks' engines are given. */
export const PROBE: Probe = { module: "probe", name: "at", zeros: 0 };
/** The embedded machine reports accesses by this one: site, address, flags. Of a woven module the site is the block. */
export const SIM_PROBE: Probe = { module: "sim", name: "access", zeros: 2 };

/** blockAfter: the block that begins behind an instruction (-1: the function's first), or undefined. */
export type BlockAfter = (functionIndex: number, instruction: number) => number | undefined;

/** The module with a call of the probe at the beginning of each basic block. The name section goes: it would be wrong. */
export function withProbes(
  wasm: Uint8Array,
  blockAfter: BlockAfter,
  { module: from, name, zeros } = PROBE,
): Uint8Array {
  const module = decodeModule(wasm);
  const probe = module.imports.length;
  const type: number[] = [0x60, 1 + zeros, ...Array.from({ length: 1 + zeros }, () => I32_CODE), 0];
  const imported: number[] = [];
  pushName(imported, from);
  pushName(imported, name);
  imported.push(0);
  pushU32(imported, module.types.length);
  const call = (block: number | undefined): number[] => {
    if (block === undefined) return [];
    const bytes: number[] = [OP.i32Const];
    pushSigned(bytes, block);
    for (let i = 0; i < zeros; i++) bytes.push(OP.i32Const, 0);
    bytes.push(OP.call);
    pushU32(bytes, probe);
    return bytes;
  };
  const renumbered = (instruction: Instruction, bytes: readonly number[]): readonly number[] => {
    if (instruction.op !== OP.call || instruction.a < probe) return bytes;
    const moved: number[] = [OP.call];
    pushU32(moved, instruction.a + 1);
    return moved;
  };
  const first = module.imports.length;
  const insert = (func: WasmFunction, _: Instruction | undefined, index: number): readonly number[] =>
    call(blockAfter(func.index - first, index));
  let sections = sectionsOf(wasm).filter(({ id }) => id !== SECTION.custom);
  sections = appended(appended(sections, SECTION.type, type), SECTION.import, imported);
  return moduleOf(
    wasm,
    sections.map(({ id, contents }) => {
      if (id === SECTION.export) return { id, contents: exportsMoved(contents, probe) };
      if (id !== SECTION.code) return { id, contents };
      return {
        id,
        contents: woven(wasm, module.functions, (func, each, index) => insert(func, each, index), renumbered),
      };
    }),
  );
}

/** A section with one entry more; made where there is none, behind the section before it. */
function appended(sections: readonly Section[], id: number, entry: readonly number[]): Section[] {
  const found = sections.find((section) => section.id === id);
  if (found === undefined) {
    const fresh = { id, contents: Uint8Array.from([1, ...entry]) };
    const at = sections.findIndex((section) => section.id > id);
    return at < 0 ? [...sections, fresh] : sections.toSpliced(at, 0, fresh);
  }
  const cursor = new Cursor(found.contents);
  const contents: number[] = [];
  pushU32(contents, cursor.u32() + 1);
  contents.push(...found.contents.subarray(cursor.position), ...entry);
  return sections.map((section) => (section === found ? { id, contents: Uint8Array.from(contents) } : section));
}

function exportsMoved(contents: Uint8Array, probe: number): Uint8Array {
  const cursor = new Cursor(contents);
  const out: number[] = [];
  const count = cursor.u32();
  pushU32(out, count);
  for (let i = 0; i < count; i++) {
    pushName(out, cursor.name());
    const kind = cursor.byte();
    out.push(kind);
    const index = cursor.u32();
    pushU32(out, kind === 0 && index >= probe ? index + 1 : index);
  }
  return Uint8Array.from(out);
}

/** The code section: behind each instruction (and, with index -1, before the first) what `insert` gives. */
function woven(
  wasm: Uint8Array,
  functions: readonly WasmFunction[],
  insert: (func: WasmFunction, instruction: Instruction, index: number) => readonly number[],
  rewrite: (instruction: Instruction, bytes: readonly number[]) => readonly number[],
): Uint8Array {
  const contents: number[] = [];
  pushU32(contents, functions.length);
  for (const func of functions) {
    const code: number[] = [];
    const [first] = func.body;
    if (first !== undefined) code.push(...insert(func, { ...first, op: OP.unreachable }, -1));
    for (const [index, instruction] of func.body.entries()) {
      code.push(...rewrite(instruction, [...wasm.subarray(instruction.start, instruction.end)]));
      code.push(...insert(func, instruction, index));
    }
    for (const byte of functionBody(func.locals, code)) contents.push(byte);
  }
  return Uint8Array.from(contents);
}
