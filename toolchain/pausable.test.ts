import binaryen from "binaryen";
import { beforeAll, describe, expect, it } from "vitest";
import { compileText } from "../machines/sim/fixture.test-support.ts";
import { Random } from "../machines/sim/random.ts";
import { memoryFor, pausableModule, Resumable } from "../machines/sim/resumable-instance.ts";
import { KERNEL_MEMORY } from "./asc.ts";
import { makePausable, type PausableOptions } from "./pausable.ts";
import { ACCESS_ATOMIC, ACCESS_WIDTH_MASK, ACCESS_WRITE, readTable } from "./sites.ts";

/** Every kind of access, nested where a pause must come between, in loops, calls and branches. */
const PROGRAM = `
@external("host", "note") declare function note(value: i32): i32;
function deep(n: i32): i32 { return n <= 0 ? atomic.load<i32>(64) : deep(n - 1) + note(n); }
function mix(p: usize, n: i32): i64 {
  let sum: i64 = 0;
  for (let i = 0; i < n; i++) {
    store<i32>(p + 4 * i, i * 2654435761);
    atomic.store<i32>(p, atomic.load<i32>(p) + note(atomic.add<i32>(p + 4, i)) + load<i32>(p + 4 * i));
    if ((i & 3) == 1) sum += atomic.xchg<u8>(p + 3, <u8>i);
    else if ((i & 3) == 2) sum ^= atomic.or<i64>(p + 8, sum << 3);
    else sum -= i64(atomic.cmpxchg<u16>(p + 18, <u16>i, 77)) + atomic.sub<i32>(p + 24, 5);
    sum += atomic.and<i64>(p + 32, -3) + atomic.xor<i32>(p + 40, i) + i64(atomic.load<u8>(p + 5));
    atomic.fence();
  }
  return sum;
}
export function run(seed: i32): i64 {
  const first = mix(128, 9 + (seed & 7)) + mix(512, note(seed & 3));
  memory.copy(1024, 128, 256);
  memory.fill(2048 + load<u8>(1030), 9, 33);
  const value = seed > 4 ? deep(seed & 15) : note(note(seed) + memory.size());
  return first * 31 + value + load<i16>(1027) + i64(load<f64>(1032) > 0);
}`;

let artifact: Uint8Array;

beforeAll(async () => {
  artifact = await compileText(PROGRAM, { memory: KERNEL_MEMORY });
});

const note = (value: number): number => (Math.imul(value, 7) ^ 3) & 15;

interface Result {
  readonly value: unknown;
  readonly memory: Uint8Array;
  readonly notes: readonly number[];
}

function runPlain(seed: number): Result {
  const memory = new WebAssembly.Memory({ initial: 8, maximum: 8, shared: true });
  const notes: number[] = [];
  const host = { note: (value: number) => (notes.push(value), note(value)) };
  const module = new WebAssembly.Module(artifact as Uint8Array<ArrayBuffer>);
  const instance = new WebAssembly.Instance(module, { env: { memory }, host });
  const value = (instance.exports.run as (seed: number) => bigint)(seed);
  return { value, memory: new Uint8Array(memory.buffer).slice(), notes };
}

interface Watch {
  readonly leave?: (site: number) => boolean;
  readonly pause?: (site: number) => void;
  readonly access?: (site: number, address: number, flags: number) => void;
}

function instantiate(wasm: Uint8Array, watch: Watch, host: Record<string, (value: number) => number> = {}) {
  const module = pausableModule(new WebAssembly.Module(wasm as Uint8Array<ArrayBuffer>));
  const memory = memoryFor(module);
  const sim = {
    pause: (site: number) => {
      if (instance.arrive()) return;
      watch.pause?.(site);
      if (watch.leave?.(site) === true) instance.leave();
    },
    outside: (address: number, flags: number) => {
      throw new Error(`outside ${address >>> 0} ${(flags & ACCESS_WRITE) === 0 ? "read" : "write"}`);
    },
    stuck: (site: number) => {
      throw new Error(`stuck in ${module.sites[site]?.function}`);
    },
    access: watch.access ?? (() => undefined),
  };
  const instance = new Resumable(module.module, { env: { memory }, host, sim }, memory);
  return { instance, module, memory };
}

function runPausable(
  seed: number,
  leave: () => boolean,
  options: PausableOptions = {},
  loopHeads = 0,
): Result & { pauses: number } {
  const notes: number[] = [];
  const host = { note: (value: number) => (notes.push(value), note(value)) };
  const { instance, module, memory } = instantiate(makePausable(artifact, options), { leave }, host);
  let pauses = 0;
  instance.pausesLeft = loopHeads;
  let outcome = instance.enter(module.ownBytes, 4096, "run", [seed]);
  while (outcome.kind === "paused") {
    pauses += 1;
    instance.pausesLeft = loopHeads;
    outcome = instance.resume(module.ownBytes, "run", [seed]);
  }
  return { value: outcome.value, memory: new Uint8Array(memory.buffer, 0, module.ownBytes).slice(), notes, pauses };
}

describe("pausable", () => {
  it.each([0, 3, 6, 13])("pausable: program left nowhere, everywhere, at random: as the artifact (seed=%i)", (seed) => {
    const plain = runPlain(seed);
    const random = new Random(seed);
    const never = runPausable(seed, () => false);
    const always = runPausable(seed, () => true, { loops: "pause" });
    const sometimes = runPausable(seed, () => random.below(3) === 0, { memoryAccesses: false });
    const counted = runPausable(seed, () => true, { loops: "countdown" }, 1 + seed);
    for (const { value, memory, notes } of [never, always, sometimes, counted]) {
      expect(value).toBe(plain.value);
      expect(notes).toEqual(plain.notes);
      expect(Buffer.compare(memory, plain.memory)).toBe(0);
    }
    expect(never.pauses).toBe(0);
    expect(always.pauses).toBeGreaterThan(sometimes.pauses);
    expect(sometimes.pauses).toBeGreaterThan(0);
  });

  it("pausable: loops that count down by one: pause as often as loops that always pause", () => {
    const always = runPausable(6, () => true, { loops: "pause" });
    expect(runPausable(6, () => true, { loops: "countdown" }, 1).pauses).toBe(always.pauses);
    expect(runPausable(6, () => true, { loops: "countdown" }, 3).pauses).toBeLessThan(always.pauses);
  });

  it("pausable: table of sites: one for each atomic access, fence and import call of the artifact", () => {
    const table = readTable(new WebAssembly.Module(makePausable(artifact) as Uint8Array<ArrayBuffer>));
    const original = binaryen.readBinary(artifact);
    const text = original.emitText();
    original.dispose();
    const imported = /\(import "host" "note" \(func (\S+)/.exec(text)?.[1] ?? "";
    const count = (pattern: RegExp) => (text.match(pattern) ?? []).length;
    const kinds = (kind: string) => table?.sites.filter((site) => site.kind === kind).length;
    expect(kinds("atomic-load")).toBe(count(/\.atomic\.load/g));
    expect(kinds("atomic-store")).toBe(count(/\.atomic\.store/g));
    expect(kinds("atomic-cmpxchg")).toBe(count(/cmpxchg/g));
    expect(kinds("atomic-rmw")).toBe(count(/\.atomic\.rmw/g) - count(/cmpxchg/g));
    expect(kinds("fence")).toBe(count(/\(atomic\.fence/g));
    expect(kinds("call")).toBe(text.split(`(call ${imported}\n`).length - 1);
    expect(table?.sites.every((site) => site.function.startsWith("kernel/fixture/"))).toBe(true);
    expect(table?.sites.find((site) => site.kind === "call")?.detail).toBe("host.note");
  });

  it("pausable: accesses announced: an atomic one follows its own pause at once, and only one does", () => {
    const log: string[] = [];
    const watch = {
      pause: (site: number) => log.push(`pause ${site}`),
      access: (site: number, _address: number, flags: number) =>
        log.push(`${(flags & ACCESS_ATOMIC) === 0 ? "plain" : "atomic"} ${site}`),
    };
    const bulkFree = compileText(PROGRAM.replace(/^ {2}memory\.(copy|fill).*$/gm, ""), { memory: KERNEL_MEMORY });
    return bulkFree.then((wasm) => {
      const { instance, module } = instantiate(makePausable(wasm, { memoryAccesses: true }), watch, { note });
      instance.enter(module.ownBytes, 4096, "run", [5]);
      const atomics = log.flatMap((line, index) => (line.startsWith("atomic") ? [index] : []));
      expect(atomics.length).toBeGreaterThan(50);
      expect(log.some((line) => line.startsWith("plain"))).toBe(true);
      for (const index of atomics) expect(log[index - 1]).toBe(log[index]?.replace("atomic", "pause"));
    });
  });

  it("pausable: announced access: address, width and direction are those of the access", () => {
    const seen: string[] = [];
    const access = (_site: number, address: number, flags: number) =>
      seen.push(`${address} ${flags & ACCESS_WIDTH_MASK} ${flags & ACCESS_WRITE ? "write" : "read"}`);
    const wasm = fromText(`
      (func (export "run") (param i32)
        (i32.store16 offset=6 (local.get 0) (i32.load8_u offset=3 (local.get 0)))
        (drop (i64.atomic.rmw.add offset=8 (local.get 0) (i64.const 1))))`);
    const { instance, module } = instantiate(makePausable(wasm, { memoryAccesses: true }), { access });
    instance.enter(module.ownBytes, 4096, "run", [96]);
    expect(seen).toEqual(["99 1 read", "102 2 write", "104 8 write"]);
  });

  it.each([
    ["(drop (i32.load (local.get 0)))", 65532, 65533, "outside 65533 read"],
    ["(i64.store offset=100 (local.get 0) (i64.const 1))", 65428, 65429, "outside 65529 write"],
    ["(drop (i32.atomic.rmw.add (local.get 0) (i32.const 1)))", 65532, 65536, "outside 65536 write"],
    ["(drop (i32.load8_u offset=32 (local.get 0)))", 65503, -16, "outside 16 read"],
    ["(memory.fill (local.get 0) (i32.const 1) (i32.const 8))", 65528, 65529, "outside 65529 write"],
    ["(memory.copy (i32.const 0) (local.get 0) (i32.const 8))", 65528, -1, "outside 4294967295 read"],
    ["(drop (i32.load offset=70000 (i32.const 0)))", undefined, 0, "outside 70000 read"],
  ])("pausable: access at the edge of the program's own memory: %s: kept inside", (body, good, bad, message) => {
    const wasm = fromText(`(func (export "run") (param i32) ${body})`, "1 1");
    const { instance, module } = instantiate(makePausable(wasm), {});
    const enter = (address: number) => instance.enter(module.ownBytes, 4096, "run", [address]);
    if (good !== undefined) expect(enter(good).kind).toBe("returned");
    expect(() => enter(bad)).toThrow(message);
  });

  it("pausable: memory size: the program sees its own pages only", () => {
    const wasm = fromText(`(func (export "run") (result i32) (memory.size))`, "3 3");
    const { instance, module, memory } = instantiate(makePausable(wasm, { extraPages: 2 }), {});
    expect(instance.enter(module.ownBytes, 4096, "run", [])).toEqual({ kind: "returned", value: 3 });
    expect(memory.buffer.byteLength).toBe(5 * 65536);
  });

  it("pausable: loop without a pause: reported as stuck, with the function's name", () => {
    const wasm = fromText(`(func $turns (export "run") (loop $again (br $again)))`);
    const { instance, module } = instantiate(makePausable(wasm), {});
    expect(() => instance.enter(module.ownBytes, 4096, "run", [])).toThrow("stuck in turns");
  });

  it("pausable: two calls left in the middle: each goes on with its own variables", () => {
    const wasm = fromText(`
      (func (export "run") (param i32) (result i32) (local i32)
        (local.set 1 (i32.mul (local.get 0) (i32.const 10)))
        (drop (i32.atomic.load (i32.const 0)))
        (i32.add (local.get 1) (i32.atomic.load (i32.const 4))))`);
    const { instance, module } = instantiate(makePausable(wasm), { leave: () => true });
    const [one, two] = [module.ownBytes, module.ownBytes + 4096];
    expect(instance.enter(one, 4096, "run", [1]).kind).toBe("paused");
    expect(instance.enter(two, 4096, "run", [2]).kind).toBe("paused");
    expect(instance.resume(one, "run", [1]).kind).toBe("paused");
    expect(instance.resume(two, "run", [2]).kind).toBe("paused");
    expect(instance.resume(two, "run", [2])).toEqual({ kind: "returned", value: 20 });
    expect(instance.resume(one, "run", [1])).toEqual({ kind: "returned", value: 10 });
  });

  it("pausable: region too small for the stack: reported, and the instance still works", () => {
    const wasm = fromText(`
      (func $deep (export "run") (param i32) (result i32)
        (if (result i32) (i32.eqz (local.get 0))
          (then (i32.atomic.load (i32.const 0)))
          (else (i32.add (local.get 0) (call $deep (i32.sub (local.get 0) (i32.const 1)))))))`);
    const { instance, module } = instantiate(makePausable(wasm), { leave: () => true });
    expect(() => instance.enter(module.ownBytes, 256, "run", [100])).toThrow(/does not fit its region/);
    expect(instance.enter(module.ownBytes, 4096, "run", [3]).kind).toBe("paused");
    expect(instance.resume(module.ownBytes, "run", [3])).toEqual({ kind: "returned", value: 6 });
  });

  it.each([
    ["(module (memory 1 1))", "it imports no memory"],
    [`(module (import "env" "memory" (memory 1 2)))`, "its memory can grow"],
    [`(module (import "env" "memory" (memory 1)))`, "its memory can grow"],
    [moduleText(`(func $more (drop (memory.grow (i32.const 1))))`), "it grows its memory in more"],
    [
      moduleText(`(func $sleep (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const 0))))`),
      "it waits or notifies in sleep",
    ],
    [moduleText(`(func $wide (drop (v128.load32_splat (i32.const 0))))`), "function 0 uses SIMD"],
  ])("pausable: module that cannot be made so: refused in one line: %s", (text, message) => {
    expect(() => makePausable(assembled(text))).toThrow(`cannot make this module pausable: ${message}`);
  });

  it("pausable: bulk copy while accesses are to be announced: refused", () => {
    expect(() => makePausable(artifact, { memoryAccesses: true })).toThrow(/copies or fills memory in bulk in .*run/);
  });
});

function moduleText(body: string, limits = "8 8"): string {
  return `(module (import "env" "memory" (memory ${limits} shared)) ${body})`;
}

function fromText(body: string, limits?: string): Uint8Array {
  return assembled(moduleText(body, limits));
}

function assembled(text: string): Uint8Array {
  const module = binaryen.parseText(text);
  module.setFeatures(binaryen.Features.All);
  binaryen.setDebugInfo(true);
  const wasm = module.emitBinary();
  binaryen.setDebugInfo(false);
  module.dispose();
  return wasm;
}
