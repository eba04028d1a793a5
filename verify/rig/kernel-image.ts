// Kernel image: one compiled kernel as the checks take it, the shipped one or one that was broken on purpose.
//
// Owner: whoever made it. Invariant: both forms come from the same bytes; the pausable one is made when first asked
// for, since rewriting takes longer than most checks.
// Partners: rig.ts and interleaving.ts instantiate it; verify/breaks makes broken ones.

import { readFile } from "node:fs/promises";
import { type PausableModule, pausableModule } from "../../machines/sim/resumable-instance.ts";
import { buildArtifacts } from "../../toolchain/build.ts";
import { packageRoot } from "../../toolchain/package-root.ts";
import { makePausable } from "../../toolchain/pausable.ts";

export class KernelImage {
  readonly module: WebAssembly.Module;
  /** The user programs, compiled once for all runs. */
  readonly userModule: WebAssembly.Module;
  private made: PausableModule | undefined;

  constructor(
    /** kernel.wasm */
    readonly wasm: Uint8Array,
    /** user.sim.wasm */
    userSim: Uint8Array,
    /** Version 3 source map of `wasm`. */
    readonly sourceMap: string,
    /** Folder that holds the abi/ and kernel/ it was compiled from. */
    readonly root: string,
    /** kernel.sim.wasm of the same bytes, where it has been made before. */
    private readonly pausableBytes?: Uint8Array,
    /** What an instrumented kernel imports besides its memory and its machine. */
    readonly imports: WebAssembly.Imports = {},
  ) {
    this.module = new WebAssembly.Module(new Uint8Array(wasm));
    this.userModule = new WebAssembly.Module(new Uint8Array(userSim));
  }

  /** kernel.sim.wasm; of a kernel that checks run once or twice, not optimized. */
  get pausable(): PausableModule {
    this.made ??= pausableModule(new WebAssembly.Module(new Uint8Array(this.pausableBytes ?? this.makePausable())));
    return this.made;
  }

  private makePausable(): Uint8Array {
    return makePausable(this.wasm, { build: "debug" });
  }
}

/** The kernel under build/, made first where it is stale. Throws one line when its sources do not build. */
export async function shippedKernel(): Promise<KernelImage> {
  const outcome = await buildArtifacts();
  if (outcome.kind === "refused") throw new Error(`${outcome.step}: ${outcome.lines.join("; ")}`);
  const { kernel, kernelSim, userSim, kernelMap } = outcome.artifacts;
  const [wasm, sim, user] = await Promise.all([kernel, kernelSim, userSim].map((path) => readFile(path)));
  if (wasm === undefined || sim === undefined || user === undefined) throw new Error("an artifact is missing");
  return new KernelImage(wasm, user, await readFile(kernelMap, "utf8"), packageRoot, sim);
}
