// Encode, bytes: numbers, names and lists of the WebAssembly binary format.
//
// Owner: none, pure. Pairs with: encode.ts, encode-code.ts.

import type { Type } from "./ast.ts";

export const TYPE_CODE: Readonly<Record<Type, number>> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c };

export function unsigned(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) out.push((rest % 128) | 128);
  return [...out, rest];
}

export function signed(value: bigint): number[] {
  const out: number[] = [];
  for (let rest = value; ; rest >>= 7n) {
    const low = Number(rest & 127n);
    if (rest >= -64n && rest < 64n) return [...out, low];
    out.push(low | 128);
  }
}

export function name(text: string): number[] {
  return [text.length, ...[...text].map((character) => character.codePointAt(0) ?? 0)];
}

export function list(items: readonly (readonly number[])[]): number[] {
  return [...unsigned(items.length), ...items.flat()];
}
