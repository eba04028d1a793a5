// Column table: `key=value` lines drawn as columns for a person to read.
//
// Columns stand in the order in which their keys were first seen; numbers (also 12% or 0x40) align to the right.

import type { Fields } from "../console-line.ts";

const NUMBER = /^-?(0x[0-9a-f]+|\d+(\.\d+)?%?)$/;
const GAP = "  ";

/** Lines of the table, heading first, a rule below it; nothing for no rows. */
export function drawTable(rows: readonly Fields[]): string[] {
  const keys = [...new Set(rows.flatMap((row) => [...row.keys()]))];
  if (keys.length === 0) return [];
  const columns = keys.map((key) => {
    const cells = rows.map((row) => row.get(key) ?? "");
    const width = Math.max(key.length, ...cells.map((cell) => cell.length));
    const toRight = cells.every((cell) => cell === "" || NUMBER.test(cell));
    const fit = (text: string): string => (toRight ? text.padStart(width) : text.padEnd(width));
    return { heading: fit(key), rule: "─".repeat(width), cells: cells.map(fit) };
  });
  const joined = (pick: (column: (typeof columns)[number]) => string): string => columns.map(pick).join(GAP).trimEnd();
  return [
    joined((column) => column.heading),
    joined((column) => column.rule),
    ...rows.map((_, index) => joined((column) => column.cells[index] ?? "")),
  ];
}
