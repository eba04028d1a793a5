// Checks of what the kernel takes from the board at boot: its harts, and the way to ring them.
//
// Partners: case.ts; kernel/device-tree.test.ts, which runs them on the shipped kernel; machines/sim/device-tree-blob.ts,
// which writes the trees.

import { CPUS_MAX } from "../../abi/layout.ts";
import { PowerOff } from "../../abi/results.ts";
import type { RunOutcome } from "../../machines/machine-run.ts";
import type { SimOptions } from "../../machines/sim/options.ts";
import type { Case } from "../rig/case.ts";
import type { KernelImage } from "../rig/kernel-image.ts";
import { same } from "../rig/refutation.ts";
import { bootOnSim, fieldOf } from "../rig/sim-run.ts";

const PASSED: RunOutcome = { kind: "powered-off", result: PowerOff.Passed };

/** A few fields of the BOOT line, and how the run ended. */
async function bootLine(kernel: KernelImage, options: SimOptions, names: readonly string[]): Promise<unknown> {
  const run = await bootOnSim(kernel, options);
  const line = run.lines.find((one) => one.startsWith("BOOT: ")) ?? "";
  const fields = new Map(line.split(" ").map((word) => word.split("=") as [string, string]));
  return { outcome: run.outcome, cpus: run.harts.length, fields: names.map((name) => fields.get(name)) };
}

export const boardChecks: readonly Case[] = [
  {
    clause: "D6",
    title: "boot: more harts than CPUs: the BOOT line has both numbers, and as many CPUs run as there may be",
    run: async (kernel) => {
      for (const harts of [1, 3, CPUS_MAX, CPUS_MAX + 2]) {
        const cpus = Math.min(harts, CPUS_MAX);
        const bootHart = harts - 1;
        same(
          await bootLine(kernel, { harts, bootHart }, ["harts", "cpus", "boot-hart"]),
          { outcome: PASSED, cpus, fields: [harts, cpus, bootHart].map(String) },
          `a machine with ${harts} harts, booted by the last`,
        );
      }
    },
  },
  {
    clause: "I6",
    title: "boot: SSWI registers in another order than the hart ids: each hart is rung by its own register",
    run: async (kernel) => {
      const machines: readonly SimOptions[] = [
        { harts: 4, sswiHarts: [3, 2, 1, 0] },
        { harts: 4, sswiHarts: [2, 0, 3, 1], bootHart: 3 },
        { harts: 3, hartIds: [7, 40, 2], sswiHarts: [2, 7, 40] },
        {
          harts: CPUS_MAX + 2,
          sswiHarts: Array.from({ length: CPUS_MAX + 2 }, (_, n) => CPUS_MAX + 1 - n),
          bootHart: 65,
        },
      ];
      for (const options of machines) {
        const cpus = Math.min(options.harts, CPUS_MAX);
        same(
          await bootLine(kernel, { sswi: true, ...options }, ["ipi", "ipi-device", "sswi-covers"]),
          { outcome: PASSED, cpus, fields: ["aclint-sswi", String(0x2f00000), String(cpus)] },
          `registers of harts ${options.sswiHarts?.join(" ")}`,
        );
      }
    },
  },
  {
    clause: "D6",
    title: "boot: an SSWI device that reaches some harts only: not chosen, and the BOOT line has the choice",
    run: async (kernel) => {
      for (const sswiHarts of [[], [0], [0, 2], [2, 1]]) {
        same(
          await bootLine(kernel, { harts: 3, sswi: true, sswiHarts }, ["ipi", "ipi-device", "sswi-covers"]),
          { outcome: PASSED, cpus: 3, fields: ["firmware", "0", String(sswiHarts.length)] },
          `an SSWI device of harts ${sswiHarts.join(" ")}`,
        );
      }
    },
  },
  {
    clause: "C5",
    title: "boot on sim: tp with a bit of its high half set at every entry of a hart: not believed, each one counted",
    run: async (kernel) => {
      const own = 0x40000n + 1n * 4096n;
      for (const bit of [32n, 45n, 62n]) {
        const run = await bootOnSim(kernel, {
          harts: 2,
          faults: { poisonedPointers: [{ hart: 1, value: own + (1n << bit) }] },
        });
        same(run.outcome, PASSED, `the run with bit ${bit} of cpu1's tp set`);
        const [boot, other] = fieldOf(run.harts, "fallbacks").map(Number);
        same([boot, (other ?? 0) > 10], [0, true], `fallbacks with bit ${bit} of cpu1's tp set (${other} on cpu1)`);
      }
    },
  },
];
