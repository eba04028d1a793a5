// C writer: the lines of one function, and the values of the wasm stack that are not yet written down.
//
// Owner: the printer of one function. Invariant: a value on the stack is pure; whoever is about to change what it reads
// settles it first, which writes it into a temporary.
// Pairs with: c-values.ts; c-flow.ts and c-function.ts, which write through this.
import { cType } from "./c-operators.ts";
import { type Value, value } from "./c-values.ts";
import { assertDefined } from "../wasm/assert-defined.ts";
import type { Instruction } from "../wasm/module.ts";

/** Where a walk over a function's instructions stands. */
export class Cursor {
  private at = 0;

  constructor(private readonly body: readonly Instruction[]) {}

  get isAtEnd(): boolean {
    return this.at >= this.body.length;
  }

  /** The next instruction, and past it. */
  take(): Instruction {
    return assertDefined(this.body.at(this.at++));
  }

  /** The next instruction, staying before it. */
  peek(): Instruction {
    return assertDefined(this.body.at(this.at));
  }
}

export class CWriter {
  readonly lines: string[] = [];
  readonly stack: Value[] = [];
  /** Open braces. */
  depth = 1;
  private temporaries = 0;

  constructor(private readonly functionName: string) {}

  emit(line: string): void {
    this.lines.push("  ".repeat(this.depth) + line);
  }

  push(one: Value): void {
    this.stack.push(one);
  }

  pop(): Value {
    const one = this.stack.pop();
    if (one === undefined) throw new Error(`${this.functionName}: the wasm stack is empty`);
    return one;
  }

  /** Pops that many operands; the first pushed comes first. */
  operands(count: number): Value[] {
    return Array.from({ length: count }, () => this.pop()).toReversed();
  }

  /** Writes an expression into a new temporary, and returns that. */
  temporary(type: "i32" | "i64", text: string): Value {
    const name = `t${++this.temporaries}`;
    this.emit(`const ${cType(type)} ${name} = ${text};`);
    return value(type, name, { atomic: true });
  }

  /** Writes one pending value down. fromTop: 1 is the top of the stack. */
  settle(fromTop: number): void {
    const index = this.stack.length - fromTop;
    const one = assertDefined(this.stack.at(index));
    this.stack[index] = this.temporary(one.type, one.text);
  }

  /** Writes down the pending values that would not survive a change. */
  settleWhere(changes: (one: Value) => boolean): void {
    this.stack.forEach((one, index) => {
      if (changes(one)) this.settle(this.stack.length - index);
    });
  }

  /** Before an effect on memory. */
  settleMemory(): void {
    this.settleWhere((one) => one.memory);
  }

  /** Before control flow parts: only constants and what is written down already may wait. */
  settleAll(): void {
    this.settleWhere((one) => one.constant === null && !/^[tr]\d+$/.test(one.text));
  }
}
