// Program machine: what a machine boots when the command line names programs: modules for sim, an image for virt.
//
// Partners: user-programs.ts, which compiles and checks; machine-factory.ts, which boots.

import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { packageRoot } from "../toolchain/package-root.ts";
import { sha256Of } from "../toolchain/sha256.ts";
import { hasSources } from "./package-contents.ts";
import type { ProgramRequest } from "./program-request.ts";
import { findArtifacts, findPrograms, programFolder, type Refused, refusedBy, withTools } from "./user-programs.ts";

export interface SimPrograms {
  readonly kind: "ready";
  readonly programs: readonly WebAssembly.Module[];
  readonly taskTable: readonly number[];
  /** Of the programs, after the built-in ones. */
  readonly names: readonly string[];
}

export async function simPrograms(requests: readonly ProgramRequest[]): Promise<SimPrograms | Refused> {
  if (requests.length === 0) return { kind: "ready", programs: [], taskTable: [], names: [] };
  return withTools(() => makeSimPrograms(requests));
}

async function makeSimPrograms(requests: readonly ProgramRequest[]): Promise<SimPrograms | Refused> {
  const tools = await toolsKey();
  if (typeof tools !== "string") return tools;
  const found = await findPrograms(requests, tools);
  if (found.kind !== "ready") return found;
  const { programForSim } = await import("../toolchain/program-image.ts");
  const programs: WebAssembly.Module[] = [];
  for (const module of found.modules) {
    const bytes = await programForSim(module, programFolder(), tools);
    programs.push(await WebAssembly.compile(bytes as Uint8Array<ArrayBuffer>));
  }
  return { kind: "ready", programs, taskTable: found.taskTable, names: found.names };
}

/** What the toolchain is: in a clone the hash of its sources, in a published package what it carries. */
async function toolsKey(): Promise<string | Refused> {
  if (!hasSources) return sha256Of(await readFile(join(packageRoot, "build", "user.sim.wasm")));
  const built = await findArtifacts();
  return built.kind === "built" ? built.artifacts.hash : built;
}

export type VirtPrograms =
  { readonly kind: "found"; readonly elf: string; readonly names: readonly string[] } | Refused;

/** An image with the programs and their task table in it, under `.hartbeat/programs/`. */
export async function virtPrograms(requests: readonly ProgramRequest[]): Promise<VirtPrograms> {
  if (!existsSync(join(packageRoot, "machines", "virt"))) {
    return {
      kind: "missing-tool",
      message: "this package carries no sources of the image; run it in a clone, or on --machine sim",
    };
  }
  return withTools(() => makeVirtPrograms(requests));
}

async function makeVirtPrograms(requests: readonly ProgramRequest[]): Promise<VirtPrograms> {
  const built = await findArtifacts();
  if (built.kind !== "built") return built;
  const found = await findPrograms(requests, built.artifacts.hash);
  if (found.kind !== "ready") return found;
  const { programsForVirt } = await import("../toolchain/program-image.ts");
  const image = await programsForVirt(found.modules, built.artifacts, programFolder());
  switch (image.kind) {
    case "built":
      break;
    case "missing-compiler":
      return { kind: "missing-tool", message: image.message };
    case "refused":
      return refusedBy(image.step, "the image", image.lines, "red");
    default:
      return image satisfies never;
  }
  const { withTaskTable } = await import("../machines/virt/task-table-image.ts");
  const bytes = withTaskTable(await readFile(image.elf), found.taskTable);
  const elf = join(programFolder(), `boot-${sha256Of(bytes).slice(0, 16)}.elf`);
  await writeFile(elf, bytes);
  return { kind: "found", elf, names: found.names };
}
