// C operators: what each pure WebAssembly instruction is in C.
//
// Owner: none, a table. `a` and `b` in a template stand for operands that are already wrapped where they need it.
// Values are int32_t and int64_t; the unsigned views are casts. Compiled with -fwrapv, so sums and products wrap.
// Pairs with: wasm-c.h, which has the functions named here; c-function.ts, which fills the templates.

export interface Operator {
  operands: 1 | 2;
  template: string;
  /** The result needs no parentheses as an operand: a call or a cast. */
  atomic: boolean;
  /** The result is 0 or 1 and reads as a condition. */
  boolean: boolean;
  /** May trap, so it must not move past a change of memory. */
  traps: boolean;
}

const table = new Map<string, Operator>();

function add(op: string, template: string, traits: Partial<Operator> = {}): void {
  const operands = /\bb\b/.test(template) ? 2 : 1;
  table.set(op, { operands, template, atomic: false, boolean: false, traps: false, ...traits });
}

for (const bits of [32, 64]) {
  const i = `i${bits}`;
  const signed = `int${bits}_t`;
  const unsigned = `uint${bits}_t`;
  const mask = bits - 1;
  for (const [name, sign] of [
    ["add", "+"],
    ["sub", "-"],
    ["mul", "*"],
    ["and", "&"],
    ["or", "|"],
    ["xor", "^"],
  ] as const)
    add(`${i}.${name}`, `a ${sign} b`);
  for (const [name, sign] of [
    ["eq", "=="],
    ["ne", "!="],
    ["lt_s", "<"],
    ["gt_s", ">"],
    ["le_s", "<="],
    ["ge_s", ">="],
  ] as const)
    add(`${i}.${name}`, `a ${sign} b`, { boolean: true });
  for (const [name, sign] of [
    ["lt_u", "<"],
    ["gt_u", ">"],
    ["le_u", "<="],
    ["ge_u", ">="],
  ] as const)
    add(`${i}.${name}`, `(${unsigned})a ${sign} (${unsigned})b`, { boolean: true });
  for (const name of ["div_s", "div_u", "rem_s", "rem_u"])
    add(`${i}.${name}`, `wasm_${name}${bits}(a, b)`, { atomic: true, traps: true });
  for (const name of ["rotl", "rotr"]) add(`${i}.${name}`, `wasm_${name}${bits}(a, b)`, { atomic: true });
  for (const name of ["clz", "ctz", "popcnt"]) add(`${i}.${name}`, `wasm_${name}${bits}(a)`, { atomic: true });
  add(`${i}.shl`, `(${signed})((${unsigned})a << (b & ${mask}))`, { atomic: true });
  add(`${i}.shr_s`, `a >> (b & ${mask})`);
  add(`${i}.shr_u`, `(${signed})((${unsigned})a >> (b & ${mask}))`, { atomic: true });
  add(`${i}.eqz`, "a == 0", { boolean: true });
  for (const narrow of [8, 16, 32])
    if (narrow < bits) add(`${i}.extend${narrow}_s`, `(${signed})(int${narrow}_t)a`, { atomic: true });
}
add("i32.wrap_i64", "(int32_t)a", { atomic: true });
add("i64.extend_i32_s", "(int64_t)a", { atomic: true });
add("i64.extend_i32_u", "(int64_t)(uint32_t)a", { atomic: true });

/** Pure instructions by name; loads, constants and everything with an effect are c-function.ts's. */
export const OPERATORS: ReadonlyMap<string, Operator> = table;

/**
 * The template when the right operand is a known constant, where C can then say it shorter or without a check.
 * Null when the general one is needed (a division by 0, which traps, or by -1, which may).
 */
export function templateForConstant(op: string, constant: bigint): { template: string; atomic: boolean } | null {
  const bits = op.startsWith("i64") ? 64 : 32;
  const name = op.slice(4);
  const signed = `int${bits}_t`;
  const unsigned = `uint${bits}_t`;
  const shift = constant & BigInt(bits - 1);
  switch (name) {
    case "shl":
      return { template: `(${signed})((${unsigned})a << ${shift})`, atomic: true };
    case "shr_s":
      return { template: `a >> ${shift}`, atomic: false };
    case "shr_u":
      return { template: `(${signed})((${unsigned})a >> ${shift})`, atomic: true };
    case "div_s":
      return constant === 0n || constant === -1n ? null : { template: "a / b", atomic: false };
    case "rem_s":
      return constant === 0n || constant === -1n ? null : { template: "a % b", atomic: false };
    case "div_u":
      return constant === 0n ? null : { template: `(${signed})((${unsigned})a / (${unsigned})b)`, atomic: true };
    case "rem_u":
      return constant === 0n ? null : { template: `(${signed})((${unsigned})a % (${unsigned})b)`, atomic: true };
    default:
      return null;
  }
}

/** The instruction's type prefix as a C type. */
export function cType(type: string): string {
  if (type.startsWith("i32")) return "int32_t";
  if (type.startsWith("i64")) return "int64_t";
  throw new Error(`no C type for ${type}`);
}

/** A constant of the given type, as C prints it. */
export function cConstant(type: "i32" | "i64", value: bigint): string {
  if (type === "i32") return value === -(2n ** 31n) ? "INT32_MIN" : String(value);
  return value === -(2n ** 63n) ? "INT64_MIN" : `INT64_C(${value})`;
}
