// Weave: a module with further instructions between its own: fuel for its loops, or a probe in each basic block.
//
// Fuel bounds a mutant that loops without end, by turns of loops and never by time: the turn that is one too many traps
// in a way in which the kernel, which has no floats, never does. Probes report which basic blocks are reached.
// Owner: none, pure. Pairs with: mutant-trial.ts (fuel), coverage.ts (probes).

import { Code, functionBody } from "../../wasm/code.ts";
import { constantExpression } from "../../wasm/constant.ts";
import { decodeModule } from "../../wasm/decode.ts";
import { encodeType } from "../../wasm/encode.ts";
import type { Instruction, WasmFunction, WasmModule } from "../../wasm/module.ts";
import { I32, Op } from "../../wasm/opcodes.ts";
import { EXTERNAL, SECTION, moduleOf, named, sectionsOf, u32, vector, withEntry } from "../../wasm/sections.ts";

/** Turns of loops that one instance may make: over a hundred times what any check of the unmutated kernel takes. */
export const FUEL = 1 << 25;

/** The trap of an instance without fuel. */
export function isOutOfFuel(thrown: unknown): boolean {
  return thrown instanceof WebAssembly.RuntimeError && /unrepresentable/.test(thrown.message);
}

const NAN_BITS = 0x7fc00000n;

/** Each turn of each loop takes one of `fuel`; without any it traps. */
export function withFuel(wasm: Uint8Array, fuel: number): Uint8Array {
  const module = decodeModule(wasm);
  if (!module.functions.some(({ body }) => body.some(({ op }) => op === Op.loop))) return wasm;
  const global = module.globals.length;
  const burn = new Code()
    .globalGet(global)
    .eqz()
    .if()
    .f32(NAN_BITS)
    .op(Op["i32.trunc_f32_s"], Op.drop)
    .end()
    .globalGet(global)
    .i32(1)
    .sub()
    .globalSet(global).bytes;
  const initial = [I32, 1, ...constantExpression(I32, BigInt(fuel))];
  const behindLoops = ({ body }: WasmFunction, index: number): readonly number[] =>
    body[index]?.op === Op.loop ? burn : [];
  const sections = withEntry(sectionsOf(wasm), SECTION.global, initial).map(({ id, contents }) =>
    id === SECTION.code ? { id, contents: woven(module, behindLoops, (_, bytes) => bytes) } : { id, contents },
  );
  return moduleOf(sections);
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
  const type = encodeType({ params: Array.from({ length: 1 + zeros }, () => I32), results: [] });
  const imported = [...named(from, name), EXTERNAL.function, ...u32(module.types.length)];
  const call = (block: number | undefined): readonly number[] => {
    if (block === undefined) return [];
    const code = new Code().i32(block);
    for (let i = 0; i < zeros; i++) code.i32(0);
    return code.call(probe).bytes;
  };
  const renumbered = (instruction: Instruction, bytes: Uint8Array): Iterable<number> =>
    instruction.op === Op.call && instruction.a >= probe ? new Code().call(instruction.a + 1).bytes : bytes;
  const insert = (func: WasmFunction, index: number): readonly number[] => call(blockAfter(func.index - probe, index));
  const kept = sectionsOf(wasm).filter(({ id }) => id !== SECTION.custom);
  const sections = withEntry(withEntry(kept, SECTION.type, type), SECTION.import, imported);
  return moduleOf(
    sections.map(({ id, contents }) => {
      if (id === SECTION.export) return { id, contents: exportsMoved(module, probe) };
      if (id !== SECTION.code) return { id, contents };
      return { id, contents: woven(module, insert, renumbered) };
    }),
  );
}

/** The exports, where the functions from `probe` on have moved by one. */
function exportsMoved({ exports }: WasmModule, probe: number): Uint8Array {
  const moved = (kind: number, index: number): number =>
    kind === EXTERNAL.function && index >= probe ? index + 1 : index;
  return vector([...exports].map(([name, { kind, index }]) => [...named(name), kind, ...u32(moved(kind, index))]));
}

/** The code section: behind each instruction (and, with index -1, before the first) what `insert` gives. */
function woven(
  { bytes, functions }: WasmModule,
  insert: (func: WasmFunction, index: number) => readonly number[],
  rewrite: (instruction: Instruction, bytes: Uint8Array) => Iterable<number>,
): Uint8Array {
  return vector(
    functions.map((func) => {
      const code = new Code().raw(insert(func, -1));
      for (const [index, instruction] of func.body.entries())
        code.raw(rewrite(instruction, bytes.subarray(instruction.start, instruction.end))).raw(insert(func, index));
      return functionBody(func.locals, code.bytes);
    }),
  );
}
