// Class layout: where the fields of the kernel's unmanaged classes lie, read from its sources.
//
// Owner: none. Invariant: laid out as AssemblyScript does, in order, each field aligned to its size; a field without a
// width in its type (an enum, a bool of 32 bits) takes 4 bytes.
// Pairs with: kernel/hart-local.ts, kernel/task.ts; layout-header.ts (C), verify/rig/kernel-map.ts (TypeScript).

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "./package-root.ts";

export interface Field {
  readonly offset: number;
  readonly bytes: number;
}

/** The fields of `class name` in `kernel/file.ts`, in order. Throws where there is no such class. */
export function fieldsOf(file: string, name: string): ReadonlyMap<string, Field> {
  return fieldsIn(readFileSync(join(packageRoot, "kernel", `${file}.ts`), "utf8"), name);
}

/** The same in the text of a source. */
export function fieldsIn(text: string, name: string): ReadonlyMap<string, Field> {
  const from = text.indexOf(`class ${name} {`);
  if (from < 0) throw new Error(`the kernel's sources have no class ${name}`);
  const body = text.slice(from, text.indexOf("\n}", from));
  const fields = new Map<string, Field>();
  let next = 0;
  for (const [, field = "", type = ""] of body.matchAll(/^ {2}(\w+): (\w+);/gm)) {
    const bytes = Number(/^[iuf](\d+)$/.exec(type)?.[1] ?? 32) / 8;
    const offset = Math.ceil(next / bytes) * bytes;
    fields.set(field, { offset, bytes });
    next = offset + bytes;
  }
  return fields;
}
