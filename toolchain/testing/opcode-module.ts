// Opcode module: a text module with one exported function for each instruction that the printer takes (tests only).
//
// Owner: none, pure functions. Every function takes its operands as parameters; some also have a constant operand,
// because the printer prints that differently.
import { OPCODES, type TypeName, typeName } from "../../wasm/opcodes.ts";
import type { CalledExport } from "./native-run.ts";

const I32 = [0n, 1n, -1n, 2n, 7n, 31n, 33n, 255n, -128n, 0x8001n, 0x12345678n, -(2n ** 31n), 2n ** 31n - 1n];
const I64 = [...I32, 63n, 65n, 2n ** 32n, -(2n ** 63n), 2n ** 63n - 1n, 0x123456789abcdef0n];
const ADDRESSES = [0n, 8n, 1024n];

type Integer = "i32" | "i64";
const samplesOf = (type: Integer): bigint[] => (type === "i32" ? I32 : I64);

interface Numeric {
  readonly op: string;
  readonly params: readonly Integer[];
  readonly result: Integer;
}

/** Of integers, with operands and a result. */
const NUMERIC: readonly Numeric[] = [...OPCODES.values()].flatMap(({ name, immediates, effect }) => {
  const [result] = effect?.gives ?? [];
  if (immediates !== "none" || effect === undefined || result === undefined) return [];
  const isInteger = (type: TypeName): type is Integer => type === "i32" || type === "i64";
  const [params, given] = [effect.takes.map(typeName), typeName(result)];
  return params.every(isInteger) && isInteger(given) ? [{ op: name, params, result: given }] : [];
});

/** Text and calls of the numeric instructions, each with variable and with constant operands. */
export function numericModule(): { text: string; exports: CalledExport[] } {
  const functions: string[] = [];
  const exports: CalledExport[] = [];
  for (const { op, params, result } of NUMERIC) {
    const [type = result] = params;
    const gets = params.map((_, i) => `(local.get ${i})`).join(" ");
    const heads = `${params.map((param) => `(param ${param})`).join(" ")} (result ${result})`;
    functions.push(`(func (export "${op}") ${heads} (${op} ${gets}))`);
    exports.push({ name: op, params: [...params], result, samples: params.map(samplesOf) });
    if (params.length === 1) continue;
    for (const constant of [0n, -1n, 5n, 40n]) {
      const name = `${op}_by_${String(constant).replace("-", "minus")}`;
      functions.push(
        `(func (export "${name}") (param ${type}) (result ${result}) (${op} (local.get 0) (${type}.const ${constant})))`,
      );
      exports.push({ name, params: [type], result, samples: [samplesOf(type)] });
    }
  }
  return { text: moduleText(functions, false), exports };
}

/** Text and calls of the plain and atomic memory instructions. */
export function memoryModule(): { text: string; exports: CalledExport[] } {
  const names = [...OPCODES.values()].map((one) => one.name);
  const taken = names.filter(
    (name) => /^i(32|64)\.(atomic\.)?(load|store|rmw)/.test(name) && !/rmw(8|16|32)/.test(name),
  );
  const functions: string[] = [];
  const exports: CalledExport[] = [];
  for (const op of taken) {
    const type = op.slice(0, 3) as Integer;
    const offsets = op.includes("atomic") ? [0, 16] : [0, 3];
    for (const offset of offsets) {
      const name = `${op}_at_${offset}`;
      const memory = `offset=${offset}${op.includes("atomic") ? "" : " align=1"}`;
      const values = op.includes("cmpxchg") ? 2 : /load/.test(op) ? 0 : 1;
      const params: Integer[] = ["i32", ...Array.from({ length: values }, () => type)];
      const gets = params.map((_, i) => `(local.get ${i})`).join(" ");
      const result = op.includes("store") ? null : type;
      const heads = `${params.map((param) => `(param ${param})`).join(" ")}${result === null ? "" : ` (result ${result})`}`;
      functions.push(`(func (export "${name}") ${heads} (${op} ${memory} ${gets}))`);
      const few = [0n, -1n, 0x8182838485868788n - 2n ** 64n, 5n];
      exports.push({ name, params, result, samples: [ADDRESSES, ...Array.from({ length: values }, () => few)] });
    }
  }
  functions.push(
    '(func (export "size") (result i32) (memory.size))',
    '(func (export "fence") (atomic.fence))',
    '(func (export "fill") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)))',
    '(func (export "copy") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2)))',
  );
  const lengths = [0n, 1n, 100n, 70000n, -1n];
  exports.push(
    { name: "size", params: [], result: "i32", samples: [] },
    { name: "fence", params: [], result: null, samples: [] },
    { name: "fill", params: ["i32", "i32", "i32"], result: null, samples: [[3n, 65500n], [0x1abn], lengths] },
    { name: "copy", params: ["i32", "i32", "i32"], result: null, samples: [[5n, 65530n], [0n, 17n], lengths] },
  );
  return { text: moduleText(functions, true), exports };
}

/** Wraps functions into a module with the toolchain's memory, a data segment and one import. */
export function moduleText(functions: string[], shared: boolean): string {
  return `(module
    (import "env" "memory" (memory 1 1${shared ? " shared" : ""}))
    (import "machine" "mix" (func $mix (param i32 i64) (result i32)))
    (data (i32.const 8) "\\01\\82\\03\\84\\f5\\06\\87\\08\\00\\ff")
    ${functions.join("\n    ")})`;
}
