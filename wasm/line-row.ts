// Line row: where a stretch of a module's code comes from, as source maps and DWARF have it.
//
// Owner: none, types only. Pairs with: explore/program/source-lines.ts, dwarf-lines.ts.

/** Code from this offset on belongs to this place. */
export interface LineRow {
  readonly offset: number;
  readonly file: string;
  readonly line: number;
}
