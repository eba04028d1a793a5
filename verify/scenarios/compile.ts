// Compile: the harness, and kernels with a fault planted in their source. The shipped kernel is never compiled here.
//
// The harness lies above the kernel's pages: its data from HARNESS_DATA on, in one page more than the kernel has.
// Owner: the harness in build/scenarios.wasm, made again when a source has changed.
// Pairs with: toolchain/asc.ts (the same compiler and options), build-cache.ts, run.ts.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { KERNEL_PAGES } from "../../abi/layout.ts";
import { ascArguments, kernelJob } from "../../toolchain/asc.ts";
import { byteTexts } from "../../toolchain/byte-texts.ts";
import { filesIn, hashOf, isFresh, store, whileLocked } from "../../toolchain/build-cache.ts";
import { packageRoot } from "../../toolchain/package-root.ts";
import type { PlantedFault } from "./scenario.ts";

/** The compiler refused a source, or an edit did not fit; the message is one line. */
export class NotCompiled extends Error {}

/** First byte of the harness's constant data: behind the model's words. */
const HARNESS_DATA = (KERNEL_PAGES << 16) + 0x8000;
const HARNESS = join(packageRoot, "build", "scenarios.wasm");
export const HARNESS_MAP = `${HARNESS}.map`;
const JOB = kernelJob(packageRoot, "optimized");

/** The harness, compiled or found fresh. */
export async function harness(): Promise<Uint8Array> {
  const folder = join(packageRoot, "build");
  const sources = await Promise.all(
    ["abi", "kernel", "verify/scenarios", "verify/scenarios/harness"].map((name) =>
      filesIn(packageRoot, name, /\.ts$/),
    ),
  );
  const hash = await hashOf(packageRoot, sources.flat(), ["harness"]);
  if (!(await isFresh(folder, "scenarios", hash)))
    await whileLocked(folder, async () => {
      if (await isFresh(folder, "scenarios", hash)) return;
      const options = ascArguments({ ...JOB, memory: { pages: KERNEL_PAGES + 1, shared: true } })
        // Failed assertions shall say what they are.
        .filter((option, index, all) => option !== "--use" && all[index - 1] !== "--use");
      options[options.indexOf("--memoryBase") + 1] = String(HARNESS_DATA);
      const { wasm, sourceMap } = await run("verify/scenarios/harness/index.ts", options, new Map());
      const outputs = new Map<string, Uint8Array | string>([
        ["scenarios.wasm", wasm],
        ["scenarios.wasm.map", sourceMap],
      ]);
      await store(folder, "scenarios", hash, outputs);
    });
  return new Uint8Array(await readFile(HARNESS));
}

/** What was compiled, and its source map. */
export interface Compiled {
  readonly wasm: Uint8Array;
  readonly sourceMap: string;
}

/** The kernel with a fault planted. Throws NotCompiled when the source has changed so that the edit does not fit. */
export async function faultyKernel(fault: PlantedFault): Promise<Compiled> {
  const file = `kernel/${fault.file}`;
  const text = await readFile(join(packageRoot, file), "utf8");
  const places = text.split(fault.from).length - 1;
  if (places !== 1) throw new NotCompiled(`${file}: "${fault.title}" does not fit: its text occurs ${places} times`);
  // Without the optimizer: it is compiled for one exploration only.
  const options = ascArguments(JOB).flatMap((option) =>
    option === "-O3" ? ["-O1"] : option === "--converge" ? [] : [option],
  );
  return run(JOB.entry, options, new Map([[file, text.replace(fault.from, () => fault.to)]]), [await byteTexts()]);
}

async function run(
  entry: string,
  options: readonly string[],
  edited: ReadonlyMap<string, string>,
  transforms: readonly unknown[] = [],
): Promise<Compiled> {
  // The compiler is large: loaded only when something must be compiled.
  const { default: asc } = await import("assemblyscript/asc");
  let wasm: Uint8Array | undefined;
  let sourceMap = "";
  const { error, stderr } = await asc.main([entry, ...options], {
    transforms: transforms as never[],
    readFile: async (name: string) =>
      edited.get(name) ?? (await readFile(join(packageRoot, name), "utf8").catch(() => null)),
    writeFile: (name: string, contents: Uint8Array | string) => {
      if (name === "out.wasm" && contents instanceof Uint8Array) wasm = contents;
      if (name === "out.wasm.map" && typeof contents === "string") sourceMap = contents;
    },
    listFiles: () => [],
  });
  if (wasm === undefined)
    throw new NotCompiled(`${entry}: ${error?.message ?? "asc wrote nothing"}: ${stderr.toString().trim()}`);
  return { wasm, sourceMap };
}
