// Body: the statements and expressions of one generated function.
//
// Owner: one function of a generation. Invariant: `budget` goes down with each access, and no access is made below 1, so
// that a program stays small enough to try every interleaving; only an await may go round without end.
// Pairs with: generate.ts, access.ts (the accesses), shape.ts.

import type { Expression, FunctionBody, Place, Statement, Type } from "./ast.ts";
import { BINARY_OPERATIONS } from "./ast.ts";
import { AccessMaker } from "./access.ts";
import type { BodyOptions } from "./body-options.ts";
import type { RandomSource } from "./random-numbers.ts";
import type { Shape } from "./shape.ts";
import { GUARDED_FROM } from "./shape.ts";

export const constant = (type: Type, value: number | bigint): Expression => ({
  kind: "constant",
  type,
  value: BigInt.asUintN(type === "i32" || type === "f32" ? 32 : 64, BigInt(value)),
});
export const place = (address: number): Place => ({ address: constant("i32", address), offset: 0 });

/** Locals of each type that statements share; counters and what a call sets are added. */
const SCRATCH: readonly Type[] = ["i32", "i32", "i64", "i64"];

export class BodyMaker {
  budget: number;
  private readonly random: RandomSource;
  private readonly shape: Shape;
  private readonly options: BodyOptions;
  private readonly locals: Type[] = [...SCRATCH];
  private readonly access: AccessMaker;
  private depth = 0;
  /** Block statements around. */
  private blocks = 0;
  private loops = 1;

  constructor(random: RandomSource, shape: Shape, options: BodyOptions) {
    this.random = random;
    this.shape = shape;
    this.options = options;
    this.budget = options.budget;
    this.access = new AccessMaker(random, shape, options, (type) => this.pure(type));
  }

  finish(body: readonly Statement[], results: readonly Expression[]): FunctionBody {
    const signature = { params: this.options.params, results: results.map(({ type }) => type) };
    return { signature, locals: this.locals, body, results };
  }

  private addLocal(type: Type): number {
    return this.options.params.length + this.locals.push(type) - 1;
  }

  private localOf(type: Type): number {
    const all = [...this.options.params, ...SCRATCH];
    const fitting = all.flatMap((each, index) => (each === type ? [index] : []));
    return this.random.pick(fitting);
  }

  private local(type: Type): Expression {
    return { kind: "local", type, index: this.localOf(type) };
  }

  shared(): Expression {
    return this.access.sharedLoad();
  }

  threadLocal(): Expression {
    return this.access.threadLocal();
  }

  /** All that the thread holds, in one i32. */
  mix(): Expression {
    const wrapped: Expression = { kind: "convert", type: "i32", value: this.local("i64") };
    const left: Expression = {
      kind: "binary",
      type: "i32",
      operation: "shl",
      left: this.local("i32"),
      right: constant("i32", 2),
    };
    return { kind: "binary", type: "i32", operation: "xor", left, right: wrapped };
  }

  /** An expression without accesses. */
  pure(type: "i32" | "i64", depth = 2): Expression {
    const { random } = this;
    const choice = random.below(depth > 0 ? 10 : 5);
    if (choice < 3) return constant(type, this.number());
    if (choice < 5) return this.local(type);
    const inner = (of: "i32" | "i64" = type): Expression => this.pure(of, depth - 1);
    switch (choice) {
      case 5:
        return { kind: "global", type, index: type === "i32" ? 1 : 2 };
      case 6:
        return { kind: "convert", type, value: inner(type === "i32" ? "i64" : "i32") };
      case 7:
        return { kind: "select", type, condition: inner("i32"), yes: inner(), no: inner() };
      default: {
        const operation = random.pick(BINARY_OPERATIONS);
        const compares = operation === "eq" || operation === "ne" || operation === "lt_u";
        if (compares && type === "i64") return { kind: "tee", type, index: this.localOf(type), value: inner() };
        const operand = compares ? random.pick(["i32", "i64"] as const) : type;
        return { kind: "binary", type, operation, left: inner(operand), right: inner(operand) };
      }
    }
  }

  private number(): number | bigint {
    const { random } = this;
    if (random.chance(0.8)) return random.below(4);
    return random.pick([-1n, 127n, 128n, 255n, 256n, 257n, 0x8000n, 0x10000n, 0x7fffffffn, 0x80000000n, 0x100000001n]);
  }

  /** An expression that may access memory, call, and branch. */
  value(type: "i32" | "i64"): Expression {
    const { random } = this;
    if (this.budget < this.loops || this.depth > 3 || random.chance(0.2)) return this.pure(type);
    this.depth++;
    const made = this.valueOf(type);
    this.depth--;
    return made;
  }

  private valueOf(type: "i32" | "i64"): Expression {
    const { random } = this;
    const choice = random.below(20);
    switch (choice) {
      case 0:
      case 1:
        return { kind: "binary", type, operation: "add", left: this.value(type), right: this.value(type) };
      case 2:
        return {
          kind: "either",
          type,
          condition: this.value("i32"),
          yes: this.value(type),
          no: this.pure(type),
        };
      case 3:
        return { kind: "early", type, value: this.value(type), condition: this.value("i32"), other: this.value(type) };
      case 4:
        return { kind: "convert", type, value: this.value(type === "i32" ? "i64" : "i32") };
      case 5:
      case 6:
        return this.call(type) ?? this.accessOf(type);
      case 7:
        return { kind: "tee", type, index: this.localOf(type), value: this.value(type) };
      default:
        return this.accessOf(type);
    }
  }

  private accessOf(type: "i32" | "i64"): Expression {
    this.budget -= this.loops;
    return this.access.value(type);
  }

  /** A call of a helper with one result of the type, directly or through the table. */
  private call(type: "i32" | "i64"): Expression | undefined {
    const { random } = this;
    const { callees, table } = this.options;
    const fitting = callees.flatMap(({ signature: { results } }, index) =>
      results.length === 1 && results[0] === type ? [index] : [],
    );
    if (fitting.length === 0 || this.budget < 2 * this.loops) return undefined;
    this.budget -= 2 * this.loops;
    const callee = random.pick(fitting);
    const signature = callees[callee]?.signature;
    if (!signature) return undefined;
    const args = signature.params.map((each) => this.pure(each === "i64" ? "i64" : "i32"));
    const slot = table.indexOf(callee);
    if (slot < 0 || random.chance(0.5)) return { kind: "call", type, callee, args };
    const index = constant("i32", random.chance(this.shape.stray) ? 7 : slot);
    const by: Expression = random.chance(0.5)
      ? index
      : { kind: "binary", type: "i32", operation: "and", left: index, right: constant("i32", 7) };
    return { kind: "indirect", type, signature, slot: by, args };
  }

  statements(count: number): Statement[] {
    const list: Statement[] = [];
    for (let i = 0; i < count; i++) list.push(...this.snippet());
    return list;
  }

  /** A few statements that belong together. */
  snippet(): Statement[] {
    const { random, shape } = this;
    if (this.budget < this.loops) return [this.simple()];
    if (this.depth < 2 && this.options.own !== undefined) {
      if (shape.awaits && this.loops === 1 && random.chance(0.2)) return this.awaiting();
      if (random.chance(0.12)) return this.published();
    }
    if (this.depth < 2 && random.chance(0.4)) {
      this.depth++;
      const made = this.nested();
      this.depth--;
      return [made];
    }
    return [this.simple()];
  }

  private simple(): Statement {
    const { random, shape } = this;
    const choice = random.below(16);
    const type = random.pick(["i32", "i32", "i64"] as const);
    if (this.budget >= this.loops) {
      if (choice < 5) {
        this.budget -= this.loops;
        return this.access.statement();
      }
      if (choice < 10 && shape.bulk && random.chance(0.6)) {
        this.budget -= this.loops;
        return this.access.bulk();
      }
      if (choice === 6) {
        const made = this.callMany();
        if (made) return made;
      }
      if (choice === 7) return { kind: "drop", value: this.value(type) };
    }
    if (choice === 8) return { kind: "fence" };
    if (choice === 9) return { kind: "set-global", index: type === "i32" ? 1 : 2, value: this.value(type) };
    if (choice === 10 && this.blocks > 0)
      return { kind: "break", depth: random.below(this.blocks), condition: this.value("i32") };
    if (choice === 11 && random.chance(0.15))
      return { kind: "if", condition: this.value("i32"), yes: [{ kind: random.pick(["trap", "abort"]) }], no: [] };
    if (choice === 12 && random.chance(0.3))
      return { kind: "if", condition: this.value("i32"), yes: [{ kind: "return" }], no: [] };
    return { kind: "set", index: this.localOf(type), value: this.value(type) };
  }

  private callMany(): Statement | undefined {
    const { random } = this;
    const fitting = this.options.callees.flatMap(({ signature }, index) =>
      signature.results.length === 2 ? [{ index, signature }] : [],
    );
    if (fitting.length === 0 || this.budget < 2 * this.loops) return undefined;
    this.budget -= 2 * this.loops;
    const { index, signature } = random.pick(fitting);
    const args = signature.params.map((each) => this.pure(each === "i64" ? "i64" : "i32"));
    const into = signature.results.map((each) => this.localOf(each));
    return { kind: "call-many", callee: index, args, into };
  }

  private nested(): Statement {
    const { random } = this;
    const body = (): Statement[] => this.statements(1 + random.below(2));
    switch (random.below(7)) {
      case 0:
      case 1:
        return { kind: "if", condition: this.value("i32"), yes: body(), no: random.chance(0.5) ? body() : [] };
      case 2:
        return this.repeat(body);
      case 3: {
        this.blocks++;
        const inner = [...body(), this.breaking(), ...body()];
        this.blocks--;
        return { kind: "block", body: inner };
      }
      case 4: {
        const index = this.value("i32");
        return { kind: "switch", index, cases: [body(), body(), ...(random.chance(0.5) ? [body()] : [])] };
      }
      case 5: {
        const [left, right] = [this.value("i32"), this.value("i64")];
        return { kind: "hold", left, right, body: body(), into: [this.localOf("i32"), this.localOf("i64")] };
      }
      default:
        return this.fold();
    }
  }

  private breaking(): Statement {
    return { kind: "break", depth: 0, condition: this.value("i32") };
  }

  private repeat(body: () => Statement[]): Statement {
    const times = 2 + this.random.below(2);
    const counter = this.addLocal("i32");
    this.loops *= times;
    const inner = body();
    this.loops /= times;
    return { kind: "repeat", counter, times, body: inner };
  }

  private fold(): Statement {
    const type = this.random.pick(["i32", "i64"] as const);
    const start = this.value(type);
    const counter = this.addLocal("i32");
    this.loops *= 2;
    const step = this.value(type);
    this.loops /= 2;
    return { kind: "fold", counter, times: 2, start, step, into: this.localOf(type) };
  }

  /** Spins until a shared word has a value, or has lost one. */
  private awaiting(): Statement[] {
    this.budget--;
    const load = this.access.sharedLoad();
    const operation = this.random.pick(["eq", "ne", "eq"] as const);
    const right = constant(load.type, this.random.below(2));
    return [{ kind: "await", condition: { kind: "binary", type: "i32", operation, left: load, right } }];
  }

  /** Plain data behind a flag: one side publishes, the other looks at the flag first. */
  private published(): Statement[] {
    const { random } = this;
    this.budget -= 2;
    const at = place(GUARDED_FROM + 4 * random.below(2));
    const flag: Place = place(8);
    const width = this.shape.widths[1] ?? 4;
    const type = width === 8 ? "i64" : "i32";
    if (random.chance(0.5))
      return [
        { kind: "store", width: 4, place: at, value: this.pure("i32") },
        { kind: "atomic-store", width, place: flag, value: constant(type, 1) },
      ];
    const seen: Expression = { kind: "atomic-load", type, width, place: flag };
    const condition: Expression = {
      kind: "binary",
      type: "i32",
      operation: "eq",
      left: seen,
      right: constant(type, 1),
    };
    const load: Expression = { kind: "load", type: "i32", width: 4, signed: false, place: at };
    return [{ kind: "if", condition, yes: [{ kind: "set", index: this.localOf("i32"), value: load }], no: [] }];
  }
}
