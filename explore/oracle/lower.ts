// Lower: an abstract function as a flat list of small operations, for the interpreter.
//
// Owner: none, pure. Shares no code with the explorer's decoder and flattener; jumps carry the height of the operand stack
// that they leave behind. Invariant: an operation that accesses memory is the only effect between two pauses.
// Pairs with: ast.ts, interpret.ts.

import type {
  AbstractProgram,
  AccessExpression,
  Expression,
  FunctionBody,
  RmwAction,
  Signature,
  Statement,
  Type,
  Width,
} from "./ast.ts";

/** Operations that touch what threads share: a thread pauses before each. */
export type Access =
  | {
      readonly do: "load";
      readonly type: Type;
      readonly width: Width;
      readonly signed: boolean;
      readonly offset: number;
    }
  | { readonly do: "store"; readonly width: Width; readonly offset: number }
  | { readonly do: "atomic-load"; readonly type: Type; readonly width: Width; readonly offset: number }
  | { readonly do: "atomic-store"; readonly width: Width; readonly offset: number }
  | {
      readonly do: "rmw";
      readonly type: Type;
      readonly width: Width;
      readonly action: RmwAction;
      readonly offset: number;
    }
  | { readonly do: "cmpxchg"; readonly type: Type; readonly width: Width; readonly offset: number }
  | { readonly do: "wait"; readonly width: Width; readonly timeout: bigint; readonly offset: number }
  | { readonly do: "notify"; readonly offset: number }
  | { readonly do: "size" }
  | { readonly do: "grow" }
  | { readonly do: "fill" }
  | { readonly do: "copy" }
  | { readonly do: "init"; readonly segment: number };

export type Operation =
  | Access
  | { readonly do: "constant"; readonly value: bigint }
  | { readonly do: "local" | "set" | "tee" | "global" | "set-global"; readonly index: number }
  | { readonly do: "eqz" | "pop" | "select" | "trap" | "abort" | "return" }
  | { readonly do: "wrap"; readonly bits: 32 | 64 }
  | { readonly do: "binary"; readonly type: "i32" | "i64"; readonly operation: string }
  | { readonly do: "jump" | "jump-if" | "jump-unless"; readonly to: number; readonly height: number }
  | { readonly do: "jump-table"; readonly to: readonly number[]; readonly height: number }
  | { readonly do: "call"; readonly callee: number }
  | { readonly do: "indirect"; readonly signature: Signature }
  | { readonly do: "drop-segment"; readonly segment: number };

export interface FlatFunction {
  readonly params: number;
  readonly localCount: number;
  readonly results: number;
  readonly signature: Signature;
  readonly code: readonly Operation[];
}

export function lower(program: AbstractProgram): FlatFunction[] {
  return program.functions.map((body) => new Lowering(body).run());
}

/** A jump whose target is not known yet. */
interface Open {
  to: number;
}

class Lowering {
  private readonly code: Operation[] = [];
  private readonly body: FunctionBody;
  private height = 0;
  /** The block statements around: where their jumps are, and the height that these leave. */
  private readonly blocks: { readonly jumps: Open[]; readonly height: number }[] = [];

  constructor(body: FunctionBody) {
    this.body = body;
  }

  run(): FlatFunction {
    const { signature, locals, body, results } = this.body;
    this.statements(body);
    for (const result of results) this.expression(result);
    this.code.push({ do: "return" });
    return {
      params: signature.params.length,
      localCount: signature.params.length + locals.length,
      results: signature.results.length,
      signature,
      code: this.code,
    };
  }

  private statements(list: readonly Statement[]): void {
    for (const statement of list) this.statement(statement);
  }

  private emit(operation: Operation, change: number): void {
    this.code.push(operation);
    this.height += change;
  }

  private jump(how: "jump" | "jump-if" | "jump-unless", height = this.height - (how === "jump" ? 0 : 1)): Open {
    const open = { do: how, to: -1, height };
    this.emit(open, how === "jump" ? 0 : -1);
    return open;
  }

  private here(...opens: readonly Open[]): void {
    for (const open of opens) open.to = this.code.length;
  }

  private statement(statement: Statement): void {
    switch (statement.kind) {
      case "set":
      case "set-global":
        this.expression(statement.value);
        return this.emit({ do: statement.kind, index: statement.index }, -1);
      case "store":
      case "atomic-store":
        this.expression(statement.place.address);
        this.expression(statement.value);
        return this.emit({ do: statement.kind, width: statement.width, offset: statement.place.offset }, -2);
      case "drop":
        this.expression(statement.value);
        return this.emit({ do: "pop" }, -1);
      case "fence":
        return;
      case "if":
      case "repeat":
      case "await":
      case "block":
      case "break":
      case "switch":
        return this.control(statement);
      case "call-many":
        for (const each of statement.args) this.expression(each);
        this.emit({ do: "call", callee: statement.callee }, statement.into.length - statement.args.length);
        for (const index of statement.into.toReversed()) this.emit({ do: "set", index }, -1);
        return;
      case "hold":
        this.expression(statement.left);
        this.expression(statement.right);
        this.statements(statement.body);
        this.emit({ do: "set", index: statement.into[1] }, -1);
        return this.emit({ do: "set", index: statement.into[0] }, -1);
      case "fold":
        return this.fold(statement);
      case "fill":
        return this.bulk([statement.to, statement.byte, statement.length], { do: "fill" });
      case "copy":
        return this.bulk([statement.to, statement.from, statement.length], { do: "copy" });
      case "init":
        return this.bulk([statement.to, statement.from, statement.length], { do: "init", segment: statement.segment });
      case "drop-segment":
        return this.emit({ do: "drop-segment", segment: statement.segment }, 0);
      case "trap":
      case "abort":
        return this.emit({ do: statement.kind }, 0);
      case "return":
        for (const result of this.body.results) this.expression(result);
        this.emit({ do: "return" }, -this.body.results.length);
        return;
      default:
        statement satisfies never;
    }
  }

  private bulk(operands: readonly Expression[], operation: Operation): void {
    for (const operand of operands) this.expression(operand);
    this.emit(operation, -operands.length);
  }

  private control(
    statement: Extract<Statement, { kind: "if" | "repeat" | "await" | "block" | "break" | "switch" }>,
  ): void {
    switch (statement.kind) {
      case "if": {
        this.expression(statement.condition);
        const otherwise = this.jump("jump-unless");
        this.statements(statement.yes);
        const end = this.jump("jump");
        this.here(otherwise);
        this.statements(statement.no);
        return this.here(end);
      }
      case "repeat": {
        this.setTo(statement.counter, 0n);
        const top = this.code.length;
        this.statements(statement.body);
        this.countUp(statement.counter, statement.times);
        this.jump("jump-if").to = top;
        return;
      }
      case "await": {
        const top = this.code.length;
        this.expression(statement.condition);
        this.jump("jump-if").to = top;
        return;
      }
      case "block": {
        const block = { jumps: [] as Open[], height: this.height };
        this.blocks.push(block);
        this.statements(statement.body);
        this.blocks.pop();
        return this.here(...block.jumps);
      }
      case "break": {
        const block = this.blocks[this.blocks.length - 1 - statement.depth];
        if (!block) throw new Error("a break leaves no block");
        this.expression(statement.condition);
        block.jumps.push(this.jump("jump-if", block.height));
        return;
      }
      case "switch": {
        this.expression(statement.index);
        const to: number[] = [];
        this.emit({ do: "jump-table", to, height: this.height - 1 }, -1);
        const ends = statement.cases.map((body) => {
          to.push(this.code.length);
          this.statements(body);
          return this.jump("jump");
        });
        return this.here(...ends);
      }
      default:
        statement satisfies never;
    }
  }

  private setTo(index: number, value: bigint): void {
    this.emit({ do: "constant", value }, 1);
    this.emit({ do: "set", index }, -1);
  }

  /** Leaves whether the counter, raised by one, is still below the bound. */
  private countUp(index: number, times: number): void {
    this.emit({ do: "local", index }, 1);
    this.emit({ do: "constant", value: 1n }, 1);
    this.emit({ do: "binary", type: "i32", operation: "add" }, -1);
    this.emit({ do: "tee", index }, 0);
    this.emit({ do: "constant", value: BigInt(times) }, 1);
    this.emit({ do: "binary", type: "i32", operation: "lt_u" }, -1);
  }

  private fold(statement: Extract<Statement, { kind: "fold" }>): void {
    this.setTo(statement.counter, 0n);
    this.expression(statement.start);
    const top = this.code.length;
    this.expression(statement.step);
    this.emit({ do: "binary", type: statement.start.type === "i64" ? "i64" : "i32", operation: "add" }, -1);
    this.countUp(statement.counter, statement.times);
    this.jump("jump-if").to = top;
    this.emit({ do: "set", index: statement.into }, -1);
  }

  private expressions(...list: readonly Expression[]): void {
    for (const each of list) this.expression(each);
  }

  private expression(node: Expression): void {
    switch (node.kind) {
      case "constant":
        return this.emit({ do: "constant", value: node.value }, 1);
      case "local":
      case "global":
        return this.emit({ do: node.kind, index: node.index }, 1);
      case "tee":
        this.expression(node.value);
        return this.emit({ do: "tee", index: node.index }, 0);
      case "eqz":
        this.expression(node.value);
        return this.emit({ do: "eqz" }, 0);
      case "convert":
        this.expression(node.value);
        return this.emit({ do: "wrap", bits: node.type === "i32" || node.type === "f32" ? 32 : 64 }, 0);
      case "binary": {
        this.expressions(node.left, node.right);
        const type = node.left.type === "i64" ? "i64" : "i32";
        return this.emit({ do: "binary", type, operation: node.operation }, -1);
      }
      case "select":
        this.expressions(node.yes, node.no, node.condition);
        return this.emit({ do: "select" }, -2);
      case "either":
      case "early":
        return this.branching(node);
      case "call":
        this.expressions(...node.args);
        return this.emit({ do: "call", callee: node.callee }, 1 - node.args.length);
      case "indirect":
        this.expressions(...node.args, node.slot);
        return this.emit({ do: "indirect", signature: node.signature }, -node.args.length);
      default:
        return this.access(node);
    }
  }

  private branching(node: Extract<Expression, { kind: "either" | "early" }>): void {
    if (node.kind === "either") {
      this.expression(node.condition);
      const otherwise = this.jump("jump-unless");
      this.expression(node.yes);
      const end = this.jump("jump");
      this.height--;
      this.here(otherwise);
      this.expression(node.no);
      return this.here(end);
    }
    this.expressions(node.value, node.condition);
    const out = this.jump("jump-if");
    this.emit({ do: "pop" }, -1);
    this.expression(node.other);
    this.here(out);
  }

  private access(node: AccessExpression): void {
    switch (node.kind) {
      case "load": {
        this.expression(node.place.address);
        const { type, width, signed } = node;
        return this.emit({ do: "load", type, width, signed, offset: node.place.offset }, 0);
      }
      case "atomic-load":
        this.expression(node.place.address);
        return this.emit({ do: "atomic-load", type: node.type, width: node.width, offset: node.place.offset }, 0);
      case "rmw": {
        this.expressions(node.place.address, node.operand);
        const { type, width, action } = node;
        return this.emit({ do: "rmw", type, width, action, offset: node.place.offset }, -1);
      }
      case "cmpxchg":
        this.expressions(node.place.address, node.expected, node.replacement);
        return this.emit({ do: "cmpxchg", type: node.type, width: node.width, offset: node.place.offset }, -2);
      case "wait":
        this.expressions(node.place.address, node.expected);
        return this.emit({ do: "wait", width: node.width, timeout: node.timeout, offset: node.place.offset }, -1);
      case "notify":
        this.expressions(node.place.address, node.count);
        return this.emit({ do: "notify", offset: node.place.offset }, -1);
      case "size":
        return this.emit({ do: "size" }, 1);
      case "grow":
        this.expression(node.pages);
        return this.emit({ do: "grow" }, 0);
      default:
        node satisfies never;
    }
  }
}
