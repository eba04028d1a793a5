// C flow: the control flow of one function. Blocks become labels behind them, loops become `for (;;)` with `continue`,
// ifs stay ifs; what can never run is left out.
//
// Owner: the printer of one function. Invariant: where control parts or joins, nothing but constants and temporaries
// waits on the stack; a result is carried in a variable of its own.
// Pairs with: c-writer.ts, c-function.ts.
import { cType } from "./c-operators.ts";
import { integer } from "./c-signature.ts";
import { condition, type Value, value, wrapped } from "./c-values.ts";
import type { CWriter, Cursor } from "./c-writer.ts";
import { assertDefined } from "../wasm/assert-defined.ts";
import type { Instruction } from "../wasm/module.ts";
import { isBlock, Op } from "../wasm/opcodes.ts";
import { blockResult } from "./artifact-module.ts";

/** A construct that a branch can aim at. */
interface Frame {
  kind: "function" | "block" | "loop" | "if";
  /** Variable that carries the result out, and its type. */
  result: { name: string; type: "i32" | "i64" } | null;
  /** Height of the stack at entry. */
  height: number;
  label: string;
  /** A goto aims at the label. */
  targeted: boolean;
  /** For a loop: the line where a label can be put in afterwards. */
  headLine: number;
  hasElse: boolean;
  /** For an if with an else: its first arm reaches the end. */
  firstArmEnds: boolean;
}

export class CFlow {
  private readonly frames: Frame[] = [];
  private labels = 0;

  /** hasResult: of the function itself. */
  constructor(
    private readonly functionName: string,
    private readonly hasResult: boolean,
    private readonly writer: CWriter,
    private readonly cursor: Cursor,
  ) {
    this.frames.push(this.frame("function", null));
  }

  /** A return: a branch to the outermost construct. */
  leaveFunction(): void {
    this.branch(this.frames.length - 1, true);
  }

  private frame(kind: Frame["kind"], type: "i32" | "i64" | null): Frame {
    const number = ++this.labels;
    const result = type === null || kind === "function" ? null : { name: `r${number}`, type };
    const headLine = this.writer.lines.length;
    return {
      kind,
      result,
      height: this.writer.stack.length,
      label: `L${number}`,
      targeted: false,
      headLine,
      hasElse: false,
      firstArmEnds: false,
    };
  }

  private resultOf(one: Instruction): "i32" | "i64" | null {
    const result = blockResult(one);
    return result === null ? null : integer(result, this.functionName);
  }

  enter(kind: "block" | "loop", one: Instruction): void {
    this.writer.settleAll();
    const frame = this.frame(kind, this.resultOf(one));
    this.declareResult(frame);
    frame.headLine = this.writer.lines.length;
    if (kind === "loop") {
      this.writer.emit("for (;;) {");
      this.writer.depth++;
    }
    this.frames.push(frame);
  }

  enterIf(one: Instruction): void {
    const chosen = this.writer.pop();
    this.writer.settleAll();
    const frame = this.frame("if", this.resultOf(one));
    this.declareResult(frame);
    this.writer.emit(`if (${condition(chosen)}) {`);
    this.writer.depth++;
    this.frames.push(frame);
  }

  private declareResult(frame: Frame): void {
    if (frame.result !== null) this.writer.emit(`${cType(frame.result.type)} ${frame.result.name};`);
  }

  enterElse(): void {
    const frame = assertDefined(this.frames.at(-1));
    this.carry(frame);
    frame.firstArmEnds = true;
    this.openElse(frame);
  }

  private openElse(frame: Frame): void {
    this.writer.stack.length = frame.height;
    frame.hasElse = true;
    this.writer.depth--;
    this.writer.emit("} else {");
    this.writer.depth++;
  }

  /** The end of a construct that is reached. */
  leave(): void {
    const frame = assertDefined(this.frames.at(-1));
    if (frame.kind === "function") {
      if (this.hasResult) this.writer.emit(`return ${this.writer.pop().text};`);
      this.frames.pop();
      return;
    }
    this.carry(frame);
    if (frame.kind === "loop") this.writer.emit("break;");
    this.close(frame);
  }

  private carry(frame: Frame): void {
    if (frame.result !== null) this.writer.emit(`${frame.result.name} = ${this.writer.pop().text};`);
  }

  private close(frame: Frame): void {
    this.frames.pop();
    this.writer.stack.length = frame.height;
    if (frame.kind === "function") return;
    if (frame.kind !== "block") {
      this.writer.depth--;
      this.writer.emit("}");
    }
    if (frame.targeted && frame.kind === "loop")
      this.writer.lines[frame.headLine] = `${frame.label}:;\n${this.writer.lines[frame.headLine]}`;
    if (frame.targeted && frame.kind !== "loop") this.writer.emit(`${frame.label}:;`);
    if (frame.result !== null) this.writer.push(value(frame.result.type, frame.result.name, { atomic: true }));
  }

  /** The statement that jumps to a label; its value, if it takes one, is assigned before and popped if wanted. */
  branch(depth: number, consume: boolean): void {
    const { before, jump } = this.jump(depth, consume);
    if (before !== null) this.writer.emit(before);
    this.writer.emit(jump);
  }

  private jump(depth: number, consume: boolean): { before: string | null; jump: string } {
    const frame = assertDefined(this.frames.at(-1 - depth));
    const taken = (): Value => (consume ? this.writer.pop() : assertDefined(this.writer.stack.at(-1)));
    if (frame.kind === "function")
      return { before: null, jump: this.hasResult ? `return ${taken().text};` : "return;" };
    if (frame.kind === "loop") {
      const innermost = this.frames.findLast((one) => one.kind === "loop");
      if (innermost === frame) return { before: null, jump: "continue;" };
      frame.targeted = true;
      return { before: null, jump: `goto ${frame.label};` };
    }
    frame.targeted = true;
    const before = frame.result === null ? null : `${frame.result.name} = ${taken().text};`;
    return { before, jump: `goto ${frame.label};` };
  }

  branchIf(one: Instruction): void {
    const chosen = this.writer.pop();
    // The condition may read what the value's assignment below would not change; the value is read in both cases.
    const { before, jump } = this.jump(one.a, false);
    if (before === null && !jump.startsWith("return ")) return this.writer.emit(`if (${condition(chosen)}) ${jump}`);
    this.writer.emit(`if (${condition(chosen)}) {`);
    if (before !== null) this.writer.emit(`  ${before}`);
    this.writer.emit(`  ${jump}`);
    this.writer.emit("}");
  }

  branchTable(one: Instruction): void {
    const chosen = this.writer.pop();
    this.writer.settleAll();
    this.writer.emit(`switch ((uint32_t)${wrapped(chosen)}) {`);
    const targets = one.targets ?? [];
    for (const [i, depth] of targets.entries()) {
      const head = i === targets.length - 1 ? "default:" : `case ${i}:`;
      const { before, jump } = this.jump(depth, false);
      this.writer.emit(`  ${head} ${before === null ? "" : `${before} `}${jump}`);
    }
    this.writer.emit("}");
  }

  /** Leaves out what follows an unconditional jump, up to the end or else of the construct it stands in. */
  skipDead(): void {
    let nested = 0;
    while (!this.cursor.isAtEnd) {
      const { op } = this.cursor.take();
      if (isBlock(op)) nested++;
      if (op === Op.else && nested === 0) return this.openElse(assertDefined(this.frames.at(-1)));
      if (op !== Op.end) continue;
      if (nested > 0) nested--;
      else return this.endDead(assertDefined(this.frames.at(-1)));
    }
  }

  /** The end of a construct whose last instruction jumps away: what follows lives only if something gets there. */
  private endDead(frame: Frame): void {
    const skipped = frame.kind === "if" && (!frame.hasElse || frame.firstArmEnds);
    const reached = skipped || (frame.kind !== "loop" && frame.targeted);
    this.close(frame);
    if (frame.kind === "function" || reached) return;
    if (frame.result !== null) this.writer.stack.pop();
    this.skipDead();
  }
}
