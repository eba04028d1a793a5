// DWARF lines: the rows of a module's .debug_line section (versions 2 to 5), as clang and rustc write it.
//
// Owner: none, pure. Addresses count from the code section's contents; columns and views are dropped.
// Pairs with: explore/program/source-lines.ts, dwarf-inlines.ts (asks for a unit's files).

import { Cursor } from "./bytes.ts";
import type { WasmModule } from "./module.ts";
import { fixed, readForm, unsigned, zeroEnded } from "./dwarf-forms.ts";
import type { LineRow } from "./line-row.ts";
import { assertDefined } from "./assert-defined.ts";

interface LineHeader {
  /** Paths by the numbers that rows and calls use; relative to where the compiler ran, or absolute. */
  readonly files: readonly string[];
  readonly instructionMin: number;
  readonly lineBase: number;
  readonly lineRange: number;
  readonly opcodeBase: number;
  readonly operandCounts: readonly number[];
  readonly programStart: number;
  readonly end: number;
}

/** Folder 0 is where the compiler ran; paths in it stay as they are. */
function join(folders: readonly string[], folder: number, name: string): string {
  const before = folder === 0 || name.startsWith("/") ? "" : (folders[folder] ?? "");
  return before === "" ? name : `${before}/${name}`;
}

/** Version 5: a table of entries with described attributes; path and folder of each. */
function described(cursor: Cursor, module: WasmModule): { readonly path: string; readonly folder: number }[] {
  const formats = Array.from({ length: cursor.byte() }, () => [unsigned(cursor), unsigned(cursor)] as const);
  return Array.from({ length: unsigned(cursor) }, () => {
    let path = "?";
    let folder = 0;
    for (const [content, form] of formats) {
      const value = readForm(cursor, form, module);
      if (content === 1) path = String(value);
      else if (content === 2) folder = Number(value);
    }
    return { path, folder };
  });
}

function readFiles(cursor: Cursor, version: number, module: WasmModule): string[] {
  if (version >= 5) {
    const folders = described(cursor, module).map(({ path }) => path);
    return described(cursor, module).map(({ path, folder }) => join(folders, folder, path));
  }
  const folders = ["?"];
  for (let name = zeroEnded(cursor); name !== ""; name = zeroEnded(cursor)) folders.push(name);
  const files = ["?"];
  for (let name = zeroEnded(cursor); name !== ""; name = zeroEnded(cursor)) {
    files.push(join(folders, unsigned(cursor), name));
    // Time and length.
    unsigned(cursor);
    unsigned(cursor);
  }
  return files;
}

/** Reads one unit's header; the cursor stands at its beginning. */
export function readLineHeader(cursor: Cursor, module: WasmModule): LineHeader {
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
  const files = readFiles(cursor, version, module);
  return { files, instructionMin, lineBase, lineRange, opcodeBase, operandCounts, programStart, end };
}

function readUnit(cursor: Cursor, module: WasmModule, rows: LineRow[]): void {
  const header = readLineHeader(cursor, module);
  const { files, instructionMin, lineBase, lineRange, opcodeBase, operandCounts } = header;
  cursor.position = header.programStart;
  let address = 0;
  let file = 1;
  let line = 1;
  let sequence: LineRow[] = [];
  const row = (): void => void sequence.push({ offset: module.codeStart + address, file: files[file] ?? "?", line });
  while (cursor.position < header.end) {
    const opcode = cursor.byte();
    if (opcode >= opcodeBase) {
      const adjusted = opcode - opcodeBase;
      address += Math.floor(adjusted / lineRange) * instructionMin;
      line += lineBase + (adjusted % lineRange);
      row();
    } else if (opcode === 0) {
      const size = unsigned(cursor);
      const next = cursor.position + size;
      const extended = cursor.byte();
      if (extended === 1) {
        sequence.push({ offset: module.codeStart + address, file: "?", line: 0 });
        // Address 0 is no code: so linkers mark functions that they have left out.
        if (assertDefined(sequence[0]).offset > module.codeStart) for (const each of sequence) rows.push(each);
        sequence = [];
        [address, file, line] = [0, 1, 1];
      } else if (extended === 2) address = fixed(cursor, 4);
      cursor.position = next;
    } else if (opcode === 1) row();
    else if (opcode === 2) address += unsigned(cursor) * instructionMin;
    else if (opcode === 3) line += Number(cursor.signed());
    else if (opcode === 4) file = unsigned(cursor);
    else if (opcode === 8) address += Math.floor((255 - opcodeBase) / lineRange) * instructionMin;
    else if (opcode === 9) address += fixed(cursor, 2);
    else for (let operands = assertDefined(operandCounts[opcode - 1]); operands > 0; operands--) unsigned(cursor);
  }
  cursor.position = header.end;
}

export function readDwarfLines(module: WasmModule): LineRow[] {
  const section = module.custom.get(".debug_line");
  if (!section) return [];
  const rows: LineRow[] = [];
  const cursor = new Cursor(section);
  try {
    while (!cursor.done) readUnit(cursor, module, rows);
  } catch {
    // What was read so far stands.
  }
  return rows;
}
