// Source map: from a byte offset in a module to file, line and column in its sources, and such a map of a new module.
//
// Owner: one table a module, read once. Format: version 3 with all mappings on one generated "line", whose columns
// are byte offsets; a mapping holds until the next one. Its numbers are coded here, in few lines, and not by a package:
// the library is loaded by browsers as it is built, where a package's name means nothing.
// Partners: dwarf-lines.ts, the other kind of lines; gates and reports, which name places with it.

import type { LineRow } from "./line-row.ts";

export interface Place {
  file: string;
  /** Both from 1. */
  line: number;
  column: number;
}

/** From this offset on code belongs to a place, or to none that is known. */
export interface Mapping {
  readonly offset: number;
  readonly place: Place | null;
}

export interface SourceMap {
  /** In the order of the file. */
  readonly mappings: readonly Mapping[];
  /** The place of the instruction at a byte offset, or null where the compiler gives none. */
  placeOf(offset: number): Place | null;
}

/** For artifacts without a map: no place is known. */
export const NO_SOURCE_MAP: SourceMap = { mappings: [], placeOf: () => null };

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const VALUE_OF: ReadonlyMap<string, number> = new Map([...DIGITS].map((digit, value) => [digit, value]));

/** Reads a map's JSON. Throws an Error with one clear line when it is none. */
export function readSourceMap(json: string): SourceMap {
  const map = JSON.parse(json) as { version?: number; sources?: string[]; mappings?: string };
  if (map.version !== 3 || map.sources === undefined || map.mappings === undefined)
    throw new Error("source map: not a version 3 source map");
  const mappings = readMappings(map.mappings, map.sources);
  return { mappings, placeOf: (offset) => find(mappings, offset) };
}

function readMappings(text: string, sources: string[]): Mapping[] {
  const mappings: Mapping[] = [];
  let [offset, source, line, column] = [0, 0, 0, 0];
  for (const segment of text.split(",")) {
    if (segment === "") continue;
    const [byOffset, bySource, byLine, byColumn] = readNumbers(segment);
    offset += byOffset ?? 0;
    if (bySource === undefined || byLine === undefined || byColumn === undefined) {
      mappings.push({ offset, place: null });
      continue;
    }
    source += bySource;
    line += byLine;
    column += byColumn;
    mappings.push({ offset, place: { file: sources[source] ?? "?", line: line + 1, column: column + 1 } });
  }
  return mappings;
}

/** The base64 variable-length numbers of one segment. */
function readNumbers(segment: string): number[] {
  const numbers: number[] = [];
  let [value, shift] = [0, 0];
  for (const digit of segment) {
    const bits = VALUE_OF.get(digit);
    if (bits === undefined) throw new Error(`source map: "${digit}" is no base64 digit`);
    value += (bits & 31) * 2 ** shift;
    shift += 5;
    if (bits >= 32) continue;
    numbers.push(value % 2 === 1 ? -Math.floor(value / 2) : value / 2);
    [value, shift] = [0, 0];
  }
  return numbers;
}

/** A map as JSON. rows: by ascending offset; columns are not kept. */
export function writeSourceMap(rows: Iterable<LineRow>): string {
  const sources: string[] = [];
  const numbers = new Map<string, number>();
  const segments: string[] = [];
  let [lastOffset, lastSource, lastLine] = [0, 0, 1];
  for (const { offset, file, line } of rows) {
    const source = numbers.get(file) ?? sources.push(file) - 1;
    numbers.set(file, source);
    segments.push([offset - lastOffset, source - lastSource, line - lastLine, 0].map(writeNumber).join(""));
    [lastOffset, lastSource, lastLine] = [offset, source, line];
  }
  return JSON.stringify({ version: 3, sources, names: [], mappings: segments.join(",") });
}

/** Five bits a digit, the lowest first; the sign is the lowest bit. */
function writeNumber(value: number): string {
  let rest = value < 0 ? -value * 2 + 1 : value * 2;
  let text = "";
  do {
    const digit = rest % 32;
    rest = Math.floor(rest / 32);
    text += DIGITS.charAt(rest > 0 ? digit + 32 : digit);
  } while (rest > 0);
  return text;
}

function find(mappings: Mapping[], offset: number): Place | null {
  let [low, high] = [0, mappings.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((mappings[middle]?.offset ?? Infinity) <= offset) low = middle + 1;
    else high = middle;
  }
  return mappings[low - 1]?.place ?? null;
}

/**
 * The place of an instruction, or of the nearest one before it in its function that has one: the compiler gives none
 * to some. offsets: of the function's instructions, ascending.
 */
export function placeNear(map: SourceMap, offsets: number[], at: number): Place | null {
  const before = offsets.filter((offset) => offset <= at).toReversed();
  const after = offsets.filter((offset) => offset > at);
  for (const offset of [...before, ...after]) {
    const place = map.placeOf(offset);
    if (place !== null) return place;
  }
  return null;
}

/** `kernel/trap.ts:12:5`, or the text given where no place is known. */
export function formatPlace(place: Place | null, otherwise: string): string {
  return place === null ? otherwise : `${place.file}:${place.line}:${place.column}`;
}
