// Source map: from a byte offset in an artifact to file, line and column in the TypeScript sources.
//
// Owner: one table an artifact, read once. Format: version 3 with all mappings on one generated "line", whose columns
// are byte offsets; a mapping holds until the next one.
// Pairs with: asc.ts, which has the compiler write it; gates and reports, which name places with it.

export interface Place {
  file: string;
  /** Both from 1. */
  line: number;
  column: number;
}

export interface SourceMap {
  /** The place of the instruction at a byte offset, or null where the compiler gives none. */
  placeOf(offset: number): Place | null;
}

/** For artifacts without a map: no place is known. */
export const NO_SOURCE_MAP: SourceMap = { placeOf: () => null };

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const VALUE_OF: ReadonlyMap<string, number> = new Map([...DIGITS].map((digit, value) => [digit, value]));

interface Mapping {
  offset: number;
  place: Place | null;
}

/** Reads a map's JSON. Throws an Error with one clear line when it is none. */
export function readSourceMap(json: string): SourceMap {
  const map = JSON.parse(json) as { version?: number; sources?: string[]; mappings?: string };
  if (map.version !== 3 || map.sources === undefined || map.mappings === undefined)
    throw new Error("source map: not a version 3 source map");
  const mappings = readMappings(map.mappings, map.sources);
  return { placeOf: (offset) => find(mappings, offset) };
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

/** `kernel/trap.ts:12:5`, or the words given where no place is known. */
export function spellPlace(place: Place | null, otherwise: string): string {
  return place === null ? otherwise : `${place.file}:${place.line}:${place.column}`;
}
