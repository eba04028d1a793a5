import { expect, test, vi } from "vitest";
import { compileAssemblyScript } from "./fixtures/compile.ts";
import { decodeModule, explore, link, linkedSourceLines } from "./index.ts";

vi.setConfig({ testTimeout: 60_000 });

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

test("link: a bell rung before the letter lies in the box: a trap", async () => {
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
