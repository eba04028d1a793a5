// Soak images: what a campaign boots, built where it is stale.
//
// Partners: machine-room.ts finds the shipped images; soak-lanes.ts boots these.

import type { MachineRun } from "../machines/run.ts";
import type { SoakCampaign } from "../proof/soak/campaign.ts";
import type { CommandEnding } from "./exit-code.ts";
import { givenImage, simImages, virtImage } from "./machine-room.ts";

export type SoakImages =
  | { readonly kind: "sim"; readonly kernel: string; readonly user: string }
  | {
      readonly kind: "virt";
      readonly elf: string;
      /** Boots run number `number`. */
      readonly boot: (number: number) => Promise<MachineRun>;
    }
  | Exclude<CommandEnding, { kind: "done" }>;

export async function soakImages(campaign: SoakCampaign, elf: string | undefined): Promise<SoakImages> {
  return campaign.machine === "sim" ? simSoakImages() : virtSoakImages(campaign, elf);
}

async function simSoakImages(): Promise<SoakImages> {
  const images = await simImages();
  return images.kind === "found" ? { kind: "sim", kernel: images.kernel, user: images.user } : refusalOf(images);
}

async function virtSoakImages({ harts, ipi }: SoakCampaign, given: string | undefined): Promise<SoakImages> {
  const { findQemu, QEMU_MISSING } = await import("../machines/virt/qemu.ts");
  const command = await findQemu();
  if (command === undefined) return { kind: "missing-tool", message: QEMU_MISSING };
  const image = given === undefined ? await virtImage() : await givenImage(given);
  if (image.kind !== "found") return refusalOf(image);
  const { bootVirt } = await import("../machines/virt/boot.ts");
  const { elf } = image;
  return { kind: "virt", elf, boot: async () => bootVirt({ elf, command, harts, aclint: ipi === "sswi" }) };
}

/** Nothing that refuses an image is `done`. */
function refusalOf(ending: CommandEnding): Exclude<CommandEnding, { kind: "done" }> {
  if (ending.kind === "done") throw new Error("an image was neither found nor refused");
  return ending;
}
