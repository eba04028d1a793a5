// C values: expressions that the printer has read from the wasm stack and not yet written down.
//
// Owner: the printer of one function. A value has no effect of its own, so it may be written later than it was
// computed, as long as nothing it reads has changed in between; `reads` names it.
import type { TypeName } from "../wasm/opcodes.ts";

export interface Value {
  type: "i32" | "i64";
  text: string;
  /** Needs no parentheses as an operand. */
  atomic: boolean;
  /** 0 or 1, and reads as a condition. */
  boolean: boolean;
  /** Known at build time. */
  constant: bigint | null;
  /** Set when the value is another plus a constant: addresses fold the constant into their displacement. */
  sum: Sum | null;
  /** Locals that it reads. */
  locals: ReadonlySet<number>;
  /** Reads memory or may trap: must not move past a store, an atomic or a call. */
  memory: boolean;
}

/** `base + addend`, the base unwrapped. */
export interface Sum {
  base: string;
  atomic: boolean;
  addend: bigint;
}

/** The sum that a + b is when either has a constant part; sums wrap, so the order of the parts is free. */
export function sumOf(a: Value, b: Value): Sum | null {
  if (b.constant !== null) {
    const inner = a.sum ?? { base: a.text, atomic: a.atomic, addend: 0n };
    return { ...inner, addend: inner.addend + b.constant };
  }
  if (a.sum === null && b.sum === null) return null;
  const base = [a, b].map((one) =>
    one.sum === null ? wrapped(one) : one.sum.atomic ? one.sum.base : `(${one.sum.base})`,
  );
  return { base: base.join(" + "), atomic: false, addend: (a.sum?.addend ?? 0n) + (b.sum?.addend ?? 0n) };
}

export const NO_LOCALS: ReadonlySet<number> = new Set();

/** A value whose other traits are the plainest ones. */
export function value(type: "i32" | "i64", text: string, traits: Partial<Value> = {}): Value {
  return {
    type,
    text,
    atomic: false,
    boolean: false,
    constant: null,
    sum: null,
    locals: NO_LOCALS,
    memory: false,
    ...traits,
  };
}

/** The text as an operand of another expression. */
export function wrapped(one: Value): string {
  return one.atomic ? one.text : `(${one.text})`;
}

/** The text as the condition of an if or a choice. */
export function condition(one: Value): string {
  return one.boolean ? one.text : `${wrapped(one)} != 0`;
}

export function union(values: Value[]): ReadonlySet<number> {
  const reading = values.filter((one) => one.locals.size > 0);
  const [only] = reading;
  if (only === undefined) return NO_LOCALS;
  return reading.length === 1 ? only.locals : new Set(reading.flatMap((one) => [...one.locals]));
}

/** The two types that the subset has. */
export function isInteger(type: TypeName): type is "i32" | "i64" {
  return type === "i32" || type === "i64";
}
