// Thread identity: can a thread be distinguished from another that runs the same function with the same arguments?
//
// Its thread-local variables and its shadow stack have addresses of their own. Code that sees such an address may keep it,
// compare it or compute with it, so a state with two threads exchanged need not be like the state before. That the address
// is not stored anywhere at the moment is no proof: the thread can make it again.
// Owner: none, pure. Invariant: the answer errs on the side of "yes". Pairs with: target.ts, which makes symmetry classes.

import type { Instruction, WasmFunction, WasmModule } from "../../wasm/module.ts";
import { isAtomic, isBlock, Op } from "../../wasm/opcodes.ts";

/** Does what this function gets to read a global? Panics do not count: who gets there fails at once. */
export function readsGlobal(module: WasmModule, entry: number, global: number | undefined): boolean {
  if (global === undefined) return false;
  const functionOf = (index: number): WasmFunction | undefined => module.functions[index - module.imports.length];
  const reached = new Set([entry]);
  // A set that grows while it is walked: what is added is walked too.
  for (const index of reached) {
    const func = functionOf(index);
    if (!func || (index !== entry && failsAtOnce(func, functionOf))) continue;
    for (const { op, a } of func.body) {
      if (op === Op["global.get"] && a === global) return true;
      if (op === Op.call) reached.add(a);
      else if (op === Op.call_indirect)
        for (const { functions } of module.elements) for (const each of functions) reached.add(each);
    }
  }
  return false;
}

/** It never returns, and has no atomic access at which another thread could step in between: its end is a trap. */
function failsAtOnce(func: WasmFunction, functionOf: (index: number) => WasmFunction | undefined): boolean {
  if (!neverReturns(func)) return false;
  const reached = new Set([func.index]);
  for (const index of reached)
    for (const instruction of functionOf(index)?.body ?? []) {
      // What a call through the table gets to is not followed: it may be anything.
      if (isAtomic(instruction.op) || instruction.op === Op.call_indirect) return false;
      if (instruction.op === Op.call) reached.add(instruction.a);
    }
  return true;
}

/** The end of the body is not reached, and nothing jumps there. */
function neverReturns({ body }: WasmFunction): boolean {
  if (body.at(-2)?.op !== Op.unreachable) return false;
  let depth = 0;
  const leaves = ({ op, a, targets }: Instruction): boolean =>
    op === Op.return || ((op === Op.br || op === Op.br_if) && a === depth) || (targets?.includes(depth) ?? false);
  for (const instruction of body) {
    if (leaves(instruction)) return false;
    if (isBlock(instruction.op)) depth++;
    else if (instruction.op === Op.end) depth--;
  }
  return true;
}
