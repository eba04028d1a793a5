// Log: the undo log, and the mixing of a word into a sum.
//
// Owner: the log. Invariant: it holds the old value of every word that was changed since its mark, oldest first.
// Pairs with: store.ts (appends), program.ts (keeps the marks).

import { CONTROL, LOG_ENTRY_BYTES } from "./addresses";

// @inline: every use has a constant, and the sum of both halves is one, too.
export function wide(high: u64, low: u64): u64 {
  return (high << 32) | low;
}

/** What a word adds to a sum: splitmix64's finisher, of the word and its place. */
// @inline: each store mixes twice.
export function mixed(place: u32, word: u64): u64 {
  let x = word ^ ((place as u64) * wide(0x9e3779b9, 0x7f4a7c15));
  x = (x ^ (x >> 32)) * wide(0xbf58476d, 0x1ce4e5b9);
  x = (x ^ (x >> 29)) * wide(0x94d049bb, 0x133111eb);
  return x ^ (x >> 32);
}

// @inline: each store appends.
export function append(address: u32, old: u64): void {
  const entry = load<u32>(CONTROL.logTop);
  store<u32>(entry, address);
  store<u64>(entry, old, 8);
  store<u32>(CONTROL.logTop, entry + LOG_ENTRY_BYTES);
}

/** Appends a word that will be changed without a sum to keep. */
export function rawLog(address: u32): void {
  append(address, load<u64>(address));
}

/** Writes the old words back, newest first, down to a mark. */
export function undo(mark: u32): void {
  let entry = load<u32>(CONTROL.logTop);
  while (entry > mark) {
    entry -= LOG_ENTRY_BYTES;
    store<u64>(load<u32>(entry), load<u64>(entry, 8));
  }
  store<u32>(CONTROL.logTop, mark);
}

/** Applies the (address, word) entries of a snapshot. */
export function restore(from: u32, end: u32): void {
  for (let entry = from; entry < end; entry += LOG_ENTRY_BYTES) {
    const address = load<u32>(entry);
    const word = load<u64>(entry, 8);
    const old = load<u64>(address);
    if (old == word) continue;
    append(address, old);
    store<u64>(address, word);
  }
}
