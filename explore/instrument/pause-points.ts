// Pause points: atomic accesses and calls that may pause, each with what comes before and after the pause.
//
// Owner: one function. Invariant: the operands of an instruction that pauses are in slots, so that they are kept.
// Pairs with: spilling.ts (frames), instructions.ts (calls these), explore/runtime/access-checks.ts and wait.ts.

import type { Code } from "../../wasm/code.ts";
import type { Instruction } from "../../wasm/module.ts";
import type { ValueType } from "../../wasm/opcodes.ts";
import {
  I32,
  I64,
  Op,
  accessBytes,
  effectOf,
  isAtomic,
  isAtomicLoad,
  isAtomicStore,
  isPlainLoad,
  isPlainStore,
  isSizeAccess,
  isWait,
  loadOf,
  opNamed,
  plainForm,
  readModifyWriteOf,
  typeName,
} from "../../wasm/opcodes.ts";
import { ACCESS, BLOCK, CONTROL, SIZE_ADDRESS } from "./engine-layout.ts";
import { addSite, rewritePlain, storeHelper } from "./rewrite.ts";
import { Spilling } from "./spilling.ts";
import { assertDefined } from "../../wasm/assert-defined.ts";

/** Bytes that a pause is about; where it is not about one word, any number does. */
const widthOf = (op: number): number => (isAtomic(op) || isPlainLoad(op) || isPlainStore(op) ? accessBytes(op) : 4);

export class PausePoints extends Spilling {
  /** Pauses before an access whose address is the lowest of the instruction's operands; they are slots afterwards. */
  protected pauseBefore(instruction: Instruction, index: number, kind: number): void {
    this.flush();
    const operands = assertDefined(effectOf(instruction.op)).takes;
    const site = addSite(this.context, this.func.index, instruction);
    const isSize = isSizeAccess(instruction.op);
    const offset = instruction.b + this.context.layout.userBase;
    const address = (): Code =>
      isSize
        ? this.code.i32(SIZE_ADDRESS).i32(this.context.layout.userBase)
        : this.code.get(this.slot(this.stack.length - operands.length, I32)).i32(offset);
    // An access that no other thread can notice belongs to the step before it.
    const mayGoOn = this.context.coalesceInvisible && !isSize && (kind === ACCESS.read || kind === ACCESS.write);
    if (mayGoOn)
      address()
        .i32(kind === ACCESS.write ? 3 : 2)
        .call(this.context.helper("contended"))
        .if();
    address()
      .i32((site << 8) | (Math.log2(widthOf(instruction.op)) << 4) | kind)
      .call(this.context.helper("pend"));
    const live = this.liveAt(index);
    const label = this.newLabel();
    this.spill(label, live, true);
    if (mayGoOn) this.code.end();
    this.bind(label);
    if (mayGoOn) this.code.get(this.resuming).if();
    this.reload(live);
    if (mayGoOn) this.code.end();
  }

  protected atomic(instruction: Instruction, index: number): void {
    const { op } = instruction;
    const { context } = this;
    const kind =
      op === Op["memory.atomic.notify"]
        ? ACCESS.notify
        : isWait(op)
          ? ACCESS.wait
          : isAtomicLoad(op)
            ? ACCESS.read
            : ACCESS.write;
    this.pauseBefore(instruction, index, kind);
    const effect = assertDefined(effectOf(op));
    const base = this.stack.length - effect.takes.length;
    const operand = (i: number): number => this.slot(base + i, assertDefined(effect.takes[i]));
    const offset = instruction.b + context.layout.userBase;
    const width = accessBytes(op);
    const site = context.sites.length - 1;
    const trace = (local: number, type: ValueType): void => {
      if (context.traced)
        this.code.i32(site).get(operand(0)).plus(instruction.b).get(local).toWord(type).call(context.helper("trace"));
    };
    const access = (): Code => this.code.get(operand(0)).i32(offset).i32(width);
    this.stack.length = base;
    if (context.grows)
      this.code.get(operand(0)).i32(instruction.b).i32(width).call(context.helper("inBounds")).op(Op.drop);
    if (op === Op["memory.atomic.notify"]) {
      this.code.get(operand(0)).get(operand(1)).i32(offset).call(context.helper("notify"));
      const woken = this.temporary(I32, "value");
      this.code.tee(woken);
      trace(woken, I32);
      this.push(I32);
    } else if (isWait(op)) {
      this.waiting(index, operand, assertDefined(effect.takes[1]), offset, width);
    } else if (isAtomicLoad(op)) {
      const type = assertDefined(effect.gives[0]);
      const value = this.temporary(type, "value");
      access().i32(0).call(context.helper("atomicAccess"));
      this.code.get(operand(0)).memory(plainForm(op), offset).tee(value);
      trace(value, type);
      this.push(type);
    } else if (isAtomicStore(op)) {
      const type = assertDefined(effect.takes[1]);
      access().i32(1).call(context.helper("atomicAccess"));
      trace(operand(1), type);
      this.code
        .get(operand(0))
        .get(operand(1))
        .toWord(type)
        .i32(offset)
        .call(context.helper(storeHelper(width)));
    } else this.readModifyWrite(op, operand, access, trace, offset);
  }

  /** memory.size or memory.grow, where the memory can grow: an atomic access of the size. */
  protected sizeAccess(instruction: Instruction, index: number): void {
    const { context } = this;
    const grows = instruction.op === Op["memory.grow"];
    this.pauseBefore(instruction, index, grows ? ACCESS.write : ACCESS.read);
    const site = context.sites.length - 1;
    const trace = (value: () => Code): void => {
      if (context.traced) value().op(Op["i64.extend_i32_u"]).call(context.helper("trace"));
    };
    this.take(grows ? 1 : 0);
    rewritePlain(this.code, instruction, context, this.func.index, this.temporary);
    const value = this.temporary(I32, "value");
    this.code.tee(value);
    trace(() => this.code.i32(site).i32(SIZE_ADDRESS).get(value));
    if (grows) trace(() => this.code.i32(site).i32(SIZE_ADDRESS).i32(0).load32(CONTROL.pages));
    this.push(I32);
  }

  protected readModifyWrite(
    op: number,
    operand: (i: number) => number,
    access: () => Code,
    trace: (local: number, type: ValueType) => void,
    offset: number,
  ): void {
    const { helper } = this.context;
    const { operation, type, bytes: width } = readModifyWriteOf(op);
    const wide = type === I64;
    const old = this.namedLocal("old", type);
    const next = this.namedLocal("next", type);
    const load = loadOf(type, width);
    const compares = operation === "cmpxchg";
    // The expected value is wrapped to the width of the access, as the value there is.
    const same = (): Code => {
      this.code.get(old).get(operand(1));
      if (width < (wide ? 8 : 4)) {
        const mask = 2 ** (8 * width) - 1;
        if (wide) this.code.i64(BigInt(mask)).op(Op["i64.and"]);
        else this.code.i32(mask).and();
      }
      return this.code.op(wide ? Op["i64.eq"] : Op["i32.eq"]);
    };
    this.code.get(operand(0)).memory(load, offset).set(old);
    access();
    if (compares) same();
    else this.code.i32(1);
    this.code.call(helper("atomicAccess"));
    trace(old, type);
    if (compares) same().if().get(operand(2)).set(next);
    else if (operation === "xchg") this.code.get(operand(1)).set(next);
    else
      this.code
        .get(old)
        .get(operand(1))
        .op(opNamed(`${typeName(type)}.${operation}`))
        .set(next);
    trace(next, type);
    this.code
      .get(operand(0))
      .get(next)
      .toWord(type)
      .i32(offset)
      .call(helper(storeHelper(width)));
    if (compares) this.code.end();
    this.code.get(old);
    this.push(type);
  }

  /** wait: not equal goes on with 1; else the thread sleeps, and goes on with what woke it. */
  protected waiting(
    index: number,
    operand: (i: number) => number,
    expected: ValueType,
    offset: number,
    width: number,
  ): void {
    const { helper, global } = this.context;
    const label = this.newLabel();
    const live = this.liveAt(index + 1);
    this.code
      .get(operand(0))
      .get(operand(1))
      .toWord(expected)
      .get(operand(2))
      .i32(offset)
      .i32(width)
      .call(helper("wait"));
    this.code.tee(this.condition).i32(0).op(Op["i32.lt_s"]).if();
    this.spill(label, live, true);
    this.code.end().i32(0).get(this.condition).store32(CONTROL.results);
    this.bind(label);
    this.code.get(this.resuming).if();
    this.reload(live);
    this.code.i32(0).globalGet(global("block")).load32(BLOCK.wait).store32(CONTROL.results);
    this.code.globalGet(global("block")).plus(BLOCK.wait).i64(0n).call(helper("put")).end();
    this.loadResults([I32]);
  }

  /** Operands go to slots; returns the slots of the arguments, taken off the stack. */
  protected argumentsOf(types: readonly ValueType[]): number[] {
    this.flush();
    const base = this.stack.length - types.length;
    this.stack.length = base;
    return types.map((type, i) => this.slot(base + i, type));
  }

  protected calleeFrame(): void {
    this.code.get(this.frame);
    this.addFragment({ kind: "frame-size" });
    this.code.add();
  }

  protected afterPausingCall(index: number, results: readonly ValueType[]): void {
    const label = this.newLabel();
    const live = this.liveAt(index + 1);
    this.code.if();
    this.spill(label, live, false);
    this.code.end();
    this.bind(label);
    this.code.get(this.resuming).if();
    this.reload(live);
    this.code.end();
    this.loadResults(results);
  }

  protected pausingCall(instruction: Instruction, index: number): void {
    const type = this.context.typeOf(instruction.a);
    for (const local of this.argumentsOf(type.params)) this.code.get(local);
    this.calleeFrame();
    this.code.i32(0).call(this.context.runOf(instruction.a));
    this.afterPausingCall(index, type.results);
  }

  protected pausingIndirectCall(instruction: Instruction, index: number): void {
    const { global, module } = this.context;
    const type = assertDefined(module.types[instruction.a]);
    const operands = this.argumentsOf([...type.params, I32]);
    this.calleeFrame();
    this.code.globalSet(global("calleeFrame")).i32(0).globalSet(global("callStatus"));
    for (const local of operands) this.code.get(local);
    this.code.callIndirect(instruction.a, 0);
    for (let i = type.results.length - 1; i >= 0; i--) this.storeResult(i, assertDefined(type.results[i]));
    this.code.globalGet(global("callStatus"));
    this.afterPausingCall(index, type.results);
  }
}
