// Link plan: which index everything of each module has in the module that they are linked into, and what stays an import.
//
// Owner: none, pure. Invariant: functions keep their order, module by module; what nobody exports stays an import.
// Pairs with: link.ts, which encodes what is planned here; relocate.ts, which moves the indices in bodies.

import { assertDefined } from "./assert-defined.ts";
import type { Limits, WasmModule } from "./module.ts";
import { isSameType, PAGES_MAX, UnsupportedModule } from "./module.ts";
import type { Places } from "./relocate.ts";
import { EXTERNAL } from "./sections.ts";

export interface Linkable {
  /** The name under which other modules import from this one. */
  readonly name: string;
  readonly module: WasmModule;
}

/** A function that one of the modules exports. */
interface ExportedFunction {
  readonly part: number;
  readonly index: number;
}

/** An import that none of the modules satisfies. type: its index in the result. */
export interface OpenImport {
  readonly module: string;
  readonly name: string;
  readonly type: number;
}

export interface LinkPlan {
  readonly imports: readonly OpenImport[];
  readonly memory: Limits;
  readonly tableSize: number | undefined;
  /** Of each part, in their order. */
  readonly places: readonly Places[];
  readonly globalsFrom: readonly number[];
  /** Functions of the result, by the names under which it exports them. */
  readonly exports: ReadonlyMap<string, number>;
  readonly start: number | undefined;
  /** The function of the result that a part exports under a name, if it does. */
  readonly exportOf: (part: string, name: string) => number | undefined;
}

/** Throws UnsupportedModule, in one line, for what cannot be one module. */
export function planLink(parts: readonly Linkable[]): LinkPlan {
  const tableSize = only(
    "a table",
    parts.map(({ module }) => module.table?.initial),
  );
  only(
    "a start function",
    parts.map(({ module }) => module.start),
  );
  const exported = exportedFunctions(parts);
  checkSignatures(parts, exported);
  const typesFrom = offsets(parts.map(({ module }) => module.types.length));
  const open = openImports(parts, exported, typesFrom);
  const openIndex = new Map([...open.keys()].map((key, index) => [key, index]));
  const functionsFrom = offsets(
    parts.map(({ module }) => module.functions.length),
    open.size,
  );
  const indexIn = (part: number, index: number): number => {
    const { module } = assertDefined(parts[part]);
    const item = module.imports[index];
    if (!item) return assertDefined(functionsFrom[part]) + index - module.imports.length;
    const key = keyOf(item.module, item.name);
    const there = exported.get(key);
    return there ? indexIn(there.part, there.index) : assertDefined(openIndex.get(key));
  };
  const globalsFrom = offsets(parts.map(({ module }) => module.globals.length));
  const dataFrom = offsets(parts.map(({ module }) => module.data.length));
  const exports = parts.flatMap(({ module }, part) =>
    functionsAmong(module).map(([name, index]) => [name, indexIn(part, index)] as const),
  );
  const [start] = parts.flatMap(({ module }, part) =>
    module.start === undefined ? [] : [indexIn(part, module.start)],
  );
  return {
    imports: [...open.values()],
    memory: memoryOf(parts),
    tableSize,
    places: parts.map(({ module }, part) => ({
      functions: Array.from({ length: module.imports.length + module.functions.length }, (_, i) => indexIn(part, i)),
      globals: module.globals.map((_, index) => ({ kind: "global", index: assertDefined(globalsFrom[part]) + index })),
      types: module.types.map((_, index) => assertDefined(typesFrom[part]) + index),
      dataFrom: assertDefined(dataFrom[part]),
      table: 0,
    })),
    globalsFrom,
    exports: new Map(exports),
    start,
    exportOf: (part, name) => {
      const there = exported.get(keyOf(part, name));
      return there && indexIn(there.part, there.index);
    },
  };
}

const keyOf = (module: string, name: string): string => `${module}.${name}`;

/** The one of the values that is there. Throws where there are several. */
function only<T>(what: string, values: readonly (T | undefined)[]): T | undefined {
  const present = values.filter((value) => value !== undefined);
  if (present.length > 1) throw new UnsupportedModule(`several of the linked modules have ${what}; one may`);
  return present[0];
}

/** The functions that a module exports: name and index. */
function functionsAmong(module: WasmModule): (readonly [string, number])[] {
  return [...module.exports].flatMap(([name, { kind, index }]) =>
    kind === EXTERNAL.function ? [[name, index] as const] : [],
  );
}

/** Who exports what, by key. */
function exportedFunctions(parts: readonly Linkable[]): Map<string, ExportedFunction> {
  return new Map(
    parts.flatMap(({ name, module }, part) =>
      functionsAmong(module).map(([field, index]) => [keyOf(name, field), { part, index }] as const),
    ),
  );
}

/** The imports that stay, each once, by key. */
function openImports(
  parts: readonly Linkable[],
  exported: ReadonlyMap<string, ExportedFunction>,
  typesFrom: readonly number[],
): Map<string, OpenImport> {
  const open = new Map<string, OpenImport>();
  for (const [part, { module }] of parts.entries())
    for (const { module: from, name, typeIndex } of module.imports) {
      const key = keyOf(from, name);
      if (!exported.has(key) && !open.has(key))
        open.set(key, { module: from, name, type: assertDefined(typesFrom[part]) + typeIndex });
    }
  return open;
}

/** Running sums: where each one's items begin. */
function offsets(counts: readonly number[], from = 0): number[] {
  let sum = from;
  return counts.map((count) => {
    const here = sum;
    sum += count;
    return here;
  });
}

/** The memory that all of them fit. */
function memoryOf(parts: readonly Linkable[]): Limits {
  const memories = parts.map(({ name, module }) => {
    if (module.memory === undefined)
      throw new UnsupportedModule(`${name} has no memory, so the others share nothing with it`);
    return module.memory;
  });
  const initial = Math.max(...memories.map((memory) => memory.initial));
  const maximum = Math.max(initial, Math.min(...memories.map((memory) => memory.maximum ?? PAGES_MAX)));
  return { initial, maximum, shared: true };
}

function checkSignatures(parts: readonly Linkable[], exported: ReadonlyMap<string, ExportedFunction>): void {
  for (const { name: importer, module } of parts)
    for (const { module: from, name, typeIndex } of module.imports) {
      const there = exported.get(keyOf(from, name));
      if (!there) continue;
      const target = assertDefined(parts[there.part]).module;
      const given = target.functions[there.index - target.imports.length]?.type;
      const wanted = assertDefined(module.types[typeIndex]);
      if (given && !isSameType(given, wanted))
        throw new UnsupportedModule(
          `${importer} imports ${from}.${name} with another signature than it is exported with`,
        );
    }
}
