// Generate: one abstract program from a seed.
//
// Most programs keep to a discipline (shared words are accessed atomically, guarded ones under a lock or behind a flag), so
// that they pass and their final memories can be compared; some break it here and there, so that they fail.
// Owner: none: the same seed gives the same program. Pairs with: shape.ts, body.ts, compare.ts.

import type { AbstractProgram, Expression, FunctionBody, Segment, Statement, ThreadStart } from "./ast.ts";
import { BodyMaker, constant, place } from "./body.ts";
import { RandomSource } from "./random-numbers.ts";
import type { Shape } from "./shape.ts";
import { CONSTANT_FROM, FREE_FROM, GUARDED_FROM, OWN_FROM, drawShape } from "./shape.ts";

const THREAD_LOCAL_BYTES = 16;

export function generate(seed: number): AbstractProgram {
  const random = new RandomSource(seed);
  return new Generation(seed, random, drawShape(random)).run();
}

class Generation {
  private readonly seed: number;
  private readonly random: RandomSource;
  private readonly shape: Shape;
  private readonly functions: FunctionBody[] = [];

  constructor(seed: number, random: RandomSource, shape: Shape) {
    this.seed = seed;
    this.random = random;
    this.shape = shape;
  }

  run(): AbstractProgram {
    const { random, shape } = this;
    const segments = this.segments();
    for (let i = 0; i < shape.helpers; i++) this.functions.push(this.helper(segments));
    const helpers = this.functions.length;
    const table = Array.from({ length: 3 }, () =>
      helpers > 0 && random.chance(0.8) ? random.below(helpers) : undefined,
    );
    const threads: ThreadStart[] = [];
    for (let thread = 0; thread < shape.threads; thread++) {
      if (thread > 0 && shape.alike) threads.push(threads[0] ?? { callee: 0, args: [] });
      else threads.push({ callee: this.add(this.thread(thread, segments, table)), args: [BigInt(random.below(3))] });
    }
    const start = shape.start ? this.add(this.setUp(0.5)) : undefined;
    const init = shape.init ? this.add(this.setUp(1)) : undefined;
    const invariant = shape.invariant ? this.add(this.check(2)) : undefined;
    const final = shape.final ? this.add(this.check(1)) : undefined;
    return {
      seed: this.seed,
      functions: this.functions,
      globals: [
        { type: "i32", initial: 0n },
        { type: "i32", initial: BigInt(random.below(3)) },
        { type: "i64", initial: BigInt(random.below(3)) },
      ],
      table,
      segments,
      pages: 1,
      pagesMax: shape.grows ? 1 + random.below(3) : random.pick([1, 1, 3]),
      importsMemory: random.chance(0.5),
      threads,
      start,
      init,
      invariant,
      final,
      threadLocalBytes: shape.threadLocals ? THREAD_LOCAL_BYTES : 0,
    };
  }

  private add(body: FunctionBody): number {
    return this.functions.push(body) - 1;
  }

  /** The first is passive, and what thread-local variables are at first; then a passive and an active one. */
  private segments(): Segment[] {
    const bytes = (count: number): number[] => Array.from({ length: count }, () => this.random.below(4));
    return [
      { at: undefined, bytes: bytes(THREAD_LOCAL_BYTES) },
      { at: undefined, bytes: bytes(8) },
      { at: CONSTANT_FROM, bytes: bytes(16) },
    ];
  }

  private helper(segments: readonly Segment[]): FunctionBody {
    const { random, shape } = this;
    const type = random.pick(["i32", "i32", "i64"] as const);
    const many = random.chance(0.3);
    const maker = new BodyMaker(random, shape, {
      params: random.chance(0.7) ? [type] : [],
      segments,
      callees: this.functions,
      table: [],
      budget: 1 + random.below(2),
      own: undefined,
    });
    const body = maker.statements(1 + random.below(2));
    const results = many ? [maker.pure("i32"), maker.pure("i64")] : [maker.pure(type)];
    return maker.finish(body, results);
  }

  private thread(thread: number, segments: readonly Segment[], table: readonly (number | undefined)[]): FunctionBody {
    const { random, shape } = this;
    const maker = new BodyMaker(random, shape, {
      params: ["i32"],
      segments,
      callees: this.functions.slice(0, shape.helpers),
      table,
      budget: shape.budget,
      own: shape.alike ? undefined : OWN_FROM + 8 * thread,
    });
    const body: Statement[] = [];
    // The explorer sets up thread-local variables where code looks at them.
    if (thread === 0) body.push({ kind: "drop", value: maker.shared() });
    if (shape.threadLocals) body.push({ kind: "drop", value: maker.threadLocal() });
    for (let i = 0; i < 4 && maker.budget > 0; i++) body.push(...maker.snippet());
    // What the thread has seen becomes visible in the end.
    if (!shape.alike && random.chance(0.8))
      body.push({ kind: "store", width: 4, place: place(OWN_FROM + 8 * thread), value: maker.mix() });
    return maker.finish(body, []);
  }

  /** A few accesses that run alone. */
  private setUp(share: number): FunctionBody {
    const { random } = this;
    const body: Statement[] = [];
    if (random.chance(share))
      body.push({ kind: "store", width: 4, place: place(GUARDED_FROM), value: constant("i32", random.below(3)) });
    const width = this.shape.widths[0] ?? 4;
    const value = constant(width === 8 ? "i64" : "i32", random.below(2));
    body.push({ kind: "atomic-store", width, place: place(0), value });
    if (random.chance(0.5)) body.push({ kind: "set-global", index: 1, value: constant("i32", 2) });
    if (random.chance(0.5))
      body.push({
        kind: "init",
        segment: 1,
        to: constant("i32", FREE_FROM),
        from: constant("i32", 2),
        length: constant("i32", 3),
      });
    return { signature: { params: [], results: [] }, locals: [], body, results: [] };
  }

  /** Returns 1 where all of a few words have certain values. */
  private check(words: number): FunctionBody {
    const { random } = this;
    const word = (): Expression => ({
      kind: "binary",
      type: "i32",
      operation: random.pick(["eq", "eq", "ne"]),
      left: {
        kind: "load",
        type: "i32",
        width: 4,
        signed: false,
        place: place(random.pick([0, 8, 8, GUARDED_FROM, OWN_FROM, OWN_FROM + 8, FREE_FROM])),
      },
      right: constant("i32", random.below(4)),
    });
    let value = word();
    for (let i = 1; i < words + random.below(2); i++)
      value = { kind: "binary", type: "i32", operation: "and", left: value, right: word() };
    return { signature: { params: [], results: ["i32"] }, locals: [], body: [], results: [value] };
  }
}
