// Soak and fuzz against kernels that were broken on purpose: each must be reported, by its name, within a few seeds; and the
// unbroken kernel passes the same seeds.

import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { type PausableModule, pausableModule } from "../../machines/sim/resumable-instance.ts";
import { buildFuzzSim } from "../../toolchain/fuzz-image.ts";
import { buildArtifacts } from "../../toolchain/build.ts";
import { makePausable } from "../../toolchain/pausable.ts";
import type { Edit } from "../../verify/breaks/break.ts";
import { brokenKernel } from "../../verify/breaks/patch.ts";
import type { SoakSetup, SoakFailure } from "./soak-setup.ts";
import { SimSoak } from "./sim-soak.ts";

const CALLS: SoakSetup = { machine: "sim", harts: 3, ipi: "firmware", programs: "calls", faults: false };
const FAULTS: SoakSetup = { machine: "sim", harts: 3, ipi: "firmware", programs: "default", faults: true };

/** More steps than any of these runs takes: 20 seconds of waiting for a missing hart, where there can be one. */
const stepsMaxOf = ({ faults }: SoakSetup): number => (faults ? 20_000_000 : 2_000_000);

const module = async (path: string) => pausableModule(await WebAssembly.compile(await readFile(path)));
let kernel: PausableModule;
let user: PausableModule;
let fuzzers: PausableModule;

beforeAll(async () => {
  const built = await buildArtifacts();
  const fuzz = await buildFuzzSim();
  if (built.kind === "refused" || fuzz.kind !== "built") throw new Error("the images do not build");
  kernel = await module(built.artifacts.kernelSim);
  user = await module(built.artifacts.userSim);
  fuzzers = await module(fuzz.path);
});

async function brokenModule(edit: Edit): Promise<PausableModule> {
  const { wasm } = await brokenKernel([edit]);
  return pausableModule(await WebAssembly.compile(new Uint8Array(makePausable(wasm, { build: "debug" }))));
}

/** The failures among some seeds, the run ended at the first. */
function soak(broken: PausableModule, setup: SoakSetup, seeds: number): readonly SoakFailure[] {
  const image = { kernel: broken, user: setup.programs === "calls" ? fuzzers : user };
  const run = new SimSoak(image, setup, stepsMaxOf(setup));
  for (let seed = 1; seed <= seeds; seed += 1) {
    const { failures } = run.runChunk({ from: seed, to: seed + 1 }, () => true);
    if (failures.length > 0) return failures;
  }
  return [];
}

describe("soak: kernels as they are and broken", () => {
  test.each([
    ["random calls", CALLS, 25],
    ["random calls with faults", { ...CALLS, faults: true }, 25],
    ["random calls on one hart", { ...CALLS, harts: 1 }, 10],
    ["the default tasks with faults", FAULTS, 60],
  ])("soak: the shipped kernel under %s: no seed fails", (_, setup, seeds) => {
    expect(soak(kernel, setup, seeds)).toEqual([]);
  });

  test.each<[string, SoakSetup, Edit, RegExp]>([
    [
      "a kill that is lost",
      CALLS,
      {
        file: "kernel/syscall.ts",
        old: "if (call == Syscall.Kill) return killTask(self, a0);",
        new: "if (call == Syscall.Kill) return 0;",
      },
      /ended with code 24/,
    ],
    [
      "a counter of spawned tasks that wraps",
      CALLS,
      {
        file: "kernel/authority.ts",
        old: "runtime.spawned += 1;",
        new: "runtime.spawned = (runtime.spawned + 1) & 31;",
      },
      /hung/,
    ],
    [
      "a console that lets line ends of tasks through",
      CALLS,
      { file: "kernel/syscall.ts", old: "byte < 32 || byte > 126 ? 46 : byte", new: "byte" },
      /a line that neither the kernel nor a task can write/,
    ],
    [
      "a marker that does not wait for its hart",
      FAULTS,
      { file: "kernel/selftest.ts", old: "if (!isOnline(cpu)) return waitFor(self, cpu);", new: "" },
      /marker|online/,
    ],
  ])("soak: planted: %s: reported", { timeout: 300_000 }, async (_, setup, edit, message) => {
    const broken = await brokenModule(edit);
    const [failure] = soak(broken, setup, 40);
    expect(failure?.reasons.join("\n")).toMatch(message);
    // The seed alone gives the same run again.
    const image = { kernel: broken, user: setup.programs === "calls" ? fuzzers : user };
    const again = new SimSoak(image, setup, stepsMaxOf(setup)).run(failure?.number ?? 0);
    expect(again.console).toEqual(failure?.console);
    expect(again.plan).toBe(failure?.plan);
  });
});
