// Harness build: the harness of the scenarios.
//
// The harness lies above the kernel's pages: its data from HARNESS_DATA on, in one page more than the kernel has.
// Owner: the harness in build/scenarios.wasm, made again when a source has changed.
// Pairs with: toolchain/asc.ts (the same compiler and options), build-cache.ts, run.ts.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { KERNEL_PAGES } from "../../abi/layout.ts";
import { type AscJob, compile } from "../../toolchain/asc.ts";
import { filesIn, hashOf, isFresh, store, whileLocked } from "../../toolchain/build-cache.ts";
import { packageRoot } from "../../toolchain/package-root.ts";

/** The compiler refused the harness; the message is one line. */
export class NotCompiled extends Error {}

/** First byte of the harness's constant data: behind the model's words. */
const HARNESS_DATA = (KERNEL_PAGES << 16) + 0x8000;
const HARNESS = join(packageRoot, "build", "scenarios.wasm");
export const HARNESS_MAP = `${HARNESS}.map`;
const JOB: AscJob = {
  root: packageRoot,
  entry: "verify/scenarios/harness/index.ts",
  memory: { pages: KERNEL_PAGES + 1, shared: true },
  build: "optimized",
  dataBase: HARNESS_DATA,
  // Failed assertions shall say what they are.
  abort: "imported",
};

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
      const outcome = await compile(JOB);
      if (outcome.kind === "refused") throw new NotCompiled(outcome.diagnostics.join("; "));
      const { wasm, sourceMap } = outcome;
      const outputs = new Map<string, Uint8Array | string>([
        ["scenarios.wasm", wasm],
        ["scenarios.wasm.map", sourceMap],
      ]);
      await store(folder, "scenarios", hash, outputs);
    });
  return new Uint8Array(await readFile(HARNESS));
}
