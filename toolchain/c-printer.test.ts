import binaryen from "binaryen";
import { expect, test } from "vitest";
import { printC } from "./c-printer.ts";
import { hasNativeCompiler, runNative, runWasm } from "./testing/native-run.ts";
import { memoryModule, moduleText, numericModule } from "./testing/opcode-module.ts";
import { randomProgram } from "./testing/random-program.ts";

function assemble(text: string, optimized = false): Uint8Array {
  const module = binaryen.parseText(text);
  try {
    const { Atomics, BulkMemory, BulkMemoryOpt, MutableGlobals, SignExt } = binaryen.Features;
    module.setFeatures(Atomics | BulkMemory | BulkMemoryOpt | MutableGlobals | SignExt);
    if (module.validate() === 0) throw new Error("the test's module is not valid");
    if (optimized) module.optimize();
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}

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
