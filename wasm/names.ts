// Names: what a module calls its functions and globals, from its name section and its exports.
//
// Owner: none, pure. A malformed name section gives fewer names, never an error: it is decoration.
// Pairs with: explore/report/render.ts (prints them), explore/instrument/instrument.ts (finds __stack_pointer).

import { Cursor } from "./bytes.ts";
import { demangle } from "./demangle.ts";
import type { WasmModule } from "./module.ts";
import { EXTERNAL, moduleOf, named, SECTION, sectionsOf, u32, vector } from "./sections.ts";

/** What the name section holds, as the module has it. */
export interface NameSection {
  readonly functions: ReadonlyMap<number, string>;
  readonly globals: ReadonlyMap<number, string>;
  /** Of parameters and locals, by function. */
  readonly locals: ReadonlyMap<number, ReadonlyMap<number, string>>;
}

/** Names from the exports too, where the name section has none. */
export interface Names extends NameSection {
  /** For people. */
  readonly functionName: (index: number) => string;
}

/** Numbers of the name section's parts. */
export const NAMES = { functions: 1, locals: 2, globals: 7 } as const;

export function readNameSection(module: WasmModule): NameSection {
  const functions = new Map<number, string>();
  const globals = new Map<number, string>();
  const locals = new Map<number, ReadonlyMap<number, string>>();
  const section = module.custom.get("name");
  if (section) {
    try {
      const cursor = new Cursor(section);
      while (!cursor.done) {
        const id = cursor.byte();
        const size = cursor.u32();
        const end = cursor.position + size;
        const target = id === NAMES.functions ? functions : id === NAMES.globals ? globals : undefined;
        if (target) cursor.list(() => target.set(cursor.u32(), cursor.name()));
        if (id === NAMES.locals)
          cursor.list(() => locals.set(cursor.u32(), new Map(cursor.list(() => [cursor.u32(), cursor.name()]))));
        cursor.position = end;
      }
    } catch {
      // What was read so far stands.
    }
  }
  return { functions, globals, locals };
}

export function readNames(module: WasmModule): Names {
  const { locals, ...section } = readNameSection(module);
  const functions = new Map(section.functions);
  const globals = new Map(section.globals);
  for (const [name, { kind, index }] of module.exports) {
    if (kind === EXTERNAL.function && !functions.has(index)) functions.set(index, name);
    if (kind === EXTERNAL.global && !globals.has(index)) globals.set(index, name);
  }
  return { functions, functionName: (index) => demangle(functions.get(index) ?? `function ${index}`), globals, locals };
}

/** The module with each function of its name section renamed; every byte before that section stays where it is. */
export function renameFunctions(wasm: Uint8Array, rename: (name: string) => string): Uint8Array {
  return moduleOf(
    sectionsOf(wasm).map((section) => {
      if (section.id !== SECTION.custom) return section;
      const cursor = new Cursor(section.contents);
      if (cursor.name() !== "name") return section;
      const contents = named("name");
      while (!cursor.done) {
        const id = cursor.byte();
        const part = cursor.take(cursor.u32());
        const kept = id === NAMES.functions ? renamedPart(new Cursor(part), rename) : part;
        contents.push(id, ...u32(kept.length), ...kept);
      }
      return { id: section.id, contents };
    }),
  );
}

function renamedPart(cursor: Cursor, rename: (name: string) => string): Uint8Array {
  return vector(cursor.list(() => [...u32(cursor.u32()), ...named(rename(cursor.name()))]));
}

/** Index of the function with this name: by what is exported, else by the name section. */
export function findFunction(module: WasmModule, name: string): number | undefined {
  return find(module, EXTERNAL.function, name, readNames(module).functions);
}

/** Index of the global with this name: by what is exported or imported, else by the name section. */
export function findGlobal(module: WasmModule, name: string): number | undefined {
  const imported = module.globals.findIndex((global) => global.imported?.name === name);
  return imported >= 0 ? imported : find(module, EXTERNAL.global, name, readNames(module).globals);
}

function find(module: WasmModule, kind: number, name: string, names: ReadonlyMap<number, string>): number | undefined {
  const exported = module.exports.get(name);
  return exported?.kind === kind ? exported.index : [...names].find(([, each]) => each === name)?.[0];
}
