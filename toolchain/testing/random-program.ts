// Random program: a text module of nested control flow, locals, memory and calls, the same for the same seed
// (tests only).
//
// Owner: one generator a program. Invariant: every program ends. Loops count down in locals of their own, and a
// function calls only those before it.
import type { CalledExport } from "./native-run.ts";
import { moduleText } from "./opcode-module.ts";

type Integer = "i32" | "i64";
const BINARY = "add sub mul and or xor shl shr_s shr_u rotl rotr div_s div_u rem_s rem_u".split(" ");
const COMPARE = "eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u".split(" ");
const LOADS = {
  i32: "load load8_s load8_u load16_s load16_u",
  i64: "load load8_u load16_s load32_s load32_u",
} as const;
const STORES = { i32: "store store8 store16", i64: "store store8 store16 store32" } as const;
const FUNCTIONS = 4;
const LOCALS_OF_A_TYPE = 4;

/** A module with the exports f0 to f3, each (i32, i64, i32) -> i32 or i64, and calls of them. */
export function randomProgram(seed: number): { text: string; exports: CalledExport[] } {
  const writer = new ProgramWriter(seed);
  const functions = Array.from({ length: FUNCTIONS }, (_, i) => writer.functionText(i));
  const samples = [
    [0n, 5n, -3n],
    [1n, -(2n ** 40n)],
    [2n, 100n],
  ];
  const exports = functions.map((_, i): CalledExport => ({
    name: `f${i}`,
    params: ["i32", "i64", "i32"],
    result: resultOf(i),
    samples,
  }));
  return { text: moduleText(functions, true), exports };
}

const resultOf = (index: number): Integer => (index % 2 === 0 ? "i32" : "i64");

interface Label {
  name: string;
  /** What a branch to it carries. */
  carries: Integer | null;
}

class ProgramWriter {
  private counters = 0;
  private names = 0;
  private current = 0;
  private labels: Label[] = [];

  constructor(private state: number) {
    this.state = (spread(state) | 1) >>> 0;
  }

  functionText(index: number): string {
    this.current = index;
    this.counters = 0;
    this.labels = [];
    const body = [this.statements(4), this.expression(resultOf(index), 3)].join("\n");
    const locals = (["i32", "i64"] as const).flatMap((type) =>
      Array.from({ length: LOCALS_OF_A_TYPE }, (_, i) => `(local $${type}_${i} ${type})`),
    );
    const counters = Array.from({ length: this.counters }, (_, i) => `(local $c${i} i32)`);
    const head = `(func $f${index} (export "f${index}") (param $p0 i32) (param $p1 i64) (param $p2 i32) (result ${resultOf(index)})`;
    return `${head} ${[...locals, ...counters].join(" ")}\n${body})`;
  }

  /** Below `limit`. */
  private pick(limit: number): number {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    this.state >>>= 0;
    return this.state % limit;
  }

  private among<T>(list: readonly T[]): T {
    const found = list[this.pick(list.length)];
    if (found === undefined) throw new Error("nothing to pick from");
    return found;
  }

  private local(type: Integer): string {
    const parameters = type === "i32" ? ["$p0", "$p2"] : ["$p1"];
    return this.among([...parameters, ...Array.from({ length: LOCALS_OF_A_TYPE }, (_, i) => `$${type}_${i}`)]);
  }

  private within<T>(carries: Integer | null, write: (name: string) => T): T {
    const name = `$l${this.names++}`;
    this.labels.push({ name, carries });
    const written = write(name);
    this.labels.pop();
    return written;
  }

  private statements(depth: number): string {
    return Array.from({ length: 1 + this.pick(4) }, () => this.statement(depth)).join("\n");
  }

  private statement(depth: number): string {
    const type = this.among(["i32", "i64"] as const);
    const plain = this.labels.filter((label) => label.carries === null);
    switch (this.pick(depth > 0 ? 13 : 5)) {
      case 0:
      case 1:
        return `(local.set ${this.local(type)} ${this.expression(type, 3)})`;
      case 2:
        return `(${type}.${this.among(STORES[type].split(" "))} offset=${this.pick(4) * 4} ${this.address()} ${this.expression(type, 2)})`;
      case 3:
        return `(drop ${this.expression(type, 2)})`;
      case 4:
        return `(${type}.atomic.store ${this.address()} ${this.expression(type, 2)})`;
      case 5:
        return `(if ${this.expression("i32", 2)} (then ${this.statements(depth - 1)}) (else ${this.statements(depth - 1)}))`;
      case 6:
        return this.within(
          null,
          (name) => `(if ${name} ${this.expression("i32", 2)} (then ${this.statements(depth - 1)}))`,
        );
      case 7:
        return this.within(null, (name) => `(block ${name} ${this.statements(depth - 1)})`);
      case 8:
        return this.loop(depth);
      case 9:
        if (plain.length === 0) return "(nop)";
        return `(br_if ${this.among(plain).name} ${this.expression("i32", 2)})`;
      case 10:
        if (plain.length === 0)
          return `(if ${this.expression("i32", 1)} (then (return ${this.expression(resultOf(this.current), 2)})))`;
        return `(if ${this.expression("i32", 2)} (then ${this.statements(0)} (br ${this.among(plain).name})))`;
      case 11:
        if (plain.length === 0) return `(drop ${this.call()})`;
        return this.within(null, (name) => {
          const targets = [...plain, { name }].map((label) => label.name);
          const listed = Array.from({ length: 1 + this.pick(3) }, () => this.among(targets)).join(" ");
          return `(block ${name} (br_table ${listed} ${name} ${this.expression("i32", 2)}) ${this.statements(0)})`;
        });
      default:
        return `(drop ${this.call()})`;
    }
  }

  /** Counts down before anything else, so that any branch to its head still ends. */
  private loop(depth: number): string {
    const counter = `$c${this.counters++}`;
    return this.within(null, (exit) =>
      this.within(null, (head) => {
        const check = `(br_if ${exit} (i32.eqz (local.get ${counter}))) (local.set ${counter} (i32.sub (local.get ${counter}) (i32.const 1)))`;
        const last = this.among([`(br ${head})`, `(br_if ${head} ${this.expression("i32", 2)})`, ""]);
        return `(local.set ${counter} (i32.const ${1 + this.pick(3)})) (block ${exit} (loop ${head} ${check} ${this.statements(depth - 2)} ${last}))`;
      }),
    );
  }

  private address(): string {
    return this.among([
      `(i32.and ${this.expression("i32", 1)} (i32.const 0xff8))`,
      `(i32.add (i32.and ${this.expression("i32", 1)} (i32.const 0x1f8)) (i32.const ${64 * this.pick(9)}))`,
      `(i32.const ${8 * this.pick(100)})`,
    ]);
  }

  private call(): string {
    const mix = `(call $mix ${this.expression("i32", 1)} ${this.expression("i64", 1)})`;
    if (this.current === 0 || this.pick(3) > 0) return mix;
    const target = this.pick(this.current);
    return `(call $f${target} ${this.expression("i32", 1)} ${this.expression("i64", 1)} (i32.const ${this.pick(50)}))`;
  }

  /** A small statement within an expression. */
  private effect(): string {
    const type = this.among(["i32", "i64"] as const);
    if (this.pick(2) === 0) return `(local.set ${this.local(type)} ${this.expression(type, 0)})`;
    return `(${type}.store (i32.const ${8 * this.pick(100)}) ${this.expression(type, 0)})`;
  }

  private expression(type: Integer, depth: number): string {
    if (depth <= 0)
      return this.pick(2) === 0 ? `(${type}.const ${this.pick(70) - 8})` : `(local.get ${this.local(type)})`;
    const one = (): string => this.expression(type, depth - 1);
    switch (this.pick(15)) {
      case 0:
        return `(${type}.const ${this.pick(0x7fffffff) - 0x40000000})`;
      case 1:
        return `(local.get ${this.local(type)})`;
      case 2:
        return `(${type}.${this.among(LOADS[type].split(" "))} offset=${this.pick(4) * 4} ${this.address()})`;
      case 3:
        return `(select ${one()} ${one()} ${this.expression("i32", depth - 1)})`;
      case 4:
        return `(local.tee ${this.local(type)} ${one()})`;
      case 5:
        return type === "i32"
          ? `(call $mix ${one()} ${this.expression("i64", depth - 1)})`
          : `(i64.extend_i32_s ${this.expression("i32", depth - 1)})`;
      case 6:
        return `(if (result ${type}) ${this.expression("i32", depth - 1)} (then ${this.effect()} ${one()}) (else ${one()}))`;
      case 7:
        return this.within(
          type,
          (name) => `(block ${name} (result ${type}) (br_if ${name} ${one()} ${this.expression("i32", depth - 1)}))`,
        );
      case 8:
        return this.within(
          type,
          (name) =>
            `(block ${name} (result ${type}) (drop (br_if ${name} ${one()} ${this.expression("i32", depth - 1)})) ${this.effect()} ${one()})`,
        );
      case 9:
        return `(${type}.atomic.rmw.${this.among(["add", "sub", "and", "or", "xor", "xchg"])} ${this.address()} ${one()})`;
      case 10:
        return `(${type}.atomic.rmw.cmpxchg ${this.address()} ${one()} ${one()})`;
      case 11:
        if (type === "i32") return `(i32.${this.among(COMPARE)} ${one()} ${one()})`;
        return `(i64.extend_i32_u ${this.expression("i32", depth - 1)})`;
      case 12:
        return type === "i32"
          ? `(${this.among(["i32.eqz", "i32.extend8_s", "i32.popcnt"])} ${one()})`
          : `(i64.clz ${one()})`;
      default:
        return `(${type}.${this.among(BINARY)} ${one()} ${one()})`;
    }
  }
}

/** Spreads small seeds over the whole word. */
function spread(seed: number): number {
  return Math.imul(seed + 1, 0x9e3779b1) >>> 0;
}
