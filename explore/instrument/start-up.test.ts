import binaryen from "binaryen";
import { expect, test } from "vitest";
import type { Target } from "../index.ts";
import { explore } from "../index.ts";

// Modules in text, for shapes of linkers that are not at hand: what a thread sees of its thread-local variable (first 7).

interface Shape {
  /** Body of the start function; none without. */
  readonly start?: string;
  readonly constructors?: string;
  readonly size?: string;
  readonly init?: string;
}

/** Newer linkers give the first instance the block that lies in the module's own data. */
const PLACES_THE_FIRST = `(if (i32.eqz (i32.atomic.rmw.cmpxchg (i32.const 64) (i32.const 0) (i32.const 1)))
  (then (global.set $tls (i32.const 128)) (i32.store (i32.const 128) (i32.const 7))))`;

function moduleOf({
  start,
  constructors = "",
  size = '(export "__tls_size" (global $size))',
  init,
}: Shape): Uint8Array {
  const text = `(module
    (memory (export "memory") 1 1 shared)
    (global $tls (mut i32) (i32.const 0))
    (global $size i32 (i32.const 8))
    ${size}
    ${
      init ??
      `(func (export "__wasm_init_tls") (param i32)
      (global.set $tls (local.get 0)) (i32.store (local.get 0) (i32.const 7)))`
    }
    ${start === undefined ? "" : `(func $start ${start}) (start $start)`}
    ${constructors}
    (func $bump (export "bump") (i32.store (global.get $tls) (i32.add (i32.load (global.get $tls)) (i32.const 1)))
      (drop (i32.atomic.rmw.add (i32.const 8) (i32.load (global.get $tls)))))
    (func (export "sum") (result i32) (i32.atomic.load (i32.const 8)))
    (func (export "order") (result i32) (i32.load (i32.const 16)))
    (func (export "block") (result i32) (global.get $tls)))`;
  const module = binaryen.parseText(text);
  module.setFeatures(binaryen.Features.Atomics | binaryen.Features.MutableGlobals | binaryen.Features.BulkMemory);
  const bytes = module.emitBinary();
  module.dispose();
  return bytes;
}

async function answer(wasm: Uint8Array, final: string, more: Partial<Target> = {}): Promise<number | string> {
  const threads = [{ function: "bump" }, { function: "bump" }];
  const { verdict } = await explore({ wasm, threads, final, ...more });
  if (verdict.kind !== "violated") return verdict.kind;
  const { violation } = verdict.counterexample;
  return violation.kind === "final" ? violation.result : violation.kind;
}

test("start-up: no instance has a block yet: each gets one, and none another's", async () => {
  const wasm = moduleOf({});
  expect(await answer(wasm, "sum")).toBe(16);
  // The main thread's block lies behind the module's memory, too.
  expect(Number(await answer(wasm, "block"))).toBeGreaterThanOrEqual(65536);
});

test("start-up: the start function places the first instance's block: the main thread keeps it, the others get theirs", async () => {
  const wasm = moduleOf({ start: PLACES_THE_FIRST });
  expect(await answer(wasm, "block")).toBe(128);
  expect(await answer(wasm, "sum")).toBe(16);
  expect(await answer(wasm, "sum", { init: "bump" })).toBe(24);
});

test.each([
  ["no size is exported", { size: "" }],
  [
    "no initializer is exported",
    { init: '(func (export "set") (param i32) (global.set $tls (local.get 0))) (export "__tls_base" (global $tls))' },
  ],
])("start-up: thread-local variables, and %s: one line that explains how to link", async (_, shape) => {
  await expect(answer(moduleOf(shape), "sum")).rejects.toThrow(
    /^the module has thread-local variables.*--export=__tls_size/,
  );
});

const appending = (name: string, digit: number): string =>
  `(func $${name} (export "${name}") (i32.store (i32.const 16) (i32.add (i32.const ${digit}) (i32.mul (i32.load (i32.const 16)) (i32.const 10)))))`;

test.each([
  ["constructors", appending("__wasm_call_ctors", 1), {}, 1],
  [
    "an initializer that runs the constructors",
    `${appending("ctors", 1)} (export "__wasm_call_ctors" (func $ctors)) (func (export "_initialize") (call $ctors))`,
    {},
    1,
  ],
  [
    "relocations and constructors",
    appending("__wasm_call_ctors", 2) + appending("__wasm_apply_data_relocs", 1),
    {},
    12,
  ],
  [
    "constructors that init calls",
    `${appending("__wasm_call_ctors", 1)} (func (export "init") (call $__wasm_call_ctors))`,
    { init: "init" },
    1,
  ],
] as const)("start-up: %s: run once, in order, in the main instance", async (_, constructors, more, expected) => {
  expect(await answer(moduleOf({ constructors }), "order", more)).toBe(expected);
});

test("start-up: constructors that the start function has run: not run again", async () => {
  const wasm = moduleOf({ constructors: appending("__wasm_call_ctors", 1), start: "(call $__wasm_call_ctors)" });
  // Each instance starts: the main one and two threads. That is the module's own doing.
  expect(await answer(wasm, "order")).toBe(111);
});
