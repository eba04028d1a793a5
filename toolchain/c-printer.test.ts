import { expect, test } from "vitest";
import { printC } from "./c-printer.ts";
import { MalformedModule } from "../wasm/bytes.ts";
import { assemble } from "./testing/assemble.ts";
import { hasNativeCompiler, runNative, runWasm } from "./testing/native-run.ts";
import { memoryModule, moduleText, numericModule } from "./testing/opcode-module.ts";
import { randomProgram } from "./testing/random-program.ts";

const OPTIONS = { prefix: "kernel_", memoryBase: "0", callsHeader: "machine-calls.h" };
const printed = (text: string): string => printC(assemble(text), OPTIONS).code;

test.skipIf(!hasNativeCompiler)("C printer: every numeric instruction: C and wasm give the same results", () => {
  const { text, exports } = numericModule();
  const wasm = assemble(text);
  const expected = runWasm(wasm, exports, false);
  expect(runNative(wasm, exports)).toEqual(expected);
  expect(expected).toContain("trap");
});

test.skipIf(!hasNativeCompiler)(
  "C printer: every memory and atomic instruction: C and wasm give the same results and memory",
  () => {
    const { text, exports } = memoryModule();
    const wasm = assemble(text);
    expect(runNative(wasm, exports)).toEqual(runWasm(wasm, exports, true));
  },
);

test.skipIf(!hasNativeCompiler)("C printer: random control flow, optimised or not: C and wasm agree (seeds=12)", () => {
  for (let seed = 1; seed <= 12; seed++) {
    const { text, exports } = randomProgram(seed);
    const wasm = assemble(text, seed % 2 === 0);
    expect(runNative(wasm, exports), `seed ${seed}`).toEqual(runWasm(wasm, exports, true));
  }
});

test.skipIf(!hasNativeCompiler)("C printer: one printed operator changed: the comparison reports it", () => {
  const text = (op: string): string =>
    moduleText([`(func (export "f") (param i32) (result i32) (${op} (local.get 0) (i32.const 3)))`], false);
  const exports = [{ name: "f", params: ["i32" as const], result: "i32" as const, samples: [[-8n]] }];
  expect(runNative(assemble(text("i32.shr_u")), exports)).not.toEqual(
    runWasm(assemble(text("i32.shr_s")), exports, false),
  );
});

test("C printer: the same artifact twice: the same text", () => {
  const { text } = randomProgram(3);
  expect(printed(text)).toBe(printed(text));
});

const MEMORY = '(import "env" "memory" (memory 1 1 shared))';
const refused: [string, string, RegExp][] = [
  ["a float", `(module ${MEMORY} (func (param f32)))`, /f32 values are outside the subset/],
  ["a float operation", `(module ${MEMORY} (func (drop (f64.const 1))))`, /f64.const is outside the subset/],
  ["memory.grow", `(module ${MEMORY} (func (drop (memory.grow (i32.const 1)))))`, /memory.grow is outside the subset/],
  [
    "a narrow update",
    `(module ${MEMORY} (func (drop (i32.atomic.rmw8.add_u (i32.const 0) (i32.const 1)))))`,
    /rmw8.add_u is outside/,
  ],
  [
    "a wait",
    `(module ${MEMORY} (func (drop (memory.atomic.notify (i32.const 0) (i32.const 1)))))`,
    /notify is outside the subset/,
  ],
  ["a table", `(module ${MEMORY} (table 1 funcref) (func))`, /tables are outside the subset/],
  [
    "a mutable global",
    `(module ${MEMORY} (global $g (mut i32) (i32.const 1)) (func (drop (global.get $g))))`,
    /not a constant/,
  ],
  ["a start function", `(module ${MEMORY} (func $f) (start $f))`, /a start function is outside the subset/],
  ["a memory that grows", '(module (import "env" "memory" (memory 1 2 shared)) (func))', /the memory can grow/],
  [
    "a far offset",
    `(module ${MEMORY} (func (drop (i32.load offset=2097152 (i32.const 0)))))`,
    /has the offset 2097152/,
  ],
  ["data beyond the memory", `(module ${MEMORY} (data (i32.const 65535) "ab"))`, /does not fit the memory/],
  ["several results", `(module ${MEMORY} (func (result i32 i32) (i32.const 1) (i32.const 2)))`, /several results/],
  [
    "two exports with one identifier",
    `(module ${MEMORY} (func (export "a-b")) (func (export "a_b")))`,
    /both be called a_b/,
  ],
];
test.each(refused)("C printer: %s: refused in one line", (_, text, complaint) => {
  const message = (() => {
    try {
      return printed(text);
    } catch (error) {
      return (error as Error).message;
    }
  })();
  expect(message).toMatch(complaint);
  expect(message).not.toContain("\n");
});

test("C printer: a truncated module: refused in one line", () => {
  const wasm = assemble(`(module ${MEMORY} (func (export "f") (result i32) (i32.const 1)))`);
  for (const length of [0, 4, 9, wasm.length - 3])
    expect(() => printC(wasm.subarray(0, length), OPTIONS)).toThrow(MalformedModule);
});

test("C printer: an address that is a sum with a constant: the constant becomes the displacement", () => {
  const address = "(i32.add (i32.add (local.get 0) (i32.const 512)) (i32.shl (local.get 1) (i32.const 3)))";
  const text = printed(
    `(module ${MEMORY} (func (export "f") (param i32 i32) (result i64) (i64.load offset=16 ${address})))`,
  );
  expect(text).toContain("return *i64_at(a0 + (int32_t)((uint32_t)a1 << 3), 528);");
});

test("C printer: a load before a store to the same place: read before it is written", () => {
  const stored = "(block (result i32) (i32.store (i32.const 8) (i32.const 1)) (i32.const 3))";
  const text = printed(
    `(module ${MEMORY} (func (export "f") (result i32) (i32.add (i32.load (i32.const 8)) ${stored})))`,
  );
  const lines = text.split("\n").map((line) => line.trim());
  expect(lines.indexOf("const int32_t t1 = *i32_at(8, 0);")).toBeGreaterThan(0);
  expect(lines.indexOf("const int32_t t1 = *i32_at(8, 0);")).toBeLessThan(lines.indexOf("*i32_at(8, 0) = 1;"));
});
