// Soak images: what a setup boots, built where it is stale.
//
// Partners: machine-factory.ts finds the shipped images; soak-lanes.ts boots these.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MachineRun } from "../machines/machine-run.ts";
import { Random } from "../machines/sim/random.ts";
import type { SoakSetup, SoakPrograms } from "../proof/soak/soak-setup.ts";
import type { FuzzBuild, FuzzPrograms } from "../toolchain/fuzz-image.ts";
import type { CommandEnding } from "./exit-code.ts";
import { givenImage, refusal, simImages, virtImage } from "./machine-factory.ts";
import { hasSources, progress } from "./package-contents.ts";

/** Calls that each of the first tasks makes on virt. */
const FUZZER_CALLS = 6000;

export type SoakImages =
  | { readonly kind: "sim"; readonly kernel: string; readonly user: string }
  | {
      readonly kind: "virt";
      readonly elf: string;
      /** Boots run number `number`. */
      readonly boot: (number: number) => Promise<MachineRun>;
    }
  | Exclude<CommandEnding, { kind: "done" }>;

export async function soakImages(setup: SoakSetup, elf: string | undefined): Promise<SoakImages> {
  if (setup.programs !== "default" && !hasSources) {
    return { kind: "missing-tool", message: "this package carries no fuzzers; run them in a clone of the sources" };
  }
  return setup.machine === "sim" ? simSoakImages(setup) : virtSoakImages(setup, elf);
}

async function simSoakImages({ programs }: SoakSetup): Promise<SoakImages> {
  const images = await simImages();
  if (images.kind !== "found") return refusalOf(images);
  if (programs === "default") return { kind: "sim", kernel: images.kernel, user: images.user };
  const { buildFuzzSim } = await import("../toolchain/fuzz-image.ts");
  const fuzz = await buildFuzzSim({ progress });
  return fuzz.kind === "built"
    ? { kind: "sim", kernel: images.kernel, user: fuzz.path }
    : refusalOf(buildRefusal(fuzz));
}

async function virtSoakImages(setup: SoakSetup, given: string | undefined): Promise<SoakImages> {
  const { harts, ipi, programs } = setup;
  const { findQemu, QEMU_MISSING } = await import("../machines/virt/qemu.ts");
  const command = await findQemu();
  if (command === undefined) return { kind: "missing-tool", message: QEMU_MISSING };
  const image = given === undefined ? await builtImage(programs) : await givenImage(given);
  if (image.kind !== "found") return refusalOf(image);
  const { bootVirt } = await import("../machines/virt/machine-boot.ts");
  const { elf } = image;
  const board = { command, harts, aclint: ipi === "sswi" };
  if (programs === "default") return { kind: "virt", elf, boot: async () => bootVirt({ elf, ...board }) };
  const seeded = await seededImages(elf, programs);
  return {
    kind: "virt",
    elf,
    boot: async (number) => {
      const copy = await seeded(number);
      const run = bootVirt({ elf: copy, ...board });
      void run.outcome.then(() => rm(copy, { force: true }));
      return run;
    },
  };
}

/** Writes the image of a seed to a file that its run removes. */
async function seededImages(elf: string, programs: FuzzPrograms): Promise<(seed: number) => Promise<string>> {
  const { seedBytes, seedCalls } = await import("../toolchain/fuzz-image.ts");
  const image = await readFile(elf);
  const folder = await mkdtemp(join(tmpdir(), "hartbeat-fuzz-"));
  return async (seed) => {
    const random = new Random(seed);
    const copy = join(folder, `${seed}.elf`);
    const bytes =
      programs === "calls" ? seedCalls(image, seed, FUZZER_CALLS) : seedBytes(image, () => nextWord(random));
    await writeFile(copy, bytes);
    return copy;
  };
}

/** Machine code by chance: many words are any bits at all; others are instructions that get somewhere. */
function nextWord(random: Random): number {
  const word = random.next();
  switch (random.below(8)) {
    case 0:
      // ecall
      return 0x73;
    case 1:
      // li a7, 0 to 15: a number of a system call
      return 0x893 | (random.below(16) << 20);
    case 2:
      // addi a0 to a2 from any register
      return ((word & 0xfff00000) | (random.below(32) << 15) | ((10 + random.below(3)) << 7) | 0x13) >>> 0;
    case 3:
      // Any load or store.
      return ((word & ~0x7f) | (random.below(2) === 0 ? 0x03 : 0x23)) >>> 0;
    default:
      return word;
  }
}

async function builtImage(programs: SoakPrograms): Promise<{ kind: "found"; elf: string } | CommandEnding> {
  if (programs === "default") return virtImage();
  const { buildFuzzElf } = await import("../toolchain/fuzz-image.ts");
  const outcome = await buildFuzzElf(programs, { progress });
  return outcome.kind === "built" ? { kind: "found", elf: outcome.path } : buildRefusal(outcome);
}

function buildRefusal(outcome: Exclude<FuzzBuild, { kind: "built" }>): CommandEnding {
  if (outcome.kind === "missing-compiler") return { kind: "missing-tool", message: outcome.message };
  return refusal(outcome);
}

/** Nothing that refuses an image is `done`. */
function refusalOf(ending: CommandEnding): Exclude<CommandEnding, { kind: "done" }> {
  if (ending.kind === "done") throw new Error("an image was neither found nor refused");
  return ending;
}
