// Access: the memory accesses of generated functions: which word, how wide, which operation.
//
// Owner: one function of a generation. Pairs with: body.ts, shape.ts.

import type { Expression, Place, Statement, Width } from "./ast.ts";
import { RMW_ACTIONS } from "./ast.ts";
import type { BodyOptions } from "./body-options.ts";
import type { RandomSource } from "./random-numbers.ts";
import type { Shape } from "./shape.ts";
import { CONSTANT_FROM, FREE_FROM, GUARDED_FROM, OWN_FROM, SHARED_FROM } from "./shape.ts";

type Integer = "i32" | "i64";

const constant = (type: Integer, value: number | bigint): Expression => ({
  kind: "constant",
  type,
  value: BigInt.asUintN(type === "i32" ? 32 : 64, BigInt(value)),
});

/** An address far from every page. */
const NOWHERE = 0x7fff0000;

export class AccessMaker {
  private readonly random: RandomSource;
  private readonly shape: Shape;
  private readonly options: BodyOptions;
  private readonly pure: (type: Integer) => Expression;

  constructor(random: RandomSource, shape: Shape, options: BodyOptions, pure: (type: Integer) => Expression) {
    this.random = random;
    this.shape = shape;
    this.options = options;
    this.pure = pure;
  }

  /** An address as an instruction may have it: in the operand, in the offset, or in both. */
  private placeOf(address: number): Place {
    const { random } = this;
    switch (random.below(4)) {
      case 0:
        return { address: constant("i32", 0), offset: address };
      case 1: {
        const part = address - (address % 8);
        return { address: constant("i32", address - part), offset: part };
      }
      case 2: {
        // What the program computes does not change it.
        const left: Expression = {
          kind: "binary",
          type: "i32",
          operation: "and",
          left: this.pure("i32"),
          right: constant("i32", 0),
        };
        return {
          address: { kind: "binary", type: "i32", operation: "or", left, right: constant("i32", address) },
          offset: 0,
        };
      }
      default:
        return { address: constant("i32", address), offset: 0 };
    }
  }

  /** A shared word for an atomic access, and how wide it is accessed. */
  private shared(): { readonly place: Place; readonly width: Width } {
    const { random, shape } = this;
    if (random.chance(shape.stray)) return { place: this.strayPlace(), width: 4 };
    if (shape.grows && random.chance(0.15)) return { place: this.placeOf(65536 + 8 * random.below(2)), width: 4 };
    const word = random.below(shape.sharedWords);
    if (random.chance(shape.wild)) {
      const width = random.pick<Width>([1, 2, 4, 8]);
      const from = random.pick([SHARED_FROM + 8 * word, GUARDED_FROM, OWN_FROM + 8 * random.below(2)]);
      return { place: this.placeOf(from + width * random.below(8 / width)), width };
    }
    const width = shape.widths[word] ?? 4;
    const within = random.chance(0.8) ? 0 : width * random.below(8 / width);
    // Two words may be reached by one instruction.
    if (word === 0 && shape.sharedWords > 1 && shape.widths[1] === width && random.chance(0.2)) {
      const left = this.pure("i32");
      return {
        place: {
          address: { kind: "binary", type: "i32", operation: "and", left, right: constant("i32", 8) },
          offset: 0,
        },
        width,
      };
    }
    return { place: this.placeOf(SHARED_FROM + 8 * word + within), width };
  }

  private strayPlace(): Place {
    const { random } = this;
    const isLocal = this.shape.threadLocals;
    return random.pick<Place>([
      { address: constant("i32", NOWHERE), offset: 0 },
      { address: constant("i32", -8), offset: 16 },
      { address: constant("i32", isLocal ? NOWHERE : 65536), offset: 0 },
      { address: constant("i32", 2), offset: 0 },
    ]);
  }

  private typeFor(width: Width, wanted: Integer): Integer {
    return width === 8 ? "i64" : wanted;
  }

  private as(wanted: Integer, value: Expression): Expression {
    return value.type === wanted ? value : { kind: "convert", type: wanted, value };
  }

  sharedLoad(): Expression & { readonly type: Integer } {
    const word = this.random.below(this.shape.sharedWords);
    const width = this.shape.widths[word] ?? 4;
    const place: Place = { address: constant("i32", SHARED_FROM + 8 * word), offset: 0 };
    return { kind: "atomic-load", type: width === 8 ? "i64" : "i32", width, place };
  }

  /** An access that leaves a value. */
  value(wanted: Integer): Expression {
    const { random, shape } = this;
    const choice = random.below(20);
    if (choice < 5) return this.plainLoad(wanted);
    if (choice < 7 && shape.grows) return this.as(wanted, this.sizing());
    if (choice < 10 && shape.waits) return this.as(wanted, this.waiting());
    if (choice === 10 && shape.threadLocals) return this.as(wanted, this.threadLocal());
    const { place, width } = this.shared();
    const type = this.typeFor(width, wanted);
    if (choice < 13) return this.as(wanted, { kind: "atomic-load", type, width, place });
    if (choice < 17)
      return this.as(wanted, {
        kind: "rmw",
        type,
        width,
        action: random.pick(RMW_ACTIONS),
        place,
        operand: this.pure(type),
      });
    const expected = random.chance(0.2) ? constant(type, 1n << BigInt(8 * width)) : this.pure(type);
    return this.as(wanted, { kind: "cmpxchg", type, width, place, expected, replacement: this.pure(type) });
  }

  private sizing(): Expression {
    const { random } = this;
    if (random.chance(0.5)) return { kind: "size", type: "i32" };
    return { kind: "grow", type: "i32", pages: constant("i32", random.pick([0, 1, 1, 1, 2, 65536, -1])) };
  }

  private waiting(): Expression {
    const { random, shape } = this;
    const word = random.below(shape.sharedWords);
    const width = shape.widths[word] === 8 ? 8 : 4;
    const at = this.placeOf(SHARED_FROM + 8 * word);
    if (random.chance(0.4))
      return { kind: "notify", type: "i32", place: at, count: constant("i32", random.pick([0, 1, 1, 2, -1])) };
    // Where the word is a narrow one, waiting on it would be another width.
    const narrow = (shape.widths[word] ?? 4) < 4 && !random.chance(shape.wild);
    if (narrow) return { kind: "notify", type: "i32", place: at, count: constant("i32", 1) };
    const expected = random.chance(0.8)
      ? constant(width === 8 ? "i64" : "i32", random.below(2))
      : this.pure(width === 8 ? "i64" : "i32");
    const timeout = random.pick([-1n, -1n, 0n, 1000n]);
    return { kind: "wait", type: "i32", width, place: at, expected, timeout };
  }

  threadLocal(): Expression {
    return { kind: "load", type: "i32", width: 4, signed: false, place: this.threadLocalPlace() };
  }
  private threadLocalPlace(): Place {
    return { address: { kind: "global", type: "i32", index: 0 }, offset: this.random.pick([0, 4, 7, 12]) };
  }

  /** Where a plain access may go without a race. */
  private plainAddress(writes: boolean, width: Width): number {
    const { random, shape, options } = this;
    const any = (from: number): number => from + random.below(8 - width + 1);
    if (random.chance(shape.wild))
      return any(random.pick([SHARED_FROM, SHARED_FROM + 8, GUARDED_FROM, OWN_FROM, OWN_FROM + 8, FREE_FROM]));
    if (!writes && random.chance(0.5)) return any(CONSTANT_FROM + 8 * random.below(2)) - random.below(2);
    return options.own === undefined ? any(CONSTANT_FROM) : any(options.own);
  }

  private plainPlace(writes: boolean, width: Width): Place | undefined {
    const { random, shape } = this;
    if (random.chance(shape.stray)) return this.strayPlace();
    if (shape.grows && random.chance(0.1)) return this.placeOf(65536 - random.below(8));
    if (shape.threadLocals && random.chance(0.3))
      return { ...this.threadLocalPlace(), offset: random.below(16 - width + 1) };
    if (writes && this.options.own === undefined && !random.chance(shape.wild)) return undefined;
    return this.placeOf(this.plainAddress(writes, width));
  }

  private plainLoad(wanted: Integer): Expression {
    const { random, shape } = this;
    const width = random.pick<Width>(wanted === "i32" ? [1, 2, 4, 4] : [1, 2, 4, 8]);
    const place = this.plainPlace(false, width) ?? this.placeOf(CONSTANT_FROM);
    if (shape.floats && width >= 4 && (width === 8) === (wanted === "i64") && random.chance(0.5))
      return {
        kind: "convert",
        type: wanted,
        value: { kind: "load", type: wanted === "i32" ? "f32" : "f64", width, signed: false, place },
      };
    return { kind: "load", type: wanted, width, signed: random.chance(0.5), place };
  }

  /** An access that leaves none. */
  statement(): Statement {
    const { random, shape } = this;
    const wanted = random.pick(["i32", "i32", "i64"] as const);
    if (random.chance(0.4)) {
      const width = random.pick<Width>(wanted === "i32" ? [1, 2, 4, 4] : [1, 2, 4, 8]);
      const place = this.plainPlace(true, width);
      if (place) {
        const value = this.pure(wanted);
        const isFloat = shape.floats && (width === 8) === (wanted === "i64") && width >= 4 && random.chance(0.5);
        const type = wanted === "i32" ? "f32" : "f64";
        return { kind: "store", width, place, value: isFloat ? { kind: "convert", type, value } : value };
      }
    }
    if (random.chance(0.6)) {
      const { place, width } = this.shared();
      return { kind: "atomic-store", width, place, value: this.pure(this.typeFor(width, wanted)) };
    }
    return { kind: "drop", value: this.value(wanted) };
  }

  bulk(): Statement {
    const { random, options } = this;
    const free = options.own ?? (random.chance(this.shape.wild) ? FREE_FROM : undefined);
    const length = constant("i32", random.chance(this.shape.stray) ? 400000 : random.below(9));
    if (free === undefined || random.chance(0.25)) return { kind: "drop-segment", segment: 1 };
    const to = constant("i32", free);
    switch (random.below(3)) {
      case 0:
        return { kind: "fill", to, byte: this.pure("i32"), length };
      case 1: {
        const from = random.chance(this.shape.wild) ? GUARDED_FROM : CONSTANT_FROM + random.below(8);
        return { kind: "copy", to, from: constant("i32", from), length };
      }
      default: {
        const from = random.below(3);
        const fits = constant("i32", random.chance(0.05) ? 8 : random.below(8 - from + 1));
        return { kind: "init", segment: 1, to, from: constant("i32", from), length: fits };
      }
    }
  }
}
