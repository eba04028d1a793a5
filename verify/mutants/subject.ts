// Subject: one kernel under trial, in each of the forms that checks take, made when first asked for.
//
// Owner: one trial. Invariant: every form comes from the same bytes.
// Pairs with: check.ts; coverage.ts, whose subjects have probes in them.

import type { Parts } from "../scenarios/parts.ts";
import { KernelImage } from "../rig/kernel-image.ts";
import { makePausable } from "../../toolchain/pausable.ts";
import { FUEL, withFuel } from "./weave.ts";

/** What every subject shares: it does not change from mutant to mutant. */
export interface Surroundings {
  /** user.sim.wasm */
  readonly userSim: Uint8Array;
  /** build/scenarios.wasm */
  readonly harness: Uint8Array;
}

/** Checks that read the sources find none here: what they find out is not about the artifact's behaviour. */
const NO_SOURCES = "/no-sources";

/** Thrown where a check of the first stage asks for the pausable form. */
export class NeedsPauses extends Error {}

class PlainImage extends KernelImage {
  override get pausable(): never {
    throw new NeedsPauses();
  }
}

export class Subject {
  private made: KernelImage | undefined;
  private madePlain: KernelImage | undefined;

  constructor(
    readonly wasm: Uint8Array,
    readonly surroundings: Surroundings,
    private readonly fuel = FUEL,
  ) {}

  /** The same without the pausable form. */
  get plainImage(): KernelImage {
    this.madePlain ??= this.makeImage(PlainImage);
    return this.madePlain;
  }

  /** With bounded loops. Throws where the engine refuses the module. */
  get image(): KernelImage {
    this.made ??= this.makeImage(KernelImage);
    return this.made;
  }

  protected makeImage(Image: typeof KernelImage): KernelImage {
    return new Image(withFuel(this.wasm, this.fuel), this.surroundings.userSim, "", NO_SOURCES);
  }

  /** What a scenario is explored with. */
  get parts(): Parts {
    return { kernel: this.wasm, harness: this.surroundings.harness };
  }

  /** Called by the explorer at each probe, where the kernel has some. */
  get probe(): ((block: number) => void) | undefined {
    return undefined;
  }

  /** kernel.sim.wasm with bounded loops. */
  get pausable(): WebAssembly.Module {
    return this.image.pausable.module;
  }
}

/** A kernel with probes: each form reports the blocks that it enters. */
export class ProbedSubject extends Subject {
  private simModule: WebAssembly.Module | undefined;

  constructor(
    wasm: Uint8Array,
    surroundings: Surroundings,
    /** The same with the embedded machine's probe. */
    private readonly forSim: Uint8Array,
    private readonly report: (block: number) => void,
  ) {
    super(wasm, surroundings);
  }

  protected override makeImage(Image: typeof KernelImage): KernelImage {
    // The probe neither pauses nor is paused before.
    const pausable =
      Image === KernelImage ? makePausable(this.wasm, { pausingImports: ["os.call", "probe.at"] }) : undefined;
    const imports = { probe: { at: this.report } };
    return new Image(this.wasm, this.surroundings.userSim, "", NO_SOURCES, pausable, imports);
  }

  override get probe(): (block: number) => void {
    return this.report;
  }

  override get pausable(): WebAssembly.Module {
    const pausingImports = ["os.call", "sim.access"];
    this.simModule ??= new WebAssembly.Module(makePausable(this.forSim, { pausingImports }) as BufferSource);
    return this.simModule;
  }

  /** What the embedded machine's listener hears. */
  get access(): (hart: number, site: number) => void {
    return (_, site) => this.report(site);
  }
}
