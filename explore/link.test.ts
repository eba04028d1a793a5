import { expect, test } from "vitest";
import { compileAssemblyScript } from "./fixtures/compile.ts";
import { assertDefined } from "../wasm/assert-defined.ts";
import { decodeModule, explore, link, linkedSourceLines, linkedSourceMap } from "./index.ts";
import { readSourceMap, writeSourceMap } from "../wasm/source-map.ts";

// A driver of a one-slot mailbox: the artifact, which reaches its device through imports only.
const DRIVER = `
@external("device", "ring") declare function ring(): void;
let rung: i32 = 0;
export function post(value: i32): void {
  atomic.store<i32>(0, value);
  rung++;
  ring();
}
export function take(): i32 { return atomic.xchg<i32>(0, 0); }
export function times(): i32 { return rung; }
`;

// The device and the threads that use it. The doorbell is a word on which the receiver sleeps.
const model = (bell: string): string => `
@external("driver", "post") declare function post(value: i32): void;
@external("driver", "take") declare function take(): i32;
let calls: i64 = 5;
export function ring(): void { calls += 1; ${bell} }
export function sender(): void { post(7); }
export function receiver(): void {
  while (atomic.xchg<i32>(8, 0) == 0) atomic.wait<i32>(8, 0, -1);
  if (take() != 7) unreachable();
}
`;

const RIGHT = "atomic.store<i32>(8, 1); atomic.notify(8, 1);";
const threads = [{ function: "sender" }, { function: "receiver" }];

async function linked(bell: string) {
  const driver = await compileAssemblyScript(DRIVER);
  const device = await compileAssemblyScript(model(bell));
  const parts = [
    { name: "driver", module: decodeModule(driver.wasm), sourceMap: driver.sourceMap },
    { name: "device", module: decodeModule(device.wasm), sourceMap: device.sourceMap },
  ];
  const result = link(parts);
  return { wasm: result.bytes, lines: linkedSourceLines(result, parts) };
}

test("link: a driver, its device and a scenario: one valid module, with every name, that passes", async () => {
  const { wasm } = await linked(RIGHT);
  expect(WebAssembly.validate(wasm as BufferSource)).toBe(true);
  expect(decodeModule(wasm).imports).toEqual([]);
  const { verdict, states } = await explore({ wasm, threads });
  expect(verdict).toEqual({ kind: "passed" });
  expect(states).toBeGreaterThan(8);
});

test("link: a device whose bell does not wake: deadlock, with lines of both modules", async () => {
  const { wasm, lines } = await linked("atomic.store<i32>(8, 1);");
  const { verdict } = await explore({ wasm, threads }, { sourceMap: lines });
  if (verdict.kind !== "violated") throw new Error("not found");
  expect(verdict.counterexample.violation.kind).toBe("deadlock");
  const accesses = verdict.counterexample.steps.flatMap((step) => step.accesses);
  const store = accesses
    .filter(({ operation }) => operation === "i32.atomic.store")
    .map(({ address, source }) => [address, source]);
  expect(store).toEqual([
    [0, "module.ts:5"],
    [8, "module.ts:5"],
  ]);
});

test("link: a source map of the whole: the lines of each part, a wrapper's callers' in its place", async () => {
  const { sourceMap, wasm } = await compileAssemblyScript(DRIVER);
  const device = await compileAssemblyScript(model(RIGHT));
  const parts = [
    { name: "driver", module: decodeModule(wasm), sourceMap },
    { name: "device", module: decodeModule(device.wasm), sourceMap: device.sourceMap },
  ];
  const result = link(parts);
  const lines = linkedSourceLines(result, parts);
  const { mappings } = readSourceMap(linkedSourceMap(result, parts));
  expect(mappings.length).toBeGreaterThan(5);
  for (const { offset, place } of mappings) expect(`${place?.file}:${place?.line}`).toBe(lines(offset));
  // Of a module all of whose lines are a wrapper's there is no caller: they stay.
  const wrapped = parts.map((part) => ({ ...part, wrappers: ["module.ts"] }));
  expect(linkedSourceMap(result, wrapped)).toBe(linkedSourceMap(result, parts));
  // Two files in one function: the wrapper's instruction gets the line before it.
  const [func] = assertDefined(parts[0]).module.functions.filter(({ body }) => body.length > 3);
  const at = (index: number): number => assertDefined(assertDefined(func).body[index]).start;
  const three = linkedSourceMap(link([assertDefined(parts[0]), assertDefined(parts[1])]), [
    {
      ...assertDefined(parts[0]),
      sourceMap: writeSourceMap([
        { offset: at(0), file: "caller.ts", line: 7 },
        { offset: at(1), file: "wrappers.ts", line: 9 },
        { offset: at(2), file: "caller.ts", line: 8 },
      ]),
      wrappers: ["wrappers.ts"],
    },
    { module: assertDefined(parts[1]).module },
  ]);
  expect(readSourceMap(three).mappings.map(({ place }) => `${place?.file}:${place?.line}`)).toEqual([
    "caller.ts:7",
    "caller.ts:8",
  ]);
});

test("link: a cost counter: the accesses of each call are counted, the worst is in the cost counters, and the lines stay", async () => {
  const kernel = await compileAssemblyScript(`
    export function bump(): void { atomic.add<i32>(0, 1); atomic.fence(); }
    export function claim(): void { for (let i = 0; i < 3; i++) if (atomic.cmpxchg<i32>(4, 0, 1) == 0) return; }`);
  const driver = await compileAssemblyScript(`
    @external("kernel", "bump") declare function bump(): void;
    @external("kernel", "claim") declare function claim(): void;
    let count: i32 = 0;
    let operation: i32 = 0;
    export function access(): void { count++; }
    export function begin(number: i32): void { operation = number; count = 0; }
    export function end(): void {
      const at: usize = 1024 + 4 * operation;
      if (load<i32>(at) < count) store<i32>(at, count);
      count = 0;
    }
    export function left(): void { bump(); claim(); }
    export function right(): void { atomic.add<i32>(0, 1); claim(); }`);
  const parts = [
    { name: "kernel", module: decodeModule(kernel.wasm), sourceMap: kernel.sourceMap },
    { name: "driver", module: decodeModule(driver.wasm), sourceMap: driver.sourceMap },
  ];
  const names = { access: "access", begin: "begin", end: "end", operations: ["bump", "claim"] };
  const counted = link(parts, { of: "kernel", by: "driver", ...names });
  const target = {
    wasm: counted.bytes,
    threads: [{ function: "left" }, { function: "right" }],
    ghosts: [[1024, 1032] as const],
    costCounters: { at: 1024, count: 2 },
  };
  const { verdict, costCounters } = await explore(target);
  expect(verdict).toEqual({ kind: "passed" });
  // A fence is no access; who comes second tries three times.
  expect(costCounters).toEqual([1, 3]);
  const lines = (whole: typeof counted): (string | undefined)[] =>
    whole.origins.map(({ at }) => linkedSourceLines(whole, parts)(at));
  expect(lines(counted)).toEqual(lines(link(parts)));
  await expect(explore(target, { workers: 2 })).rejects.toThrow(/^cost counters are read by one worker/);
  expect(() => link(parts, { of: "kernel", by: "driver", ...names, end: "no" })).toThrow(/^driver does not export no/);
});

test("link: a notification before the entry is in the mailbox: a trap", async () => {
  const driver = await compileAssemblyScript(
    DRIVER.replace("atomic.store<i32>(0, value);", "ring(); atomic.store<i32>(0, value);"),
  );
  const device = await compileAssemblyScript(model(RIGHT));
  const { bytes } = link([
    { name: "driver", module: decodeModule(driver.wasm) },
    { name: "device", module: decodeModule(device.wasm) },
  ]);
  const { verdict } = await explore({ wasm: bytes, threads });
  expect(verdict.kind === "violated" && verdict.counterexample.violation.kind).toBe("trap");
});

test("link: modules that do not fit each other: one line", async () => {
  const driver = decodeModule((await compileAssemblyScript(DRIVER)).wasm);
  const other = decodeModule(
    (await compileAssemblyScript("export function ring(x: i32): void { atomic.store<i32>(0, x); }")).wasm,
  );
  expect(() =>
    link([
      { name: "driver", module: driver },
      { name: "device", module: other },
    ]),
  ).toThrow(/^driver imports device.ring with another signature/);
  const alone = link([{ name: "driver", module: driver }]);
  await expect(explore({ wasm: alone.bytes, threads: [{ function: "take" }] })).rejects.toThrow(/imports device\.ring/);
});
