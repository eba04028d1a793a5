import { expect, test } from "vitest";
import { type LoopReport, refuseUnbounded, reportLoops } from "./loop-bounds.ts";
import { readSourceMap } from "../wasm/source-map.ts";
import { compiledSources } from "./testing/sources.ts";

const HEAD = "const CAPACITY: i32 = 64;\n";

async function loops(body: string): Promise<LoopReport[]> {
  const source = `${HEAD}export function f(n: i32): i32 {\n  let sum = 0;\n${body}\n  return sum;\n}\n`;
  const { wasm, sourceMap } = await compiledSources({ "kernel/index.ts": source }, "debug");
  return reportLoops(wasm, readSourceMap(sourceMap), new Map([["kernel/index.ts", source]]));
}

test.each([
  ["up to a constant", "  for (let i = 0; i < CAPACITY; i++) sum += i;", 64],
  ["up to and with a constant", "  for (let i = 2; i <= 9; i += 3) sum += i;", 3],
  [
    "down to a constant",
    "  for (let i = 10; i > 0; i -= 2) {\n    if (sum > n) continue;\n    if (sum < -n) break;\n    sum += i;\n  }",
    5,
  ],
  ["down to and with a constant", "  for (let i = 3; i >= 0; i--) sum += i;", 4],
  ["that never turns", "  for (let i = 9; i < 3; i++) sum += i;", 0],
])("loop bounds: a counter %s: proven", async (_, body, turns) => {
  expect(await loops(body)).toMatchObject([{ bound: { kind: "proven", turns } }]);
});

test.each([
  ["up to a parameter", "  for (let i = 0; i < n; i++) sum += i;", 4],
  ["that waits", "  while (load<i32>(n as usize) == 0) sum += 1;", 4],
  [
    "whose counter is changed twice",
    "  for (let i = 0; i < 64; i++) {\n    if (sum > 3) i -= 1;\n    sum += i;\n  }",
    4,
  ],
  ["whose counter runs away", "  for (let i = 0; i < 64; i--) sum += i;", 4],
  ["whose start is not known", "  let i = n;\n  for (; i < 64; i++) sum += i;", 5],
  ["whose sum would wrap", "  for (let i = 0; i < 0x7fffffff; i += 2) sum += i;", 4],
  ["with the test at its end", "  do {\n    sum += n;\n  } while (sum < 100);", 4],
  ["that states a bound without text", "  // bound:\n  for (let i = 0; i < n; i++) sum += i;", 5],
  [
    "whose neighbour alone has a bound",
    "  // bound: n.\n  for (let i = 0; i < n; i++) sum += i;\n  for (let i = 0; i < n; i++) sum += i;",
    6,
  ],
])("loop bounds: a loop %s: refused with file and line", async (_, body, line) => {
  const refusals = refuseUnbounded(await loops(body));
  expect(refusals).toHaveLength(1);
  expect(refusals[0]).toContain(`kernel/index.ts:${line}: kernel/index/f: a loop without a bound`);
});

test.each([
  [
    "above it",
    "  // bound: n turns, because each takes one.\n  // And a second line.\n  for (let i = 0; i < n; i++) sum += i;",
    "n turns, because each takes one. And a second line.",
  ],
  ["on its line", "  while (sum < n) sum += 1; // bound: n.", "n."],
])("loop bounds: a bound stated %s: reported with its text", async (_, body, text) => {
  expect(await loops(body)).toMatchObject([{ bound: { kind: "stated", text } }]);
});

test("loop bounds: loops within loops: each has its own", async () => {
  const body =
    "  for (let i = 0; i < 4; i++) {\n    for (let j = 0; j < 8; j++) {\n      sum += j;\n    }\n    // bound: n.\n    while (sum < n) sum += 1;\n  }";
  expect((await loops(body)).map((loop) => [loop.line, loop.bound.kind])).toEqual([
    [4, "proven"],
    [5, "proven"],
    [9, "stated"],
  ]);
});
