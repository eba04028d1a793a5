// A task table on both machines: the same tasks, and the same refusal.
//
// What needs QEMU and the cross compiler is skipped by name where they are not installed.

import { mkdtempSync, rmSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Program } from "../abi/programs.ts";
import { Qos } from "../abi/qos.ts";
import { PowerOff } from "../abi/results.ts";
import { CPUS_IN_TURN } from "../abi/task-table.ts";
import { buildArtifacts, buildElf } from "../toolchain/build.ts";
import { findCompiler } from "../toolchain/gcc.ts";
import type { MachineRun, RunOutcome } from "./machine-run.ts";
import { bootSim } from "./sim/machine-boot.ts";
import { symbolOf } from "./virt/elf-symbols.ts";
import { bootVirt } from "./virt/machine-boot.ts";
import { findQemu } from "./virt/qemu.ts";
import { withTaskTable } from "./virt/task-table-image.ts";

/** A sleeper on CPU 1, a probe on CPU 0 that ends with 77, a worker wherever its turn is. */
const TABLE = [
  3,
  ...[Program.Sleeper, Qos.Interactive, 1, 2, 0],
  ...[Program.Probe, Qos.Idle, 0, 77, 0],
  ...[Program.Worker, Qos.PerfBurst, CPUS_IN_TURN, 3, 0],
];
/** The second row names a class that there is not. */
const WRONG = [2, ...[Program.Worker, Qos.Normal, 0, 1, 0], ...[Program.Worker, 9, 0, 1, 0]];

const REFUSED = "KSELFTEST: FAIL the task table's row 2 is refused";

interface Seen {
  readonly lines: readonly string[];
  readonly outcome: RunOutcome;
}

async function watch(run: MachineRun): Promise<Seen> {
  const lines: string[] = [];
  for await (const line of run.lines) lines.push(line);
  return { lines, outcome: await run.outcome };
}

/** `program class end code` of each task of the summary but the selftests' probes, which end with 7 and 8. */
function tasksOf({ lines }: Seen): string[] {
  return lines
    .flatMap((line) => {
      const [, program, qos, end, code] = /^TASK: .*program=(\d+) class=(\w+) .*end=(\w+) code=(\d+)/.exec(line) ?? [];
      return program === undefined || code === "7" || code === "8" ? [] : [`${program} ${qos} ${end} ${code}`];
    })
    .toSorted();
}

const EXPECTED_TASKS = ["0 Idle exit 77", "1 PerfBurst exit 0", "3 Interactive exit 0"];

describe("sim", () => {
  let boot: (taskTable: readonly number[], harts: number, seed?: number) => Promise<Seen>;

  beforeAll(async () => {
    const outcome = await buildArtifacts();
    if (outcome.kind === "refused") throw new Error(`${outcome.step}: ${outcome.lines.join("; ")}`);
    const kernel = await WebAssembly.compile(await readFile(outcome.artifacts.kernelSim));
    const user = await WebAssembly.compile(await readFile(outcome.artifacts.userSim));
    boot = (taskTable, harts, seed = 1) => watch(bootSim({ kernel, user, harts, seed, taskTable }));
  });

  test.each([2, 8, 64])("task table: sim, several seeds: its tasks, and they alone (harts=%i)", async (harts) => {
    for (let seed = 1; seed <= 3; seed++) {
      const seen = await boot(TABLE, harts, seed);
      expect(seen.outcome).toEqual({ kind: "powered-off", result: PowerOff.Passed });
      expect(tasksOf(seen), `seed ${seed}`).toEqual(EXPECTED_TASKS);
    }
  });

  test("task table: sim, a wrong row: one line with its number, and the run has failed", async () => {
    const seen = await boot(WRONG, 2);
    expect(seen.outcome).toEqual({ kind: "powered-off", result: PowerOff.Failed });
    expect(seen.lines.slice(-2)).toEqual([REFUSED, "RESULT: failed"]);
    // On one hart there is no CPU 1.
    expect((await boot(TABLE, 1)).lines.slice(-2)).toEqual([REFUSED.replace("row 2", "row 1"), "RESULT: failed"]);
  });

  test("task table: sim, more tasks than their queue holds: refused when none has found a place for a while", async () => {
    const row = [Program.Worker, Qos.Normal, 0, 1, 0];
    const seen = await boot([65, ...Array.from({ length: 65 }, () => row).flat()], 2);
    expect(seen.outcome).toEqual({ kind: "powered-off", result: PowerOff.Failed });
    expect(seen.lines.slice(-2)).toEqual(["KSELFTEST: FAIL a task of the table found no place", "RESULT: failed"]);
  });
});

const missing = [
  ...((await findQemu()) === undefined ? ["QEMU"] : []),
  ...((await findCompiler()) === undefined ? ["cross compiler"] : []),
];
const title = missing.length === 0 ? "virt" : `virt (skipped: no ${missing.join(", no ")})`;

describe.skipIf(missing.length > 0)(title, () => {
  const folder = mkdtempSync(join(tmpdir(), "hartbeat-table-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  let image: Buffer;

  beforeAll(async () => {
    const outcome = await buildElf();
    if (outcome.kind !== "built") throw new Error(`no image: ${outcome.kind}`);
    image = await readFile(outcome.elf);
  });

  async function boot(words: readonly number[], harts: number): Promise<Seen> {
    const elf = join(folder, "table.elf");
    await writeFile(elf, withTaskTable(image, words));
    return watch(bootVirt({ elf, harts }));
  }

  test("task table: virt: the same tasks; a wrong row: the same line", async () => {
    const seen = await boot(TABLE, 2);
    expect(seen.outcome).toEqual({ kind: "powered-off", result: PowerOff.Passed });
    expect(tasksOf(seen)).toEqual(EXPECTED_TASKS);
    const refused = await boot(WRONG, 2);
    expect(refused.outcome).toEqual({ kind: "powered-off", result: PowerOff.Failed });
    expect(refused.lines).toContain(REFUSED);
  });

  test("task table: an image without the symbol, and too many words: refused with what to do", () => {
    expect(() =>
      withTaskTable(
        image,
        Array.from({ length: 602 }, () => 0),
      ),
    ).toThrow(/602 words; the image holds 601/);
    expect(() => symbolOf(image, "no_such_symbol")).toThrow(/no symbol no_such_symbol; build it again/);
    expect(symbolOf(image, "machine_task_table").bytes).toBe(601 * 4);
  });
});
