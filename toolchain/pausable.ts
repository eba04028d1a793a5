// Pausable: rewrites a module so that whoever runs it can stop it before each atomic access and each call of an
// import, leave it, and come back later.
//
// Before every such place the module calls `sim.pause(site)`; Binaryen's Asyncify lets that one import unwind the
// stack into linear memory and rewind it. Everything else keeps its meaning, with two changes that no program can
// notice: the memory is not shared, since one thread runs all harts (so a web page needs no cross-origin isolation),
// and it is larger by pages that hold the unwound stacks. The program must not see those pages, so each access is
// checked against the old size and calls `sim.outside(address, flags)` when it lies beyond. A loop that turns without
// end and without a pause would hold the machine for ever: it calls `sim.stuck(site)`.
//
// Invariant: between two pauses a hart makes at most one atomic access or import call, right after the first pause.
// Partners: pause-insertion.ts, which does the first half; sites.ts, which names the places;
//   machines/sim/resumable-instance.ts, which pauses and resumes.

import binaryen from "binaryen";
import { decodeModule } from "../wasm/decode.ts";
import { encodeModule } from "../wasm/encode.ts";
import { UnsupportedModule, type WasmModule } from "../wasm/module.ts";
import { PAUSE, PauseInsertion, refuse } from "./pause-insertion.ts";
import { encodeTable, GLOBAL_EXPORT_PREFIX, SITES_SECTION } from "./sites.ts";

export interface PausableOptions {
  /** Announce each access, plain or atomic, with `sim.access(site, address, flags)`; flags as in sites.ts. */
  readonly memoryAccesses?: boolean;
  /**
   * `pause`: at the head of each loop too, so that code without calls can be preempted. `countdown`: the same, but a loop
   * head only counts down the exported global PAUSES_LEFT_EXPORT and pauses when it comes to zero; who runs the module
   * sets it before, and reads from it how many loop heads were passed.
   */
  readonly loops?: "pause" | "countdown";
  /** Imports that unwind by themselves: nothing is called before them. `os.call`, the system call, unless given. */
  readonly pausingImports?: readonly string[];
  /** Pages of 64 KiB added above the module's own, for unwound stacks. */
  readonly extraPages?: number;
  /** debug: Binaryen optimizes nothing, which takes a tenth of the time; the code is larger and runs slower. */
  readonly build?: "optimized" | "debug";
}

const EXTRA_PAGES_DEFAULT = 8;
const PAUSING_IMPORTS_DEFAULT = ["os.call"];

const { Atomics, BulkMemory, BulkMemoryOpt, MutableGlobals, SignExt } = binaryen.Features;
/** What the artifacts use, and what exporting globals takes; more features let Binaryen write more kinds of code. */
const FEATURES = Atomics | BulkMemory | BulkMemoryOpt | MutableGlobals | SignExt;

/**
 * The pausable form of a module with one imported memory of fixed size. It imports `sim.pause(site: i32)`,
 * `sim.outside(address: i32, flags: i32)`, `sim.stuck(site: i32)` and, where asked,
 * `sim.access(site: i32, address: i32, flags: i32)`; it exports Asyncify's four functions beside its own.
 * Throws an Error with a message of one line for a module that cannot be made pausable.
 */
export function makePausable(wasm: Uint8Array, options: PausableOptions = {}): Uint8Array {
  const original = decoded(wasm);
  const { memory } = original;
  if (memory?.imported === undefined) refuse("it imports no memory");
  if (memory.maximum !== memory.initial) refuse("its memory can grow: initial and maximum size differ");
  const pages = memory.initial + (options.extraPages ?? EXTRA_PAGES_DEFAULT);
  // Binaryen's interface cannot change a memory without forgetting its data.
  const enlarged = encodeModule({ ...original, memory: { ...memory, initial: pages, maximum: pages, shared: false } });
  const module = binaryen.readBinary(enlarged);
  try {
    module.setFeatures(module.getFeatures() | FEATURES);
    exportGlobals(module);
    // An access that is never reached may have no address at all.
    module.runPasses(["dce", "flatten"]);
    const { memoryAccesses = false, loops, pausingImports = PAUSING_IMPORTS_DEFAULT, build = "optimized" } = options;
    const ownPages = memory.initial;
    const insertion = new PauseInsertion(module, { memoryAccesses, loops, pausingImports, ownPages });
    insertion.insert();
    module.addCustomSection(
      SITES_SECTION,
      encodeTable({ pages, ownPages, shared: memory.shared, sites: insertion.sites }),
    );
    return withSettings([PAUSE, ...pausingImports], build, () => emitResumable(module, build));
  } finally {
    module.dispose();
  }
}

function decoded(wasm: Uint8Array): WasmModule {
  try {
    return decodeModule(wasm);
  } catch (error) {
    if (error instanceof UnsupportedModule) return refuse(error.message);
    throw error;
  }
}

/** Exports what a capture must keep besides the memory. */
function exportGlobals(module: binaryen.Module): void {
  for (let index = 0; index < module.getNumGlobals(); index += 1) {
    const info = binaryen.getGlobalInfo(module.getGlobalByIndex(index));
    if (info.mutable && info.base === null) module.addGlobalExport(info.name, GLOBAL_EXPORT_PREFIX + index);
  }
}

type Build = NonNullable<PausableOptions["build"]>;

function emitResumable(module: binaryen.Module, build: Build): Uint8Array {
  module.runPasses(["asyncify"]);
  if (build === "optimized") module.optimize();
  if (module.validate() === 0) throw new Error("the pausable module is not valid: this is a bug of pausable.ts");
  return module.emitBinary();
}

/** Binaryen's settings are global to the process: they are set here and put back. */
function withSettings<Result>(pausing: readonly string[], build: Build, work: () => Result): Result {
  const debugInfo = binaryen.getDebugInfo();
  const optimizeLevel = binaryen.getOptimizeLevel();
  const shrinkLevel = binaryen.getShrinkLevel();
  binaryen.setDebugInfo(true);
  binaryen.setOptimizeLevel(build === "optimized" ? 2 : 0);
  binaryen.setShrinkLevel(0);
  binaryen.setPassArgument("asyncify-imports", pausing.join(","));
  binaryen.setPassArgument("asyncify-ignore-indirect", "1");
  try {
    return work();
  } finally {
    binaryen.clearPassArguments();
    binaryen.setDebugInfo(debugInfo);
    binaryen.setOptimizeLevel(optimizeLevel);
    binaryen.setShrinkLevel(shrinkLevel);
  }
}
