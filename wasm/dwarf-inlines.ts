// DWARF inlines: which code was inlined, and from where it was called, by a module's .debug_info section (versions 2 to 5).
//
// A library's atomic access is often inlined into the user's function; its line is then the library's, and the line that
// the user wrote is where the call stood. Owner: none, pure. A broken section gives fewer calls, never an error.
// Pairs with: dwarf-lines.ts (names of files), explore/program/source-lines.ts.

import { Cursor } from "./bytes.ts";
import type { WasmModule } from "./module.ts";
import { fixed, isAddress, isAddressIndex, isImplicit, isRangeListIndex, readForm, unsigned } from "./dwarf-forms.ts";
import { readLineHeader } from "./dwarf-lines.ts";
import { assertDefined } from "./assert-defined.ts";

/** Code from one offset of the module up to another was called from this place. Inner calls come after outer ones. */
export interface InlinedCall {
  readonly from: number;
  readonly end: number;
  readonly file: string;
  readonly line: number;
}

const TAG = { inlined: 0x1d } as const;
const ATTRIBUTE = {
  lineTable: 0x10,
  low: 0x11,
  high: 0x12,
  ranges: 0x55,
  callFile: 0x58,
  callLine: 0x59,
  addressBase: 0x73,
  rangeListBase: 0x74,
} as const;

interface Abbreviation {
  readonly tag: number;
  readonly attributes: readonly { readonly name: number; readonly form: number; readonly implicit: number }[];
}

type Attributes = ReadonlyMap<number, { readonly form: number; readonly value: string | number }>;

/** One compile unit, as far as its entries need it. */
interface Unit {
  readonly module: WasmModule;
  readonly version: number;
  readonly root: Attributes;
  readonly files: readonly string[];
}

function readAbbreviations(section: Uint8Array, offset: number): Map<number, Abbreviation> {
  const cursor = new Cursor(section, offset);
  const table = new Map<number, Abbreviation>();
  for (let code = unsigned(cursor); code !== 0; code = unsigned(cursor)) {
    const tag = unsigned(cursor);
    cursor.byte();
    const attributes = [];
    for (;;) {
      const [name, form] = [unsigned(cursor), unsigned(cursor)];
      const implicit = isImplicit(form) ? Number(cursor.signed()) : 0;
      if (name === 0 && form === 0) break;
      attributes.push({ name, form, implicit });
    }
    table.set(code, { tag, attributes });
  }
  return table;
}

function readAttributes(cursor: Cursor, { attributes }: Abbreviation, module: WasmModule): Attributes {
  return new Map(
    attributes.map(({ name, form, implicit }) => [
      name,
      { form, value: isImplicit(form) ? implicit : readForm(cursor, form, module) },
    ]),
  );
}

const numberOf = (attributes: Attributes, name: number): number | undefined => {
  const value = attributes.get(name)?.value;
  return typeof value === "number" ? value : undefined;
};

/** An address, or its place in the section of addresses. */
function addressAt(unit: Unit, form: number, value: number): number {
  if (!isAddressIndex(form)) return value;
  return indexedAddress(unit, value);
}

function indexedAddress(unit: Unit, index: number): number {
  const section = unit.module.custom.get(".debug_addr");
  // Behind the section's header of eight bytes, where no base is given.
  const base = numberOf(unit.root, ATTRIBUTE.addressBase) ?? 8;
  return section ? fixed(new Cursor(section, base + 4 * index), 4) : 0;
}

function lowOf(unit: Unit, attributes: Attributes): number | undefined {
  const low = attributes.get(ATTRIBUTE.low);
  return low && typeof low.value === "number" ? addressAt(unit, low.form, low.value) : undefined;
}

/** The ranges of code that an entry covers. */
function rangesOf(unit: Unit, attributes: Attributes): (readonly [number, number])[] {
  const ranges = attributes.get(ATTRIBUTE.ranges);
  if (ranges && typeof ranges.value === "number")
    return unit.version >= 5
      ? rangeList(unit, isRangeListIndex(ranges.form) ? listOffset(unit, ranges.value) : ranges.value)
      : rangePairs(unit, ranges.value);
  const low = lowOf(unit, attributes);
  const high = attributes.get(ATTRIBUTE.high);
  if (low === undefined || !high || typeof high.value !== "number") return [];
  const isAbsolute = isAddress(high.form) || isAddressIndex(high.form);
  return [[low, isAbsolute ? addressAt(unit, high.form, high.value) : low + high.value]];
}

/** Versions 2 to 4: pairs of addresses, ended by a pair of zeros. */
function rangePairs(unit: Unit, offset: number): (readonly [number, number])[] {
  const section = unit.module.custom.get(".debug_ranges");
  if (!section) return [];
  const cursor = new Cursor(section, offset);
  const list: (readonly [number, number])[] = [];
  let base = lowOf(unit, unit.root) ?? 0;
  for (;;) {
    const [from, end] = [fixed(cursor, 4), fixed(cursor, 4)];
    if (from === 0 && end === 0) return list;
    if (from === 0xffffffff) base = end;
    else list.push([base + from, base + end]);
  }
}

function listOffset(unit: Unit, index: number): number {
  const section = unit.module.custom.get(".debug_rnglists");
  const base = numberOf(unit.root, ATTRIBUTE.rangeListBase) ?? 0;
  return section ? base + fixed(new Cursor(section, base + 4 * index), 4) : 0;
}

/** Version 5: entries of eight kinds. */
function rangeList(unit: Unit, offset: number): (readonly [number, number])[] {
  const section = unit.module.custom.get(".debug_rnglists");
  if (!section) return [];
  const cursor = new Cursor(section, offset);
  const list: (readonly [number, number])[] = [];
  const indexed = (): number => indexedAddress(unit, unsigned(cursor));
  let base = lowOf(unit, unit.root) ?? 0;
  for (;;) {
    const kind = cursor.byte();
    if (kind === 0) return list;
    else if (kind === 1) base = indexed();
    else if (kind === 2) list.push([indexed(), indexed()]);
    else if (kind === 3) {
      const from = indexed();
      list.push([from, from + unsigned(cursor)]);
    } else if (kind === 4) list.push([base + unsigned(cursor), base + unsigned(cursor)]);
    else if (kind === 5) base = fixed(cursor, 4);
    else if (kind === 6) list.push([fixed(cursor, 4), fixed(cursor, 4)]);
    else if (kind === 7) {
      const from = fixed(cursor, 4);
      list.push([from, from + unsigned(cursor)]);
    } else throw new Error(`range of kind ${kind}`);
  }
}

/** Kinds of units whose header goes on after what all have: a type's signature and place, a split unit's number. */
const UNIT_EXTRA: ReadonlyMap<number, number> = new Map([
  [2, 12],
  [4, 8],
  [5, 8],
  [6, 12],
]);

function readUnit(
  cursor: Cursor,
  module: WasmModule,
  abbreviations: (offset: number) => ReadonlyMap<number, Abbreviation>,
  calls: InlinedCall[],
): void {
  const length = fixed(cursor, 4);
  const end = cursor.position + length;
  const version = fixed(cursor, 2);
  const kind = version >= 5 ? cursor.byte() : 1;
  if (version >= 5) cursor.byte();
  const table = abbreviations(fixed(cursor, 4));
  if (version < 5) cursor.byte();
  cursor.take(UNIT_EXTRA.get(kind) ?? 0);
  let unit: Unit | undefined;
  while (cursor.position < end) {
    const code = unsigned(cursor);
    if (code === 0) continue;
    const abbreviation = assertDefined(table.get(code));
    const attributes = readAttributes(cursor, abbreviation, module);
    unit ??= { module, version, root: attributes, files: filesOf(module, attributes) };
    if (abbreviation.tag !== TAG.inlined) continue;
    const file = unit.files[numberOf(attributes, ATTRIBUTE.callFile) ?? -1];
    const line = numberOf(attributes, ATTRIBUTE.callLine) ?? 0;
    if (file === undefined || line === 0) continue;
    for (const [from, to] of rangesOf(unit, attributes))
      // Address 0 is no code: so linkers mark what they have left out.
      if (from > 0) calls.push({ from: module.codeStart + from, end: module.codeStart + to, file, line });
  }
  cursor.position = end;
}

function filesOf(module: WasmModule, root: Attributes): readonly string[] {
  const section = module.custom.get(".debug_line");
  const offset = numberOf(root, ATTRIBUTE.lineTable);
  return section && offset !== undefined ? readLineHeader(new Cursor(section, offset), module).files : [];
}

export function readInlinedCalls(module: WasmModule): InlinedCall[] {
  const section = module.custom.get(".debug_info");
  const abbreviated = module.custom.get(".debug_abbrev");
  if (!section || !abbreviated) return [];
  const tables = new Map<number, Map<number, Abbreviation>>();
  const abbreviations = (offset: number): Map<number, Abbreviation> => {
    const table = tables.get(offset) ?? readAbbreviations(abbreviated, offset);
    tables.set(offset, table);
    return table;
  };
  const calls: InlinedCall[] = [];
  const cursor = new Cursor(section);
  try {
    while (!cursor.done) readUnit(cursor, module, abbreviations, calls);
  } catch {
    // What was read so far stands.
  }
  return calls;
}
