// Pausing: which functions of a module can pause a thread, and which a check may run without a pause.
//
// Owner: none, pure. Pairs with: index-plan.ts, which gives these functions their indices.

import { type Instruction, type WasmModule, isSameType } from "../../wasm/module.ts";
import { Op, isAtomic } from "../../wasm/opcodes.ts";
import { assertDefined } from "../../wasm/assert-defined.ts";

/**
 * Functions that checks reach by direct calls, which get copies of their own. Undefined where some of them does what a
 * copy is not made for: atomic accesses, indirect calls, memory.copy.
 */
export function checkedFunctions(module: WasmModule, roots: readonly number[]): ReadonlySet<number> | undefined {
  const first = module.imports.length;
  const found = new Set<number>();
  const left = [...roots];
  for (let index = left.pop(); index !== undefined; index = left.pop()) {
    if (index < first || found.has(index)) continue;
    found.add(index);
    for (const { op, a } of assertDefined(module.functions[index - first]).body) {
      if (isAtomic(op) || op === Op.call_indirect || op === Op["memory.copy"]) return undefined;
      if (op === Op.call) left.push(a);
    }
  }
  return found;
}

export function growsMemory({ functions }: WasmModule): boolean {
  return functions.some(({ body }) => body.some(({ op }) => op === Op["memory.grow"]));
}

/** Functions that can reach an atomic access (or, unless plain accesses stay in the step, any access). */
export function pausingFunctions(module: WasmModule, pausesItself: (instruction: Instruction) => boolean): Set<number> {
  const first = module.imports.length;
  const inTable = new Set(module.elements.flatMap((segment) => [...segment.functions]));
  const pausing = new Set<number>();
  for (const func of module.functions) if (func.body.some(pausesItself)) pausing.add(func.index);
  for (let changed = true; changed;) {
    changed = false;
    for (const func of module.functions) {
      if (pausing.has(func.index)) continue;
      const reaches = func.body.some(
        ({ op, a }) =>
          (op === Op.call && pausing.has(a)) ||
          (op === Op.call_indirect &&
            [...inTable].some(
              (index) =>
                pausing.has(index) &&
                isSameType(assertDefined(module.functions[index - first]).type, assertDefined(module.types[a])),
            )),
      );
      if (reaches) {
        pausing.add(func.index);
        changed = true;
      }
    }
  }
  return pausing;
}
