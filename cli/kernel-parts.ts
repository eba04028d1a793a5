// Kernel parts: the kernel's artifact and the harness of its scenarios, from wherever they come.
//
// In a clone both are built where they are stale; a published package carries them.
// Partners: machine-factory.ts boots the same artifact; explore-kernel.ts explores it, prove.ts asks what covers it.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Parts } from "../verify/scenarios/parts.ts";
import { packageRoot } from "../toolchain/package-root.ts";
import type { CommandEnding } from "./exit-code.ts";
import { hasSources } from "./package-contents.ts";

export type FoundParts = { readonly kind: "ready"; readonly parts: Parts } | Exclude<CommandEnding, { kind: "done" }>;

const carried = (name: string): string => join(packageRoot, "build", name);

export async function findParts(): Promise<FoundParts> {
  if (hasSources) {
    const { shippedParts } = await import("../verify/scenarios/suite-run.ts");
    const outcome = await shippedParts();
    if (outcome.kind === "ready") return outcome;
    for (const line of outcome.lines) process.stderr.write(`${line}\n`);
    process.stderr.write("error: the kernel's sources are refused, see above\n");
    return { kind: "red" };
  }
  const [kernel, harness] = [carried("kernel.wasm"), carried("scenarios.wasm")];
  if (!existsSync(kernel) || !existsSync(harness)) {
    return { kind: "missing-tool", message: "this package carries no scenarios; run them in a clone of the sources" };
  }
  const maps = { kernel: `${kernel}.map`, harness: `${harness}.map` };
  return { kind: "ready", parts: { kernel: readFileSync(kernel), harness: readFileSync(harness), maps } };
}

/** The harness alone; undefined where there is none. */
export async function findHarness(): Promise<Uint8Array | undefined> {
  if (hasSources) {
    const { harness, NotCompiled } = await import("../verify/scenarios/harness-build.ts");
    return harness().catch((error: unknown) => {
      if (error instanceof NotCompiled) return undefined;
      throw error;
    });
  }
  const path = carried("scenarios.wasm");
  return existsSync(path) ? readFileSync(path) : undefined;
}
