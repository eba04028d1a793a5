// What the harts' observers on QEMU's board see of real boots, against what the kernel counts itself; and their records.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Program } from "../../abi/programs.ts";
import { PowerOff } from "../../abi/results.ts";
import { CPUS_IN_TURN } from "../../abi/task-table.ts";
import { buildElf } from "../../toolchain/build.ts";
import { findCompiler } from "../../toolchain/gcc.ts";
import { packageRoot } from "../../toolchain/package-root.ts";
import { checkConsistency } from "../../trace/consistency.ts";
import { ConsoleTotals } from "../../trace/console-totals.ts";
import type { Trace } from "../../trace/event.ts";
import { checkTrace } from "../../trace/monitor/check-trace.ts";
import { parseTrace, traceLines } from "../../trace/trace-file.ts";
import { bootVirt } from "./machine-boot.ts";
import { RECORDS, REGION_BYTES } from "./observer-memory.ts";
import { observationAt, RECORD_BYTES, RecordKind } from "./observer-records.ts";
import { findQemu } from "./qemu.ts";
import { withTaskTable } from "./task-table-image.ts";

const missing = [
  ...((await findQemu()) === undefined ? ["QEMU"] : []),
  ...((await findCompiler()) === undefined ? ["cross compiler"] : []),
];
const title = missing.length === 0 ? "virt" : `virt (skipped: no ${missing.join(", no ")})`;

/** Sleepers and wakers, which no two boots run in the same order, and workers between them. */
const BUSY_TABLE = [
  24,
  ...Array.from({ length: 8 }, (_, index) => [Program.Sleeper, index % 4, CPUS_IN_TURN, 20, 0]).flat(),
  ...Array.from({ length: 8 }, (_, index) => [Program.Waker, 1, CPUS_IN_TURN, 1024 + index + 3, 0]).flat(),
  ...Array.from({ length: 8 }, (_, index) => [Program.Worker, index % 3, CPUS_IN_TURN, 20, 0]).flat(),
];

describe.skipIf(missing.length > 0)(title, () => {
  const folder = mkdtempSync(join(tmpdir(), "hartbeat-observer-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  let elf: string;
  let busy: string;

  beforeAll(async () => {
    const outcome = await buildElf();
    if (outcome.kind !== "built") throw new Error(`no image: ${outcome.kind}`);
    elf = outcome.elf;
    busy = join(folder, "busy.elf");
    await writeFile(busy, withTaskTable(await readFile(elf), BUSY_TABLE));
  }, 300_000);

  async function observe(options: { elf: string; harts: number; icount?: boolean }): Promise<Trace> {
    const run = bootVirt({ ...options, observe: true });
    const totals = new ConsoleTotals();
    for await (const line of run.lines) totals.take(line);
    expect(await run.outcome).toEqual({ kind: "powered-off", result: PowerOff.Passed });
    const events = [...(run.events?.() ?? [])];
    const lost = events.reduce((sum, event) => sum + (event.kind === "lost" ? event.count : 0), 0);
    const header = {
      ...({ format: "hartbeat-trace", version: 1, machine: "virt", cpus: options.harts } as const),
      ...{ ticksPerSecond: totals.ticksPerSecond, kernel: "0".repeat(64), programs: ["probe"] },
    };
    return { header, events, totals: totals.totals(lost) };
  }

  test.each([1, 2, 8])(
    "observer: parallel harts: nothing is lost, events add up to the kernel's counters, and no monitor fires (harts=%i)",
    async (harts) => {
      const trace = await observe({ elf: busy, harts });
      expect(trace.totals?.lost).toBe(0);
      expect(checkConsistency(trace)).toEqual({ kind: "consistent" });
      expect(checkTrace(trace)).toEqual([]);
      expect(trace.totals?.harts.length).toBe(harts);
      const text = [...traceLines(trace.header, trace.events, trace.totals)].join("\n");
      expect(parseTrace(text)).toEqual({ kind: "read", trace });
    },
    300_000,
  );

  test("observer: one clock for all harts: the same trace twice", async () => {
    const trace = await observe({ elf, harts: 2, icount: true });
    expect(await observe({ elf, harts: 2, icount: true })).toEqual(trace);
    expect(checkConsistency(trace)).toEqual({ kind: "consistent" });
  }, 300_000);

  test("observer: a run that is stopped: its events up to then, and no file is left", async () => {
    const names = (): string[] => readdirSync("/dev/shm").filter((name) => name.startsWith("hartbeat-"));
    const before = names();
    const run = bootVirt({ elf, harts: 2, observe: true });
    // Its first line: the board has begun, with its memory open.
    for await (const line of run.lines) if (line.startsWith("BOOT:")) run.stop();
    expect(await run.outcome).toEqual({ kind: "stopped" });
    expect(Array.isArray([...(run.events?.() ?? [])])).toBe(true);
    expect(names()).toEqual(before);
  }, 300_000);
});

/** `#define` of observer.h. */
function definitions(): Map<string, number> {
  const text = readFileSync(join(packageRoot, "machines", "virt", "observer.h"), "utf8");
  return new Map(
    [...text.matchAll(/^#define OBSERVER_(\w+) (\w+)$/gm)].map(([, name = "", value]) => [name, Number(value)]),
  );
}

test("observer records: kinds and sizes: as observer.h has them, all of them", () => {
  const numbers = definitions();
  const kinds = Object.entries(RecordKind).filter(
    (entry): entry is [string, RecordKind] => typeof entry[1] === "number",
  );
  for (const [name, kind] of kinds) {
    const defined = name.replace(/(?<=[a-z])[A-Z]/g, (capital) => `_${capital}`).toUpperCase();
    expect([name, numbers.get(defined)]).toEqual([name, kind]);
  }
  expect(kinds.length).toBe(14);
  expect(numbers.get("REGION_BYTES")).toBe(REGION_BYTES);
  expect(numbers.get("RECORDS")).toBe(RECORDS);
  expect(RECORDS * RECORD_BYTES).toBe(REGION_BYTES);
});

test("observer records: a kind that there is not: refused, and not read as another", () => {
  const record = Buffer.alloc(RECORD_BYTES);
  record[8] = 15;
  expect(() => observationAt(record, 0)).toThrow("an observer's record of kind 15: the image is of another version");
  record[8] = RecordKind.Lost;
  record.writeUInt32LE(9, 12);
  expect(observationAt(record, 0)).toEqual({ t: 0, cpu: 0, kind: "lost", count: 9 });
});
