// Random module: a WasmModule with something of everything that the library can hold, by a seed (tests only).
//
// Well formed as the binary format asks, not valid: types need not agree.
// Owner: none, pure. Invariant: the same seed gives the same module.

import { assertDefined } from "../assert-defined.ts";
import { constantExpression } from "../constant.ts";
import type {
  CustomSection,
  DataSegment,
  ElementSegment,
  FunctionType,
  GlobalVariable,
  Instruction,
} from "../module.ts";
import type { Storage, WasmFunction, WasmModule } from "../module.ts";
import { F32, F64, I32, I64, OPCODES, Op, type Opcode, type ValueType, isBlock } from "../opcodes.ts";
import { EXTERNAL, type ExternalKind, SECTION } from "../sections.ts";

const VALUE_TYPES: readonly ValueType[] = [I32, I64, F32, F64];
const U32: readonly number[] = [0, 1, 63, 64, 127, 128, 16_383, 16_384, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];
const SIGNED: readonly bigint[] = [0n, 1n, -1n, 63n, 64n, -64n, -65n, 8191n, 8192n, -(2n ** 31n), 2n ** 31n - 1n];
const WIDE: readonly bigint[] = [...SIGNED, 2n ** 31n, 2n ** 62n, -(2n ** 63n), 2n ** 63n - 1n];
const BITS: readonly bigint[] = [0n, 1n, 0x3f800000n, 0x7fc00000n, 0x80000000n, 0xffffffffn];
const NAMES = ["", "f", "memory", "a longer name, with spaces", "é", "名", "\u{1f300}"];

const PLAIN = [...OPCODES.values()].filter(({ code }) => code !== Op.end && code !== Op.else && !isBlock(code));
const BLOCKS = [Op.block, Op.loop, Op.if];
const INSTRUCTIONS_MAX = 24;
const DEPTH_MAX = 3;

/** The generator of every choice: 32 bits of state, well mixed. */
class Random {
  constructor(private state: number) {}

  below(bound: number): number {
    this.state = (this.state + 0x9e3779b9) >>> 0;
    let mixed = this.state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) % bound;
  }
  chance(): boolean {
    return this.below(2) === 0;
  }
  pick<T>(items: readonly [T, ...T[]] | readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
  list<T>(most: number, make: (index: number) => T): T[] {
    return Array.from({ length: this.below(most + 1) }, (_, index) => make(index));
  }
}

export function randomModule(seed: number): WasmModule {
  const random = new Random(seed);
  return new Maker(random).module();
}

class Maker {
  private readonly types: readonly FunctionType[];

  constructor(private readonly random: Random) {
    const some = (): ValueType[] => random.list(3, () => random.pick(VALUE_TYPES));
    this.types = [{ params: [], results: [] }, ...random.list(4, () => ({ params: some(), results: some() }))];
  }

  module(): WasmModule {
    const { random, types } = this;
    const imports = random.list(3, () => ({ ...this.name(), typeIndex: random.below(types.length) }));
    const globals = random.list(4, () => this.global());
    const table = random.chance() ? this.storage(false) : undefined;
    const memory = random.chance() ? this.storage(true) : undefined;
    const data = random.list(3, () => this.data());
    const customSections = random.list(3, () => this.custom()).toSorted((a, b) => placeOf(a) - placeOf(b));
    const functions = random.list(4, (at) => this.function(imports.length + at));
    const order: ExternalKind[] = [
      ...imports.map(() => EXTERNAL.function),
      ...globals.flatMap(({ imported }) => (imported === undefined ? [] : [EXTERNAL.global])),
      ...(table?.imported === undefined ? [] : [EXTERNAL.table]),
      ...(memory?.imported === undefined ? [] : [EXTERNAL.memory]),
    ];
    return {
      ...{ types, imports, functions, table, memory, data, customSections, bytes: new Uint8Array(0), codeStart: 0 },
      // Of the globals the imported ones come first, as their indices do.
      globals: globals.toSorted((a, b) => Number(a.imported === undefined) - Number(b.imported === undefined)),
      importOrder: this.shuffled(order),
      exports: new Map(random.list(3, () => [random.pick(NAMES), this.external()])),
      start: random.chance() ? this.u32() : undefined,
      elements: random.list(3, () => this.element()),
      hasDataCount: random.chance(),
      custom: new Map(customSections.map(({ name, bytes }) => [name, bytes])),
    };
  }

  private u32(): number {
    return this.random.pick(U32);
  }
  private name(): { module: string; name: string } {
    return { module: this.random.pick(NAMES), name: this.random.pick(NAMES) };
  }
  private bytes(): Uint8Array {
    return Uint8Array.from(this.random.list(200, () => this.random.below(256)));
  }
  private external(): { kind: ExternalKind; index: number } {
    return { kind: this.random.pick([EXTERNAL.function, EXTERNAL.memory, EXTERNAL.global]), index: this.u32() };
  }
  private shuffled<T>(items: readonly T[]): T[] {
    return items
      .map((item) => ({ item, at: this.random.below(1000) }))
      .toSorted((a, b) => a.at - b.at)
      .map(({ item }) => item);
  }

  private storage(mayShare: boolean): Storage {
    const maximum = this.random.chance() ? this.u32() : undefined;
    const imported = this.random.chance() ? this.name() : undefined;
    return { initial: this.u32(), maximum, shared: mayShare && this.random.chance(), imported };
  }

  private constant(type: ValueType): bigint {
    return this.random.pick(type === I32 ? SIGNED : type === I64 ? WIDE : BITS);
  }

  private global(): GlobalVariable {
    const type = this.random.pick(VALUE_TYPES);
    const mutable = this.random.chance();
    if (this.random.chance()) return { type, mutable, initial: 0n, code: undefined, imported: this.name() };
    return { type, mutable, initial: this.constant(type), code: undefined, imported: undefined };
  }

  /** A constant, or the sum of it and another, which only the expression can say. */
  private placed(): { offset: number; code: Uint8Array | undefined } {
    const [a, b] = [this.random.below(1000), this.random.below(1000)];
    if (this.random.chance()) return { offset: a, code: undefined };
    const [left, right] = [a, b].map((each) => constantExpression(I32, BigInt(each)).slice(0, -1));
    return { offset: a + b, code: Uint8Array.from([...(left ?? []), ...(right ?? []), Op["i32.add"], Op.end]) };
  }

  private data(): DataSegment {
    const bytes = this.bytes();
    return this.random.chance()
      ? { passive: true, offset: 0, code: undefined, bytes }
      : { passive: false, ...this.placed(), bytes };
  }

  private element(): ElementSegment {
    const kind = this.random.pick(["active", "passive", "declared"] as const);
    const functions = this.random.list(4, () => this.u32());
    return kind === "active" ? { kind, ...this.placed(), functions } : { kind, offset: 0, code: undefined, functions };
  }

  private custom(): CustomSection {
    return { name: this.random.pick(NAMES), bytes: this.bytes(), after: SECTION.custom };
  }

  private function(index: number): WasmFunction {
    const typeIndex = this.random.below(this.types.length);
    const type = this.types[typeIndex] ?? { params: [], results: [] };
    const body: Instruction[] = [];
    this.instructions(body, DEPTH_MAX);
    body.push(this.instruction(Op.end));
    return { index, type, typeIndex, locals: this.random.list(5, () => this.random.pick(VALUE_TYPES)), body };
  }

  private instructions(body: Instruction[], depth: number): void {
    for (let left = this.random.below(INSTRUCTIONS_MAX); left > 0; left--) {
      if (depth === 0 || this.random.below(10) > 0) body.push(this.instruction(this.random.pick(PLAIN).code));
      else this.block(body, depth - 1);
    }
  }

  private block(body: Instruction[], depth: number): void {
    const opener = this.instruction(this.random.pick(BLOCKS));
    body.push(opener);
    this.instructions(body, depth);
    if (opener.op === Op.if && this.random.chance()) {
      opener.elseAt = body.length;
      const otherwise = this.instruction(Op.else);
      body.push(otherwise);
      this.instructions(body, depth);
      otherwise.match = body.length;
    }
    opener.match = body.length;
    if (opener.op === Op.if && opener.elseAt < 0) opener.elseAt = body.length;
    body.push(this.instruction(Op.end));
  }

  private instruction(op: number): Instruction {
    const blank = { op, start: 0, end: 0, a: 0, b: 0, type: undefined, targets: undefined, value: undefined };
    return { ...blank, ...this.immediates(assertDefined(OPCODES.get(op))), match: -1, elseAt: -1 };
  }

  private immediates({ immediates }: Opcode): Partial<Instruction> {
    const { random } = this;
    switch (immediates) {
      case "block":
        return this.blockType();
      case "labels":
        return { targets: [...random.list(4, () => this.u32()), this.u32()] };
      case "index":
      case "indirect":
      case "index-zero":
        return { a: this.u32() };
      case "types":
        return { a: random.pick(VALUE_TYPES) };
      case "type":
        return { a: random.below(256) };
      case "memory":
        return { a: random.below(5), b: this.u32() };
      case "i32":
        return { value: this.constant(I32) };
      case "i64":
        return { value: this.constant(I64) };
      case "f32":
        return { value: this.constant(F32) };
      case "f64":
        return { value: random.pick([...BITS, 2n ** 64n - 1n]) };
      case "none":
      case "zero":
      case "zero-zero":
        return {};
      default:
        return immediates satisfies never;
    }
  }

  private blockType(): Partial<Instruction> {
    const at = this.random.below(this.types.length + 1);
    const type = this.types[at];
    if (type !== undefined) return { a: at, type };
    const result = this.random.pick(VALUE_TYPES);
    // The byte as a signed number.
    return { a: result - 0x80, type: { params: [], results: [result] } };
  }
}

const placeOf = ({ after }: CustomSection): number => Object.values(SECTION).indexOf(after as 0);
