// Resume: an exhaustive search that stopped at a bound, as a value that can be saved and taken up again.
//
// Owner: explore.ts makes and takes it. Invariant: the table plus the pieces are the whole search: what is neither in the
// table nor below a piece has not been looked at.
// Format of a file: the length of a JSON header (4 bytes), the header, then 12 bytes a state (little endian).

import type { Piece } from "./depth-first.ts";
import { StateTable } from "./state-table.ts";

export interface SearchState {
  readonly sha256: string;
  /** What the search was about; another search cannot take it up. */
  readonly question: string;
  readonly watched: readonly number[];
  /** Who touched which words: a word may be contended between what was searched before and what is searched now. */
  readonly touched?: readonly number[];
  readonly pieces: readonly Piece[];
  readonly cycles: boolean;
  readonly transitions: number;
  readonly depthMax: number;
  /** (low, high, taken choices) of each state. */
  readonly states: Int32Array;
  /** What the search has taken so far. */
  readonly seconds?: number;
  /** States of a search that is over: what is left is the look for livelocks, which begins again. */
  readonly searched?: number;
}

export function statesOf(table: StateTable): Int32Array {
  const states = new Int32Array(table.states * 3);
  let to = 0;
  for (let from = 0; from < table.words.length; from += 4) {
    if (((table.words[from] ?? 0) | (table.words[from + 1] ?? 0)) === 0) continue;
    states.set(table.words.subarray(from, from + 3), to);
    to += 3;
  }
  return states;
}

/** A table with these states; undefined when they do not fit the bound. */
export function tableOf(states: Int32Array, bytesMax: number): StateTable | undefined {
  const table = new StateTable(bytesMax);
  for (let from = 0; from < states.length; from += 3) {
    table.visit(states[from] ?? 0, states[from + 1] ?? 0, states[from + 2] ?? 0);
    if (table.isFull && !table.grow()) return undefined;
  }
  return table;
}

export function encodeSearch(state: SearchState): Uint8Array {
  const { states, ...header } = state;
  const json = new TextEncoder().encode(JSON.stringify({ version: 1, ...header }));
  const out = new Uint8Array(4 + json.length + states.byteLength);
  new DataView(out.buffer).setUint32(0, json.length, true);
  out.set(json, 4);
  out.set(new Uint8Array(states.buffer, states.byteOffset, states.byteLength), 4 + json.length);
  return out;
}

/** Undefined when the bytes are no saved search. */
export function decodeSearch(bytes: Uint8Array): SearchState | undefined {
  try {
    const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length))) as SearchState & {
      version?: number;
    };
    const body = bytes.slice(4 + length);
    if (header.version !== 1 || body.length % 12 !== 0) return undefined;
    return { ...header, states: new Int32Array(body.buffer) };
  } catch {
    return undefined;
  }
}
