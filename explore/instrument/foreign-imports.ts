// Foreign imports: refuses a module that imports what only a host could answer.
//
// Owner: none. Pairs with: instrument.ts; report/refusal.ts prints the line.

import type { WasmModule } from "../../wasm/module.ts";
import { UnsupportedModule } from "../../wasm/module.ts";

/** Whoever imports what only a host could answer gets the first such import, and the way out. */
export function refuseForeignImports({ imports }: WasmModule, supplied: ReadonlySet<string>): void {
  const foreign = imports.filter(({ module: from, name }) => !supplied.has(`${from}.${name}`));
  const [first, ...others] = foreign;
  if (!first) return;
  const count = others.length === 0 ? "" : ` (and ${others.length} more)`;
  const what = `the module imports ${first.module}.${first.name}${count}, which`;
  if (first.module.startsWith("wasi_"))
    throw new UnsupportedModule(
      `${what} only a system answers; build without the standard library, for the target wasm32-unknown-unknown (Zig: wasm32-freestanding)`,
    );
  if (/^(wbg|__wbindgen)/.test(first.module))
    throw new UnsupportedModule(`${what} only JavaScript answers; build without wasm-bindgen`);
  throw new UnsupportedModule(
    `${what} the explorer does not supply (it supplies env.abort and a memory); define it in the module, or leave out what calls it`,
  );
}
