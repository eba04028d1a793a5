// Shipped: the artifact that boots, with what its checks need beside it, and its baseline, made or found.
//
// Owner: the caller. Pairs with: toolchain/build.ts, baseline.ts.

import { readFile } from "node:fs/promises";
import { harness } from "../scenarios/harness-build.ts";
import { buildArtifacts } from "../../toolchain/build.ts";
import { filesIn, hashOf } from "../../toolchain/build-cache.ts";
import { packageRoot } from "../../toolchain/package-root.ts";
import { sha256Of } from "../../toolchain/sha256.ts";
import { type Artifact, readArtifact } from "./artifact.ts";
import type { Tier } from "../scenarios/scenario.ts";
import { type Baseline, type BaselineOptions, keyOf, loadBaseline, makeBaseline, saveBaseline } from "./baseline.ts";
import type { Surroundings } from "./subject.ts";

export type ShippedOutcome =
  | {
      readonly kind: "ready";
      readonly artifact: Artifact;
      readonly surroundings: Surroundings;
      /** SHA-256 of the artifact, hexadecimal. */
      readonly hash: string;
    }
  /** lines: what the build refused. */
  | { readonly kind: "refused"; readonly lines: readonly string[] };

export async function shippedArtifact(): Promise<ShippedOutcome> {
  const built = await buildArtifacts();
  if (built.kind === "refused") return { kind: "refused", lines: built.lines };
  const { kernel, kernelMap, userSim } = built.artifacts;
  const wasm = new Uint8Array(await readFile(kernel));
  return {
    kind: "ready",
    artifact: readArtifact(wasm, await readFile(kernelMap, "utf8"), packageRoot),
    surroundings: { userSim: new Uint8Array(await readFile(userSim)), harness: await harness() },
    hash: sha256Of(wasm),
  };
}

/** Folders whose sources are the checks: a change of any makes every baseline stale. */
const CHECKS = [
  "explore",
  "verify/scenarios",
  "verify/clauses",
  "verify/clauses",
  "machines/sim",
  "proof",
  "verify/mutants",
  "wasm",
];

/** Hash of what a result depends on: artifact, checks and tier. */
export async function resultsKey(
  { artifact, surroundings }: Extract<ShippedOutcome, { kind: "ready" }>,
  tier: Tier,
): Promise<string> {
  const files = await Promise.all(CHECKS.map((folder) => filesIn(packageRoot, folder, /\.ts$/)));
  const checks = await hashOf(packageRoot, files.flat(), []);
  return keyOf(artifact, surroundings, checks, tier);
}

export async function baselineFor(
  shipped: Extract<ShippedOutcome, { kind: "ready" }>,
  options: BaselineOptions,
): Promise<Baseline> {
  const key = `${await resultsKey(shipped, options.tier)} ${options.until}`;
  const known = await loadBaseline(key);
  if (known !== undefined) return known;
  const made = await makeBaseline(shipped.artifact, shipped.surroundings, key, options);
  await saveBaseline(made);
  return made;
}
