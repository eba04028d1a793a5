// Sections: a module as the list of its sections, and the lists that sections hold, as bytes.
//
// Owner: none, pure. Who changes one section of a module leaves the others byte for byte as they were.
// Partners: encode.ts (a whole module), link.ts.

import { Cursor, MalformedModule, pushName, pushSigned, pushU32 } from "./bytes.ts";

/** The numbers of sections, in the order in which they stand in a module; custom ones may stand anywhere. */
export const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  dataCount: 12,
  code: 10,
  data: 11,
} as const;

/** What can be imported and exported. */
export const EXTERNAL = { function: 0, table: 1, memory: 2, global: 3, tag: 4 } as const;
export type ExternalKind = (typeof EXTERNAL)[keyof typeof EXTERNAL];

/** "\0asm" and version 1. */
export const HEADER: readonly number[] = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

export interface Section {
  readonly id: number;
  readonly contents: ArrayLike<number>;
}

/** Places a cursor behind the header. Throws MalformedModule where there is none. */
export function behindHeader(wasm: Uint8Array): Cursor {
  if (HEADER.some((byte, at) => wasm[at] !== byte))
    throw new MalformedModule("this is not a WebAssembly module (version 1)");
  return new Cursor(wasm, HEADER.length);
}

export function sectionsOf(wasm: Uint8Array): { readonly id: number; readonly contents: Uint8Array }[] {
  const cursor = behindHeader(wasm);
  const sections: { id: number; contents: Uint8Array }[] = [];
  while (!cursor.done) {
    const id = cursor.byte();
    sections.push({ id, contents: cursor.take(cursor.u32()) });
  }
  return sections;
}

export function moduleOf(sections: readonly Section[]): Uint8Array {
  const heads = sections.map(({ id, contents }) => [id, ...u32(contents.length)]);
  const length = sections.reduce(
    (sum, { contents }, index) => sum + (heads[index]?.length ?? 0) + contents.length,
    HEADER.length,
  );
  const out = new Uint8Array(length);
  out.set(HEADER);
  let at = HEADER.length;
  for (const [index, { contents }] of sections.entries()) {
    for (const part of [heads[index] ?? [], contents]) {
      out.set(part, at);
      at += part.length;
    }
  }
  return out;
}

/** A section with one entry more; made where there is none, behind the sections before it. */
export function withEntry(sections: readonly Section[], id: number, entry: readonly number[]): Section[] {
  const found = sections.find((section) => section.id === id);
  if (found === undefined) {
    const place = (each: number): number => Object.values(SECTION).indexOf(each as (typeof SECTION)["custom"]);
    const at = sections.findIndex((section) => place(section.id) > place(id));
    const made = { id, contents: [1, ...entry] };
    return at < 0 ? [...sections, made] : sections.toSpliced(at, 0, made);
  }
  const cursor = new Cursor(Uint8Array.from(found.contents));
  const contents = u32(cursor.u32() + 1);
  for (const byte of cursor.rest()) contents.push(byte);
  contents.push(...entry);
  return sections.map((section) => (section === found ? { id, contents } : section));
}

/** An unsigned number by itself. */
export function u32(value: number): number[] {
  const out: number[] = [];
  pushU32(out, value);
  return out;
}

/** A signed number by itself. */
export function signed(value: number | bigint): number[] {
  const out: number[] = [];
  pushSigned(out, value);
  return out;
}

/** Items with their number in front. */
export function vector(items: readonly ArrayLike<number>[]): Uint8Array {
  const count = u32(items.length);
  const out = new Uint8Array(items.reduce((sum, { length }) => sum + length, count.length));
  out.set(count);
  let at = count.length;
  for (const item of items) {
    out.set(item, at);
    at += item.length;
  }
  return out;
}

/** Names, one after another. */
export function named(...names: readonly string[]): number[] {
  const out: number[] = [];
  for (const name of names) pushName(out, name);
  return out;
}
