// Program image: the user's modules made ready for a machine: pausable forms for sim, one image for virt.
//
// What was made is kept under a folder by the hash of what it was made of. The kernel in an image is the shipped artifact.
// Pairs with: program-module.ts (the modules), build.ts (the kernel and the built-in programs).

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Artifacts, buildElf, linkImage, StepRefused } from "./build.ts";
import { hashOf, isFresh, stampedHash, store, whileLocked } from "./build-cache.ts";
import { printC, USER_PRINT } from "./c-printer.ts";
import { packageRoot } from "./package-root.ts";
import { makePausable } from "./pausable.ts";
import type { ProgramModule } from "./program-module.ts";
import { sha256Of } from "./sha256.ts";
import { modulePrefix } from "./user-modules.ts";

/** Pages above a shared memory that all spaces have their unwound stacks in: 32 KiB for each. */
const SHARED_EXTRA_PAGES = 64;

/** The module's pausable form. folder: where it is kept. tools: the toolchain's own hash. */
export async function programForSim(
  { wasm, shared }: ProgramModule,
  folder: string,
  tools: string,
): Promise<Uint8Array> {
  const name = `sim-${sha256Of(wasm).slice(0, 16)}`;
  const hash = `${sha256Of(wasm)} ${tools}`;
  const path = join(folder, `${name}.wasm`);
  if (!(await isFresh(folder, name, hash))) {
    const pages = shared ? { extraPages: SHARED_EXTRA_PAGES } : {};
    await store(folder, name, hash, new Map([[`${name}.wasm`, makePausable(wasm, { loops: "countdown", ...pages })]]));
  }
  return readFile(path);
}

export type ImageOutcome =
  | { readonly kind: "built"; readonly elf: string }
  /** message: one line that states what is missing and how to install it. */
  | { readonly kind: "missing-compiler"; readonly message: string }
  | { readonly kind: "refused"; readonly step: string; readonly lines: readonly string[] };

/** The image with these modules after the built-in one, kept under the folder. */
export async function programsForVirt(
  modules: readonly ProgramModule[],
  artifacts: Artifacts,
  folder: string,
): Promise<ImageOutcome> {
  const shipped = await buildElf();
  if (shipped.kind !== "built") return shipped;
  // The shipped image's stamp covers kernel, machine layer and compiler.
  const shippedHash = (await stampedHash(join(packageRoot, "build"), "elf")) ?? "";
  const keys = modules.map(({ wasm, entry, shared }) => `${sha256Of(wasm)} ${entry} ${shared}`);
  const hash = await hashOf(packageRoot, [], [shippedHash, ...keys]);
  const name = `virt-${hash.slice(0, 16)}`;
  const elf = join(folder, `${name}.elf`);
  if (await isFresh(folder, name, hash)) return { kind: "built", elf };
  return whileLocked(folder, async () => {
    if (await isFresh(folder, name, hash)) return { kind: "built", elf };
    const printed = modules.map((one, index) => ({
      ...one,
      printed: printC(one.wasm, { ...USER_PRINT, prefix: modulePrefix(index + 1) }),
    }));
    try {
      const outputs = await linkImage(artifacts, join(folder, name), printed);
      await store(folder, name, hash, new Map([[`${name}.elf`, outputs.elf]]));
    } catch (error) {
      if (error instanceof StepRefused) return { kind: "refused", step: error.step, lines: error.lines };
      throw error;
    }
    return { kind: "built", elf };
  });
}
