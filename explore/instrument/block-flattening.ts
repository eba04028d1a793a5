// Block flattening: control structures that contain a pause point become basic blocks; the others stay as they are.
//
// Between blocks every operand lies in a slot; a branch to a flattened structure is a jump to its label.
// Owner: one function. Invariant: native structures lie within flattened ones, never around them.
// Pairs with: operand-stack.ts, fragments.ts (labels), instructions.ts (everything that is no control).

import { pushU32 } from "../../wasm/bytes.ts";
import type { FunctionType, Instruction } from "../../wasm/module.ts";
import type { ValueType } from "../../wasm/opcodes.ts";
import { Op, isBlock } from "../../wasm/opcodes.ts";
import type { Label } from "./fragments.ts";
import { Instructions } from "./instructions.ts";
import type { ResumableFunction } from "./resumable-context.ts";
import { burnFuel } from "./rewrite.ts";
import { assertDefined } from "../../wasm/assert-defined.ts";

interface Structure {
  readonly op: number;
  readonly native: boolean;
  readonly height: number;
  readonly type: FunctionType;
  /** Where a branch to this structure goes, when it is flattened. */
  readonly label: Label;
  readonly elseLabel: Label;
}

export class BlockFlattening extends Instructions {
  private readonly structures: Structure[] = [];
  /** No instruction is reached up to the next end or else. */
  private dead = false;

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

  private structure(op: number, native: boolean, height: number, type: FunctionType): Structure {
    return { op, native, height, type, label: this.newLabel(), elseLabel: this.newLabel() };
  }
  private get nativeDepth(): number {
    return this.structures.filter((structure) => structure.native).length;
  }

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
}
