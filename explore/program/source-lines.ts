// Source lines: from an instruction's offset in the module to "file:line", by source map or by DWARF.
//
// Owner: none, pure. A broken map gives no lines, never an error.
// A place in a library's own sources is of little use to people: where the code was inlined, the call counts instead.
// Pairs with: dwarf-lines.ts, dwarf-inlines.ts; replay.ts asks for each access.

import type { Linked } from "../../wasm/link.ts";
import type { WasmModule } from "../../wasm/module.ts";
import type { InlinedCall } from "../../wasm/dwarf-inlines.ts";
import { readInlinedCalls } from "../../wasm/dwarf-inlines.ts";
import { readDwarfLines } from "../../wasm/dwarf-lines.ts";
import type { LineRow } from "../../wasm/line-row.ts";
import { readSourceMap, writeSourceMap } from "../../wasm/source-map.ts";
import { assertDefined } from "../../wasm/assert-defined.ts";

/** Undefined where nothing is known. */
export type SourceLines = (offset: number) => string | undefined;

/** `source` is the text of a source map, or an answer that somebody else has prepared. */
export function findSourceLines(module: WasmModule, source?: string | SourceLines): SourceLines {
  if (typeof source === "function") return source;
  const sourceMap = source;
  const rows = (sourceMap === undefined ? [] : rowsOf(sourceMap)).concat(readDwarfLines(module));
  rows.sort((a, b) => a.offset - b.offset);
  let calls: readonly InlinedCall[] | undefined;
  return (offset) => {
    let low = 0;
    let high = rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (assertDefined(rows[middle]).offset <= offset) low = middle + 1;
      else high = middle;
    }
    const row = rows[low - 1];
    if (!row || row.line <= 0) return undefined;
    let place: { readonly file: string; readonly line: number } = row;
    if (isLibrary(row.file)) {
      calls ??= readInlinedCalls(module);
      place = calls.findLast(({ from, end, file }) => from <= offset && offset < end && !isLibrary(file)) ?? row;
    }
    return `${place.file}:${place.line}`;
  };
}

/** Sources of the languages' own libraries, by where their compilers keep them: Rust, C and C++, Zig. */
const LIBRARIES = [
  /(^|\/)library\/(core|alloc|std)\/src\//,
  /^\/usr\/(include|lib)\//,
  /\/include\/c\+\+\//,
  /\/lib\/(zig\/)?std\//,
];

const isLibrary = (file: string): boolean => LIBRARIES.some((pattern) => pattern.test(file));

/** The rows of a source map; of a broken one none. */
function rowsOf(sourceMap: string): LineRow[] {
  try {
    return readSourceMap(sourceMap).mappings.flatMap(({ offset, place }) =>
      place === null ? [] : [{ offset, file: place.file, line: place.line }],
    );
  } catch {
    return [];
  }
}

/** A part of a linked module, with what gives its lines. */
export interface MappedPart {
  readonly module: WasmModule;
  readonly sourceMap?: string | undefined;
  /**
   * Files whose functions are inlined everywhere, as one that wraps each atomic access: their lines show nothing, so
   * the line before in the same function is given, which is the caller's.
   */
  readonly wrappers?: readonly string[];
}

/** A source map of a linked module, by those of its parts: what is saved beside it. */
export function linkedSourceMap(linked: Linked, parts: readonly MappedPart[]): string {
  const lines = parts.map(({ module, sourceMap }) => findSourceLines(module, sourceMap));
  const begins = parts.map(({ module }) => new Set(module.functions.map(({ body }) => body[0]?.start)));
  const isWrapper = (index: number, place: string): boolean =>
    parts[index]?.wrappers?.some((file) => place.startsWith(`${file}:`)) ?? false;
  let caller: string | undefined;
  let last: string | undefined;
  const rows: LineRow[] = [];
  for (const { at, index, offset } of linked.origins) {
    if (begins[index]?.has(offset)) caller = undefined;
    const own = lines[index]?.(offset);
    if (own !== undefined && !isWrapper(index, own)) caller = own;
    const place = caller ?? own;
    if (place === undefined || place === last) continue;
    last = place;
    const colon = place.lastIndexOf(":");
    rows.push({ offset: at, file: place.slice(0, colon), line: Number(place.slice(colon + 1)) });
  }
  return writeSourceMap(rows);
}

/** Source lines of a linked module, by those of its parts. */
export function linkedSourceLines(linked: Linked, parts: readonly MappedPart[]): SourceLines {
  const lines = parts.map(({ module, sourceMap }) => findSourceLines(module, sourceMap));
  return (offset) => {
    const origin = linked.originOf(offset);
    return origin && lines[origin.index]?.(origin.offset);
  };
}
