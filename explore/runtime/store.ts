// Store: every store of the instrumented module.
//
// Invariant: a word of user memory or of a thread's block changes only through these functions, which log the old word and
// keep the sums; so undoing the log restores memory and sums together.
// Pairs with: log.ts, explore/instrument/rewrite.ts (calls these), bulk.ts.

import { BLOCK, CHECKED_BYTES, CONTROL, PAUSES_AFTER, SHADOW, SHADOW_BYTES } from "./addresses";
import { append, mixed } from "./log";
import { engine, layout } from "./supplied";

/** Stores a word of the current thread's block. */
export function put(address: u32, word: u64): void {
  const old = load<u64>(address);
  if (old == word) return;
  append(address, old);
  store<u64>(address, word);
  const block = engine.block;
  const place = address - block;
  store<u64>(block, load<u64>(block, BLOCK.sum) + mixed(place, word) - mixed(place, old), BLOCK.sum);
}

/** Stores an aligned word of user memory, or of the control page's part that is state. */
export function putUser(address: u32, word: u64): void {
  const old = load<u64>(address);
  if (old == word) return;
  append(address, old);
  store<u64>(address, word);
  if (address < layout.userBase) engine.touched = PAUSES_AFTER;
  else touch(address);
  addToMemorySum(address, old, word);
}

// @inline: part of every store.
function addToMemorySum(address: u32, old: u64, now: u64): void {
  store<u64>(CONTROL.memorySum, load<u64>(CONTROL.memorySum) + mixed(address, now) - mixed(address, old));
}

/**
 * Has a check read the word, and does a change of it end the step? A load that begins in the word before may reach into
 * it, so the bytes of both count.
 */
// @inline: part of every store.
function touch(address: u32): void {
  const bytes = ((address - layout.userBase) >> 3) * CHECKED_BYTES;
  engine.touched |= load<u32>(layout.checked - CHECKED_BYTES + bytes);
}

// @inline: part of every store, where there are ghosts.
function isGhost(address: u32): bool {
  const shadow = ((address - layout.userBase) >> 3) * SHADOW_BYTES + layout.shadow;
  return load<i64>(shadow, SHADOW.who) < 0;
}

// The offset of the four below holds the base of user memory already.

export function store1(address: u32, value: u64, offset: u32): void {
  change<u8>(sum(address, offset), value);
}

export function store2(address: u32, value: u64, offset: u32): void {
  change<u16>(sum(address, offset), value);
}

export function store4(address: u32, value: u64, offset: u32): void {
  change<u32>(sum(address, offset), value);
}

export function store8(address: u32, value: u64, offset: u32): void {
  change<u64>(sum(address, offset), value);
}

/** An address that does not fit 32 bits is out of bounds. */
// @inline: part of every store and atomic access.
export function sum(address: u32, offset: u32): u32 {
  const there = address + offset;
  if (there < offset) unreachable();
  return there;
}

// @inline: one body for each width.
function change<T>(address: u32, value: u64): void {
  // An access that crosses a word is made byte by byte.
  if (sizeof<T>() > 1 && (address & 7) > 8 - sizeof<T>()) return changeBytes(address, value, sizeof<T>());
  const word = address & -8;
  const old = load<u64>(word);
  store<T>(address, value as T);
  const now = load<u64>(word);
  if (now == old) return;
  append(word, old);
  touch(word);
  if (layout.ghosts && isGhost(word)) return;
  addToMemorySum(word, old, now);
}

// @outline: accesses across two words are rare.
function changeBytes(address: u32, value: u64, bytes: u32): void {
  for (let i: u32 = 0; i < bytes; i++) store1(address, value >> (8 * i), i);
}

/** Stores a global of the module, which lies in the thread's block. */
export function setGlobal(value: u64, offset: u32): void {
  put(engine.block + offset, value);
}

/** As setGlobal, of the shadow stack's pointer: what a rising pointer releases becomes zero. */
export function setStackPointer(value: u64, offset: u32): void {
  const before = load<u32>(engine.block + offset);
  setGlobal(value, offset);
  if (!layout.zeroDead) return;
  for (let at = (before + 7) & -8; at + 7 < (value as u32); at += 8) putUser(at + layout.userBase, 0);
}

/** Makes a frame zero again. */
export function clearFrame(frame: u32, bytes: u32): void {
  const end = frame + bytes;
  do {
    put(frame, 0);
    frame += 8;
  } while (frame < end);
}
