// Sim speed: boots and steps a second on the embedded machine.
//
// Owner: none. Invariant: every boot counted has passed. Pairs with: machines/sim.
import { readFile } from "node:fs/promises";
import { PowerOff } from "../abi/results.ts";
import { Machine } from "../machines/sim/machine.ts";
import { checkOptions } from "../machines/sim/options.ts";
import { pausableModule } from "../machines/sim/resumable-instance.ts";
import { Runner } from "../machines/sim/runner.ts";
import { SeededStrategy } from "../machines/sim/strategy.ts";
import { buildArtifacts } from "../toolchain/build.ts";
import { type BenchSize, type GroupOutcome, type Section } from "./result.ts";

const HARTS = [2, 8, 64] as const;
const MEASURED_MS = 1500;
const STEPS_MAX = 100_000_000;

export async function measureSim(size: BenchSize): Promise<GroupOutcome> {
  const measuredMs = size === "whole" ? MEASURED_MS : 0;
  const built = await buildArtifacts();
  if (built.kind === "refused") return { kind: "failed", message: built.lines[0] ?? built.step };
  const module = async (path: string) =>
    pausableModule(await WebAssembly.compile(new Uint8Array(await readFile(path))));
  const kernel = await module(built.artifacts.kernelSim);
  const user = await module(built.artifacts.userSim);
  const figures: Record<string, number> = {};
  const rows: string[][] = [];
  for (const harts of HARTS) {
    let boots = 0;
    let steps = 0;
    const start = performance.now();
    while (boots === 0 || performance.now() - start < measuredMs) {
      const check = checkOptions({ harts });
      if (check.kind === "refused") throw new Error(check.reason);
      const machine = new Machine({ kernel, user }, check.options);
      const run = new Runner(machine, new SeededStrategy(boots + 1), check.options).run(STEPS_MAX);
      if (run.kind !== "ended" || run.end.kind !== "powered-off" || run.end.result !== PowerOff.Passed)
        return {
          kind: "failed",
          message: `a boot on sim did not pass; try: npx hartbeat boot --smp ${harts} --seed ${boots + 1}`,
        };
      boots += 1;
      steps += machine.clock.steps;
    }
    const seconds = (performance.now() - start) / 1000;
    figures[`sim.${harts}.boots-a-second`] = boots / seconds;
    figures[`sim.${harts}.steps-a-second`] = steps / seconds;
    rows.push([
      `${harts}`,
      (boots / seconds).toFixed(1),
      Math.round(steps / seconds).toLocaleString("en"),
      `${Math.round(steps / boots).toLocaleString("en")}`,
    ]);
  }
  const section: Section = {
    title: "Sim, one core",
    note: "Whole boots, default tasks included; a step is what a hart does between two places where it can pause.",
    header: ["harts", "boots a second", "steps a second", "steps a boot"],
    rows,
  };
  return { kind: "measured", result: { sections: [section], figures } };
}
