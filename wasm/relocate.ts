// Relocate: a function's body copied instruction by instruction into another module; only indices change, and globals that
// are given a constant become it.
//
// Owner: none, pure. Pairs with: link.ts (whole modules), explore/instrument/runtime-functions.ts (the explorer's runtime).

import { assertDefined } from "./assert-defined.ts";
import { functionBody } from "./code.ts";
import { constantInstruction } from "./constant.ts";
import { pushInstruction } from "./encode.ts";
import type { Instruction, WasmFunction } from "./module.ts";
import { Op, type ValueType } from "./opcodes.ts";
import { u32 } from "./sections.ts";

/** What stands for a global: another one, or, where it never changes, its value. */
export type Replacement =
  | { readonly kind: "global"; readonly index: number }
  | { readonly kind: "constant"; readonly type: ValueType; readonly value: bigint };

/** Indices of one module in the result. */
export interface Places {
  readonly functions: readonly number[];
  readonly globals: readonly Replacement[];
  readonly types: readonly number[];
  readonly dataFrom: number;
  /** What `call_indirect` reads. */
  readonly table: number;
}

/** What is put before and after an instruction. */
export type Wrap = (
  instruction: Instruction,
) => { readonly before: readonly number[]; readonly after: readonly number[] } | undefined;

/** A body with its size in front, and where in it each instruction begins that the function had. */
export interface RelocatedBody {
  readonly bytes: readonly number[];
  readonly marks: readonly { readonly at: number; readonly offset: number }[];
}

export function relocatedBody(func: WasmFunction, places: Places, wrap?: Wrap): RelocatedBody {
  const code: number[] = [];
  const marks = func.body.map((instruction) => {
    const around = wrap?.(instruction);
    if (around) code.push(...around.before);
    const mark = { at: code.length, offset: instruction.start };
    pushRelocated(code, instruction, places);
    if (around) code.push(...around.after);
    return mark;
  });
  const bytes = functionBody(func.locals, code);
  const before = bytes.length - code.length;
  return { bytes, marks: marks.map(({ at, offset }) => ({ at: at + before, offset })) };
}

/** Appends one instruction with its indices moved. */
function pushRelocated(out: number[], instruction: Instruction, places: Places): void {
  const { op, a } = instruction;
  const moved = (index: number | undefined): void => pushInstruction(out, { ...instruction, a: assertDefined(index) });
  switch (op) {
    case Op.call:
      return moved(places.functions[a]);
    case Op.call_indirect:
      out.push(op, ...u32(assertDefined(places.types[a])), ...u32(places.table));
      return;
    case Op["global.get"]:
    case Op["global.set"]: {
      const replacement = assertDefined(places.globals[a]);
      if (replacement.kind === "global") return moved(replacement.index);
      if (op !== Op["global.get"]) throw new Error("a function writes a global that stands for a constant");
      out.push(...constantInstruction(replacement.type, replacement.value));
      return;
    }
    case Op["memory.init"]:
    case Op["data.drop"]:
      return moved(places.dataFrom + a);
    case Op.block:
    case Op.loop:
    case Op.if:
      // What is negative is no index but a type itself.
      return moved(a < 0 ? a : places.types[a]);
    default:
      pushInstruction(out, instruction);
  }
}
