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

const ADDRESS_BYTES = 4;
const OFFSET_BYTES = 4;
const FORM = {
  address: 0x01,
  string: 0x08,
  signed: 0x0d,
  offsetOfText: 0x0e,
  indirect: 0x16,
  offsetOfLineText: 0x1f,
  implicit: 0x21,
} as const;

/** Forms of one size in bytes. */
const FIXED: ReadonlyMap<number, number> = new Map([
  [FORM.address, ADDRESS_BYTES],
  ...[0x0b, 0x0c, 0x11, 0x25, 0x29].map((form) => [form, 1] as const),
  ...[0x05, 0x12, 0x26, 0x2a].map((form) => [form, 2] as const),
  ...[0x27, 0x2b].map((form) => [form, 3] as const),
  ...[0x06, 0x13, 0x1c, 0x28, 0x2c].map((form) => [form, 4] as const),
  ...[0x07, 0x14, 0x20, 0x24].map((form) => [form, 8] as const),
  // Offsets into other sections.
  ...[0x10, 0x17, 0x1d].map((form) => [form, OFFSET_BYTES] as const),
]);
/** Forms that are one unsigned LEB128 number. */
const NUMBERS: ReadonlySet<number> = new Set([0x0f, 0x15, 0x1a, 0x1b, 0x22, 0x23]);
/** Blocks, by the bytes of their length; 0: an LEB128 number. */
const BLOCKS: ReadonlyMap<number, number> = new Map([
  [0x03, 2],
  [0x04, 4],
  [0x09, 0],
  [0x0a, 1],
  [0x18, 0],
]);

/** Is a value of this form an address itself, or an index into the section of addresses? */
export const isAddress = (form: number): boolean => form === FORM.address;
export const isAddressIndex = (form: number): boolean => form === 0x1b || (form >= 0x29 && form <= 0x2c);
export const isRangeListIndex = (form: number): boolean => form === 0x23;
/** Does the value stand in the abbreviation, not in the entry? */
export const isImplicit = (form: number): boolean => form === FORM.implicit;

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
    case FORM.offsetOfText:
      return textAt(module.custom.get(".debug_str"), fixed(cursor, OFFSET_BYTES));
    case FORM.offsetOfLineText:
      return textAt(module.custom.get(".debug_line_str"), fixed(cursor, OFFSET_BYTES));
    case FORM.signed:
      return Number(cursor.signed());
    case FORM.indirect:
      return readForm(cursor, unsigned(cursor), module);
    // A flag that is present by being mentioned.
    case 0x19:
      return 1;
    // 16 bytes: a checksum.
    case 0x1e:
      cursor.take(16);
      return 0;
    default:
      throw new Error(`form ${form}`);
  }
}
