// Instructions: those of a resumable function that are no control, with their effect on the operand stack.
//
// Owner: one function. Pairs with: pause-points.ts (what may pause), rewrite.ts (what touches memory), block-flattening.ts.

import type { Code } from "../../wasm/code.ts";
import type { Instruction } from "../../wasm/module.ts";
import { Op, effectOf, isAtomic, isBulk, isPlainLoad, isPlainStore, isSizeAccess } from "../../wasm/opcodes.ts";
import { ACCESS } from "./engine-layout.ts";
import { PausePoints } from "./pause-points.ts";
import { rewritePlain } from "./rewrite.ts";
import { assertDefined } from "../../wasm/assert-defined.ts";

const plainKind = (op: number): number =>
  isPlainLoad(op) ? ACCESS.plainRead : isPlainStore(op) ? ACCESS.plainWrite : ACCESS.bulk;

export class Instructions extends PausePoints {
  protected plain(instruction: Instruction, index: number): void {
    const { op, a } = instruction;
    const { context } = this;
    if (isAtomic(op)) return this.atomic(instruction, index);
    if (op === Op.call && context.pauses(instruction)) return this.pausingCall(instruction, index);
    if (op === Op.call_indirect && context.pauses(instruction)) return this.pausingIndirectCall(instruction, index);
    if (isSizeAccess(op) && context.grows) return this.sizeAccess(instruction, index);
    if (!context.plainInStep && (isPlainLoad(op) || isPlainStore(op) || isBulk(op)))
      this.pauseBefore(instruction, index, plainKind(op));
    const copy = (): Code => this.code.raw(context.module.bytes.subarray(instruction.start, instruction.end));
    if (op >= Op["local.get"] && op <= Op["local.tee"]) {
      const local = this.own(a);
      const type = assertDefined(this.localTypes[local]);
      if (op !== Op["local.get"]) this.take(1);
      if (op === Op["local.get"]) this.code.get(local);
      else if (op === Op["local.set"]) this.code.set(local);
      else this.code.tee(local);
      if (op !== Op["local.set"]) this.push(type);
    } else if (op === Op["global.get"]) {
      rewritePlain(this.code, instruction, context, this.func.index, this.temporary);
      this.push(assertDefined(context.module.globals[a]).type);
    } else if (op === Op["global.set"]) {
      this.take(1);
      rewritePlain(this.code, instruction, context, this.func.index, this.temporary);
    } else if (op === Op.drop) {
      if (assertDefined(this.stack.at(-1)).physical) this.code.op(Op.drop);
      this.stack.pop();
    } else if (op === Op.select || op === Op["select t"]) {
      const type = assertDefined(this.stack.at(-2)).type;
      this.take(3);
      copy();
      this.push(type);
    } else if (op === Op.call) {
      const type = context.typeOf(a);
      this.take(type.params.length);
      copy();
      this.push(...type.results);
    } else if (op === Op.call_indirect) {
      const type = assertDefined(context.module.types[a]);
      this.take(type.params.length + 1);
      copy();
      this.push(...type.results);
    } else {
      const effect = assertDefined(effectOf(op));
      this.take(effect.takes.length);
      rewritePlain(this.code, instruction, context, this.func.index, this.temporary);
      this.push(...effect.gives);
    }
  }
}
