// Spilling: what a pause keeps of a function, its live locals and operands, goes to the frame and comes back; and the whole
// function, put together once it is known which words a frame has.
//
// Owner: one function. Invariant: a local has one word in the frame, the same at every pause.
// Pairs with: liveness.ts, fragments.ts, explore/runtime/store.ts (put, clearFrame).

import { Code } from "../../wasm/code.ts";
import { pushU32 } from "../../wasm/bytes.ts";
import type { WasmFunction } from "../../wasm/module.ts";
import type { ValueType } from "../../wasm/opcodes.ts";
import { Op } from "../../wasm/opcodes.ts";
import type { Fragment, Label } from "./fragments.ts";
import { BLOCK_BYTES, CONTROL } from "./engine-layout.ts";
import { liveLocals } from "./liveness.ts";
import { OperandStack } from "./operand-stack.ts";
import type { ResumableContext, ResumableFunction } from "./resumable-context.ts";
import { assertDefined } from "../../wasm/assert-defined.ts";

export class Spilling extends OperandStack {
  private readonly live: { isLive: (instruction: number, local: number) => boolean };
  /** Locals that some pause keeps, in the order of their words in the frame. */
  private readonly kept: number[] = [];

  constructor(func: WasmFunction, context: ResumableContext) {
    super(func, context);
    this.live = liveLocals(func);
  }

  /** Locals of `run` that are live before an instruction, with the operands that stay on the stack. */
  protected liveAt(index: number): Set<number> {
    const live = new Set<number>();
    const count = this.func.type.params.length + this.func.locals.length;
    for (let local = 0; local < count; local++)
      if (!this.context.zeroDead || this.live.isLive(index, local)) live.add(this.own(local));
    for (const [height, operand] of this.stack.entries()) live.add(this.slot(height, operand.type));
    for (const local of live) if (!this.kept.includes(local)) this.kept.push(local);
    return live;
  }

  protected spill(label: Label, live: ReadonlySet<number>, leaf: boolean): void {
    this.addFragment({ kind: "spill", label, live, leaf });
    this.code.i32(1).return();
  }

  protected reload(live: ReadonlySet<number>): void {
    for (const local of live)
      this.code
        .get(this.frame)
        .loadWord(assertDefined(this.localTypes[local]), 8 * this.kept.indexOf(local))
        .set(local);
    this.code.i32(0).set(this.resuming);
  }

  /** Results, physical on top, go to the control page; the frame, where it was written, becomes zero again. */
  protected leave(): void {
    const types = this.func.type.results;
    for (let i = types.length - 1; i >= 0; i--) this.storeResult(i, assertDefined(types[i]));
    this.code.get(this.resumed).if().get(this.frame);
    this.addFragment({ kind: "frame-size" });
    this.code.call(this.context.helper("clearFrame")).get(this.frame).globalSet(this.context.global("top")).end();
    this.code.i32(0).return();
  }

  protected storeResult(index: number, type: ValueType): void {
    const held = this.namedLocal("result", type);
    this.code
      .set(held)
      .i32(0)
      .get(held)
      .toWord(type)
      .store64(CONTROL.results + 8 * index);
  }
  protected loadResults(types: readonly ValueType[]): void {
    for (const [i, type] of types.entries()) this.code.i32(0).loadWord(type, CONTROL.results + 8 * i);
    this.push(...types);
  }

  // Assembly.

  protected finish(): ResumableFunction {
    const { context, kept } = this;
    assertDefined(this.blocks.at(-1)).push({ kind: "bytes", bytes: this.code.bytes });
    const frameBytes = 8 * kept.length + 8;
    const count = this.blocks.length;
    const code = new Code();
    code
      .get(this.frame)
      .plus(frameBytes)
      .globalGet(context.global("block"))
      .plus(BLOCK_BYTES)
      .gtU()
      .if()
      .call(context.helper("tooDeep"))
      .end();
    code.get(this.point).tee(this.resuming).set(this.resumed).loop();
    for (let i = 0; i < count; i++) code.block();
    code.get(this.point).op(Op.br_table);
    pushU32(code.bytes, count - 1);
    for (let i = 0; i < count; i++) pushU32(code.bytes, i);
    for (const [id, fragments] of this.blocks.entries()) {
      code.end();
      for (const fragment of fragments) this.assemble(code, fragment, id, count, frameBytes);
    }
    code.end().unreachable().end();
    return { locals: this.localTypes.slice(this.func.type.params.length + 2), code: code.bytes, frameBytes };
  }

  private assemble(code: Code, fragment: Fragment, id: number, count: number, frameBytes: number): void {
    switch (fragment.kind) {
      case "bytes":
        code.raw(fragment.bytes);
        return;
      case "frame-size":
        code.i32(frameBytes);
        return;
      case "branch":
        // Forward: straight to the block; backward: through the dispatch loop.
        if (fragment.label.id > id) code.br(fragment.label.id - id - 1 + fragment.nested);
        else
          code
            .i32(fragment.label.id)
            .set(this.point)
            .br(count - 1 - id + fragment.nested);
        return;
      case "spill": {
        const put = this.context.helper("put");
        for (const [position, local] of this.kept.entries()) {
          const value = (): Code =>
            fragment.live.has(local) ? code.get(local).toWord(assertDefined(this.localTypes[local])) : code.i64(0n);
          // Most words are as they were: a call is made only for those that are not.
          code.get(this.frame).load64(8 * position);
          value()
            .op(Op["i64.ne"])
            .if()
            .get(this.frame)
            .plus(8 * position);
          value().call(put).end();
        }
        code.get(this.frame).plus(frameBytes - 8);
        code.i64((BigInt(fragment.label.id) << 32n) | BigInt(this.context.resumeIndexOf(this.func.index))).call(put);
        if (fragment.leaf) code.get(this.frame).plus(frameBytes).globalSet(this.context.global("top"));
        return;
      }
    }
  }
}
