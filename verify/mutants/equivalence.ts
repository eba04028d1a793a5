// Equivalence: whether Binaryen's optimizer makes the same bytes of a mutant as of the artifact.
//
// Then the mutant does what the artifact does: no check can distinguish them. Everything else is not shown to be equivalent,
// and counts as a survivor when nothing kills it.
// Owner: one worker. Pairs with: mutant-trial.ts.

import type binaryenModule from "binaryen";

type Binaryen = typeof binaryenModule;

export class Equivalence {
  private constructor(
    private readonly binaryen: Binaryen,
    private readonly normal: string,
  ) {}

  static async of(wasm: Uint8Array): Promise<Equivalence> {
    const { default: binaryen } = await import("binaryen");
    return new Equivalence(binaryen, normalForm(binaryen, wasm));
  }

  isEquivalent(mutant: Uint8Array): boolean {
    return normalForm(this.binaryen, mutant) === this.normal;
  }
}

function normalForm(binaryen: Binaryen, wasm: Uint8Array): string {
  const [level, shrink, debug] = [binaryen.getOptimizeLevel(), binaryen.getShrinkLevel(), binaryen.getDebugInfo()];
  const module = binaryen.readBinary(wasm);
  try {
    const { Atomics, BulkMemory, MutableGlobals, SignExt } = binaryen.Features;
    module.setFeatures(Atomics | BulkMemory | MutableGlobals | SignExt);
    binaryen.setDebugInfo(false);
    binaryen.setOptimizeLevel(3);
    binaryen.setShrinkLevel(0);
    module.optimize();
    return Buffer.from(module.emitBinary()).toString("base64");
  } finally {
    module.dispose();
    binaryen.setOptimizeLevel(level);
    binaryen.setShrinkLevel(shrink);
    binaryen.setDebugInfo(debug);
  }
}
