// Start-up: what a host runs in an instance before anything the user named, by the names that linkers give such functions.
//
// A host of threads does this: every instance runs the start function and gets a block of thread-local variables; the main
// instance alone then relocates its data and runs constructors. So does the explorer.
// Owner: none, pure. Pairs with: engine-layout.ts (where the blocks lie), target.ts (asks), program.ts (runs it).

import type { WasmFunction, WasmModule } from "../../wasm/module.ts";
import { UnsupportedModule } from "../../wasm/module.ts";
import { findFunction, findGlobal } from "../../wasm/names.ts";
import { I32, Op } from "../../wasm/opcodes.ts";

/** How a thread gets its thread-local variables: `initFunction(block)` fills a block and makes `base` point to it. */
export interface ThreadLocals {
  readonly initFunction: number;
  /** Index of the global `__tls_base`. */
  readonly base: number;
  readonly bytes: number;
  readonly align: number;
}

/** What a module that does not say gets: no compiler aligns thread-locals more unless asked to. */
const ALIGN_DEFAULT = 16;
/** More would shift everything behind it for nothing: a page is the most that a module can rely on. */
const ALIGN_MAX = 65536;

/** Undefined: no code looks at thread-local variables. Throws UnsupportedModule where a host could not set them up. */
export function findThreadLocals(module: WasmModule): ThreadLocals | undefined {
  const initIndex = findFunction(module, "__wasm_init_tls");
  const init = initIndex === undefined ? undefined : module.functions[initIndex - module.imports.length];
  // In a module without names it is the global that the initializer sets.
  const base = findGlobal(module, "__tls_base") ?? init?.body.find(({ op }) => op === Op["global.set"])?.a;
  const looks = (func: WasmFunction): boolean => func.body.some(({ op, a }) => op === Op["global.get"] && a === base);
  if (base === undefined || !module.functions.some((func) => func !== init && looks(func))) return undefined;
  const constantOf = (name: string): number | undefined => {
    const global = module.globals[findGlobal(module, name) ?? -1];
    return global && Number(global.initial);
  };
  const bytes = constantOf("__tls_size");
  if (!init || bytes === undefined || init.type.params.join() !== String(I32))
    throw new UnsupportedModule(
      "the module has thread-local variables, but keeps back how to set them up; link it with --export=__wasm_init_tls --export=__tls_size --export=__tls_align",
    );
  const align = Math.max(1, constantOf("__tls_align") ?? ALIGN_DEFAULT);
  if (align > ALIGN_MAX)
    throw new UnsupportedModule(
      `thread-local variables are aligned to ${align} bytes; ${ALIGN_MAX} at most are possible`,
    );
  return { initFunction: init.index, base, bytes, align };
}

/**
 * The exported functions, in order, that a host runs once in the main instance: data relocations, then constructors
 * (`_initialize` runs them itself). Left out is what the start function or something that the user named gets to anyway.
 */
export function findConstructors(module: WasmModule, named: readonly number[]): number[] {
  const reached = reachable(module, module.start === undefined ? named : [module.start, ...named]);
  const chosen: number[] = [];
  for (const name of ["__wasm_apply_data_relocs", "_initialize", "__wasm_call_ctors"]) {
    const found = module.exports.get(name);
    if (found?.kind !== 0 || reached.has(found.index)) continue;
    const type = module.functions[found.index - module.imports.length]?.type;
    if (type?.params.length !== 0) continue;
    chosen.push(found.index);
    for (const index of reachable(module, [found.index])) reached.add(index);
  }
  return chosen;
}

/** Functions that direct calls lead to from these, themselves included. */
function reachable(module: WasmModule, from: readonly number[]): Set<number> {
  const reached = new Set(from);
  // A set that grows while it is walked: what is added is walked too.
  for (const index of reached)
    for (const { op, a } of module.functions[index - module.imports.length]?.body ?? [])
      if (op === Op.call) reached.add(a);
  return reached;
}
