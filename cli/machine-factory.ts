// Machine factory: the real machines behind the interface of open-machine.ts, with what each needs built and found.
//
// In a clone the artifacts are built where they are stale; a published package has no sources and carries them.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { packageRoot } from "../toolchain/package-root.ts";
import { sha256Of } from "../toolchain/sha256.ts";
import type { Opening } from "./open-machine.ts";
import type { MachineKind } from "./machine-options.ts";
import { hasSources, progress } from "./package-contents.ts";
import { simPrograms, virtPrograms } from "./program-machine.ts";
import type { ProgramRequest } from "./program-request.ts";

/** Prepares a machine; see OpenMachine. */
export async function openMachine(
  kind: MachineKind,
  elf?: string,
  programs: readonly ProgramRequest[] = [],
): Promise<Opening> {
  switch (kind) {
    case "sim":
      return openSim(programs);
    case "virt":
      return openVirt(elf, programs);
    default:
      return kind satisfies never;
  }
}

async function openSim(requests: readonly ProgramRequest[]): Promise<Opening> {
  const images = await simImages();
  if (images.kind !== "found") return images;
  const found = await simPrograms(requests);
  if (found.kind !== "ready") return found;
  const { programs, taskTable, names } = found;
  const { bootSim } = await import("../machines/sim/machine-boot.ts");
  const kernel = await WebAssembly.compile(await readFile(images.kernel));
  const user = await WebAssembly.compile(await readFile(images.user));
  return {
    kind: "open",
    kernel: await hashOf(images.artifact),
    programs: names,
    start: (spec) =>
      bootSim({
        kernel,
        user,
        programs,
        taskTable,
        harts: spec.harts,
        sswi: spec.ipi === "sswi",
        observe: spec.observe === true,
        ...(spec.kind === "sim" ? { seed: spec.seed } : {}),
      }),
  };
}

async function openVirt(given: string | undefined, requests: readonly ProgramRequest[]): Promise<Opening> {
  const { findQemu, QEMU_MISSING } = await import("../machines/virt/qemu.ts");
  const command = await findQemu();
  if (command === undefined) return { kind: "missing-tool", message: QEMU_MISSING };
  const image =
    requests.length > 0
      ? await virtPrograms(requests)
      : given === undefined
        ? await virtImage()
        : await givenImage(given);
  if (image.kind !== "found") return image;
  // Our image was made of the artifact that lies beside it; of what another one was made, it does not say.
  const kernel = given === undefined ? await hashOf(built("kernel.wasm")) : null;
  const { bootVirt } = await import("../machines/virt/machine-boot.ts");
  return {
    kind: "open",
    kernel,
    programs: "names" in image ? image.names : [],
    start: (spec) =>
      bootVirt({
        elf: image.elf,
        command,
        harts: spec.harts,
        aclint: spec.ipi === "sswi",
        icount: spec.kind === "virt" && spec.icount,
        observe: spec.observe === true,
      }),
  };
}

export type Refusal = Exclude<Opening, { kind: "open" }>;

export interface SimImages {
  kind: "found";
  /** The kernel as it was compiled, and the form of it that can be paused. */
  artifact: string;
  kernel: string;
  user: string;
}

export async function simImages(): Promise<SimImages | Refusal> {
  if (!hasSources) {
    return {
      kind: "found",
      artifact: built("kernel.wasm"),
      kernel: built("kernel.sim.wasm"),
      user: built("user.sim.wasm"),
    };
  }
  const { buildArtifacts } = await import("../toolchain/build.ts");
  const outcome = await buildArtifacts({ progress });
  if (outcome.kind === "refused") return refusal(outcome);
  const { kernel: artifact, kernelSim, userSim } = outcome.artifacts;
  return { kind: "found", artifact, kernel: kernelSim, user: userSim };
}

export async function givenImage(elf: string): Promise<{ kind: "found"; elf: string } | Refusal> {
  const { checkElf } = await import("../machines/virt/elf.ts");
  const fault = await checkElf(elf);
  return fault === undefined ? { kind: "found", elf } : { kind: "usage", message: fault };
}

export async function virtImage(): Promise<{ kind: "found"; elf: string } | Refusal> {
  if (!hasSources) return { kind: "found", elf: built("hartbeat.elf") };
  const { buildElf } = await import("../toolchain/build.ts");
  const outcome = await buildElf({ progress });
  switch (outcome.kind) {
    case "built":
      return { kind: "found", elf: outcome.elf };
    case "missing-compiler":
      return { kind: "missing-tool", message: outcome.message };
    case "refused":
      return refusal(outcome);
    default:
      return outcome satisfies never;
  }
}

/** The kernel's own source is at fault: that is a red gate of the build, not a fault of the command. */
export function refusal({ step, lines }: { readonly step: string; readonly lines: readonly string[] }): Refusal {
  for (const line of lines) process.stderr.write(`${line}\n`);
  process.stderr.write(`error: ${step} refuses the kernel's sources, see above\n`);
  return { kind: "red" };
}

async function hashOf(path: string): Promise<string> {
  return sha256Of(await readFile(path));
}

function built(name: string): string {
  return join(packageRoot, "build", name);
}
