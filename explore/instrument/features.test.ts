import binaryen from "binaryen";
import { expect, test } from "vitest";
import type { Reductions } from "../index.ts";
import { explore } from "../index.ts";

// What LLVM emits beyond the first version of WebAssembly, each with an atomic access in its midst, where threads pause:
// blocks and functions with several results, saturating conversions, sign extension, bulk memory, passive segments.
const TEXT = `(module
  (memory (export "memory") 1 1 shared)
  (global (export "shown") (mut i64) (i64.const 3))
  (data $words "\\01\\02\\03\\04\\05\\06\\07\\08\\09")
  (func $two (param i32) (result i32 i64)
    (i32.atomic.rmw.add (i32.const 8) (local.get 0))
    (i64.atomic.rmw.add (i32.const 16) (i64.const 5)))
  (func $sum (param $n i32) (result i64) (local $kept f64)
    (local.set $kept (f64.const 1e30))
    (local.get $n) (i64.const 1)
    (block $out (param i32 i64) (result i64 i32)
      (i64.add (i64.atomic.rmw.xor (i32.const 24) (i64.const 0x1234567)))
      (local.set 2) (i64.const 77) (local.get $n)
      (br_if $out (i32.eqz (i32.atomic.load (i32.const 8))))
      (i32.add (i32.atomic.rmw.add (i32.const 8) (i32.const 3))))
    (local.set $n)
    (i64.add (i64.extend_i32_s (local.get $n)))
    (i64.add (i64.trunc_sat_f64_s (local.get $kept)))
    (i64.xor (i64.extend32_s (i64.atomic.load (i32.const 16))))
    (i64.add (i64.extend_i32_u (i32.trunc_sat_f32_u (f32.const -7.5)))))
  (func $worker (export "worker") (param $n i32) (local $i i32) (local $wide i64)
    (memory.init $words (i32.const 64) (i32.const 0) (i32.const 9))
    (data.drop $words)
    (loop $again
      (call $two (local.get $i))
      (local.set $wide) (drop)
      (i64.store (i32.const 32) (i64.add (i64.load (i32.const 32)) (i64.mul (local.get $wide) (call $sum (local.get $i)))))
      (i32.store8 (i32.const 70) (i32.atomic.rmw8.add_u (i32.const 71) (i32.const 200)))
      (i32.store (i32.const 40) (i32.extend8_s (i32.load8_u (i32.const 70))))
      (i64.store (i32.const 48) (i64.extend16_s (select (result i64) (i64.const 0xffff) (local.get $wide) (i32.extend16_s (i32.atomic.load (i32.const 8))))))
      (memory.copy (i32.const 66) (i32.const 64) (i32.const 9))
      (memory.fill (i32.const 80) (local.get $i) (i32.const 5))
      (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n)))))
  (func $mixed (result i64) (local $at i32) (local $sum i64)
    (loop $next
      (local.set $sum (i64.add (i64.mul (local.get $sum) (i64.const 31)) (i64.load (local.get $at))))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8))) (i32.const 128))))
    (local.get $sum))
  (func (export "low") (result i32) (i32.wrap_i64 (call $mixed)))
  (func (export "high") (result i32) (i32.wrap_i64 (i64.shr_u (call $mixed) (i64.const 32)))))`;

function assemble(): Uint8Array {
  const module = binaryen.parseText(TEXT);
  const { Features } = binaryen;
  module.setFeatures(
    Features.Atomics |
      Features.MutableGlobals |
      Features.BulkMemory |
      Features.BulkMemoryOpt |
      Features.SignExt |
      Features.NontrappingFPToInt |
      Features.Multivalue |
      Features.ReferenceTypes,
  );
  if (module.validate() === 0) throw new Error("the text is not valid");
  const bytes = module.emitBinary();
  module.dispose();
  return bytes;
}

test.each([{}, { zeroDead: false }, { plainInStep: false }] satisfies Partial<Reductions>[])(
  "features: multi-value, saturating, sign-extending and bulk instructions around pauses, %o: end as in the engine itself",
  async (reductions) => {
    const wasm = assemble();
    const { instance } = await WebAssembly.instantiate(wasm as BufferSource);
    const { worker, low, high } = instance.exports as Record<string, (n?: number) => number>;
    worker?.(9);
    const expected = [low?.(), high?.()];
    const found = [];
    for (const final of ["low", "high"]) {
      const target = { wasm, threads: [{ function: "worker", args: [9] }], final, reductions, races: false };
      const { verdict } = await explore(target);
      if (verdict.kind !== "violated") throw new Error(verdict.kind);
      const { violation } = verdict.counterexample;
      found.push(violation.kind === "final" ? violation.result : violation);
    }
    expect(found).toEqual(expected);
  },
);
