// Workload image: the program `workload`, ready for a table of phases: on sim as words of its memory, on virt set in copies
// of one image, so that no workload needs a compiler.
//
// Owner: build/workload.sim.wasm, build/workload.wasm, and the image under build/workload/.
// Pairs with: user/workload.ts, which interprets the table; abi/workload-table.ts; program-image.ts.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { WORKLOAD_TABLE_BASE, WORKLOAD_WORDS_MAX } from "../abi/workload-table.ts";
import { decodeModule } from "../wasm/decode.ts";
import { encodeModule } from "../wasm/encode.ts";
import { compile, USER_MEMORY } from "./asc.ts";
import { type Artifacts, buildArtifacts, type BuildOptions } from "./build.ts";
import { isFresh, store, whileLocked } from "./build-cache.ts";
import { packageRoot } from "./package-root.ts";
import { type ImageOutcome, programForSim, programsForVirt } from "./program-image.ts";
import { checkProgram, type ProgramModule } from "./program-module.ts";

export interface WorkloadProgram {
  /** The pausable form, to which sim adds the table as words of its memory. */
  readonly sim: string;
  readonly wasm: string;
  readonly artifacts: Artifacts;
}

export type WorkloadBuild =
  | { readonly kind: "built"; readonly program: WorkloadProgram }
  | { readonly kind: "refused"; readonly step: string; readonly lines: readonly string[] };

const folder = join(packageRoot, "build");
const program = (artifacts: Artifacts): WorkloadProgram => ({
  sim: join(folder, "workload.sim.wasm"),
  wasm: join(folder, "workload.wasm"),
  artifacts,
});

/** Makes build/workload.wasm and build/workload.sim.wasm, or finds them fresh. */
export async function buildWorkloadProgram(options: BuildOptions = {}): Promise<WorkloadBuild> {
  const built = await buildArtifacts(options);
  if (built.kind === "refused") return built;
  const { artifacts } = built;
  if (await isFresh(folder, "workload", artifacts.hash)) return { kind: "built", program: program(artifacts) };
  return whileLocked(folder, async () => {
    if (await isFresh(folder, "workload", artifacts.hash)) return { kind: "built", program: program(artifacts) };
    const module = await compiledModule();
    if ("kind" in module) return module;
    const sim = await programForSim(module, join(folder, "workload"), artifacts.hash);
    const outputs = new Map([
      ["workload.wasm", module.wasm],
      ["workload.sim.wasm", sim],
    ]);
    await store(folder, "workload", artifacts.hash, outputs);
    return { kind: "built", program: program(artifacts) };
  });
}

async function compiledModule(): Promise<ProgramModule | WorkloadBuild> {
  const memory = { ...USER_MEMORY, shared: true };
  const outcome = await compile({ root: packageRoot, entry: "user/workload.ts", memory, build: "optimized" });
  if (outcome.kind === "refused") return { kind: "refused", step: "asc", lines: outcome.diagnostics };
  return checked(withSpaceForTable(outcome.wasm));
}

function checked(wasm: Uint8Array): ProgramModule | WorkloadBuild {
  const check = checkProgram(wasm);
  return check.kind === "accepted" ? check.module : { kind: "refused", step: "program", lines: [check.reason] };
}

/** By these words an image's space for the table is found. No byte is zero: zeros may be left out of an image. */
const SPACE_WORDS: readonly number[] = [0x7a5f4842, 0x5eed0003, 0x3ad1c6b5, 0x77e1f013];

/** A segment where the table is to be. */
function withSpaceForTable(wasm: Uint8Array): Uint8Array {
  const module = decodeModule(wasm);
  const bytes = Buffer.alloc(4 * WORKLOAD_WORDS_MAX, 0x5a);
  SPACE_WORDS.forEach((word, index) => bytes.writeUInt32LE(word, 4 * index));
  return encodeModule({ ...module, data: [...module.data, { passive: false, offset: WORKLOAD_TABLE_BASE, bytes }] });
}

/** The image for virt, without a table yet; kept by what it is made of. */
export async function buildWorkloadElf({ wasm, artifacts }: WorkloadProgram): Promise<ImageOutcome> {
  const module = checked(await readFile(wasm));
  if ("kind" in module) throw new Error("build/workload.wasm is not what was built: build it again");
  return programsForVirt([module], artifacts, join(folder, "workload"));
}

/** A copy of the image with that table. */
export function withPhaseTable(elf: Uint8Array, words: readonly number[]): Buffer {
  const image = Buffer.from(elf);
  const magic = Buffer.alloc(4 * SPACE_WORDS.length);
  SPACE_WORDS.forEach((word, index) => magic.writeUInt32LE(word, 4 * index));
  const at = image.indexOf(magic);
  if (at < 0 || image.includes(magic, at + 1)) throw new Error("the image has not exactly one space for a table");
  image.fill(0, at, at + 4 * WORKLOAD_WORDS_MAX);
  words.forEach((word, index) => image.writeInt32LE(word | 0, at + 4 * index));
  return image;
}
