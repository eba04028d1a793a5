// Structure: how the instructions of one function nest: where each operand begins, and what its statements are.
//
// Owner: none, pure. Invariant: a statement leaves the operand stack as it found it, so it can be dropped or moved.
// Pairs with: operators.ts.

import { assertDefined } from "../../wasm/assert-defined.ts";
import { type FunctionType, type Instruction, type WasmModule, typeOfFunction } from "../../wasm/module.ts";
import { Op, isBlock } from "../../wasm/opcodes.ts";
import { type StackCounts, countsIn } from "../../wasm/stack.ts";
import type { ArtifactFunction } from "./artifact.ts";

/** Instructions [from, end) of a function, by their indices. */
export interface Range {
  readonly from: number;
  readonly end: number;
}

export interface Structure {
  /** Of each instruction: where each of its operands begins; undefined where no run gets to it. */
  readonly operands: readonly (readonly number[] | undefined)[];
  /** Without those that hold others (blocks, loops, branches with a body). */
  readonly statements: readonly Range[];
}

export function calleeType(module: WasmModule, index: number): FunctionType {
  return assertDefined(typeOfFunction(module, index));
}

interface Frame {
  readonly opener: number;
  readonly start: number;
  readonly results: number;
  readonly height: number;
  /** Where the next statement begins. */
  statement: number;
  dead: boolean;
}

export function structureOf(module: WasmModule, func: ArtifactFunction): Structure {
  return new Walk(module, func).run();
}

class Walk {
  private readonly operands: (readonly number[] | undefined)[] = [];
  private readonly statements: Range[] = [];
  /** Where each value on the operand stack begins. */
  private stack: number[] = [];
  private readonly frames: Frame[] = [];

  constructor(
    private readonly module: WasmModule,
    private readonly func: ArtifactFunction,
  ) {}

  run(): Structure {
    const results = this.func.wasm.type.results.length;
    this.frames.push({ opener: -1, start: 0, results, height: 0, statement: 0, dead: false });
    for (const [index, instruction] of this.func.body.entries()) this.step(index, instruction);
    return { operands: this.operands, statements: this.statements };
  }

  private get frame(): Frame {
    return assertDefined(this.frames.at(-1));
  }

  private step(index: number, instruction: Instruction): void {
    const { op } = instruction;
    if (isBlock(op)) return this.open(index, instruction);
    if (op === Op.else) return this.otherwise(index);
    if (op === Op.end) return this.close(index);
    if (this.frame.dead) return void this.operands.push(undefined);
    const { takes, gives } = this.countsHere(instruction);
    const taken = this.take(takes);
    this.operands.push(taken);
    for (let i = 0; i < gives; i++) this.stack.push(taken[0] ?? index);
    if (op === Op.br || op === Op.br_table || op === Op.return || op === Op.unreachable) {
      this.endStatement(index, true);
      this.frame.dead = true;
      this.stack.length = this.frame.height;
    } else if (this.stack.length === this.frame.height) this.endStatement(index, true);
  }

  private countsHere(instruction: Instruction): StackCounts {
    const { op } = instruction;
    if (op === Op.return) return { takes: this.func.wasm.type.results.length, gives: 0 };
    return countsIn(this.module, instruction);
  }

  private take(count: number): number[] {
    return count === 0 ? [] : this.stack.splice(-count);
  }

  private open(index: number, { op, type }: Instruction): void {
    const dead = this.frames.length > 0 && this.frame.dead;
    const taken = op === Op.if && !dead ? this.take(1) : [];
    this.operands.push(dead ? undefined : taken);
    this.frames.push({
      opener: index,
      start: taken[0] ?? index,
      results: type?.results.length ?? 0,
      height: this.stack.length,
      statement: index + 1,
      dead,
    });
  }

  private otherwise(index: number): void {
    const { frame } = this;
    this.operands.push([]);
    this.stack.length = frame.height;
    frame.statement = index + 1;
    frame.dead = this.frames.at(-2)?.dead ?? false;
  }

  private close(index: number): void {
    this.operands.push([]);
    const frame = assertDefined(this.frames.pop());
    if (this.frames.length === 0) return;
    this.stack.length = frame.height;
    if (this.frame.dead) return;
    for (let i = 0; i < frame.results; i++) this.stack.push(frame.start);
    if (this.stack.length === this.frame.height) this.endStatement(index, false);
  }

  private endStatement(index: number, isLeaf: boolean): void {
    const { frame } = this;
    if (isLeaf) this.statements.push({ from: frame.statement, end: index + 1 });
    frame.statement = index + 1;
  }
}
