// Model of: a module without what follows from the bytes that it was read from, to compare modules by (tests only).
//
// Owner: none, pure.

import type { WasmModule } from "../module.ts";

export function modelOf(module: WasmModule): unknown {
  const functions = module.functions.map((func) => ({
    ...func,
    body: func.body.map((instruction) => ({ ...instruction, start: 0, end: 0 })),
  }));
  return { ...module, functions, exports: [...module.exports], bytes: undefined, codeStart: 0 };
}
