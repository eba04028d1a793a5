import { expect, test } from "vitest";
import { readArtifactModule } from "./artifact-module.ts";
import { compiledSources, compileSources } from "./testing/sources.ts";

const index = (text: string): { "kernel/index.ts": string } => ({ "kernel/index.ts": text });

test("asc: a kernel: frozen shared memory, named functions, no import but its own, data above the first 4 KiB", async () => {
  const source = `const table: StaticArray<u8> = [1, 2, 3];
export function look(i: i32): i32 { assert(i < 3, "in range"); return table[i] as i32; }
`;
  const { wasm, files } = await compiledSources(index(source), "optimized");
  const module = readArtifactModule(wasm);
  expect(module.wasm.memory).toEqual({
    imported: { module: "env", name: "memory" },
    ...{ initial: 1, maximum: 1, shared: true },
  });
  expect(module.functions.map((fn) => [fn.kind, fn.name])).toEqual([["defined", "kernel/index/look"]]);
  expect(module.wasm.data.every(({ offset }) => offset >= 4096)).toBe(true);
  expect(files).toEqual(["kernel/index.ts"]);
});

test.each([
  [
    "an unknown name",
    "export function f(): i32 { return g(); }\n",
    /^kernel\/index\.ts:1:35: error AS2304: Cannot find name 'g'\.$/,
  ],
  [
    "a missing file",
    'import { a } from "./a";\nexport function f(): i32 { return a(); }\n',
    /^kernel\/index\.ts:1:19: error AS6054: File 'kernel\/a\.ts' not found\.$/,
  ],
  ["a syntax error", "export function f(: i32 {}\n", /^kernel\/index\.ts:1:18: error AS1003: /],
  ...[
    ["a directive without a reason", "// @outline:"],
    ["a directive with a blank reason", "// @outline:  "],
    ["a directive without its colon", "// @inline rare"],
    ["a directive of an unknown name", "// @out-of-line: rare."],
    ["a directive in another case", "// @Outline: rare."],
    ["a directive without its blank", "//@inline: rare."],
    ["a directive in a block comment", "/** @inline: rare. */"],
    ["the form that directives once had", "// out of line: rare."],
  ].map(([what = "", mark = ""]): [string, string, RegExp] => [
    what,
    `${mark}\nfunction g(): void {}\nexport function f(): void { g(); }\n`,
    /^kernel\/index\.ts:1: malformed directive "\/[/*]+ ?.*": write `\/\/ @outline: reason`/,
  ]),
  [
    "a directive above no function",
    "// @outline: rare.\nexport const a: i32 = 1;\n",
    /^kernel\/index\.ts:1: malformed directive .*, and a function below it$/,
  ],
])("asc: %s: refused in one line with its place", async (_, source, message) => {
  const outcome = await compileSources(index(source), "debug");
  expect(outcome.kind).toBe("refused");
  if (outcome.kind !== "refused") return;
  expect(outcome.diagnostics[0]).toMatch(message);
});

test("asc: no entry file: refused in one line", async () => {
  const outcome = await compileSources({ "kernel/other.ts": "" }, "debug");
  expect(outcome).toMatchObject({ kind: "refused", diagnostics: [expect.stringMatching(/kernel\/index\.ts/)] });
});

test("asc: a function with @outline: stays a call where its twin is inlined", async () => {
  const source = (mark: string): string => `${mark}function rare(a: i32): i32 {
  return load<i32>(a as usize) + 1;
}
export function f(a: i32): i32 { return a == 0 ? rare(a) : a; }
`;
  const names = async (mark: string): Promise<string[]> => {
    const { wasm } = await compiledSources(index(source(mark)), "optimized");
    return readArtifactModule(wasm).functions.map((fn) => fn.name);
  };
  expect(await names("")).toEqual(["kernel/index/f"]);
  expect(await names("// @outline: a is seldom 0.\n")).toEqual(expect.arrayContaining(["kernel/index/rare"]));
});
