import { readFileSync, readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { buildArtifacts } from "../toolchain/build.ts";
import { MalformedModule, pushName } from "./bytes.ts";
import { decodeModule } from "./decode.ts";
import { encodeModule } from "./encode.ts";
import type { WasmModule } from "./module.ts";
import { OPCODES, Op } from "./opcodes.ts";
import { HEADER, SECTION } from "./sections.ts";
import { modelOf } from "./testing/model-of.ts";
import { randomModule } from "./testing/random-module.ts";

/** WASM_SEED=7 replays one. */
const only = process.env["WASM_SEED"];
const SEEDS = only === undefined ? Array.from({ length: 300 }, (_, index) => index + 1) : [Number(only)];

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

test("round trip: random modules, by seed: encoded and decoded the same model, encoded again the same bytes", () => {
  const seen = new Set<number>();
  for (const seed of SEEDS) {
    const module = randomModule(seed);
    for (const { body } of module.functions) for (const { op } of body) seen.add(op);
    const bytes = encodeModule(module);
    const decoded = decodeModule(bytes);
    expect(modelOf(decoded), `WASM_SEED=${seed}`).toEqual(modelOf(module));
    expect(isSame(encodeModule(decoded), bytes), `WASM_SEED=${seed}`).toBe(true);
  }
  if (only === undefined) expect([...OPCODES.keys()].filter((op) => !seen.has(op))).toEqual([]);
});

test("round trip: one immediate of one instruction changed on the way: seen", () => {
  for (const field of ["a", "b", "value"] as const) {
    const module = randomModule(3);
    const changed = module.functions.map((func) => {
      const at = func.body.findIndex((each) => (field === "value" ? each.value !== undefined : each[field] > 1));
      const body = func.body.map((each, index) =>
        index !== at ? each : { ...each, [field]: field === "value" ? 77n : each[field] - 1 },
      );
      return { ...func, body };
    });
    expect(changed).not.toEqual(module.functions);
    const decoded = decodeModule(encodeModule({ ...module, functions: changed }));
    expect(modelOf(decoded)).not.toEqual(modelOf(module));
  }
});

test("round trip: everything that is built: the same bytes", async () => {
  const built = await buildArtifacts();
  if (built.kind === "refused") throw new Error(built.lines[0]);
  const folder = new URL("../build/", import.meta.url);
  const names = readdirSync(folder).filter((name) => name.endsWith(".wasm"));
  expect(names).toEqual(expect.arrayContaining(["kernel.wasm", "kernel.sim.wasm", "user.wasm", "user.sim.wasm"]));
  for (const name of names) {
    const bytes = new Uint8Array(readFileSync(new URL(name, folder)));
    expect(isSame(encodeModule(decodeModule(bytes)), bytes), name).toBe(true);
  }
});

test("round trip: other forms of the same module: the shortest comes back", () => {
  const custom: number[] = [];
  pushName(custom, "x");
  const padded = (value: number): number[] => [value | 0x80, 0x80, 0x00];
  const loose = Uint8Array.from([
    ...HEADER,
    // One type () -> (), its section's size and its length padded.
    ...[SECTION.type, ...padded(6), ...padded(1), 0x60, 0, 0],
    ...[SECTION.function, 2, 1, 0],
    // Elements as expressions.
    ...[SECTION.element, 9, 1, 4, Op["i32.const"], 0, Op.end, 1, Op["ref.func"], 0, Op.end],
    // (i32.const 1) and drop.
    ...[SECTION.code, 9, 1, 7, 0, Op["i32.const"], ...padded(1), Op.drop, Op.end],
    ...[SECTION.custom, custom.length, ...custom],
  ]);
  const decoded = decodeModule(loose);
  const tight = encodeModule(decoded);
  expect(tight.length).toBe(loose.length - 8);
  expect(modelOf(decodeModule(tight))).toEqual(modelOf(decoded));
});

test.each([
  ["an empty file", [], /not a WebAssembly module/],
  ["another version", [...HEADER.slice(0, 4), 2, 0, 0, 0], /not a WebAssembly module/],
  ["a section longer than the file", [...HEADER, SECTION.type, 9, 0], /ends early, at byte/],
  ["a section longer than its contents", [...HEADER, SECTION.type, 2, 0, 0], /section 1 is longer than its contents/],
  [
    "a body of a type that does not exist",
    [...HEADER, 3, 2, 1, 5, 10, 4, 1, 2, 0, 0x0b],
    /type 5, which does not exist/,
  ],
  ["a function without a body", [...HEADER, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0], /function and code sections disagree/],
  ["a number without an end", [...HEADER, SECTION.type, 6, 255, 255, 255, 255, 255, 255], /number is too long/],
])("decode: %s: one line", (_, bytes, message) => {
  const decode = (): WasmModule => decodeModule(Uint8Array.from(bytes));
  expect(decode).toThrow(MalformedModule);
  expect(decode).toThrow(message);
});
