// Liveness: which locals some later instruction may still read, before each instruction of a function.
//
// Owner: none, a pure function of the decoded body. Invariant: the answer errs on the side of "live".
// Pairs with: resumable.ts, which writes only live locals into a paused frame.

import { Op } from "../../wasm/opcodes.ts";
import type { Instruction, WasmFunction } from "../../wasm/module.ts";
import { assertDefined } from "../../wasm/assert-defined.ts";

/** Instruction indices that may run after each instruction; the body's length stands for the return. */
export function successors(body: readonly Instruction[]): number[][] {
  const open: number[] = [];
  const target = (depth: number): number => {
    const opener = open[open.length - 1 - depth];
    if (opener === undefined) return body.length;
    return assertDefined(body[opener]).op === Op.loop ? opener + 1 : assertDefined(body[opener]).match + 1;
  };
  return body.map((instruction, index) => {
    const next = index + 1;
    switch (instruction.op) {
      case Op.unreachable:
        return [];
      case Op.block:
      case Op.loop:
        open.push(index);
        return [next];
      case Op.if:
        open.push(index);
        return [next, instruction.elseAt + (instruction.elseAt === instruction.match ? 0 : 1)];
      case Op.else:
        return [instruction.match];
      case Op.end:
        open.pop();
        return [next];
      case Op.br:
        return [target(instruction.a)];
      case Op.br_if:
        return [target(instruction.a), next];
      case Op.br_table:
        return assertDefined(instruction.targets).map(target);
      case Op.return:
        return [body.length];
      default:
        return [next];
    }
  });
}

/** For each instruction (and the end), the set of locals live before it, as bit words. */
export function liveLocals(func: WasmFunction): { isLive: (instruction: number, local: number) => boolean } {
  const body = func.body;
  const words = Math.ceil((func.type.params.length + func.locals.length) / 32) || 1;
  const live = new Uint32Array((body.length + 1) * words);
  const next = successors(body);
  for (let changed = true; changed;) {
    changed = false;
    for (let index = body.length - 1; index >= 0; index--) {
      const { op, a } = assertDefined(body[index]);
      for (let word = 0; word < words; word++) {
        let set = 0;
        for (const follower of assertDefined(next[index])) set |= assertDefined(live[follower * words + word]);
        if (a >>> 5 === word) {
          const bit = 1 << (a & 31);
          if (op === Op["local.get"]) set |= bit;
          else if (op === Op["local.set"] || op === Op["local.tee"]) set &= ~bit;
        }
        set >>>= 0;
        if (live[index * words + word] !== set) {
          live[index * words + word] = set;
          changed = true;
        }
      }
    }
  }
  return {
    isLive: (instruction, local) =>
      ((assertDefined(live[instruction * words + (local >>> 5)]) >>> (local & 31)) & 1) === 1,
  };
}
