// Module checks: whether a module is one that the explorer can take; refused in one line otherwise.
//
// Owner: none. Pairs with: target.ts, which asks; unusable-module.ts, what is thrown.

import { MalformedModule } from "../../wasm/bytes.ts";
import { UnsupportedModule } from "../../wasm/module.ts";
import type { WasmModule } from "../../wasm/module.ts";
import { isAtomic, Op } from "../../wasm/opcodes.ts";
import { EXTERNAL } from "../../wasm/sections.ts";
import { decodeExplorable, type ExplorableModule } from "../instrument/explorable.ts";
import { USER_PAGES_MAX } from "../instrument/engine-layout.ts";
import { growsMemory } from "../instrument/pausing.ts";
import { UnusableModule } from "./unusable-module.ts";

/** Decodes a module that the engine takes, too: what does not validate is refused by the engine's own message. */
export function decodeValid(wasm: Uint8Array): ExplorableModule {
  let module: ExplorableModule | undefined;
  let fault: unknown;
  try {
    module = decodeExplorable(wasm);
  } catch (error) {
    if (error instanceof UnsupportedModule || error instanceof MalformedModule) throw error;
    fault = error;
  }
  if (!WebAssembly.validate(wasm as BufferSource)) {
    const flaw = flawOf(wasm);
    // Sums as constants are newer than some engines; they are computed here.
    if (!module || !flaw.includes("constant expression")) throw new MalformedModule(`the module is not valid: ${flaw}`);
  }
  if (!module) throw fault;
  return module;
}

/** The engine's message about an invalid module, without the name of the function that was asked. */
function flawOf(wasm: Uint8Array): string {
  try {
    void new WebAssembly.Module(wasm as BufferSource);
    return "it does not validate";
  } catch (error) {
    return (error instanceof Error ? error.message : String(error)).replace(/^WebAssembly\.Module\(\): /, "");
  }
}

/** The index of a function by its export. Throws UnusableModule where there is none. */
export function exportedFunction(module: WasmModule, name: string): number {
  const found = module.exports.get(name);
  if (found?.kind === EXTERNAL.function) return found.index;
  throw new UnusableModule(`the module exports no function "${name}"; it exports ${exportedFunctions(module)}`);
}

/** The first dozen of them, for a message. */
export function exportedFunctions(module: WasmModule): string {
  const functions = [...module.exports].filter(([, { kind }]) => kind === EXTERNAL.function).map(([name]) => name);
  const list = functions.length > 12 ? `${functions.slice(0, 12).join(", ")}, ...` : functions.join(", ");
  return list || "none";
}

/** Throws UnusableModule for a module whose threads cannot share memory, or whose memory is too large. */
export function checkMemory(module: ExplorableModule): void {
  if (!usesAtomics(module) && !growsMemory(module))
    throw new UnusableModule(
      "the module has no atomic access; build it with the threads feature (for clang: -matomics -mbulk-memory)",
    );
  if (!module.memory.shared)
    throw new UnusableModule(
      "the module's memory is not shared, so each thread would have one of its own; build it with a shared memory (clang's linker: --shared-memory, asc: --sharedMemory)",
    );
  const { initial } = module.memory;
  if (initial > USER_PAGES_MAX)
    throw new UnusableModule(
      `the module's memory of ${initial.toLocaleString("en-US")} pages is too large: the explorer takes at most ${USER_PAGES_MAX.toLocaleString("en-US")} (1.2 GiB); build it with a smaller initial memory`,
    );
}

function usesAtomics(module: WasmModule): boolean {
  return module.functions.some((func) => func.body.some(({ op }) => isAtomic(op) || op === Op["atomic.fence"]));
}
