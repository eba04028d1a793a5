// Names: what a module calls its functions and globals, from its name section and its exports.
//
// Owner: none, pure. A malformed name section gives fewer names, never an error: it is decoration.
// Pairs with: render.ts (prints them), instrument.ts (finds __stack_pointer).

import { Cursor } from "./bytes.ts";
import type { WasmModule } from "./module.ts";

export interface Names {
  readonly functionName: (index: number) => string;
  readonly globals: ReadonlyMap<number, string>;
}

export function readNames(module: WasmModule): Names {
  const functions = new Map<number, string>();
  const globals = new Map<number, string>();
  const section = module.custom.get("name");
  if (section) {
    try {
      const cursor = new Cursor(section);
      while (!cursor.done) {
        const id = cursor.byte();
        const size = cursor.u32();
        const end = cursor.position + size;
        const target = id === 1 ? functions : id === 7 ? globals : undefined;
        if (target) for (let count = cursor.u32(); count > 0; count--) target.set(cursor.u32(), cursor.name());
        cursor.position = end;
      }
    } catch {
      // What was read so far stands.
    }
  }
  for (const [name, { kind, index }] of module.exports) {
    if (kind === 0 && !functions.has(index)) functions.set(index, name);
    if (kind === 3 && !globals.has(index)) globals.set(index, name);
  }
  return { functionName: (index) => functions.get(index) ?? `function ${index}`, globals };
}
