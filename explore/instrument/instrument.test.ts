import { expect, test } from "vitest";
import { compileAssemblyScript } from "../fixtures/compile.ts";
import { example } from "../fixtures/example.ts";
import type { Reductions } from "../index.ts";
import { explore } from "../index.ts";
import { decodeModule } from "../../wasm/decode.ts";
import { prepare } from "../program/prepared-target.ts";
import { assertDefined } from "../../wasm/assert-defined.ts";

// Every construct that flattening must take apart has an atomic access inside: loops, switches, nested ifs with values,
// recursion, calls through a table, all value types alive across pauses, narrow and wide read-modify-writes, bulk memory.
const SOURCE = `
let global: i32 = 7;
let wide: i64 = 1;

function mark(address: usize, value: i64): void { atomic.store<i64>(address, value ^ atomic.load<i64>(address)); }

function sum(n: i32): i64 { return n <= 0 ? atomic.add<i64>(512, 1) : sum(n - 1) + <i64>n * sum(n - 2); }

function pick(n: i32): i32 {
  let result = n;
  switch (n) {
    case 0: result = atomic.add<i32>(520, 3); break;
    case 1: result = atomic.sub<i32>(520, 1);
    case 2:
    case 3: result += <i32>atomic.xchg<u8>(525, <u8>n); if (n > 1) result += pick(n - 2); break;
    case 7: global = atomic.or<i32>(528, 0x55); return global;
    default: return n * 3;
  }
  return result + atomic.xor<i32>(520, n);
}

function twice(x: i32): i32 { return atomic.add<i32>(532, x) * 2; }
function plainly(x: i32): i32 { return x + 5; }
const table: ((x: i32) => i32)[] = [twice, plainly];

function floats(n: i32): f64 {
  let a: f64 = 0.5, b: f32 = 1.25;
  for (let i = 0; i < n; i++) {
    a = a * 1.5 + <f64>b;
    if (atomic.load<i32>(520) > i) b = b + 0.125; else a = a - <f64>i;
    wide = wide * 31 + <i64>a;
  }
  return a + <f64>b;
}

export function worker(n: i32): void {
  for (let i = 0; i < n; i++) {
    mark(600, sum(i % 5));
    mark(608, pick(i) + (atomic.cmpxchg<i32>(540, i, i + 1) == i ? pick(i & 3) : twice(i)));
    if ((i & 3) == 2) continue;
    for (let j = 0; j < i; j++) {
      if (j * i == 12) break;
      store<u8>(700 + j, load<u8>(700 + j) + <u8>twice(j));
      let k = j;
      while (k > 0) { k -= 2; if (atomic.and<i32>(548, ~k) == 77) return; }
    }
    mark(616, <i64>table[i & 1](i));
    store<f64>(800 + (i << 3), floats(i));
    atomic.store<u16>(880, atomic.add<u16>(882, 0x7fff));
    mark(624, <i64>atomic.cmpxchg<u8>(890, <u8>i, <u8>(i + 1)));
    memory.copy(900, 600, 40);
    memory.fill(960 + i, <u8>i, 9);
    memory.copy(961, 960, 20);
    store<i64>(1003, wide);
    mark(632, <i64>global);
  }
}
`;

async function compiled(optimize: boolean): Promise<Uint8Array> {
  return (await compileAssemblyScript(SOURCE, { optimize })).wasm;
}

function runNatively(wasm: Uint8Array, n: number): Uint8Array {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const abort = (): never => {
    throw new Error("abort");
  };
  const instance = new WebAssembly.Instance(new WebAssembly.Module(wasm as BufferSource), { env: { memory, abort } });
  (instance.exports["worker"] as (n: number) => void)(n);
  return new Uint8Array(memory.buffer).slice();
}

for (const optimize of [false, true])
  for (const [title, options] of [
    ["as explored", {}],
    ["traced", { traced: true }],
    ["plain accesses as pause points", { reductions: { plainInStep: false } }],
    ["without zeroing", { reductions: { zeroDead: false } }],
  ] as [string, { traced?: boolean; reductions?: Partial<Reductions> }][])
    test(`instrument: a module with every construct, ${optimize ? "optimized" : "not optimized"}, ${title}: ends with the same memory as in the engine itself`, async () => {
      const wasm = await compiled(optimize);
      const prepared = prepare(
        {
          wasm,
          threads: [{ function: "worker", args: [9] }],
          reductions: { coalesceInvisible: false, ...options.reductions },
        },
        options.traced,
      );
      const program = prepared.newProgram();
      const fingerprints: string[] = [];
      const marks: number[] = [];
      let steps = 0;
      for (; program.enabled !== 0; steps++) {
        if (program.logIsFull) {
          program.i32[24 >> 2] = program.root;
          marks.length = 0;
          fingerprints.length = 0;
        }
        marks.push(program.mark);
        fingerprints.push(`${program.high}:${program.low}`);
        expect(program.apply(0)).toBeUndefined();
      }
      expect(steps).toBeGreaterThan(100);
      const base = program.layout.userBase;
      expect(Buffer.from(program.u8.slice(base, base + 65536)).equals(Buffer.from(runNatively(wasm, 9)))).toBe(true);
      // Back again: every fingerprint on the way is the one from before.
      const last = marks.length - 1;
      for (let step = last; step >= Math.max(0, last - 50); step--) {
        program.undo(assertDefined(marks[step]));
        program.engine.finish();
        expect(`${program.high}:${program.low}`).toBe(fingerprints[step]);
      }
    });

test("instrument: a snapshot from another path: restores the fingerprint and every word", async () => {
  const { wasm } = await example("peterson");
  const program = prepare({ wasm, threads: [0, 1].map((me) => ({ function: "worker", args: [me] })) }).newProgram();
  for (const choice of [0, 1, 0, 0, 1]) program.apply(choice);
  const snapshot = program.capture();
  const before = [program.high, program.low, program.memorySum];
  program.undo(program.root);
  for (const choice of [1, 0, 1, 1, 1, 0, 1]) program.apply(choice);
  program.restore(snapshot);
  expect([program.high, program.low, program.memorySum]).toEqual(before);
  program.apply(1);
  program.undo(program.root);
  program.engine.finish();
  program.restore(snapshot);
  expect([program.high, program.low, program.memorySum]).toEqual(before);
});

test("instrument: real modules: what is produced decodes again and compiles", async () => {
  for (const name of ["chase-lev", "bounded-queue", "faults/aba"]) {
    const { wasm } = await example(name);
    const module = decodeModule(wasm);
    const [first] = [...module.exports.keys()];
    const { instrumented } = prepare({ wasm, threads: [{ function: assertDefined(first) }] });
    expect(WebAssembly.validate(instrumented.bytes as BufferSource)).toBe(true);
    expect(decodeModule(instrumented.bytes).functions.length).toBeGreaterThan(module.functions.length);
  }
});

test("target: what is wrong with a module or its threads: one line each", async () => {
  const { wasm } = await example("peterson");
  const plain = await compileAssemblyScript("export function worker(): void { store<i32>(0, 1); }");
  const simd = Uint8Array.from(Buffer.from("0061736d010000000105016000017b03020100", "hex"));
  const memory64 = Uint8Array.from(Buffer.from("0061736d0100000005030104010a0100", "hex"));
  const foreign = await compileAssemblyScript(
    "declare function read(): i32; export function worker(): void { atomic.store<i32>(0, read()); }",
  );
  const complaints: [Uint8Array, string[], RegExp][] = [
    [Uint8Array.of(1, 2, 3), ["worker"], /not a WebAssembly module/],
    [wasm.subarray(0, 60), ["worker"], /ends early/],
    [plain.wasm, ["worker"], /no atomic access.*threads feature/],
    [simd, ["worker"], /SIMD/],
    [memory64, ["worker"], /64-bit/],
    [foreign.wasm, ["worker"], /imports module\.read/],
    [wasm, ["nobody"], /exports no function "nobody"; it exports worker, counted/],
    [wasm, [], /no thread is given/],
    [wasm, Array.from({ length: 17 }, () => "worker"), /17 threads.*up to 16/],
  ];
  for (const [bytes, threads, complaint] of complaints) {
    const error = await explore({ wasm: bytes, threads: threads.map((name) => ({ function: name })) }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error, String(complaint)).toBeInstanceOf(Error);
    expect((error as Error).message).toMatch(complaint);
    expect((error as Error).message).not.toContain("\n");
  }
});
