// Opcode names: how the text format names an opcode, for descriptions of mutants.
//
// Owner: none, pure. Pairs with: toolchain/wasm-opcodes.ts (the table).

import { OPCODES, OPCODES_FC, OPCODES_FE } from "../../toolchain/wasm-opcodes.ts";

/** op: with its prefix byte above it, as wasm/opcodes.ts has it. */
export function nameOf(op: number): string {
  const table = op >= 0xfe00 ? OPCODES_FE : op >= 0xfc00 ? OPCODES_FC : OPCODES;
  return table.get(op >= 0xfc00 ? op & 0xff : op)?.name ?? `opcode 0x${op.toString(16)}`;
}
