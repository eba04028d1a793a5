// Resumable: turns a function that can reach a pause point into one that returns when its thread pauses and can be
// entered again where it left off.
//
// The result is `run(params, frame, point) -> 0 done | 1 paused`: basic blocks under one dispatch loop, where only the
// control structures that contain a pause point are flattened. Between blocks every operand lies in a local ("slot");
// at a pause the live locals and operands go to the frame. Results of a finished function go to the control page.
//
// Owner: one Flattener a function. Invariant: operands of `stack` that are physically on the wasm stack are its top part.
// Partners: instrument.ts (analysis, wrappers), runtime.ts (helpers and the trampoline in `step`), liveness.ts.

import { Code } from "../../wasm/code.ts";
import { pushU32 } from "../../wasm/bytes.ts";
import type { FunctionType, Instruction, WasmFunction } from "../../wasm/module.ts";
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
  isBlock,
  isBulk,
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
import type { RewriteContext, Temporary } from "./rewrite.ts";
import { addSite, burnFuel, rewritePlain, storeHelper } from "./rewrite.ts";
import { liveLocals } from "./liveness.ts";
import { ACCESS, BLOCK, BLOCK_BYTES, CONTROL, SIZE_ADDRESS } from "./layout.ts";
import { assertDefined } from "../assert-defined.ts";

export interface ResumableContext extends RewriteContext {
  readonly zeroDead: boolean;
  readonly coalesceInvisible: boolean;
  /** Is this instruction a place where a thread pauses, or a call that may pause? */
  readonly pauses: (instruction: Instruction) => boolean;
  readonly plainInStep: boolean;
  readonly typeOf: (functionIndex: number) => FunctionType;
  /** Function index of `run` for a function that may pause; its place in the resume table. */
  readonly runOf: (functionIndex: number) => number;
  readonly resumeIndexOf: (functionIndex: number) => number;
}

export interface ResumableFunction {
  /** Parameters of `run`: the function's own, then frame and point. */
  readonly locals: readonly ValueType[];
  readonly code: readonly number[];
  readonly frameBytes: number;
}

interface Label {
  id: number;
  used: boolean;
}

type Fragment =
  | { readonly kind: "bytes"; readonly bytes: readonly number[] }
  | { readonly kind: "branch"; readonly label: Label; readonly nested: number }
  | { readonly kind: "spill"; readonly label: Label; readonly live: ReadonlySet<number>; readonly leaf: boolean }
  | { readonly kind: "frame-size" };

interface Structure {
  readonly op: number;
  readonly native: boolean;
  readonly height: number;
  readonly type: FunctionType;
  /** Where a branch to this structure goes, when it is flattened. */
  readonly label: Label;
  readonly elseLabel: Label;
}

interface Operand {
  readonly type: ValueType;
  physical: boolean;
}

const plainKind = (op: number): number =>
  isPlainLoad(op) ? ACCESS.plainRead : isPlainStore(op) ? ACCESS.plainWrite : ACCESS.bulk;

/** Bytes that a pause is about; where it is not about one word, any number does. */
const widthOf = (op: number): number => (isAtomic(op) || isPlainLoad(op) || isPlainStore(op) ? accessBytes(op) : 4);

export function makeResumable(func: WasmFunction, context: ResumableContext): ResumableFunction {
  return new Flattener(func, context).run();
}

class Flattener {
  private readonly func: WasmFunction;
  private readonly context: ResumableContext;
  private readonly blocks: Fragment[][] = [[]];
  private code = new Code();
  private readonly structures: Structure[] = [];
  private readonly stack: Operand[] = [];
  private dead = false;
  private readonly localTypes: ValueType[];
  private readonly live: { isLive: (instruction: number, local: number) => boolean };
  private readonly frame: number;
  private readonly point: number;
  private readonly resuming: number;
  private readonly resumed: number;
  private readonly condition: number;
  private readonly named = new Map<string, number>();
  /** Locals that some pause keeps, in the order of their words in the frame. */
  private readonly kept: number[] = [];

  constructor(func: WasmFunction, context: ResumableContext) {
    this.func = func;
    this.context = context;
    const params = func.type.params.length;
    this.frame = params;
    this.point = params + 1;
    this.localTypes = [...func.type.params, I32, I32, ...func.locals];
    this.resuming = this.addLocal(I32);
    this.resumed = this.addLocal(I32);
    this.condition = this.addLocal(I32);
    this.live = liveLocals(func);
  }

  run(): ResumableFunction {
    const { func } = this;
    const body = func.body;
    this.structures.push(this.structure(Op.block, false, 0, { params: [], results: func.type.results }));
    for (let index = 0; index < body.length; index++) {
      const instruction = assertDefined(body[index]);
      if (this.dead && instruction.op !== Op.else && instruction.op !== Op.end) {
        if (isBlock(instruction.op)) index = instruction.match;
        continue;
      }
      this.visit(instruction, index);
    }
    return this.finish();
  }

  private addLocal(type: ValueType): number {
    this.localTypes.push(type);
    return this.localTypes.length - 1;
  }

  private namedLocal(name: string, type: ValueType): number {
    const key = `${name}:${type}`;
    const known = this.named.get(key);
    if (known !== undefined) return known;
    const local = this.addLocal(type);
    this.named.set(key, local);
    return local;
  }

  private readonly temporary: Temporary = (type, purpose) => this.namedLocal(purpose, type);
  private slot(height: number, type: ValueType): number {
    return this.namedLocal(`slot ${height}`, type);
  }
  /** The local of `run` that holds a local of the function. */
  private own(local: number): number {
    return local < this.func.type.params.length ? local : local + 2;
  }

  // The operand stack.

  private push(...types: readonly ValueType[]): void {
    for (const type of types) this.stack.push({ type, physical: true });
  }
  private pushSlots(types: readonly ValueType[]): void {
    for (const type of types) this.stack.push({ type, physical: false });
  }
  private flush(): void {
    for (let height = this.stack.length - 1; height >= 0 && assertDefined(this.stack[height]).physical; height--) {
      this.code.set(this.slot(height, assertDefined(this.stack[height]).type));
      assertDefined(this.stack[height]).physical = false;
    }
  }
  /** Makes the top operands physical. */
  private need(count: number): void {
    const from = this.stack.length - count;
    if (count === 0 || assertDefined(this.stack[from]).physical) return;
    this.flush();
    for (let height = from; height < this.stack.length; height++) {
      this.code.get(this.slot(height, assertDefined(this.stack[height]).type));
      assertDefined(this.stack[height]).physical = true;
    }
  }
  private take(count: number): void {
    this.need(count);
    this.stack.length -= count;
  }

  // Fragments and labels.

  private addFragment(fragment: Fragment): void {
    const block = assertDefined(this.blocks.at(-1));
    block.push({ kind: "bytes", bytes: this.code.bytes }, fragment);
    this.code = new Code();
  }
  private bind(label: Label): void {
    assertDefined(this.blocks.at(-1)).push({ kind: "bytes", bytes: this.code.bytes });
    this.code = new Code();
    label.id = this.blocks.length;
    this.blocks.push([]);
  }
  private newLabel(): Label {
    return { id: -1, used: false };
  }
  private structure(op: number, native: boolean, height: number, type: FunctionType): Structure {
    return { op, native, height, type, label: this.newLabel(), elseLabel: this.newLabel() };
  }
  private get nativeDepth(): number {
    return this.structures.filter((structure) => structure.native).length;
  }

  // Control.

  private visit(instruction: Instruction, index: number): void {
    switch (instruction.op) {
      case Op.block:
      case Op.loop:
      case Op.if:
        return this.open(instruction, index);
      case Op.else:
        return this.otherwise();
      case Op.end:
        return this.close();
      case Op.unreachable:
        this.code.unreachable();
        this.dead = true;
        return;
      case Op.nop:
        return;
      case Op.br:
        this.need(this.branchTypes(instruction.a).length);
        this.branch(instruction.a, 0);
        this.dead = true;
        return;
      case Op.br_if:
        return this.branchIf(instruction.a);
      case Op.br_table:
        return this.branchTable(assertDefined(instruction.targets));
      case Op.return:
        this.need(this.func.type.results.length);
        this.leave();
        this.dead = true;
        return;
      default:
        return this.plain(instruction, index);
    }
  }

  private containsPause(instruction: Instruction, index: number): boolean {
    for (let inner = index + 1; inner < instruction.match; inner++)
      if (this.context.pauses(assertDefined(this.func.body[inner]))) return true;
    return false;
  }

  private open(instruction: Instruction, index: number): void {
    const type = assertDefined(instruction.type);
    const isIf = instruction.op === Op.if;
    const native = assertDefined(this.structures.at(-1)).native || !this.containsPause(instruction, index);
    if (native) {
      this.need(type.params.length + (isIf ? 1 : 0));
      if (isIf) this.stack.pop();
      this.structures.push(this.structure(instruction.op, true, this.stack.length - type.params.length, type));
      this.code.raw(this.context.module.bytes.subarray(instruction.start, instruction.end));
      if (instruction.op === Op.loop) burnFuel(this.code, this.context);
      return;
    }
    if (isIf) {
      this.take(1);
      if (this.stack.at(-1)?.physical) {
        this.code.set(this.condition);
        this.flush();
        this.code.get(this.condition);
      }
    } else this.flush();
    const structure = this.structure(instruction.op, false, this.stack.length - type.params.length, type);
    this.structures.push(structure);
    if (instruction.op === Op.loop) {
      this.bind(structure.label);
      burnFuel(this.code, this.context);
    } else if (isIf) {
      this.code.eqz().if();
      structure.elseLabel.used = true;
      this.addFragment({ kind: "branch", label: structure.elseLabel, nested: 1 });
      this.code.end();
    }
  }

  private resetTo(structure: Structure, types: readonly ValueType[], physical: boolean): void {
    this.stack.length = structure.height;
    if (physical) this.push(...types);
    else this.pushSlots(types);
    this.dead = false;
  }

  private otherwise(): void {
    const structure = assertDefined(this.structures.at(-1));
    if (structure.native) {
      this.code.op(Op.else);
      return this.resetTo(structure, structure.type.params, true);
    }
    if (!this.dead) {
      this.flush();
      structure.label.used = true;
      this.addFragment({ kind: "branch", label: structure.label, nested: 0 });
    }
    this.bind(structure.elseLabel);
    this.resetTo(structure, structure.type.params, false);
  }

  private close(): void {
    const structure = assertDefined(this.structures.pop());
    if (this.structures.length === 0) {
      if (!this.dead) {
        this.need(this.func.type.results.length);
        this.leave();
      }
      return;
    }
    if (structure.native) {
      this.code.end();
      return this.resetTo(structure, structure.type.results, true);
    }
    if (structure.op === Op.loop) return;
    const bareIf = structure.op === Op.if && structure.elseLabel.id < 0;
    if (!this.dead) this.flush();
    if (structure.label.used || bareIf) {
      this.bind(structure.label);
      if (bareIf) structure.elseLabel.id = structure.label.id;
      this.resetTo(structure, structure.type.results, false);
    }
  }

  private branchTypes(depth: number): readonly ValueType[] {
    const structure = assertDefined(this.structures[this.structures.length - 1 - depth]);
    return structure.op === Op.loop ? structure.type.params : structure.type.results;
  }

  /** Branches, its operands physical on top; `extra` wasm blocks were opened around it. Leaves `stack` alone. */
  private branch(depth: number, extra: number): void {
    const structure = assertDefined(this.structures[this.structures.length - 1 - depth]);
    if (structure === this.structures[0]) return this.leave();
    if (structure.native) {
      this.code.br(depth + extra);
      return;
    }
    const types = this.branchTypes(depth);
    for (let i = types.length - 1; i >= 0; i--) this.code.set(this.slot(structure.height + i, assertDefined(types[i])));
    structure.label.used = true;
    this.addFragment({ kind: "branch", label: structure.label, nested: this.nativeDepth + extra });
  }

  private branchIf(depth: number): void {
    const structure = assertDefined(this.structures[this.structures.length - 1 - depth]);
    const types = this.branchTypes(depth);
    this.take(1);
    if (structure.native) {
      if (types.length > 0 && !assertDefined(this.stack.at(-1)).physical)
        throw new Error("operands of a native branch must be physical");
      this.code.brIf(depth);
      return;
    }
    if (types.length === 0) {
      this.code.if();
      this.branch(depth, 1);
      this.code.end();
      return;
    }
    this.code.set(this.condition);
    this.need(types.length);
    const held = types.map((type, i) => this.namedLocal(`held ${i}`, type));
    for (let i = types.length - 1; i >= 0; i--) this.code.set(assertDefined(held[i]));
    this.code.get(this.condition).if();
    for (const local of held) this.code.get(local);
    this.branch(depth, 1);
    this.code.end();
    for (const local of held) this.code.get(local);
  }

  private branchTable(targets: readonly number[]): void {
    this.take(1);
    this.code.set(this.condition);
    const types = this.branchTypes(assertDefined(targets[0]));
    this.need(types.length);
    const held = types.map((type, i) => this.namedLocal(`held ${i}`, type));
    for (let i = types.length - 1; i >= 0; i--) this.code.set(assertDefined(held[i]));
    const distinct = [...new Set(targets)];
    for (let i = 0; i < distinct.length; i++) this.code.block();
    this.code.get(this.condition).op(Op.br_table);
    pushU32(this.code.bytes, targets.length - 1);
    for (const target of targets) pushU32(this.code.bytes, distinct.indexOf(target));
    for (const [i, target] of distinct.entries()) {
      this.code.end();
      for (const local of held) this.code.get(local);
      this.branch(target, distinct.length - 1 - i);
    }
    this.stack.length -= types.length;
    this.dead = true;
  }

  /** Results, physical on top, go to the control page; the frame, where it was written, becomes zero again. */
  private leave(): void {
    const types = this.func.type.results;
    for (let i = types.length - 1; i >= 0; i--) this.storeResult(i, assertDefined(types[i]));
    this.code.get(this.resumed).if().get(this.frame);
    this.addFragment({ kind: "frame-size" });
    this.code.call(this.context.helper("clearFrame")).get(this.frame).globalSet(this.context.global("top")).end();
    this.code.i32(0).return();
  }

  private storeResult(index: number, type: ValueType): void {
    const held = this.namedLocal("result", type);
    this.code
      .set(held)
      .i32(0)
      .get(held)
      .toWord(type)
      .store64(CONTROL.results + 8 * index);
  }
  private loadResults(types: readonly ValueType[]): void {
    for (const [i, type] of types.entries()) this.code.i32(0).loadWord(type, CONTROL.results + 8 * i);
    this.push(...types);
  }

  // Everything else.

  private plain(instruction: Instruction, index: number): void {
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

  // Pausing.

  /** Locals of `run` that are live before an instruction, with the operands that stay on the stack. */
  private liveAt(index: number): Set<number> {
    const live = new Set<number>();
    const count = this.func.type.params.length + this.func.locals.length;
    for (let local = 0; local < count; local++)
      if (!this.context.zeroDead || this.live.isLive(index, local)) live.add(this.own(local));
    for (const [height, operand] of this.stack.entries()) live.add(this.slot(height, operand.type));
    for (const local of live) if (!this.kept.includes(local)) this.kept.push(local);
    return live;
  }

  private spill(label: Label, live: ReadonlySet<number>, leaf: boolean): void {
    this.addFragment({ kind: "spill", label, live, leaf });
    this.code.i32(1).return();
  }

  private reload(live: ReadonlySet<number>): void {
    for (const local of live)
      this.code
        .get(this.frame)
        .loadWord(assertDefined(this.localTypes[local]), 8 * this.kept.indexOf(local))
        .set(local);
    this.code.i32(0).set(this.resuming);
  }

  /** Pauses before an access whose address is the lowest of the instruction's operands; they are slots afterwards. */
  private pauseBefore(instruction: Instruction, index: number, kind: number): void {
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

  private atomic(instruction: Instruction, index: number): void {
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
  private sizeAccess(instruction: Instruction, index: number): void {
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

  private readModifyWrite(
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
  private waiting(
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
  private argumentsOf(types: readonly ValueType[]): number[] {
    this.flush();
    const base = this.stack.length - types.length;
    this.stack.length = base;
    return types.map((type, i) => this.slot(base + i, type));
  }

  private calleeFrame(): void {
    this.code.get(this.frame);
    this.addFragment({ kind: "frame-size" });
    this.code.add();
  }

  private afterPausingCall(index: number, results: readonly ValueType[]): void {
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

  private pausingCall(instruction: Instruction, index: number): void {
    const type = this.context.typeOf(instruction.a);
    for (const local of this.argumentsOf(type.params)) this.code.get(local);
    this.calleeFrame();
    this.code.i32(0).call(this.context.runOf(instruction.a));
    this.afterPausingCall(index, type.results);
  }

  private pausingIndirectCall(instruction: Instruction, index: number): void {
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

  // Assembly.

  private finish(): ResumableFunction {
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
