import { expect, test } from "vitest";
import { compile } from "./asc.ts";
import { decodeModule } from "../wasm/decode.ts";
import { type Sources, withSources } from "./testing/sources.ts";

const compiled = (text: string): ReturnType<typeof compile> =>
  withSources({ "kernel/index.ts": text } satisfies Sources, (root) =>
    compile({
      root,
      entry: "kernel/index.ts",
      memory: { pages: 1, shared: true },
      build: "optimized",
      texts: "bytes",
    }),
  );

const READER =
  "function byteOf(text: string, at: usize): i32 { return load<u8>(changetype<usize>(text) + at) as i32; }\n";

test("byte texts: a literal, by a name and by itself: its bytes and a zero, with no header", async () => {
  const outcome = await compiled(
    `const NAME: string = "abc";\n${READER}export function f(at: usize): i32 { return byteOf(NAME, at) + (at < 3 ? byteOf("xy", at) : 0); }\n`,
  );
  if (outcome.kind === "refused") throw new Error(outcome.diagnostics[0]);
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(outcome.wasm)), {
    env: { memory },
  });
  const sums = [0, 1, 2, 3].map((at) => Reflect.apply(exports["f"] as (at: number) => number, null, [at]));
  expect(sums).toEqual([97 + 120, 98 + 121, 99, 0]);
  expect(decodeModule(outcome.wasm).data.reduce((sum, { bytes }) => sum + bytes.length, 0)).toBeLessThan(8);
});

test("byte texts: an assertion's message: no data", async () => {
  const outcome = await compiled('export function f(at: i32): void { assert(at < 3, "out of range"); }\n');
  if (outcome.kind === "refused") throw new Error(outcome.diagnostics[0]);
  expect(decodeModule(outcome.wasm).data).toEqual([]);
});

test.each([
  ["not ASCII", "caf\\u00e9"],
  ["with a zero inside", "a\\0b"],
])("byte texts: %s: refused in one line", async (_, text) => {
  const outcome = await compiled(`${READER}export function f(): i32 { return byteOf("${text}", 0); }\n`);
  expect(outcome.kind).toBe("refused");
  if (outcome.kind === "refused") expect(outcome.diagnostics[0]).toMatch(/a text of the kernel is not ASCII/);
});
