// The whole kernel on the embedded machine: several machines and seeds, and each fault that a machine can be given.
//
// These read the console by themselves; the gate's own reading of it is tested in proof/.

import { beforeAll, describe, expect, test } from "vitest";
import { MARKER_SMP_SKIPPED } from "../abi/markers.ts";
import { Program } from "../abi/programs.ts";
import { PowerOff } from "../abi/results.ts";
import type { SimOptions } from "../machines/sim/options.ts";
import { type KernelImage, shippedKernel } from "../verify/rig/kernel-image.ts";
import { bootOnSim, fieldOf, type SimRun } from "../verify/rig/sim-run.ts";

const PASSED = { kind: "powered-off", result: PowerOff.Passed };
const FAILED = { kind: "powered-off", result: PowerOff.Failed };
const MACHINES = [1, 2, 4] as const;
const SEEDS = [1, 2, 3] as const;

let kernel: KernelImage;
beforeAll(async () => {
  kernel = await shippedKernel();
});

const tasksOf = (run: SimRun, program: Program) => run.tasks.filter((task) => task.get("program") === String(program));

describe.each(MACHINES)("on %i harts", (harts) => {
  const runs = new Map<number, SimRun>();
  beforeAll(async () => {
    for (const seed of SEEDS) runs.set(seed, await bootOnSim(kernel, { harts, seed }));
  });
  const each = (judge: (run: SimRun, seed: number) => void): void => runs.forEach(judge);

  test("boot: three seeds: passes, and every task has ended", () => {
    each((run, seed) => {
      expect(run.outcome, `seed ${seed}`).toEqual(PASSED);
      expect(run.failures).toEqual([]);
      expect(fieldOf(run.tasks, "end")).not.toContain("alive");
      expect(run.harts).toHaveLength(harts);
    });
  });

  test("intruders: four that reach for what is not theirs: ended by a fault; two that are answered: exit 0", () => {
    each((run) => {
      const ends = tasksOf(run, Program.Intruder).map(
        (task) => `${task.get("end")} ${task.get("end") === "exit" ? task.get("code") : ""}`,
      );
      expect(ends).toEqual(["fault ", "fault ", "fault ", "fault ", "exit 0", "exit 0"]);
    });
  });

  test("intruders: the addresses at which they fault: those of virt", () => {
    // Kernel memory twice, the kernel's image, and the first byte behind the program's own memory at 0x40000000.
    const due = [0x40040, 0x40040, 0x80200000, 0x40010000].map(String);
    each((run) => {
      const addresses = tasksOf(run, Program.Intruder)
        .filter((task) => task.get("end") === "fault")
        .map((task) => task.get("fault-address"));
      expect(addresses).toEqual(due);
    });
  });

  test("tasks: whoever is no intruder: ends as its author expects, on every seed", () => {
    each((run, seed) => {
      const others = run.tasks.filter(
        (task) => ![Program.Intruder, Program.Probe].map(String).includes(task.get("program") ?? ""),
      );
      for (const task of others)
        expect(`${task.get("end")} ${task.get("code")}`, `seed ${seed}: ${task.get("id")}`).toBe("exit 0");
    });
  });

  test("spinner: computes without a yield: taken from its hart by the timer and given it again", () => {
    // On a machine with few harts others want the hart; a hart of its own may let it run without a pause.
    each((run, seed) => {
      const [spinner] = tasksOf(run, Program.Spinner);
      if (harts <= 2) expect(Number(spinner?.get("runs")), `seed ${seed}`).toBeGreaterThan(1);
    });
  });

  test("petitioners: on the boot hart granted, elsewhere NotBootHart: never anything else", () => {
    each((run) => {
      const answers = run.lines.flatMap((line) => /for a spawn: (\S+)/.exec(line)?.[1] ?? []);
      expect(answers).toHaveLength(2);
      for (const answer of answers) expect(["granted", "NotBootHart"]).toContain(answer);
      if (harts === 1) expect(answers).toEqual(["granted", "granted"]);
    });
  });

  // One hart has nobody to steal from, and no probe.
  if (harts > 1) {
    test("stealing: a stolen probe: runs on the thief to its exit code", () => {
      each((run) => {
        const [probe] = tasksOf(run, Program.Probe);
        expect([probe?.get("end"), probe?.get("code"), probe?.get("last-cpu")]).toEqual(["exit", "7", "1"]);
      });
    });
  }

  test("identity: no fallback on any hart", () => {
    each((run) => expect(new Set(fieldOf(run.harts, "fallbacks"))).toEqual(new Set(["0"])));
  });
});

test("boot: one hart: says that SMP is skipped, and none of its markers", async () => {
  const run = await bootOnSim(kernel, { harts: 1 });
  expect(run.lines).toContain(MARKER_SMP_SKIPPED);
  expect(run.markers).toEqual(["smp skipped (harts=1)"]);
});

describe("faults", () => {
  test.each<[string, SimOptions, RegExp]>([
    ["a hart that never starts", { harts: 2, faults: { neverStarts: [1] } }, /^cpu1 did not come online$/],
    [
      "a start that is refused",
      { harts: 2, faults: { startErrors: [{ hart: 1, error: -1 }] } },
      /^cpu1 could not be started$/,
    ],
    ["no hart state management", { harts: 3, faults: { noHsm: true } }, /^cpu1 could not be started$/],
    [
      "no IPI to hart 1 ever",
      { harts: 2, faults: { failedSends: [{ hart: 1 }] } },
      /^a send after a failed send did not go out$/,
    ],
    [
      "no IPI to hart 1, four harts",
      { harts: 4, faults: { failedSends: [{ hart: 1 }] } },
      /^a send after a failed send did not go out$/,
    ],
  ])("boot: %s: one FAIL line that says so, RESULT: failed, no marker after it", async (_, options, reason) => {
    for (const seed of SEEDS) {
      const run = await bootOnSim(kernel, { ...options, seed });
      expect(run.outcome).toEqual(FAILED);
      expect(run.failures).toHaveLength(1);
      expect(run.failures[0]).toMatch(reason);
      expect(run.lines.slice(-2)).toEqual([`KSELFTEST: FAIL ${run.failures[0]}`, "RESULT: failed"]);
    }
  });

  test("boot: spurious S_SOFT at many instants, on every hart: passes, each one on record, no request lost", async () => {
    for (const harts of [2, 4]) {
      const hartIds = Array.from({ length: harts }, (_, hart) => hart);
      const spuriousSoft = [200, 400, 600, 900, 1300, 2000, 5000].flatMap((step) =>
        hartIds.map((hart) => ({ hart, step })),
      );
      const run = await bootOnSim(kernel, { harts, faults: { spuriousSoft } });
      expect(run.outcome).toEqual(PASSED);
      expect(run.lines.some((line) => line.includes("no-pending-request"))).toBe(true);
      expect(run.requests).toHaveLength(harts);
      expect(fieldOf(run.requests, "trapped")).toEqual(fieldOf(run.requests, "acked"));
    }
  });

  test("boot: a poisoned tp on a secondary hart: passes, and its fallbacks are visible", async () => {
    const run = await bootOnSim(kernel, { harts: 3, faults: { poisonedPointers: [{ hart: 2, value: 0x5a5an }] } });
    expect(run.outcome).toEqual(PASSED);
    expect(fieldOf(run.harts, "cpu")).toEqual(["0", "1", "2"]);
    const [boot, first, second] = fieldOf(run.harts, "fallbacks").map(Number);
    expect([boot, first]).toEqual([0, 0]);
    expect(second).toBeGreaterThan(10);
  });

  test("boot: a poisoned tp on the boot hart: refused by the identity selftest", async () => {
    const run = await bootOnSim(kernel, { harts: 2, faults: { poisonedPointers: [{ hart: 0, value: 0x5a5an }] } });
    expect(run.outcome).toEqual(FAILED);
    expect(run.failures).toEqual(["the fast path of the CPU identity does not hold"]);
  });

  test("boot: a single IPI that the firmware refuses after the selftests: passes, and the mailbox entry arrives", async () => {
    for (const nth of [7, 9, 12]) {
      const run = await bootOnSim(kernel, { harts: 2, faults: { failedSends: [{ nth }] } });
      expect(run.outcome, `send ${nth}`).toEqual(PASSED);
    }
  });
});
