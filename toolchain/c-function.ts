// C function: one wasm function printed as one C function.
//
// The wasm stack becomes values that are written down as late as possible, so that the C has expressions and not a
// temporary an instruction; an effect writes down first whatever it could change.
//
// Owner: one FunctionPrinter a function. Invariant: a value that reads a local or memory is written into a temporary
// before that local or memory changes.
// Pairs with: c-flow.ts (branches), c-operators.ts and c-access.ts (spelling), wasm-c.h (what the spelling means).
import { atomicCall, DISPLACEMENT_MAX, globalText, isNarrowUpdate, loadText, storeText } from "./c-access.ts";
import type { Instruction } from "../wasm/module.ts";
import { accessBytes, nameOf, Op, typeName } from "../wasm/opcodes.ts";
import type { ArtifactModule, DefinedFunction } from "./artifact-module.ts";
import { assertDefined } from "../wasm/assert-defined.ts";
import { identifier } from "./c-names.ts";
import { CFlow } from "./c-flow.ts";
import { cConstant, cType, OPERATORS, templateForConstant } from "./c-operators.ts";
import { integer, PrintRefusal, signature } from "./c-signature.ts";
import { condition, sumOf, union, type Value, value, wrapped } from "./c-values.ts";
import { Cursor, CWriter } from "./c-writer.ts";

export interface FunctionContext {
  module: ArtifactModule;
  /** C identifiers by function index. */
  names: string[];
  /** Size of linear memory, for memory.size, memory.fill and memory.copy. */
  memoryBytes: number;
  /** As in PrintOptions. */
  globalsTop: string | undefined;
}

export class FunctionPrinter {
  private readonly writer: CWriter;
  private readonly cursor: Cursor;
  private readonly flow: CFlow;
  private readonly types: ("i32" | "i64")[];
  private readonly localNames: string[];
  private readonly read = new Set<number>();
  private readonly written = new Set<number>();

  constructor(
    private readonly fn: DefinedFunction,
    private readonly name: string,
    private readonly context: FunctionContext,
  ) {
    this.types = [...fn.type.params, ...fn.locals].map((type) => integer(type, fn.name));
    this.localNames = this.types.map((_, i) => this.localName(i));
    this.writer = new CWriter(fn.name);
    this.cursor = new Cursor(fn.body);
    this.flow = new CFlow(fn.name, fn.type.results.length > 0, this.writer, this.cursor);
  }

  /** The definition, without `static`. Throws PrintRefusal. */
  print(): string {
    while (!this.cursor.isAtEnd) this.instruction(this.cursor.take());
    const parameters = this.localNames.slice(0, this.fn.type.params.length);
    return [
      `${signature(this.name, this.fn.type, parameters)} {`,
      ...this.declarations(),
      ...this.writer.lines,
      "}",
      "",
    ].join("\n");
  }

  private localName(index: number): string {
    const named = this.fn.localNames.get(index);
    if (named !== undefined && /^[A-Za-z]/.test(named)) return `${identifier(named)}_${index}`;
    return `${index < this.fn.type.params.length ? "a" : "v"}${index}`;
  }

  /** Locals that are used, and a word for the compiler about those that are not. */
  private declarations(): string[] {
    const parameters = this.fn.type.params.length;
    const used = this.types
      .map((_, i) => i)
      .filter((i) => i >= parameters && (this.read.has(i) || this.written.has(i)));
    const lines: string[] = [];
    for (const type of ["i32", "i64"] as const) {
      const names = used.filter((i) => this.types[i] === type).map((i) => `${this.localNames[i]} = 0`);
      if (names.length > 0) lines.push(`  ${cType(type)} ${names.join(", ")};`);
    }
    const unread = this.types
      .map((_, i) => i)
      .filter((i) => !this.read.has(i) && (i < parameters || this.written.has(i)));
    return [...lines, ...unread.map((i) => `  (void)${this.localNames[i]};`)];
  }

  /** The result of something with an effect: into the local that takes it, or into a temporary. */
  private effect(type: "i32" | "i64" | null, text: string): void {
    if (type === null) return this.writer.emit(`${text};`);
    const following = this.cursor.peek();
    if (following.op === Op.drop) {
      this.cursor.take();
      return this.writer.emit(`(void)${text};`);
    }
    if (following.op === Op["local.set"] || following.op === Op["local.tee"]) {
      this.cursor.take();
      this.assign(following.a, text);
      return following.op === Op["local.tee"] ? this.pushLocal(following.a) : undefined;
    }
    this.writer.push(this.writer.temporary(type, text));
  }

  private assign(local: number, text: string): void {
    this.writer.settleWhere((one) => one.locals.has(local));
    this.written.add(local);
    this.writer.emit(`${this.localNames[local]} = ${text};`);
  }

  private instruction(one: Instruction): void {
    const operator = OPERATORS.get(nameOf(one.op));
    if (operator !== undefined) return this.operator(one, operator);
    switch (one.op) {
      case Op.nop:
        return;
      case Op.unreachable:
        this.writer.emit("wasm_unreachable();");
        return this.flow.skipDead();
      case Op.block:
        return this.flow.enter("block", one);
      case Op.loop:
        return this.flow.enter("loop", one);
      case Op.if:
        return this.flow.enterIf(one);
      case Op.else:
        return this.flow.enterElse();
      case Op.end:
        return this.flow.leave();
      case Op.br:
        this.flow.branch(one.a, true);
        return this.flow.skipDead();
      case Op.br_if:
        return this.flow.branchIf(one);
      case Op.br_table:
        this.flow.branchTable(one);
        return this.flow.skipDead();
      case Op.return:
        this.flow.leaveFunction();
        return this.flow.skipDead();
      case Op.call:
        return this.call(one);
      case Op.drop:
        return this.drop();
      case Op.select:
        return this.select();
      case Op["local.get"]:
        return this.pushLocal(one.a);
      case Op["local.set"]:
        return this.assign(one.a, this.writer.pop().text);
      case Op["local.tee"]:
        this.assign(one.a, this.writer.pop().text);
        return this.pushLocal(one.a);
      case Op["global.get"]:
        return this.globalGet(one);
      case Op["global.set"]:
        return this.globalSet(one);
      case Op["i32.const"]:
      case Op["i64.const"]:
        return this.pushConstant(one.op === Op["i32.const"] ? "i32" : "i64", one.value ?? 0n);
      case Op["memory.size"]:
        return this.pushConstant("i32", BigInt(this.context.memoryBytes / 65536));
      case Op["memory.fill"]:
      case Op["memory.copy"]: {
        const [to, from, length] = this.writer.operands(3) as [Value, Value, Value];
        this.writer.settleMemory();
        const name = nameOf(one.op).replace(".", "_");
        return this.writer.emit(`wasm_${name}(${to.text}, ${from.text}, ${length.text}, ${this.context.memoryBytes});`);
      }
      case Op["atomic.fence"]:
        this.writer.settleMemory();
        return this.writer.emit("wasm_atomic_fence();");
      default:
        return this.access(one);
    }
  }

  private operator(one: Instruction, operator: NonNullable<ReturnType<typeof OPERATORS.get>>): void {
    const op = nameOf(one.op);
    const type = op.startsWith("i64.") && !operator.boolean ? "i64" : "i32";
    const values = this.writer.operands(operator.operands);
    const [a, b] = values as [Value, Value | undefined];
    if (/^i\d\d\.eqz$/.test(op) && a.boolean)
      return this.writer.push(value("i32", `!(${a.text})`, { locals: a.locals, memory: a.memory, boolean: true }));
    const right = b?.constant ?? null;
    const shorter = right === null ? null : templateForConstant(op, right);
    const { template, atomic } = shorter ?? operator;
    const text = template.replace(/\b[ab]\b/g, (operand) => wrapped(operand === "a" ? a : assertDefined(values.at(1))));
    const sum = one.op === Op["i32.add"] && b !== undefined ? sumOf(a, b) : null;
    const memory = values.some((used) => used.memory) || (operator.traps && shorter === null);
    this.writer.push(value(type, text, { atomic, boolean: operator.boolean, sum, locals: union(values), memory }));
  }

  private pushConstant(type: "i32" | "i64", constant: bigint): void {
    this.writer.push(value(type, cConstant(type, constant), { atomic: true, constant }));
  }

  private pushLocal(index: number): void {
    this.read.add(index);
    const [type, name] = [assertDefined(this.types.at(index)), assertDefined(this.localNames.at(index))];
    this.writer.push(value(type, name, { atomic: true, locals: new Set([index]) }));
  }

  private globalGet(one: Instruction): void {
    const { globals } = this.context.module.wasm;
    const global = globals[one.a];
    if (global !== undefined && !global.mutable && global.imported === undefined)
      return this.pushConstant(integer(typeName(global.type), this.fn.name), global.initial);
    const text = this.mutableGlobal(one);
    this.writer.push(
      value(integer(typeName(assertDefined(global).type), this.fn.name), text, { atomic: true, memory: true }),
    );
  }

  private globalSet(one: Instruction): void {
    const text = this.mutableGlobal(one);
    const stored = this.writer.pop();
    this.writer.settleMemory();
    this.writer.emit(`${text} = ${stored.text};`);
  }

  private mutableGlobal({ a: index }: Instruction): string {
    const { globals } = this.context.module.wasm;
    const { globalsTop } = this.context;
    if (globalsTop === undefined || globals[index]?.imported !== undefined)
      throw new PrintRefusal(`${this.fn.name}: a global that is not a constant is outside the subset`);
    return globalText(globals, index, globalsTop);
  }

  private drop(): void {
    const one = this.writer.pop();
    if (one.constant === null) this.writer.emit(`(void)${wrapped(one)};`);
  }

  private select(): void {
    // C evaluates one side only; wasm both, and either may trap.
    for (const fromTop of [3, 2]) if (assertDefined(this.writer.stack.at(-fromTop)).memory) this.writer.settle(fromTop);
    const used = this.writer.operands(3);
    const [ifTrue, ifFalse, chosen] = used as [Value, Value, Value];
    const text = `${chosen.boolean ? `(${chosen.text})` : condition(chosen)} ? ${wrapped(ifTrue)} : ${wrapped(ifFalse)}`;
    const traits = { locals: union(used), memory: used.some((each) => each.memory) };
    this.writer.push(value(ifTrue.type, text, traits));
  }

  private call(one: Instruction): void {
    const target = this.context.module.functions[one.a];
    if (target === undefined) throw new Error(`${this.fn.name}: calls function ${one.a}, which does not exist`);
    const list = this.writer.operands(target.type.params.length).map((argument) => argument.text);
    this.writer.settleMemory();
    const result = target.type.results[0];
    const type = result === undefined ? null : integer(result, this.fn.name);
    this.effect(type, `${this.context.names[one.a]}(${list.join(", ")})`);
  }

  // Memory

  private access(one: Instruction): void {
    const [op, offset] = [nameOf(one.op), one.b];
    const known = /^i(32|64)\.(atomic\.)?(load|store|rmw)/.test(op) && !isNarrowUpdate(op);
    if (!known) throw new PrintRefusal(`${this.fn.name}: ${op} is outside the subset`);
    if (offset >= DISPLACEMENT_MAX)
      throw new PrintRefusal(`${this.fn.name}: ${op} has the offset ${offset}, at or above ${DISPLACEMENT_MAX}`);
    const type = op.startsWith("i64") ? "i64" : "i32";
    const atomic = op.includes(".atomic.");
    if (atomic && 2 ** one.a !== accessBytes(one.op))
      throw new PrintRefusal(`${this.fn.name}: ${op} is not aligned to its width`);
    if (op.includes("cmpxchg")) {
      const [address, expected, replacement] = this.writer.operands(3) as [Value, Value, Value];
      this.writer.settleMemory();
      return this.effect(type, atomicCall(op, address, offset, [expected, replacement]));
    }
    if (op.includes("store")) {
      const [address, stored] = this.writer.operands(2) as [Value, Value];
      this.writer.settleMemory();
      if (atomic) return this.writer.emit(`${atomicCall(op, address, offset, [stored])};`);
      return this.writer.emit(storeText(op, address, stored, offset));
    }
    if (op.includes("rmw")) {
      const [address, operand] = this.writer.operands(2) as [Value, Value];
      this.writer.settleMemory();
      return this.effect(type, atomicCall(op, address, offset, [operand]));
    }
    const address = this.writer.pop();
    if (atomic) {
      this.writer.settleMemory();
      return this.effect(type, atomicCall(op, address, offset, []));
    }
    this.writer.push(
      value(type, loadText(op, address, offset).text, { atomic: true, locals: address.locals, memory: true }),
    );
  }
}
