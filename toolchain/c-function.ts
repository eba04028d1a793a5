// C function: one wasm function printed as one C function.
//
// The wasm stack becomes values that are written down as late as possible, so that the C has expressions and not a
// temporary an instruction; an effect writes down first whatever it could change. Blocks become labels behind them,
// loops become `for (;;)` with `continue`, what can never run is left out.
//
// Owner: one FunctionPrinter a function. Invariant: the values on the stack are pure; those that read a local or
// memory are written into a temporary before that local or memory changes, and before control flow parts.
// Pairs with: c-operators.ts, c-access.ts (spelling), wasm-c.h (what the spelling means).
import { atomicCall, DISPLACEMENT_MAX, isNarrowUpdate, loadText, storeText } from "./c-access.ts";
import { element } from "./element.ts";
import { identifier } from "./c-names.ts";
import { cConstant, cType, OPERATORS, templateForConstant } from "./c-operators.ts";
import { condition, isInteger, sumOf, union, type Value, value, wrapped } from "./c-values.ts";
import type { DefinedFunction, FunctionType, Instruction, ValueType, WasmModule } from "./wasm-module.ts";
import { accessBytes } from "./wasm-opcodes.ts";

/** The artifact holds something that has no C here. The message is one clear line. */
export class PrintRefusal extends Error {}

export interface FunctionContext {
  module: WasmModule;
  /** C identifiers by function index. */
  names: string[];
  /** Size of linear memory, for memory.size, memory.fill and memory.copy. */
  memoryBytes: number;
}

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

/** `int32_t name(int32_t a, int64_t b)`: the head shared by prototype and definition. */
export function signature(name: string, type: FunctionType, parameters?: string[]): string {
  const result = type.results[0];
  const list = type.params.map((param, i) => {
    const spelled = cType(integer(param, name));
    return parameters === undefined ? spelled : `${spelled} ${parameters[i]}`;
  });
  if (type.results.length > 1) throw new PrintRefusal(`${name}: functions with several results are outside the subset`);
  const returned = result === undefined ? "void" : cType(integer(result, name));
  return `${returned} ${name}(${list.length === 0 ? "void" : list.join(", ")})`;
}

function integer(type: ValueType, where: string): "i32" | "i64" {
  if (!isInteger(type)) throw new PrintRefusal(`${where}: ${type} values are outside the subset`);
  return type;
}

export class FunctionPrinter {
  private readonly lines: string[] = [];
  private readonly stack: Value[] = [];
  private readonly frames: Frame[] = [];
  private readonly types: ("i32" | "i64")[];
  private readonly localNames: string[];
  private readonly read = new Set<number>();
  private readonly written = new Set<number>();
  private temporaries = 0;
  private labels = 0;
  private next = 0;

  constructor(
    private readonly fn: DefinedFunction,
    private readonly name: string,
    private readonly context: FunctionContext,
  ) {
    this.types = [...fn.type.params, ...fn.locals].map((type) => integer(type, fn.name));
    this.localNames = this.types.map((_, i) => this.localName(i));
  }

  /** The definition, without `static`. Throws PrintRefusal. */
  print(): string {
    const result = this.fn.type.results[0];
    this.frames.push(this.frame("function", result === undefined ? null : integer(result, this.fn.name)));
    while (this.next < this.fn.body.length) this.instruction(element(this.fn.body, this.next++));
    const parameters = this.localNames.slice(0, this.fn.type.params.length);
    return [`${signature(this.name, this.fn.type, parameters)} {`, ...this.declarations(), ...this.lines, "}", ""].join(
      "\n",
    );
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

  private frame(kind: Frame["kind"], type: "i32" | "i64" | null): Frame {
    const number = ++this.labels;
    const result = type === null || kind === "function" ? null : { name: `r${number}`, type };
    const headLine = this.lines.length;
    return {
      kind,
      result,
      height: this.stack.length,
      label: `L${number}`,
      targeted: false,
      headLine,
      hasElse: false,
      firstArmEnds: false,
    };
  }

  // Writing

  private emit(line: string): void {
    this.lines.push("  ".repeat(this.depth()) + line);
  }

  /** Blocks have no braces of their own. */
  private depth(): number {
    return this.frames.filter((frame) => frame.kind !== "block").length;
  }

  /** Writes a pending value down, so that what it reads may change. */
  private settle(index: number): void {
    const one = element(this.stack, index);
    const name = `t${++this.temporaries}`;
    this.emit(`const ${cType(one.type)} ${name} = ${one.text};`);
    this.stack[index] = value(one.type, name, { atomic: true });
  }

  private settleWhere(changes: (one: Value) => boolean): void {
    this.stack.forEach((one, index) => {
      if (changes(one)) this.settle(index);
    });
  }

  private settleMemory(): void {
    this.settleWhere((one) => one.memory);
  }

  private settleAll(): void {
    this.settleWhere((one) => one.constant === null && !/^[tr]\d+$/.test(one.text));
  }

  private push(one: Value): void {
    this.stack.push(one);
  }

  private pop(): Value {
    const one = this.stack.pop();
    if (one === undefined) throw new Error(`${this.fn.name}: the wasm stack is empty`);
    return one;
  }

  /** The result of something with an effect: into the local that takes it, or into a temporary. */
  private effect(type: "i32" | "i64" | null, text: string): void {
    if (type === null) return this.emit(`${text};`);
    const following = element(this.fn.body, this.next);
    if (following.op === "drop") {
      this.next++;
      return this.emit(`(void)${text};`);
    }
    if (following.op === "local.set") {
      this.next++;
      return this.assign(following.index, text);
    }
    const name = `t${++this.temporaries}`;
    this.emit(`const ${cType(type)} ${name} = ${text};`);
    this.push(value(type, name, { atomic: true }));
  }

  private assign(local: number, text: string): void {
    this.settleWhere((one) => one.locals.has(local));
    this.written.add(local);
    this.emit(`${this.localNames[local]} = ${text};`);
  }

  // Reading

  private instruction(one: Instruction): void {
    const operator = OPERATORS.get(one.op);
    if (operator !== undefined) return this.operator(one, operator);
    switch (one.op) {
      case "nop":
        return;
      case "unreachable":
        this.emit("wasm_unreachable();");
        return this.skipDead();
      case "block":
      case "loop":
        return this.enter(one.op, one);
      case "if":
        return this.enterIf(one);
      case "else":
        return this.enterElse();
      case "end":
        return this.leave();
      case "br":
        this.branch(one.index, true);
        return this.skipDead();
      case "br_if":
        return this.branchIf(one);
      case "br_table":
        this.branchTable(one);
        return this.skipDead();
      case "return":
        this.branch(this.frames.length - 1, true);
        return this.skipDead();
      case "call":
        return this.call(one);
      case "drop":
        return this.drop();
      case "select":
        return this.select();
      case "local.get":
        return this.pushLocal(one.index);
      case "local.set":
        return this.assign(one.index, this.pop().text);
      case "local.tee":
        this.assign(one.index, this.pop().text);
        return this.pushLocal(one.index);
      case "global.get":
        return this.globalGet(one);
      case "i32.const":
      case "i64.const":
        return this.pushConstant(one.op === "i32.const" ? "i32" : "i64", one.constant);
      case "memory.size":
        return this.pushConstant("i32", BigInt(this.context.memoryBytes / 65536));
      case "memory.fill":
      case "memory.copy": {
        const [to, from, length] = this.operands(3) as [Value, Value, Value];
        this.settleMemory();
        const name = one.op.replace(".", "_");
        return this.emit(`wasm_${name}(${to.text}, ${from.text}, ${length.text}, ${this.context.memoryBytes});`);
      }
      case "atomic.fence":
        this.settleMemory();
        return this.emit("wasm_atomic_fence();");
      default:
        return this.access(one);
    }
  }

  /** Pops that many operands; the first pushed comes first. */
  private operands(count: number): Value[] {
    return Array.from({ length: count }, () => this.pop()).toReversed();
  }

  private operator(one: Instruction, operator: NonNullable<ReturnType<typeof OPERATORS.get>>): void {
    const type = one.op.startsWith("i64.") && !operator.boolean ? "i64" : "i32";
    const values = this.operands(operator.operands);
    const [a, b] = values as [Value, Value | undefined];
    if (/^i\d\d\.eqz$/.test(one.op) && a.boolean)
      return this.push(value("i32", `!(${a.text})`, { locals: a.locals, memory: a.memory, boolean: true }));
    const right = b?.constant ?? null;
    const shorter = right === null ? null : templateForConstant(one.op, right);
    const { template, atomic } = shorter ?? operator;
    const text = template.replace(/\b[ab]\b/g, (letter) => wrapped(letter === "a" ? a : element(values, 1)));
    const sum = one.op === "i32.add" && b !== undefined ? sumOf(a, b) : null;
    const memory = values.some((used) => used.memory) || (operator.traps && shorter === null);
    this.push(value(type, text, { atomic, boolean: operator.boolean, sum, locals: union(values), memory }));
  }

  private pushConstant(type: "i32" | "i64", constant: bigint): void {
    this.push(value(type, cConstant(type, constant), { atomic: true, constant }));
  }

  private pushLocal(index: number): void {
    this.read.add(index);
    const [type, name] = [element(this.types, index), element(this.localNames, index)];
    this.push(value(type, name, { atomic: true, locals: new Set([index]) }));
  }

  private globalGet(one: Instruction): void {
    const global = this.context.module.globals[one.index];
    if (global === undefined || global.mutable || global.constant === null)
      throw new PrintRefusal(`${this.fn.name}: a global that is not a constant is outside the subset`);
    this.pushConstant(integer(global.type, this.fn.name), global.constant);
  }

  private drop(): void {
    const one = this.pop();
    if (one.constant === null) this.emit(`(void)${wrapped(one)};`);
  }

  private select(): void {
    // C evaluates one side only; wasm both, and either may trap.
    for (const fromTop of [3, 2]) if (element(this.stack, -fromTop).memory) this.settle(this.stack.length - fromTop);
    const used = this.operands(3);
    const [ifTrue, ifFalse, chosen] = used as [Value, Value, Value];
    const text = `${chosen.boolean ? `(${chosen.text})` : condition(chosen)} ? ${wrapped(ifTrue)} : ${wrapped(ifFalse)}`;
    const traits = { locals: union(used), memory: used.some((each) => each.memory) };
    this.push(value(ifTrue.type, text, traits));
  }

  private call(one: Instruction): void {
    const target = this.context.module.functions[one.index];
    if (target === undefined) throw new Error(`${this.fn.name}: calls function ${one.index}, which does not exist`);
    const list = this.operands(target.type.params.length).map((argument) => argument.text);
    this.settleMemory();
    const result = target.type.results[0];
    const type = result === undefined ? null : integer(result, this.fn.name);
    this.effect(type, `${this.context.names[one.index]}(${list.join(", ")})`);
  }

  // Memory

  private access(one: Instruction): void {
    const known = /^i(32|64)\.(atomic\.)?(load|store|rmw)/.test(one.op) && !isNarrowUpdate(one.op);
    if (!known) throw new PrintRefusal(`${this.fn.name}: ${one.op} is outside the subset`);
    if (one.offset >= DISPLACEMENT_MAX)
      throw new PrintRefusal(
        `${this.fn.name}: ${one.op} has the offset ${one.offset}, at or above ${DISPLACEMENT_MAX}`,
      );
    const type = one.op.startsWith("i64") ? "i64" : "i32";
    const atomic = one.op.includes(".atomic.");
    if (atomic && one.align !== accessBytes(one.op))
      throw new PrintRefusal(`${this.fn.name}: ${one.op} is not aligned to its width`);
    if (one.op.includes("cmpxchg")) {
      const [address, expected, replacement] = this.operands(3) as [Value, Value, Value];
      this.settleMemory();
      return this.effect(type, atomicCall(one.op, address, one.offset, [expected, replacement]));
    }
    if (one.op.includes("store")) {
      const [address, stored] = this.operands(2) as [Value, Value];
      this.settleMemory();
      if (atomic) return this.emit(`${atomicCall(one.op, address, one.offset, [stored])};`);
      return this.emit(storeText(one.op, address, stored, one.offset));
    }
    if (one.op.includes("rmw")) {
      const [address, operand] = this.operands(2) as [Value, Value];
      this.settleMemory();
      return this.effect(type, atomicCall(one.op, address, one.offset, [operand]));
    }
    const address = this.pop();
    if (atomic) {
      this.settleMemory();
      return this.effect(type, atomicCall(one.op, address, one.offset, []));
    }
    this.push(
      value(type, loadText(one.op, address, one.offset).text, { atomic: true, locals: address.locals, memory: true }),
    );
  }

  // Control flow

  private enter(kind: "block" | "loop", one: Instruction): void {
    this.settleAll();
    const frame = this.frame(kind, one.blockType === null ? null : integer(one.blockType, this.fn.name));
    this.declareResult(frame);
    frame.headLine = this.lines.length;
    if (kind === "loop") this.emit("for (;;) {");
    this.frames.push(frame);
  }

  private enterIf(one: Instruction): void {
    const chosen = this.pop();
    this.settleAll();
    const frame = this.frame("if", one.blockType === null ? null : integer(one.blockType, this.fn.name));
    this.declareResult(frame);
    this.emit(`if (${condition(chosen)}) {`);
    this.frames.push(frame);
  }

  private declareResult(frame: Frame): void {
    if (frame.result !== null) this.emit(`${cType(frame.result.type)} ${frame.result.name};`);
  }

  private enterElse(): void {
    const frame = element(this.frames, -1);
    this.carry(frame);
    frame.firstArmEnds = true;
    this.openElse(frame);
  }

  private openElse(frame: Frame): void {
    this.stack.length = frame.height;
    frame.hasElse = true;
    this.frames.pop();
    this.emit("} else {");
    this.frames.push(frame);
  }

  /** The end of a construct that is reached. */
  private leave(): void {
    const frame = element(this.frames, -1);
    if (frame.kind === "function") {
      if (this.fn.type.results.length > 0) this.emit(`return ${this.pop().text};`);
      this.frames.pop();
      return;
    }
    this.carry(frame);
    if (frame.kind === "loop") this.emit("break;");
    this.close(frame);
  }

  private carry(frame: Frame): void {
    if (frame.result !== null) this.emit(`${frame.result.name} = ${this.pop().text};`);
  }

  private close(frame: Frame): void {
    this.frames.pop();
    this.stack.length = frame.height;
    if (frame.kind === "function") return;
    if (frame.kind !== "block") this.emit("}");
    if (frame.targeted && frame.kind === "loop")
      this.lines[frame.headLine] = `${frame.label}:;\n${this.lines[frame.headLine]}`;
    if (frame.targeted && frame.kind !== "loop") this.emit(`${frame.label}:;`);
    if (frame.result !== null) this.push(value(frame.result.type, frame.result.name, { atomic: true }));
  }

  /** The statement that jumps to a label; its value, if it takes one, is assigned before and popped if wanted. */
  private branch(depth: number, consume: boolean): void {
    const { before, jump } = this.jump(depth, consume);
    if (before !== null) this.emit(before);
    this.emit(jump);
  }

  private jump(depth: number, consume: boolean): { before: string | null; jump: string } {
    const frame = element(this.frames, -1 - depth);
    const taken = (): Value => (consume ? this.pop() : element(this.stack, -1));
    if (frame.kind === "function")
      return { before: null, jump: this.fn.type.results.length > 0 ? `return ${taken().text};` : "return;" };
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

  private branchIf(one: Instruction): void {
    const chosen = this.pop();
    // The condition may read what the value's assignment below would not change; the value is read in both cases.
    const { before, jump } = this.jump(one.index, false);
    if (before === null && !jump.startsWith("return ")) return this.emit(`if (${condition(chosen)}) ${jump}`);
    this.emit(`if (${condition(chosen)}) {`);
    if (before !== null) this.emit(`  ${before}`);
    this.emit(`  ${jump}`);
    this.emit("}");
  }

  private branchTable(one: Instruction): void {
    const chosen = this.pop();
    this.settleAll();
    this.emit(`switch ((uint32_t)${wrapped(chosen)}) {`);
    const arms = [...one.labels.map((depth, i) => [`case ${i}:`, depth] as const), ["default:", one.index] as const];
    for (const [head, depth] of arms) {
      const { before, jump } = this.jump(depth, false);
      this.emit(`  ${head} ${before === null ? "" : `${before} `}${jump}`);
    }
    this.emit("}");
  }

  /** Leaves out what follows an unconditional jump, up to the end or else of the construct it stands in. */
  private skipDead(): void {
    let nested = 0;
    while (this.next < this.fn.body.length) {
      const { op } = element(this.fn.body, this.next++);
      if (op === "block" || op === "loop" || op === "if") nested++;
      if (op === "else" && nested === 0) return this.openElse(element(this.frames, -1));
      if (op !== "end") continue;
      if (nested > 0) nested--;
      else return this.endDead(element(this.frames, -1));
    }
  }

  /** The end of a construct whose last instruction jumps away: what follows lives only if something gets there. */
  private endDead(frame: Frame): void {
    const skipped = frame.kind === "if" && (!frame.hasElse || frame.firstArmEnds);
    const reached = skipped || (frame.kind !== "loop" && frame.targeted);
    this.close(frame);
    if (frame.kind === "function" || reached) return;
    if (frame.result !== null) this.stack.pop();
    this.skipDead();
  }
}
