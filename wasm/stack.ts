// Stack: how many values an instruction takes from and leaves on the operand stack, for walks that follow values.
//
// Owner: none, pure. What a block takes and leaves is its walk's business, and so is what a branch or return carries.
// Pairs with: opcodes.ts (what does not depend on the module).

import type { FunctionType, Instruction, WasmModule } from "./module.ts";
import { typeOfFunction } from "./module.ts";
import { Op, stackCounts } from "./opcodes.ts";

export interface StackCounts {
  readonly takes: number;
  readonly gives: number;
}

const NONE: StackCounts = { takes: 0, gives: 0 };
/** The condition, or the index into the table. */
const CONDITION: StackCounts = { takes: 1, gives: 0 };

export function countsIn(module: WasmModule, { op, a }: Instruction): StackCounts {
  const fixed = stackCounts(op);
  if (fixed !== undefined) return fixed;
  switch (op) {
    case Op.call:
      return ofType(typeOfFunction(module, a), 0);
    case Op.call_indirect:
      return ofType(module.types[a], 1);
    case Op.if:
    case Op.br_if:
    case Op.br_table:
      return CONDITION;
    default:
      return NONE;
  }
}

function ofType(type: FunctionType | undefined, more: number): StackCounts {
  return { takes: (type?.params.length ?? 0) + more, gives: type?.results.length ?? 0 };
}
