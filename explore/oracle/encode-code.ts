// Encode, code: the body of one abstract function as WebAssembly instructions.
//
// Owner: one body. Invariant: `labels` are the control instructions that are open, innermost last; a block statement's is
// true, so that a break finds it.
// Pairs with: ast.ts, encode.ts.

import type { Expression, FunctionBody, Place, Signature, Statement, Type, Width } from "./ast.ts";
import { RMW_ACTIONS } from "./ast.ts";
import { TYPE_CODE, list, signed, unsigned } from "./encode-bytes.ts";
import type { TypeIndices } from "./encode.ts";

const EMPTY = 0x40;
const BINARY: Readonly<Record<string, readonly [i32: number, i64: number]>> = {
  add: [0x6a, 0x7c],
  sub: [0x6b, 0x7d],
  mul: [0x6c, 0x7e],
  and: [0x71, 0x83],
  or: [0x72, 0x84],
  xor: [0x73, 0x85],
  shl: [0x74, 0x86],
  shr_u: [0x76, 0x88],
  eq: [0x46, 0x51],
  ne: [0x47, 0x52],
  lt_u: [0x49, 0x54],
};
/** By type, then width: the opcodes; of loads signed, then unsigned. */
const LOADS: Readonly<Record<string, readonly [signed: number, unsigned: number]>> = {
  i32_1: [0x2c, 0x2d],
  i32_2: [0x2e, 0x2f],
  i32_4: [0x28, 0x28],
  i64_1: [0x30, 0x31],
  i64_2: [0x32, 0x33],
  i64_4: [0x34, 0x35],
  i64_8: [0x29, 0x29],
  f32_4: [0x2a, 0x2a],
  f64_8: [0x2b, 0x2b],
};
const STORES: Readonly<Record<string, number>> = {
  i32_1: 0x3a,
  i32_2: 0x3b,
  i32_4: 0x36,
  i64_1: 0x3c,
  i64_2: 0x3d,
  i64_4: 0x3e,
  i64_8: 0x37,
  f32_4: 0x38,
  f64_8: 0x39,
};
/** Places of the seven shapes among atomic loads, stores and read-modify-writes, which have two orders. */
const LOAD_ORDER = ["i32_4", "i64_8", "i32_1", "i32_2", "i64_1", "i64_2", "i64_4"];

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
    return [...list(locals), ...this.code, 0x0b];
  }

  private emit(...bytes: readonly number[]): void {
    for (const byte of bytes) this.code.push(byte);
  }

  private open(op: number, type: readonly number[], isBlock: boolean): void {
    this.emit(op, ...type);
    this.labels.push(isBlock);
  }

  private close(): void {
    this.emit(0x0b);
    this.labels.pop();
  }

  private constant(type: Type, value: bigint): void {
    const bits = type === "i32" || type === "f32" ? 32 : 64;
    if (type === "i32" || type === "i64")
      this.emit(type === "i32" ? 0x41 : 0x42, ...signed(BigInt.asIntN(bits, value)));
    else {
      this.emit(type === "f32" ? 0x43 : 0x44);
      for (let i = 0; i < bits; i += 8) this.emit(Number((value >> BigInt(i)) & 0xffn));
    }
  }

  private memory(prefix: readonly number[], width: Width, { offset }: Place): void {
    const isAtomic = prefix[0] === 0xfe;
    this.emit(...prefix, isAtomic ? Math.log2(width) : 0, ...unsigned(offset));
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
        return this.emit(0x21, ...unsigned(statement.index));
      case "set-global":
        this.expression(statement.value);
        return this.emit(0x24, ...unsigned(statement.index));
      case "store":
      case "atomic-store":
        return this.store(statement);
      case "drop":
        this.expression(statement.value);
        return this.emit(0x1a);
      case "fence":
        return this.emit(0xfe, 3, 0);
      case "call-many":
        this.expressions(statement.args);
        this.emit(0x10, ...unsigned(statement.callee + 1));
        for (const index of statement.into.toReversed()) this.emit(0x21, ...unsigned(index));
        return;
      case "fill":
        this.expressions([statement.to, statement.byte, statement.length]);
        return this.emit(0xfc, 11, 0);
      case "copy":
        this.expressions([statement.to, statement.from, statement.length]);
        return this.emit(0xfc, 10, 0, 0);
      case "init":
        this.expressions([statement.to, statement.from, statement.length]);
        return this.emit(0xfc, 8, ...unsigned(statement.segment), 0);
      case "drop-segment":
        return this.emit(0xfc, 9, ...unsigned(statement.segment));
      case "trap":
        // In a block, so that what follows needs no types.
        return this.emit(0x02, EMPTY, 0x00, 0x0b);
      case "abort":
        return this.emit(0x41, 0, 0x41, 0, 0x41, 0, 0x41, 0, 0x10, 0);
      case "return":
        this.expressions(this.body.results);
        return this.emit(0x0f);
      default:
        return this.control(statement);
    }
  }

  private store(statement: Extract<Statement, { kind: "store" | "atomic-store" }>): void {
    const { width, place, value } = statement;
    this.expressions([place.address, value]);
    const shape = `${value.type}_${width}`;
    if (statement.kind === "store") this.memory([STORES[shape] ?? 0], width, place);
    else this.memory([0xfe, 0x17 + LOAD_ORDER.indexOf(shape)], width, place);
  }

  private control(
    statement: Extract<Statement, { kind: "if" | "repeat" | "await" | "block" | "break" | "switch" | "hold" | "fold" }>,
  ): void {
    switch (statement.kind) {
      case "if":
        this.expression(statement.condition);
        this.open(0x04, [EMPTY], false);
        this.statements(statement.yes);
        if (statement.no.length > 0) {
          this.emit(0x05);
          this.statements(statement.no);
        }
        return this.close();
      case "repeat":
        this.emit(0x41, 0, 0x21, ...unsigned(statement.counter));
        this.open(0x03, [EMPTY], false);
        this.statements(statement.body);
        this.countUp(statement.counter, statement.times);
        this.emit(0x0d, 0);
        return this.close();
      case "await":
        this.open(0x03, [EMPTY], false);
        this.expression(statement.condition);
        this.emit(0x0d, 0);
        return this.close();
      case "block":
        this.open(0x02, [EMPTY], true);
        this.statements(statement.body);
        return this.close();
      case "break": {
        this.expression(statement.condition);
        const blocks = this.labels.flatMap((isBlock, at) => (isBlock ? [at] : []));
        const at = blocks[blocks.length - 1 - statement.depth] ?? 0;
        return this.emit(0x0d, ...unsigned(this.labels.length - 1 - at));
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
    const index = unsigned(counter);
    this.emit(0x20, ...index, 0x41, 1, 0x6a, 0x22, ...index, 0x41, ...signed(BigInt(times)), 0x49);
  }

  /** Case by case, each in a block of its own that the table leads to the end of. */
  private branchTable({ index, cases }: Extract<Statement, { kind: "switch" }>): void {
    this.open(0x02, [EMPTY], false);
    for (const each of cases) {
      void each;
      this.open(0x02, [EMPTY], false);
    }
    this.expression(index);
    this.emit(0x0e, ...unsigned(cases.length - 1));
    for (const at of cases.keys()) this.emit(...unsigned(at));
    for (const [at, body] of cases.entries()) {
      this.close();
      this.statements(body);
      // Out of the outermost block.
      this.emit(0x0c, ...unsigned(cases.length - 1 - at));
    }
    this.close();
  }

  private hold({ left, right, body, into }: Extract<Statement, { kind: "hold" }>): void {
    this.expressions([left, right]);
    const types: Signature = { params: [left.type, right.type], results: [left.type, right.type] };
    this.open(0x02, signed(BigInt(this.types.of(types))), false);
    this.statements(body);
    this.close();
    this.emit(0x21, ...unsigned(into[1]), 0x21, ...unsigned(into[0]));
  }

  private fold({ counter, times, start, step, into }: Extract<Statement, { kind: "fold" }>): void {
    this.emit(0x41, 0, 0x21, ...unsigned(counter));
    this.expression(start);
    const types: Signature = { params: [start.type], results: [start.type] };
    this.open(0x03, signed(BigInt(this.types.of(types))), false);
    this.expression(step);
    this.emit(start.type === "i64" ? 0x7c : 0x6a);
    this.countUp(counter, times);
    this.emit(0x0d, 0);
    this.close();
    this.emit(0x21, ...unsigned(into));
  }

  private expression(node: Expression): void {
    switch (node.kind) {
      case "constant":
        return this.constant(node.type, node.value);
      case "local":
        return this.emit(0x20, ...unsigned(node.index));
      case "global":
        return this.emit(0x23, ...unsigned(node.index));
      case "tee":
        this.expression(node.value);
        return this.emit(0x22, ...unsigned(node.index));
      case "eqz":
        this.expression(node.value);
        return this.emit(node.value.type === "i64" ? 0x50 : 0x45);
      case "convert":
        this.expression(node.value);
        return this.convert(node.value.type, node.type);
      case "binary":
        this.expressions([node.left, node.right]);
        return this.emit(BINARY[node.operation]?.[node.left.type === "i64" ? 1 : 0] ?? 0);
      case "select":
        this.expressions([node.yes, node.no, node.condition]);
        return this.emit(0x1b);
      case "either":
        this.expression(node.condition);
        this.open(0x04, [TYPE_CODE[node.type]], false);
        this.expression(node.yes);
        this.emit(0x05);
        this.expression(node.no);
        return this.close();
      case "early":
        this.open(0x02, [TYPE_CODE[node.type]], false);
        this.expressions([node.value, node.condition]);
        this.emit(0x0d, 0, 0x1a);
        this.expression(node.other);
        return this.close();
      case "call":
        this.expressions(node.args);
        return this.emit(0x10, ...unsigned(node.callee + 1));
      case "indirect":
        this.expressions([...node.args, node.slot]);
        return this.emit(0x11, ...unsigned(this.types.of(node.signature)), 0);
      default:
        return this.access(node);
    }
  }

  private convert(from: Type, to: Type): void {
    const key = `${from}>${to}`;
    const codes: Readonly<Record<string, readonly number[]>> = {
      "i64>i32": [0xa7],
      "i32>i64": [0xad],
      "f32>i32": [0xbc],
      "f64>i64": [0xbd],
      "i32>f32": [0xbe],
      "i64>f64": [0xbf],
    };
    const code = codes[key];
    if (!code) throw new Error(`there is no conversion ${key}`);
    this.emit(...code);
  }

  private access(
    node: Extract<
      Expression,
      { kind: "load" | "atomic-load" | "rmw" | "cmpxchg" | "wait" | "notify" | "size" | "grow" }
    >,
  ): void {
    switch (node.kind) {
      case "load":
        this.expression(node.place.address);
        return this.memory([LOADS[`${node.type}_${node.width}`]?.[node.signed ? 0 : 1] ?? 0], node.width, node.place);
      case "atomic-load":
        this.expression(node.place.address);
        return this.memory([0xfe, 0x10 + this.shape(node)], node.width, node.place);
      case "rmw":
        this.expressions([node.place.address, node.operand]);
        return this.memory(
          [0xfe, ...unsigned(0x1e + 7 * RMW_ACTIONS.indexOf(node.action) + this.shape(node))],
          node.width,
          node.place,
        );
      case "cmpxchg":
        this.expressions([node.place.address, node.expected, node.replacement]);
        return this.memory([0xfe, ...unsigned(0x1e + 42 + this.shape(node))], node.width, node.place);
      case "wait":
        this.expressions([node.place.address, node.expected]);
        this.constant("i64", node.timeout);
        return this.memory([0xfe, node.width === 4 ? 1 : 2], node.width, node.place);
      case "notify":
        this.expressions([node.place.address, node.count]);
        return this.memory([0xfe, 0], 4, node.place);
      case "size":
        return this.emit(0x3f, 0);
      case "grow":
        this.expression(node.pages);
        return this.emit(0x40, 0);
      default:
        node satisfies never;
    }
  }

  private shape({ type, width }: { readonly type: Type; readonly width: Width }): number {
    return LOAD_ORDER.indexOf(`${type}_${width}`);
  }
}
