// Abstract programs: what the oracle generates, interprets, encodes as WebAssembly, and shrinks.
//
// Owner: none, types only. A program is a plain value; every tree in it can be replaced by a smaller one of its type.
// Pairs with: generate.ts (makes them), encode-program.ts (to WebAssembly), lower.ts and interpret.ts (their meaning).

export type Type = "i32" | "i64" | "f32" | "f64";
export type Width = 1 | 2 | 4 | 8;
export const RMW_ACTIONS = ["add", "sub", "and", "or", "xor", "xchg"] as const;
export type RmwAction = (typeof RMW_ACTIONS)[number];
export const BINARY_OPERATIONS = ["add", "sub", "mul", "and", "or", "xor", "shl", "shr_u", "eq", "ne", "lt_u"] as const;
export type BinaryOperation = (typeof BINARY_OPERATIONS)[number];

/** Where an access goes: the operand, and the constant that the instruction adds. */
export interface Place {
  readonly address: Expression;
  readonly offset: number;
}

export type Expression =
  /** The bits; of a float, too. */
  | { readonly kind: "constant"; readonly type: Type; readonly value: bigint }
  | { readonly kind: "local"; readonly type: Type; readonly index: number }
  | { readonly kind: "global"; readonly type: Type; readonly index: number }
  | { readonly kind: "tee"; readonly type: Type; readonly index: number; readonly value: Expression }
  | { readonly kind: "eqz"; readonly type: "i32"; readonly value: Expression }
  /** i64 to i32 by wrapping, i32 to i64 without sign, or a float's bits and back. */
  | { readonly kind: "convert"; readonly type: Type; readonly value: Expression }
  | {
      readonly kind: "binary";
      readonly type: "i32" | "i64";
      readonly operation: BinaryOperation;
      readonly left: Expression;
      readonly right: Expression;
    }
  | {
      readonly kind: "select";
      readonly type: Type;
      readonly condition: Expression;
      readonly yes: Expression;
      readonly no: Expression;
    }
  /** `if` with a result. */
  | {
      readonly kind: "either";
      readonly type: Type;
      readonly condition: Expression;
      readonly yes: Expression;
      readonly no: Expression;
    }
  /** A block that is left early with `value` where `condition` holds, else at its end with `other`. */
  | {
      readonly kind: "early";
      readonly type: Type;
      readonly value: Expression;
      readonly condition: Expression;
      readonly other: Expression;
    }
  | {
      readonly kind: "load";
      readonly type: Type;
      readonly width: Width;
      readonly signed: boolean;
      readonly place: Place;
    }
  | { readonly kind: "atomic-load"; readonly type: "i32" | "i64"; readonly width: Width; readonly place: Place }
  | {
      readonly kind: "rmw";
      readonly type: "i32" | "i64";
      readonly width: Width;
      readonly action: RmwAction;
      readonly place: Place;
      readonly operand: Expression;
    }
  | {
      readonly kind: "cmpxchg";
      readonly type: "i32" | "i64";
      readonly width: Width;
      readonly place: Place;
      readonly expected: Expression;
      readonly replacement: Expression;
    }
  | {
      readonly kind: "wait";
      readonly type: "i32";
      readonly width: 4 | 8;
      readonly place: Place;
      readonly expected: Expression;
      /** Negative: without a time-out. */
      readonly timeout: bigint;
    }
  | { readonly kind: "notify"; readonly type: "i32"; readonly place: Place; readonly count: Expression }
  | { readonly kind: "size"; readonly type: "i32" }
  | { readonly kind: "grow"; readonly type: "i32"; readonly pages: Expression }
  | { readonly kind: "call"; readonly type: Type; readonly callee: number; readonly args: readonly Expression[] }
  | {
      readonly kind: "indirect";
      readonly type: Type;
      readonly signature: Signature;
      readonly slot: Expression;
      readonly args: readonly Expression[];
    };

/** The expressions that access memory or its size. */
export type AccessExpression = Extract<
  Expression,
  { kind: "load" | "atomic-load" | "rmw" | "cmpxchg" | "wait" | "notify" | "size" | "grow" }
>;

export type Statement =
  | { readonly kind: "set"; readonly index: number; readonly value: Expression }
  | { readonly kind: "set-global"; readonly index: number; readonly value: Expression }
  | { readonly kind: "store"; readonly width: Width; readonly place: Place; readonly value: Expression }
  | { readonly kind: "atomic-store"; readonly width: Width; readonly place: Place; readonly value: Expression }
  | { readonly kind: "drop"; readonly value: Expression }
  | { readonly kind: "fence" }
  | {
      readonly kind: "if";
      readonly condition: Expression;
      readonly yes: readonly Statement[];
      readonly no: readonly Statement[];
    }
  /** Runs its body `times` times; `counter` is a local of its own. */
  | { readonly kind: "repeat"; readonly counter: number; readonly times: number; readonly body: readonly Statement[] }
  /** Loops for as long as the condition, which accesses memory atomically, is not 0. */
  | { readonly kind: "await"; readonly condition: Expression }
  | { readonly kind: "block"; readonly body: readonly Statement[] }
  /** Leaves the innermost block statement but `depth`, where the condition holds. */
  | { readonly kind: "break"; readonly depth: number; readonly condition: Expression }
  | { readonly kind: "switch"; readonly index: Expression; readonly cases: readonly (readonly Statement[])[] }
  /** A call with several results, which go to locals. */
  | {
      readonly kind: "call-many";
      readonly callee: number;
      readonly args: readonly Expression[];
      readonly into: readonly number[];
    }
  /** A block with two parameters and two results, whose body runs above them. */
  | {
      readonly kind: "hold";
      readonly left: Expression;
      readonly right: Expression;
      readonly body: readonly Statement[];
      readonly into: readonly [number, number];
    }
  /** A loop with a parameter: `times` times the value becomes value + step. */
  | {
      readonly kind: "fold";
      readonly counter: number;
      readonly times: number;
      readonly start: Expression;
      readonly step: Expression;
      readonly into: number;
    }
  | { readonly kind: "fill"; readonly to: Expression; readonly byte: Expression; readonly length: Expression }
  | { readonly kind: "copy"; readonly to: Expression; readonly from: Expression; readonly length: Expression }
  | {
      readonly kind: "init";
      readonly segment: number;
      readonly to: Expression;
      readonly from: Expression;
      readonly length: Expression;
    }
  | { readonly kind: "drop-segment"; readonly segment: number }
  | { readonly kind: "trap" }
  | { readonly kind: "abort" }
  | { readonly kind: "return" };

export interface Signature {
  readonly params: readonly Type[];
  readonly results: readonly Type[];
}

export interface FunctionBody {
  readonly signature: Signature;
  /** Without the parameters. */
  readonly locals: readonly Type[];
  readonly body: readonly Statement[];
  /** What it returns, after its body and at an early return, where locals may differ. */
  readonly results: readonly Expression[];
}

export interface Segment {
  /** Undefined: passive. */
  readonly at: number | undefined;
  readonly bytes: readonly number[];
}

export interface ThreadStart {
  readonly callee: number;
  readonly args: readonly bigint[];
}

export interface AbstractProgram {
  readonly seed: number;
  readonly functions: readonly FunctionBody[];
  readonly globals: readonly { readonly type: "i32" | "i64"; readonly initial: bigint }[];
  readonly table: readonly (number | undefined)[];
  readonly segments: readonly Segment[];
  readonly pages: number;
  readonly pagesMax: number;
  /** Imported, or the module's own and exported. */
  readonly importsMemory: boolean;
  readonly threads: readonly ThreadStart[];
  readonly start: number | undefined;
  readonly init: number | undefined;
  readonly invariant: number | undefined;
  readonly final: number | undefined;
  /** Bytes of thread-local variables; then global 0 holds where they are, and segment 0 what they are at first. */
  readonly threadLocalBytes: number;
}

/** The parts of memory that programs use; all else stays 0. */
export const WINDOWS: readonly (readonly [from: number, bytes: number])[] = [
  [0, 128],
  [65536 - 16, 32],
  [2 * 65536 - 16, 32],
];
