// DWARF forms: how the values in a module's debugging sections are written.
//
// Owner: none, pure. Values that nobody here needs are passed over, and come out as 0. Only the 32-bit format is read.
// Pairs with: dwarf-lines.ts, dwarf-inlines.ts.

import { Cursor } from "./bytes.ts";
import type { WasmModule } from "./module.ts";

export function fixed(cursor: Cursor, bytes: number): number {
  let value = 0;
  for (let i = 0; i < bytes; i++) value += cursor.byte() * 2 ** (8 * i);
  return value;
}

/** Unsigned LEB128 of any length; beyond 2^53 roughly. */
export function unsigned(cursor: Cursor): number {
  let value = 0;
  for (let scale = 1; ; scale *= 128) {
    const byte = cursor.byte();
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value;
  }
}

export function zeroEnded(cursor: Cursor): string {
  const from = cursor.position;
  while (cursor.byte() !== 0);
  return new TextDecoder().decode(cursor.bytes.subarray(from, cursor.position - 1));
}

const textAt = (section: Uint8Array | undefined, offset: number): string =>
  section ? zeroEnded(new Cursor(section, offset)) : "?";

/** Attribute forms: DWARF Debugging Information Format, Version 5, section 7.5.6, table 7.6 (less the prefix DW_FORM_). */
const FORM = {
  addr: 0x01,
  block2: 0x03,
  block4: 0x04,
  data2: 0x05,
  data4: 0x06,
  data8: 0x07,
  string: 0x08,
  block: 0x09,
  block1: 0x0a,
  data1: 0x0b,
  flag: 0x0c,
  sdata: 0x0d,
  strp: 0x0e,
  udata: 0x0f,
  ref_addr: 0x10,
  ref1: 0x11,
  ref2: 0x12,
  ref4: 0x13,
  ref8: 0x14,
  ref_udata: 0x15,
  indirect: 0x16,
  sec_offset: 0x17,
  exprloc: 0x18,
  flag_present: 0x19,
  strx: 0x1a,
  addrx: 0x1b,
  ref_sup4: 0x1c,
  strp_sup: 0x1d,
  data16: 0x1e,
  line_strp: 0x1f,
  ref_sig8: 0x20,
  implicit_const: 0x21,
  loclistx: 0x22,
  rnglistx: 0x23,
  ref_sup8: 0x24,
  strx1: 0x25,
  strx2: 0x26,
  strx3: 0x27,
  strx4: 0x28,
  addrx1: 0x29,
  addrx2: 0x2a,
  addrx3: 0x2b,
  addrx4: 0x2c,
} as const;

// Of WebAssembly, and of the 32-bit format (section 7.4).
const ADDRESS_BYTES = 4;
const OFFSET_BYTES = 4;

/** Forms of one size, by their bytes (section 7.5.5, as is what follows). */
const FIXED: ReadonlyMap<number, number> = new Map(
  (
    [
      [ADDRESS_BYTES, [FORM.addr]],
      [1, [FORM.data1, FORM.flag, FORM.ref1, FORM.strx1, FORM.addrx1]],
      [2, [FORM.data2, FORM.ref2, FORM.strx2, FORM.addrx2]],
      [3, [FORM.strx3, FORM.addrx3]],
      [4, [FORM.data4, FORM.ref4, FORM.ref_sup4, FORM.strx4, FORM.addrx4]],
      [8, [FORM.data8, FORM.ref8, FORM.ref_sig8, FORM.ref_sup8]],
      // Offsets into other sections.
      [OFFSET_BYTES, [FORM.ref_addr, FORM.sec_offset, FORM.strp_sup]],
    ] as const
  ).flatMap(([bytes, forms]) => forms.map((form) => [form, bytes] as const)),
);
/** Forms that are one unsigned LEB128 number. */
const NUMBERS: ReadonlySet<number> = new Set([
  FORM.udata,
  FORM.ref_udata,
  FORM.strx,
  FORM.addrx,
  FORM.loclistx,
  FORM.rnglistx,
]);
/** Blocks, by the bytes of their length; 0: an LEB128 number. */
const BLOCKS: ReadonlyMap<number, number> = new Map([
  [FORM.block2, 2],
  [FORM.block4, 4],
  [FORM.block, 0],
  [FORM.block1, 1],
  [FORM.exprloc, 0],
]);
const ADDRESS_INDICES: ReadonlySet<number> = new Set([FORM.addrx, FORM.addrx1, FORM.addrx2, FORM.addrx3, FORM.addrx4]);

/** Is a value of this form an address itself, or an index into the section of addresses? */
export const isAddress = (form: number): boolean => form === FORM.addr;
export const isAddressIndex = (form: number): boolean => ADDRESS_INDICES.has(form);
export const isRangeListIndex = (form: number): boolean => form === FORM.rnglistx;
/** Does the value stand in the abbreviation, not in the entry? */
export const isImplicit = (form: number): boolean => form === FORM.implicit_const;

/** One value: text for the forms of names, a number else. Throws for forms that no version up to 5 has. */
export function readForm(cursor: Cursor, form: number, module: WasmModule): string | number {
  const bytes = FIXED.get(form);
  if (bytes !== undefined) return fixed(cursor, bytes);
  if (NUMBERS.has(form)) return unsigned(cursor);
  const lengthBytes = BLOCKS.get(form);
  if (lengthBytes !== undefined) {
    cursor.take(lengthBytes === 0 ? unsigned(cursor) : fixed(cursor, lengthBytes));
    return 0;
  }
  switch (form) {
    case FORM.string:
      return zeroEnded(cursor);
    case FORM.strp:
      return textAt(module.custom.get(".debug_str"), fixed(cursor, OFFSET_BYTES));
    case FORM.line_strp:
      return textAt(module.custom.get(".debug_line_str"), fixed(cursor, OFFSET_BYTES));
    case FORM.sdata:
      return Number(cursor.signed());
    case FORM.indirect:
      return readForm(cursor, unsigned(cursor), module);
    // A flag that is present by being mentioned.
    case FORM.flag_present:
      return 1;
    // A checksum.
    case FORM.data16:
      cursor.take(16);
      return 0;
    default:
      throw new Error(`form ${form}`);
  }
}
