import { beforeAll, expect, test } from "vitest";
import { HART_BASE, HART_STRIDE, KERNEL_PAGES } from "../../abi/layout.ts";
import { Qos } from "../../abi/qos.ts";
import { decodeModule, link } from "../../explore/index.ts";
import { shippedParts } from "./suite-run.ts";
import type { Parts } from "./parts.ts";

let parts: Parts;
beforeAll(async () => {
  const outcome = await shippedParts();
  if (outcome.kind !== "ready") throw new Error(outcome.lines.join("\n"));
  parts = outcome.parts;
});

type Call = readonly [name: string, ...args: (number | bigint)[]];
const HARTS = [HART_BASE, HART_BASE + HART_STRIDE] as const;
const RUNTIME = 0x8000;
/** Offset of `doorbell` in a hart's region. */
const DOORBELL = 64 + 8;
const TASK = (index: number): number => 0x20000 + 64 * index;

/** Everything from joining to stealing, resched, reclassifying and killing. */
const calls: readonly Call[] = [
  ["setTopology", 2, 10],
  ["join", HARTS[0], 0],
  ["join", HARTS[1], 1],
  ["letTasksRun"],
  ...[Qos.Normal, Qos.Interactive, Qos.Normal].map((qos): Call => ["spawn", RUNTIME, HARTS[0], 0, 0, qos, 5n]),
  ["spawn", RUNTIME, HARTS[0], 1, 0, Qos.Idle, 6n],
  ["pick", HARTS[0]],
  ["enqueue", HARTS[0], TASK(1)],
  ["stealFrom", HARTS[1], 0, Qos.PerfBurst],
  ["stealFrom", HARTS[1], 1, Qos.PerfBurst],
  ["takeRequests", HARTS[1]],
  ["drainMailbox", HARTS[1]],
  ["acknowledge", HARTS[1]],
  ["requestResched", HARTS[0], 1],
  ["requestResched", HARTS[0], 77],
  ["changeQos", RUNTIME, HARTS[0], TASK(2), 1, Qos.PerfBurst],
  ["kill", RUNTIME, HARTS[0], TASK(0), 1],
  ["pick", HARTS[0]],
  ["reap", RUNTIME],
];

/** What the calls answer, and the kernel's memory afterwards. */
function perform(exports: WebAssembly.Exports, memory: WebAssembly.Memory): { answers: unknown[]; bytes: Buffer } {
  // As the boot hart does before it starts the others; the model of the machine knows harts 1 and 2.
  for (const [cpu, hart] of HARTS.entries()) new DataView(memory.buffer).setInt32(hart + DOORBELL, cpu + 1, true);
  const answers = calls.map(([name, ...args]) => (exports[name] as (...args: (number | bigint)[]) => unknown)(...args));
  return { answers, bytes: Buffer.from(new Uint8Array(memory.buffer).slice(0, KERNEL_PAGES << 16)) };
}

const memoryOf = (pages: number): WebAssembly.Memory =>
  new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });

test("linking: the kernel with the harness and the kernel alone: the same answers and the same memory", () => {
  const alone = memoryOf(KERNEL_PAGES);
  const machine = {
    timeTicks: () => 0n,
    ticksPerSecond: () => 10_000,
    hartPointer: () => BigInt(HARTS[0] ?? 0),
    stackSlot: () => 0x300,
    stackSlotFirst: () => 0x300,
    programCount: () => 9,
  };
  const module = new WebAssembly.Module(parts.kernel as BufferSource);
  const imports: Record<string, () => number | bigint> = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module))
    if (from === "machine") imports[name] = machine[name as keyof typeof machine] ?? (() => 0);
  const direct = perform(new WebAssembly.Instance(module, { env: { memory: alone }, machine: imports }).exports, alone);

  const shared = memoryOf(KERNEL_PAGES + 1);
  const linked = link([
    { name: "kernel", module: decodeModule(parts.kernel) },
    { name: "machine", module: decodeModule(parts.harness) },
  ]);
  const abort = (): never => {
    throw new Error("an assertion of the harness failed");
  };
  const instance = new WebAssembly.Instance(new WebAssembly.Module(linked.bytes as BufferSource), {
    env: { memory: shared, abort },
  });
  const joined = perform(instance.exports, shared);

  expect(joined.answers).toEqual(direct.answers);
  expect(direct.answers.filter((answer) => typeof answer === "number" && answer > 0).length).toBeGreaterThan(3);
  expect(joined.bytes.equals(direct.bytes)).toBe(true);
});
