// Resume: an exhaustive search that stopped at a bound, as a value that can be saved and resumed.
//
// Owner: the searches make and take it, whether one worker goes on or several.
// Invariant: the states plus what is left are the whole search: what is neither among the states nor below a branch (in
// the livelock pass: a level) has not been looked at.
// Format of a file: the length of a JSON header (4 bytes), the header, then 12 bytes a state (little endian).

import type { Branch } from "./branch.ts";
import type { PassStack } from "./components.ts";
import { assertDefined } from "../../wasm/assert-defined.ts";
import { UnusableModule } from "../program/unusable-module.ts";
import type { SharedMemory } from "./shared-table.ts";
import { newSharedMemory, SharedTable } from "./shared-table.ts";
import { ENTRY_BYTES, StateTable } from "./state-table.ts";

export interface SearchState {
  readonly sha256: string;
  /** What the search was about; another search cannot resume it. */
  readonly question: string;
  readonly raceTracked: readonly number[];
  /** What was seen of words on any path. */
  readonly accessSummary: readonly number[];
  /** Of the search for states. */
  readonly transitions: number;
  readonly depthMax: number;
  readonly worstSteps: readonly number[];
  /** Time so far: in all, and of the searches alone. */
  readonly seconds: number;
  readonly searchSeconds: number;
  readonly rest: SearchRest;
  /** (low, high, word) of each state: the choices taken from it, or where the livelock pass stands with it. */
  readonly states: Int32Array;
}

/** What is left, by the phase in which it stopped. */
export type SearchRest =
  | {
      readonly kind: "search";
      readonly branches: readonly Branch[];
      /** May there be a cycle? Only one worker with a single branch can say no. */
      readonly cycles: boolean;
    }
  /** Every state was found and judged; whether all of them lead to an end is still to be shown. */
  | { readonly kind: "livelock"; readonly statesFound: number; readonly stack: PassStack };

const WORDS_EACH = 3;

export const statesIn = (saved: SearchState | undefined): number => (saved?.states.length ?? 0) / WORDS_EACH;

/** The states in a table's words. */
export function statesOf(words: Int32Array): Int32Array {
  let count = 0;
  for (let from = 0; from < words.length; from += 4) if (isTaken(words, from)) count++;
  const states = new Int32Array(count * WORDS_EACH);
  let to = 0;
  for (let from = 0; from < words.length; from += 4) {
    if (!isTaken(words, from)) continue;
    states.set(words.subarray(from, from + WORDS_EACH), to);
    to += WORDS_EACH;
  }
  return states;
}

const isTaken = (words: Int32Array, at: number): boolean =>
  (assertDefined(words[at]) | assertDefined(words[at + 1])) !== 0;

/** A table with these states; undefined when they do not fit the bound. */
export function tableOf(states: Int32Array, bytesMax: number): StateTable | undefined {
  const table = new StateTable(bytesMax);
  for (let from = 0; from < states.length; from += WORDS_EACH) {
    table.visit(assertDefined(states[from]), assertDefined(states[from + 1]), assertDefined(states[from + 2]));
    if (table.isFull && !table.grow()) return undefined;
  }
  return table;
}

/** The same for several workers, in memory that they share. Throws UnusableModule when the machine does not give it. */
export function sharedTableOf(
  states: Int32Array,
  bytesMax: number,
  workers: number,
): { readonly shared: SharedMemory; readonly statesBefore: number } | undefined {
  // However small the bound, each worker may enter a state before it sees that the table is full.
  const bytes = Math.max(bytesMax, 64 * workers * ENTRY_BYTES);
  const shared = sharedMemory(2 ** Math.floor(Math.log2(bytes / ENTRY_BYTES)));
  const statesBefore = states.length / WORDS_EACH;
  const table = new SharedTable(shared, workers, 1);
  for (let from = 0; from < states.length; from += WORDS_EACH) {
    if (table.isFull) return undefined;
    table.visit(assertDefined(states[from]), assertDefined(states[from + 1]), assertDefined(states[from + 2]));
  }
  return { shared, statesBefore };
}

function sharedMemory(entries: number): SharedMemory {
  try {
    return newSharedMemory(entries);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const bytes = entries * ENTRY_BYTES;
    const size = bytes >= 2 ** 30 ? `${bytes / 2 ** 30} GiB` : `${bytes / 2 ** 20} MiB`;
    throw new UnusableModule(`this machine gives no table of ${size} to several workers at once; allow less memory`);
  }
}

/** A saved search as the parts of a file, one after the other. */
export function searchParts(state: SearchState): readonly [header: Uint8Array, states: Uint8Array] {
  const { states, ...rest } = state;
  const text = JSON.stringify({ version: VERSION, stateWords: states.length, ...rest });
  const json = padded(new TextEncoder().encode(text));
  const header = new Uint8Array(4 + json.length);
  new DataView(header.buffer).setUint32(0, json.length, true);
  header.set(json, 4);
  return [header, new Uint8Array(states.buffer, states.byteOffset, states.byteLength)];
}

/** With spaces at its end, so that the states after it are aligned and need not be copied to be read. */
function padded(json: Uint8Array): Uint8Array {
  const out = new Uint8Array(Math.ceil(json.length / 4) * 4).fill(0x20);
  out.set(json);
  return out;
}

export function encodeSearch(state: SearchState): Uint8Array {
  const [header, states] = searchParts(state);
  const out = new Uint8Array(header.length + states.length);
  out.set(header);
  out.set(states, header.length);
  return out;
}

/** Version 5 differs in one name: `raceTracked` was "watched". It is still read. */
const VERSION = 6;

type SavedHeader = Omit<SearchState, "states"> & {
  readonly version?: number;
  readonly stateWords?: number;
  readonly watched?: readonly number[];
};

/** Undefined when the bytes are no saved search of this version, or not the whole of one. */
export function decodeSearch(bytes: Uint8Array): SearchState | undefined {
  try {
    const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length))) as SavedHeader;
    const { version, stateWords, watched, ...kept } = header;
    const rest = version === 5 ? { ...kept, raceTracked: assertDefined(watched) } : kept;
    const body = bytes.subarray(4 + length);
    if ((version !== VERSION && version !== 5) || body.length !== assertDefined(stateWords) * 4) return undefined;
    const { buffer, byteOffset } = body.byteOffset % 4 === 0 ? body : body.slice();
    return { ...rest, states: new Int32Array(buffer, byteOffset, stateWords) };
  } catch {
    return undefined;
  }
}
