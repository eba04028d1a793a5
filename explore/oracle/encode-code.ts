// Encode, code: the body of one abstract function as WebAssembly instructions.
//
// Owner: one body. Invariant: `labels` are the control instructions that are open, innermost last; a block statement's is
// true, so that a break finds it.
// Pairs with: ast.ts, encode-program.ts.

import { constantInstruction } from "../../wasm/constant.ts";
import {
  EMPTY_BLOCK,
  F32,
  F64,
  I32,
  I64,
  Op,
  type RmwOperation,
  type ValueType,
  isAtomic,
  opNamed,
  pushOpcode,
} from "../../wasm/opcodes.ts";
import { signed, u32, vector } from "../../wasm/sections.ts";
import type { AccessExpression, Expression, FunctionBody, Place, Signature, Statement, Type, Width } from "./ast.ts";
import type { TypeIndices } from "./encode-types.ts";

export const TYPE_CODE: Readonly<Record<Type, ValueType>> = { i32: I32, i64: I64, f32: F32, f64: F64 };

export class FunctionWriter {
  private readonly code: number[] = [];
  private readonly labels: boolean[] = [];
  private readonly body: FunctionBody;
  private readonly types: TypeIndices;

  constructor(body: FunctionBody, types: TypeIndices) {
    this.body = body;
    this.types = types;
  }

  run(): number[] {
    this.statements(this.body.body);
    this.expressions(this.body.results);
    const locals = this.body.locals.map((type) => [1, TYPE_CODE[type]]);
    return [...vector(locals), ...this.code, Op.end];
  }

  /** An instruction, and the bytes behind its number. */
  private emit(op: number, ...bytes: readonly number[]): void {
    pushOpcode(this.code, op);
    for (const byte of bytes) this.code.push(byte);
  }

  private open(op: number, type: readonly number[], isBlock: boolean): void {
    this.emit(op, ...type);
    this.labels.push(isBlock);
  }

  private close(): void {
    this.emit(Op.end);
    this.labels.pop();
  }

  private constant(type: Type, value: bigint): void {
    for (const byte of constantInstruction(TYPE_CODE[type], value)) this.code.push(byte);
  }

  private memory(op: number, width: Width, { offset }: Place): void {
    this.emit(op, isAtomic(op) ? Math.log2(width) : 0, ...u32(offset));
  }

  private statements(all: readonly Statement[]): void {
    for (const statement of all) this.statement(statement);
  }
  private expressions(all: readonly Expression[]): void {
    for (const each of all) this.expression(each);
  }

  private statement(statement: Statement): void {
    switch (statement.kind) {
      case "set":
        this.expression(statement.value);
        return this.emit(Op["local.set"], ...u32(statement.index));
      case "set-global":
        this.expression(statement.value);
        return this.emit(Op["global.set"], ...u32(statement.index));
      case "store":
      case "atomic-store":
        return this.store(statement);
      case "drop":
        this.expression(statement.value);
        return this.emit(Op.drop);
      case "fence":
        return this.emit(Op["atomic.fence"], 0);
      case "call-many":
        this.expressions(statement.args);
        this.emit(Op.call, ...u32(statement.callee + 1));
        for (const index of statement.into.toReversed()) this.emit(Op["local.set"], ...u32(index));
        return;
      case "fill":
        this.expressions([statement.to, statement.byte, statement.length]);
        return this.emit(Op["memory.fill"], 0);
      case "copy":
        this.expressions([statement.to, statement.from, statement.length]);
        return this.emit(Op["memory.copy"], 0, 0);
      case "init":
        this.expressions([statement.to, statement.from, statement.length]);
        return this.emit(Op["memory.init"], ...u32(statement.segment), 0);
      case "drop-segment":
        return this.emit(Op["data.drop"], ...u32(statement.segment));
      case "trap":
        // In a block, so that what follows needs no types.
        return this.emit(Op.block, EMPTY_BLOCK, Op.unreachable, Op.end);
      case "abort":
        return this.emit(Op["i32.const"], 0, Op["i32.const"], 0, Op["i32.const"], 0, Op["i32.const"], 0, Op.call, 0);
      case "return":
        this.expressions(this.body.results);
        return this.emit(Op.return);
      default:
        return this.control(statement);
    }
  }

  private store(statement: Extract<Statement, { kind: "store" | "atomic-store" }>): void {
    const { width, place, value } = statement;
    this.expressions([place.address, value]);
    const access = statement.kind === "store" ? "store" : "atomic.store";
    this.memory(opNamed(`${value.type}.${access}${narrow(value.type, width)}`), width, place);
  }

  private control(
    statement: Extract<Statement, { kind: "if" | "repeat" | "await" | "block" | "break" | "switch" | "hold" | "fold" }>,
  ): void {
    switch (statement.kind) {
      case "if":
        this.expression(statement.condition);
        this.open(Op.if, [EMPTY_BLOCK], false);
        this.statements(statement.yes);
        if (statement.no.length > 0) {
          this.emit(Op.else);
          this.statements(statement.no);
        }
        return this.close();
      case "repeat":
        this.emit(Op["i32.const"], 0, Op["local.set"], ...u32(statement.counter));
        this.open(Op.loop, [EMPTY_BLOCK], false);
        this.statements(statement.body);
        this.countUp(statement.counter, statement.times);
        this.emit(Op.br_if, 0);
        return this.close();
      case "await":
        this.open(Op.loop, [EMPTY_BLOCK], false);
        this.expression(statement.condition);
        this.emit(Op.br_if, 0);
        return this.close();
      case "block":
        this.open(Op.block, [EMPTY_BLOCK], true);
        this.statements(statement.body);
        return this.close();
      case "break": {
        this.expression(statement.condition);
        const blocks = this.labels.flatMap((isBlock, at) => (isBlock ? [at] : []));
        const at = blocks[blocks.length - 1 - statement.depth] ?? 0;
        return this.emit(Op.br_if, ...u32(this.labels.length - 1 - at));
      }
      case "switch":
        return this.branchTable(statement);
      case "hold":
        return this.hold(statement);
      case "fold":
        return this.fold(statement);
      default:
        statement satisfies never;
    }
  }

  private countUp(counter: number, times: number): void {
    const index = u32(counter);
    this.emit(
      Op["local.get"],
      ...index,
      Op["i32.const"],
      1,
      Op["i32.add"],
      Op["local.tee"],
      ...index,
      Op["i32.const"],
      ...signed(BigInt(times)),
      Op["i32.lt_u"],
    );
  }

  /** Case by case, each in a block of its own that the table leads to the end of. */
  private branchTable({ index, cases }: Extract<Statement, { kind: "switch" }>): void {
    this.open(Op.block, [EMPTY_BLOCK], false);
    for (const each of cases) {
      void each;
      this.open(Op.block, [EMPTY_BLOCK], false);
    }
    this.expression(index);
    this.emit(Op.br_table, ...u32(cases.length - 1), ...[...cases.keys()].flatMap(u32));
    for (const [at, body] of cases.entries()) {
      this.close();
      this.statements(body);
      // Out of the outermost block.
      this.emit(Op.br, ...u32(cases.length - 1 - at));
    }
    this.close();
  }

  private hold({ left, right, body, into }: Extract<Statement, { kind: "hold" }>): void {
    this.expressions([left, right]);
    const types: Signature = { params: [left.type, right.type], results: [left.type, right.type] };
    this.open(Op.block, signed(BigInt(this.types.of(types))), false);
    this.statements(body);
    this.close();
    this.emit(Op["local.set"], ...u32(into[1]), Op["local.set"], ...u32(into[0]));
  }

  private fold({ counter, times, start, step, into }: Extract<Statement, { kind: "fold" }>): void {
    this.emit(Op["i32.const"], 0, Op["local.set"], ...u32(counter));
    this.expression(start);
    const types: Signature = { params: [start.type], results: [start.type] };
    this.open(Op.loop, signed(BigInt(this.types.of(types))), false);
    this.expression(step);
    this.emit(start.type === "i64" ? Op["i64.add"] : Op["i32.add"]);
    this.countUp(counter, times);
    this.emit(Op.br_if, 0);
    this.close();
    this.emit(Op["local.set"], ...u32(into));
  }

  private expression(node: Expression): void {
    switch (node.kind) {
      case "constant":
        return this.constant(node.type, node.value);
      case "local":
        return this.emit(Op["local.get"], ...u32(node.index));
      case "global":
        return this.emit(Op["global.get"], ...u32(node.index));
      case "tee":
        this.expression(node.value);
        return this.emit(Op["local.tee"], ...u32(node.index));
      case "eqz":
        this.expression(node.value);
        return this.emit(node.value.type === "i64" ? Op["i64.eqz"] : Op["i32.eqz"]);
      case "convert":
        this.expression(node.value);
        return this.convert(node.value.type, node.type);
      case "binary":
        this.expressions([node.left, node.right]);
        return this.emit(opNamed(`${node.left.type === "i64" ? "i64" : "i32"}.${node.operation}`));
      case "select":
        this.expressions([node.yes, node.no, node.condition]);
        return this.emit(Op.select);
      case "either":
        this.expression(node.condition);
        this.open(Op.if, [TYPE_CODE[node.type]], false);
        this.expression(node.yes);
        this.emit(Op.else);
        this.expression(node.no);
        return this.close();
      case "early":
        this.open(Op.block, [TYPE_CODE[node.type]], false);
        this.expressions([node.value, node.condition]);
        this.emit(Op.br_if, 0, Op.drop);
        this.expression(node.other);
        return this.close();
      case "call":
        this.expressions(node.args);
        return this.emit(Op.call, ...u32(node.callee + 1));
      case "indirect":
        this.expressions([...node.args, node.slot]);
        return this.emit(Op.call_indirect, ...u32(this.types.of(node.signature)), 0);
      default:
        return this.access(node);
    }
  }

  private convert(from: Type, to: Type): void {
    const code = CONVERSIONS[`${from}>${to}`];
    if (code === undefined) throw new Error(`there is no conversion from ${from} to ${to}`);
    this.emit(code);
  }

  private access(node: AccessExpression): void {
    switch (node.kind) {
      case "load":
        this.expression(node.place.address);
        return this.memory(opNamed(`${node.type}.load${extended(node)}`), node.width, node.place);
      case "atomic-load":
        this.expression(node.place.address);
        return this.memory(opNamed(`${node.type}.atomic.load${unsigned(node)}`), node.width, node.place);
      case "rmw":
        this.expressions([node.place.address, node.operand]);
        return this.update(node, node.action);
      case "cmpxchg":
        this.expressions([node.place.address, node.expected, node.replacement]);
        return this.update(node, "cmpxchg");
      case "wait":
        this.expressions([node.place.address, node.expected]);
        this.constant("i64", node.timeout);
        return this.memory(
          node.width === 4 ? Op["memory.atomic.wait32"] : Op["memory.atomic.wait64"],
          node.width,
          node.place,
        );
      case "notify":
        this.expressions([node.place.address, node.count]);
        return this.memory(Op["memory.atomic.notify"], 4, node.place);
      case "size":
        return this.emit(Op["memory.size"], 0);
      case "grow":
        this.expression(node.pages);
        return this.emit(Op["memory.grow"], 0);
      default:
        node satisfies never;
    }
  }

  private update(node: Sized & { readonly place: Place }, operation: RmwOperation): void {
    const bits = narrow(node.type, node.width);
    const op = opNamed(`${node.type}.atomic.rmw${bits}.${operation}${bits === "" ? "" : "_u"}`);
    this.memory(op, node.width, node.place);
  }
}

interface Sized {
  readonly type: Type;
  readonly width: Width;
}

/** The bits of an access that is narrower than its type, as its name has them. */
function narrow(type: Type, width: Width): string {
  return width === (type === "i32" || type === "f32" ? 4 : 8) ? "" : String(8 * width);
}

function unsigned({ type, width }: Sized): string {
  const bits = narrow(type, width);
  return bits === "" ? "" : `${bits}_u`;
}

function extended(node: Sized & { readonly signed: boolean }): string {
  const bits = narrow(node.type, node.width);
  return bits === "" ? "" : `${bits}_${node.signed ? "s" : "u"}`;
}

const CONVERSIONS: Readonly<Record<string, number>> = {
  "i64>i32": Op["i32.wrap_i64"],
  "i32>i64": Op["i64.extend_i32_u"],
  "f32>i32": Op["i32.reinterpret_f32"],
  "f64>i64": Op["i64.reinterpret_f64"],
  "i32>f32": Op["f32.reinterpret_i32"],
  "i64>f64": Op["f64.reinterpret_i64"],
};
