// Explorable: a module decoded as its loader would place it, when it is one that the explorer takes.
//
// Owner: none, pure. What a loader decides for a position-independent module is decided here.
// Pairs with: target.ts.

import { decodeModule } from "../../wasm/decode.ts";
import type { GlobalVariable, Storage, WasmModule } from "../../wasm/module.ts";
import { PAGES_MAX, UnsupportedModule } from "../../wasm/module.ts";
import { I32 } from "../../wasm/opcodes.ts";

export interface ExplorableModule extends WasmModule {
  readonly memory: Storage & { readonly maximum: number };
}

const PAGE_BYTES = 65536;
/** A page and a slot are left free below, so null stays null. */
const MEMORY_BASE = PAGE_BYTES;
const TABLE_BASE = 1;
const LOADED_AT: ReadonlyMap<string, number> = new Map([
  ["__memory_base", MEMORY_BASE],
  ["__table_base", TABLE_BASE],
  ["__stack_pointer", 0],
]);

/** Decodes a binary module. Throws MalformedModule or UnsupportedModule, each with one line. */
export function decodeExplorable(bytes: Uint8Array): ExplorableModule {
  const module = decodeModule(bytes, LOADED_AT);
  for (const global of module.globals) refuseForeignGlobal(global);
  if (module.memory === undefined)
    throw new UnsupportedModule("the module has no memory, so its threads share nothing");
  const asks = (name: string): boolean => module.globals.some(({ imported }) => imported?.name === name);
  const initial = module.memory.initial + (asks("__memory_base") ? MEMORY_BASE / PAGE_BYTES : 0);
  const maximum = Math.max(initial, module.memory.maximum ?? PAGES_MAX);
  const slots = asks("__table_base") ? TABLE_BASE : 0;
  const table = module.table && { ...module.table, initial: module.table.initial + slots };
  return { ...module, table, memory: { ...module.memory, initial, maximum } };
}

function refuseForeignGlobal({ type, imported }: GlobalVariable): void {
  if (imported === undefined || (LOADED_AT.has(imported.name) && type === I32)) return;
  const name = `${imported.module}.${imported.name}`;
  throw new UnsupportedModule(
    imported.module.startsWith("GOT.")
      ? `the module imports ${name}, which a dynamic linker supplies; link it without -shared and -pie`
      : `the module imports the global ${name}; define it in the module (of globals the explorer supplies ${[...LOADED_AT.keys()].join(", ")})`,
  );
}
