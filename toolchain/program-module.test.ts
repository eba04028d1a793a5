import { describe, expect, test } from "vitest";
import { decodeModule } from "../wasm/decode.ts";
import { Random } from "../machines/sim/random.ts";
import { makePausable } from "./pausable.ts";
import { readArtifactModule } from "./artifact-module.ts";
import { checkProgram, type ProgramModule } from "./program-module.ts";
import { assemble } from "./testing/assemble.ts";

const RUN = '(func (export "run") (param i64) (result i32) (i32.const 0))';
const MEMORY = '(import "env" "memory" (memory 1 1))';
const body = (code: string, memory = MEMORY): string =>
  `(module ${memory} (func $work (param $value i32) ${code}) (func (export "run") (param i64) (result i32) (call $work (i32.const 1)) (i32.const 0)))`;

/** What is refused, a program that is, and what the line must hold: the place, too. */
const REFUSED: readonly (readonly [what: string, text: string, message: RegExp])[] = [
  [
    "another import",
    `(module (import "env" "print" (func)) ${RUN})`,
    /imports env\.print; a program may import os\.call/,
  ],
  ["a call of another type", `(module (import "os" "call" (func (param i32))) ${RUN})`, /imports os\.call as \(i32\)/],
  ["an imported global", `(module (import "env" "base" (global i32)) ${RUN})`, /imports env\.base/],
  [
    "a memory under another name",
    `(module (import "js" "mem" (memory 1 1)) ${RUN})`,
    /as js\.mem; that is env\.memory/,
  ],
  ["a larger memory", `(module (memory 2 2) ${RUN})`, /131072 bytes; a program has 65536/],
  [
    "data past the memory",
    `(module (memory 1 1) (data (i32.const 65534) "abcd") ${RUN})`,
    /data at 65534 does not fit/,
  ],
  [
    "float arithmetic",
    body("(drop (f64.add (f64.const 1) (f64.const 2)))"),
    /^work: f64\.const: the machine has no floats/,
  ],
  ["a float parameter", `(module (func $mean (param f32)) ${RUN})`, /^mean: the machine has no floats/],
  ["memory.grow", body("(drop (memory.grow (i32.const 1)))"), /^work: memory\.grow: a program's memory does not grow/],
  [
    "a wait",
    body(
      "(drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const 0)))",
      '(import "env" "memory" (memory 1 1 shared))',
    ),
    /^work: memory\.atomic\.wait32: a task waits by its system calls/,
  ],
  [
    "an atomic update of a byte",
    body("(drop (i32.atomic.rmw8.add_u (i32.const 0) (i32.const 1)))"),
    /^work: i32\.atomic\.rmw8\.add_u: .*less than a word/,
  ],
  [
    "an indirect call",
    `(module (table 1 1 funcref) (func $pick (call_indirect (i32.const 0))) ${RUN})`,
    /^pick: call_indirect: calls must name/,
  ],
  ["nothing exported", "(module)", /exports no run\(argument: i64\): i32/],
  [
    "a run of another type",
    '(module (func (export "run") (param i32) (result i32) (i32.const 0)))',
    /its run is \(i32\) -> i32; it must be \(i64\) -> i32/,
  ],
  ["a run that is no function", '(module (global (export "run") i32 (i32.const 0)))', /its export run is no function/],
  ["a start without programCount", '(module (func (export "start") (param i32 i64)))', /exports no run/],
  [
    "a programCount that is computed",
    '(module (func (export "programCount") (result i32) (i32.add (i32.const 1) (i32.const 2))) (func (export "start") (param i32 i64)))',
    /programCount is no constant/,
  ],
  [
    "a programCount of 0",
    '(module (func (export "programCount") (result i32) (i32.const 0)) (func (export "start") (param i32 i64)))',
    /programCount is 0; 1 to 1000/,
  ],
  ["passive data", `(module (memory 1 1) (data "a") ${RUN})`, /passive data segments/],
  [
    "many globals",
    `(module ${"(global (mut i32) (i32.const 0))".repeat(65)} ${RUN})`,
    /65 global variables, and at most 64/,
  ],
  [
    "a shared memory with a C stack",
    `(module (import "env" "memory" (memory 1 1 shared)) (global $__stack_pointer (mut i32) (i32.const 8192)) ${RUN})`,
    /shared memory and a C stack/,
  ],
  [
    "a shared memory with a start function",
    `(module (import "env" "memory" (memory 1 1 shared)) (func $first) (start $first) ${RUN})`,
    /shared memory and a start function/,
  ],
];

const named = (text: string): Uint8Array => assemble(text, false, true);

function accepted(text: string): ProgramModule {
  const check = checkProgram(named(text));
  if (check.kind === "refused") throw new Error(check.reason);
  return check.module;
}

describe("program module", () => {
  test.each(REFUSED)("program module: %s: refused in one line with its reason", (_, text, message) => {
    const check = checkProgram(named(text));
    expect(check).toMatchObject({ kind: "refused", reason: expect.stringMatching(message) as string });
    expect(check.kind === "refused" && check.reason).not.toContain("\n");
  });

  test.each([
    ["no module", new TextEncoder().encode("hello"), /not a WebAssembly module/],
    ["a module that ends early", assemble(`(module ${RUN})`).slice(0, -4), /module ends early/],
    ["a module that is not valid", invalidModule(), /it is not valid WebAssembly: Compiling function/],
    ["SIMD", simdModule(), /uses SIMD/],
  ])("program module: %s: refused in one line", (_, bytes, message) => {
    const check = checkProgram(bytes);
    expect(check).toMatchObject({ kind: "refused", reason: expect.stringMatching(message) as string });
    expect(check.kind === "refused" && check.reason).not.toContain("\n");
  });

  test.each([
    ["its own, which it exports", `(memory (export "memory") 1 16)`],
    ["none", ""],
    ["an imported one that could grow", '(import "env" "memory" (memory 0 300))'],
  ])("program module: a memory, %s: becomes the import of one page", (_, memory) => {
    const { wasm, entry, count, shared } = accepted(`(module ${memory} ${RUN})`);
    const { memory: found, exports } = decodeModule(wasm);
    expect(found).toEqual({ imported: { module: "env", name: "memory" }, initial: 1, maximum: 1, shared: false });
    expect([...exports.keys()]).toEqual(["run"]);
    expect({ entry, count, shared }).toEqual({ entry: "run", count: 1, shared: false });
  });

  test("program module: a shared memory, or the mark for one: its tasks share it", () => {
    expect(accepted(`(module (import "env" "memory" (memory 1 1 shared)) ${RUN})`).shared).toBe(true);
    const marked = accepted(`(module ${MEMORY} (global (export "sharedMemory") i32 (i32.const 1)) ${RUN})`);
    expect([marked.shared, decodeModule(marked.wasm).memory?.shared]).toEqual([true, true]);
    expect(accepted(`(module ${MEMORY} (global (export "sharedMemory") i32 (i32.const 0)) ${RUN})`).shared).toBe(false);
  });

  test("program module: a start function: called first by the entry, with what the entry is given", () => {
    const text = `(module ${MEMORY} (global $ten (mut i32) (i32.const 0)) (func $first (global.set $ten (i32.const 10)))
      (start $first) (func (export "run") (param i64) (result i32) (i32.add (global.get $ten) (i32.wrap_i64 (local.get 0)))))`;
    const { wasm } = accepted(text);
    expect(decodeModule(wasm).start).toBeUndefined();
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm as Uint8Array<ArrayBuffer>), {
      env: { memory },
    });
    expect((exports["run"] as (argument: bigint) => number)(5n)).toBe(15);
  });

  test("program module: several programs: as many as it has, numbered from 0", () => {
    const text =
      '(module (func (export "programCount") (result i32) (i32.const 3)) (func (export "start") (param i32 i64)))';
    expect(accepted(text)).toMatchObject({ entry: "start", count: 3 });
  });
});

test("program module: a function whose name ends a comment in C: the name is changed, and the code is not", () => {
  const bytes = named(`(module (func $aaaaaaaaaaaa) ${RUN})`);
  const at = Buffer.from(bytes).indexOf("aaaaaaaaaaaa");
  bytes.set(new TextEncoder().encode("a\n#error b\\\n"), at);
  const check = checkProgram(bytes);
  if (check.kind === "refused") throw new Error(check.reason);
  expect(readArtifactModule(check.module.wasm).functions[0]?.name).toBe("a_#error b__");
});

test("program module: a module with random bytes changed, or cut off: accepted or refused in one line, never thrown (seeds=43)", () => {
  const text = `(module (import "os" "call" (func $call (param i32 i64 i64 i64) (result i64))) (memory 1 1) (data (i32.const 64) "abc")
    (global $top (mut i32) (i32.const 8)) (table 2 2 funcref) (func $add (param i32) (result i32)
    (block (br_if 0 (i32.atomic.rmw.add (i32.const 0) (local.get 0)))) (loop (br_if 0 (i32.load (global.get $top)))) (i32.div_s (local.get 0) (i32.const 3)))
    (func (export "run") (param i64) (result i32) (drop (call $call (i32.const 6) (i64.const 1) (i64.const 2) (i64.const 3)))
    (global.set $top (call $add (i32.const 4))) (if (result i32) (i32.const 1) (then (i32.const 2)) (else (i32.const 3)))))`;
  const bytes = assemble(text, false, true);
  expect(checkProgram(bytes).kind).toBe("accepted");
  const kinds = new Map<string, number>();
  // The last three found an index that is no type's, and an access without an address.
  for (const seed of [...Array.from({ length: 40 }, (_, index) => index + 1), 548, 775, 779]) {
    const random = new Random(seed);
    const changed = bytes.slice(0, random.below(8) === 0 ? random.below(bytes.length) : bytes.length);
    for (let count = random.below(3); count >= 0; count--) changed[random.below(changed.length)] = random.below(256);
    const check = checkProgram(changed);
    kinds.set(check.kind, (kinds.get(check.kind) ?? 0) + 1);
    if (check.kind === "refused") expect(check.reason, `seed ${seed}`).not.toMatch(/\n|^$/);
    else expect(() => makePausable(check.module.wasm, { loops: "countdown" }), `seed ${seed}`).not.toThrow();
  }
  expect([...kinds.keys()].toSorted()).toEqual(["accepted", "refused"]);
});

/** Its run leaves nothing on the stack. */
function invalidModule(): Uint8Array {
  const bytes = assemble(`(module ${RUN})`);
  const at = bytes.lastIndexOf(0x41);
  // i32.const 0 becomes two times nop.
  return bytes.map((byte, index) => (index === at || index === at + 1 ? 0x01 : byte));
}

/** Its run begins with a prefix of SIMD. */
function simdModule(): Uint8Array {
  const bytes = assemble(`(module ${RUN})`);
  const at = bytes.lastIndexOf(0x41);
  return bytes.map((byte, index) => (index === at ? 0xfd : byte));
}
