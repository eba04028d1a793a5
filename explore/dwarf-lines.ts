// DWARF lines: the rows of a module's .debug_line section (versions 2 to 5), as clang, rustc and Zig write it.
//
// Owner: none, pure. Addresses count from the code section's contents; columns, views and end markers are dropped.
// Pairs with: source-lines.ts.

import { Cursor } from "./wasm/bytes.ts";
import type { WasmModule } from "./wasm/module.ts";
import type { LineRow } from "./line-row.ts";
import { certain } from "./certain.ts";

const FORM = {
  block: 0x09,
  data1: 0x0b,
  data2: 0x05,
  data4: 0x06,
  data8: 0x07,
  data16: 0x1e,
  string: 0x08,
  udata: 0x0f,
  strp: 0x0e,
  lineStrp: 0x1f,
} as const;

function fixed(cursor: Cursor, bytes: number): number {
  let value = 0;
  for (let i = 0; i < bytes; i++) value += cursor.byte() * 2 ** (8 * i);
  return value;
}

function zeroEnded(cursor: Cursor): string {
  const from = cursor.position;
  while (cursor.byte() !== 0);
  return new TextDecoder().decode(cursor.bytes.subarray(from, cursor.position - 1));
}

const textAt = (section: Uint8Array | undefined, offset: number): string =>
  section ? zeroEnded(new Cursor(section, offset)) : "?";

/** One attribute of a version 5 file entry; text for names, a number else. */
function form(cursor: Cursor, code: number, module: WasmModule): string | number {
  switch (code) {
    case FORM.string:
      return zeroEnded(cursor);
    case FORM.lineStrp:
      return textAt(module.custom.get(".debug_line_str"), fixed(cursor, 4));
    case FORM.strp:
      return textAt(module.custom.get(".debug_str"), fixed(cursor, 4));
    case FORM.udata:
      return cursor.u32();
    case FORM.data1:
      return fixed(cursor, 1);
    case FORM.data2:
      return fixed(cursor, 2);
    case FORM.data4:
      return fixed(cursor, 4);
    case FORM.data8:
      return fixed(cursor, 8);
    case FORM.data16:
      cursor.take(16);
      return 0;
    case FORM.block:
      cursor.take(cursor.u32());
      return 0;
    default:
      throw new Error(`form ${code}`);
  }
}

/** Version 5: a table of entries with described attributes; the paths among them. */
function described(cursor: Cursor, module: WasmModule): string[] {
  const formats = Array.from({ length: cursor.byte() }, () => [cursor.u32(), cursor.u32()] as const);
  return Array.from({ length: cursor.u32() }, () => {
    let path = "?";
    for (const [content, code] of formats) {
      const value = form(cursor, code, module);
      if (content === 1) path = String(value);
    }
    return path;
  });
}

function unit(cursor: Cursor, module: WasmModule, rows: LineRow[]): void {
  const length = fixed(cursor, 4);
  const end = cursor.position + length;
  const version = fixed(cursor, 2);
  if (version >= 5) cursor.take(2);
  const headerLength = fixed(cursor, 4);
  const programStart = cursor.position + headerLength;
  const instructionMin = cursor.byte();
  if (version >= 4) cursor.byte();
  cursor.byte();
  const lineBase = (cursor.byte() << 24) >> 24;
  const lineRange = cursor.byte();
  const opcodeBase = cursor.byte();
  const operandCounts = Array.from({ length: opcodeBase - 1 }, () => cursor.byte());
  let files: string[];
  if (version >= 5) {
    described(cursor, module);
    files = described(cursor, module);
  } else {
    while (zeroEnded(cursor) !== "");
    files = ["?"];
    for (let name = zeroEnded(cursor); name !== ""; name = zeroEnded(cursor)) {
      files.push(name);
      cursor.u32();
      cursor.u32();
      cursor.u32();
    }
  }
  cursor.position = programStart;
  let address = 0;
  let file = 1;
  let line = 1;
  const row = (): void => void rows.push({ offset: module.codeStart + address, file: files[file] ?? "?", line });
  while (cursor.position < end) {
    const opcode = cursor.byte();
    if (opcode >= opcodeBase) {
      const adjusted = opcode - opcodeBase;
      address += Math.floor(adjusted / lineRange) * instructionMin;
      line += lineBase + (adjusted % lineRange);
      row();
    } else if (opcode === 0) {
      const size = cursor.u32();
      const next = cursor.position + size;
      const extended = cursor.byte();
      if (extended === 1) {
        rows.push({ offset: module.codeStart + address, file: "?", line: 0 });
        [address, file, line] = [0, 1, 1];
      } else if (extended === 2) address = fixed(cursor, 4);
      cursor.position = next;
    } else if (opcode === 1) row();
    else if (opcode === 2) address += cursor.u32() * instructionMin;
    else if (opcode === 3) line += Number(cursor.signed());
    else if (opcode === 4) file = cursor.u32();
    else if (opcode === 8) address += Math.floor((255 - opcodeBase) / lineRange) * instructionMin;
    else if (opcode === 9) address += fixed(cursor, 2);
    else for (let operands = certain(operandCounts[opcode - 1]); operands > 0; operands--) cursor.u32();
  }
  cursor.position = end;
}

export function readDwarfLines(module: WasmModule): LineRow[] {
  const section = module.custom.get(".debug_line");
  if (!section) return [];
  const rows: LineRow[] = [];
  const cursor = new Cursor(section);
  try {
    while (!cursor.done) unit(cursor, module, rows);
  } catch {
    // What was read so far stands.
  }
  return rows;
}
