// Soak replay: one run of a soak again, with its console, its faults and its verdict.
//
// On sim a seed is one run. On virt the harts run in parallel, so the same image, options and number are the same set-up
// and not the same order of steps.
// Partners: soak.ts; soak-state.ts keeps the image that a failure was booted from.

import { readFile } from "node:fs/promises";
import { pausableModule } from "../machines/sim/resumable-instance.ts";
import type { SoakSetup } from "../proof/soak/soak-setup.ts";
import { SimSoak } from "../proof/soak/sim-soak.ts";
import { verdictMessage } from "../proof/proof-event.ts";
import type { Verdict } from "../proof/verdict.ts";
import type { CommandEnding } from "./exit-code.ts";
import { watchInterruption } from "./interruption.ts";
import { soakImages } from "./soak-images.ts";
import { watch } from "./soak-lanes.ts";

/** The command that runs a number of the setup again. `elf`: the image that was kept; null on sim. */
export function replayCommand(setup: SoakSetup, number: number, elf: string | null): string {
  const { machine, harts, ipi, programs, faults } = setup;
  return [
    `npx hartbeat soak --machine ${machine} --smp ${harts}`,
    ...(ipi === "firmware" ? [] : [`--ipi ${ipi}`]),
    ...(programs === "default" ? [] : [`--programs ${programs}`]),
    ...(faults ? ["--faults"] : []),
    ...(elf === null ? [] : [`--elf ${elf}`]),
    `--replay ${number}`,
  ].join(" ");
}

export async function replayRun(
  setup: SoakSetup,
  number: number,
  { elf, timeout }: { readonly elf?: string; readonly timeout: number },
): Promise<CommandEnding> {
  const images = await soakImages(setup, elf);
  if (images.kind === "sim") {
    const [kernel, user] = await Promise.all([moduleOf(images.kernel), moduleOf(images.user)]);
    const run = new SimSoak({ kernel, user }, setup).run(number);
    for (const line of run.console) process.stdout.write(`${line}\n`);
    if (run.plan !== null) process.stdout.write(`faults: ${run.plan}\n`);
    return endingOf(run.verdict);
  }
  if (images.kind !== "virt") return images;
  const interruption = watchInterruption();
  try {
    const boot = await images.boot(number);
    const run = await watch(setup, boot, timeout, interruption.signal);
    for (const line of run.console) process.stdout.write(`${line}\n`);
    return endingOf(run.verdict);
  } finally {
    interruption.release();
  }
}

function endingOf(verdict: Verdict): CommandEnding {
  process.stdout.write(`${verdictMessage(verdict)}\n`);
  switch (verdict.kind) {
    case "passed":
      return { kind: "done" };
    case "failed":
      return { kind: "red" };
    case "inconclusive":
      return { kind: "interrupted" };
    default:
      return verdict satisfies never;
  }
}

async function moduleOf(path: string) {
  return pausableModule(await WebAssembly.compile(new Uint8Array(await readFile(path))));
}
