import { expect, test } from "vitest";
import { checkMustUse, updateFunctions } from "./must-use-gate.ts";
import { readSourceMap } from "../wasm/source-map.ts";
import { compiledSources } from "./testing/sources.ts";

const SHARED = `export function swap32(address: i32, value: i32): i32 {
  return atomic.xchg<i32>(address as usize, value);
}
export function exchanged32(address: i32, expected: i32, wanted: i32): bool {
  return atomic.cmpxchg<i32>(address as usize, expected, wanted) == expected;
}
`;
const MACHINE = "export declare function sendIpi(hart: i32): i32;\n";
const head = `import { sendIpi } from "./machine";
import { exchanged32, swap32 } from "./shared";
enum Outcome { Queued, Full }
function enqueue(task: i32): Outcome { return task > 5 ? Outcome.Full : Outcome.Queued; }
`;

async function gate(body: string): Promise<string[]> {
  const source = `${head}export function f(a: i32): i32 {\n${body}\n}\nexport function keep(): i32 {\n  return sendIpi(1) + enqueue(1) + swap32(8, 1) + (exchanged32(8, 1, 2) ? 1 : 0);\n}\n`;
  const sources = { "kernel/index.ts": source, "kernel/shared.ts": SHARED, "kernel/machine.ts": MACHINE };
  const { wasm, sourceMap } = await compiledSources(sources, "debug");
  return checkMustUse(wasm, readSourceMap(sourceMap), updateFunctions("kernel/shared.ts", SHARED));
}

test.each([
  [
    "a statement that is only a call",
    "  enqueue(a);\n  return 0;",
    "kernel/index.ts:6:3: kernel/index/f: the result of kernel/index/enqueue is discarded",
  ],
  [
    "a machine call",
    "  if (a > 0) {\n    sendIpi(a);\n  }\n  return 0;",
    "kernel/index.ts:7:5: kernel/index/f: the result of machine/sendIpi is discarded",
  ],
  [
    "the second operand of a condition",
    "  a > 0 && enqueue(a) == Outcome.Full;\n  a > 0 ? enqueue(a) : enqueue(1);\n  return 0;",
    "kernel/index.ts:7:11: kernel/index/f: the result of kernel/index/enqueue is discarded",
  ],
  [
    "an exchange that may have failed",
    "  exchanged32(8, 0, a);\n  return 0;",
    "kernel/index.ts:6:3: kernel/index/f: the result of kernel/shared/exchanged32 is discarded",
  ],
  [
    "behind void",
    "  void enqueue(a);\n  return 0;",
    "kernel/index.ts:6:3: kernel/index/f: the result of kernel/index/enqueue is discarded",
  ],
])("must-use gate: %s: refused with file, line and column", async (_, body, expected) => {
  expect((await gate(body)).join("\n")).toContain(expected);
});

test("must-use gate: outcomes that are used, and an update whose old value is not: passes", async () => {
  const body = `  if (enqueue(a) == Outcome.Full) return 1;
  const sent = sendIpi(a);
  swap32(8, a);
  let last = 0;
  for (let i = 0; i < 3; i++) last += enqueue(i);
  return exchanged32(8, a, 1) ? sent : last;`;
  expect(await gate(body)).toEqual([]);
});
