// Bytes: reading and writing the primitive encodings of the WebAssembly binary format.
//
// Owner: whoever made the cursor or the writer. Invariant: a read past the end throws MalformedModule.
// Pairs with: decode.ts (reads), code.ts, sections.ts and encode.ts (write).

import { assertDefined } from "./assert-defined.ts";

/** The bytes are not a WebAssembly module; the message states what is wrong and at which offset. */
export class MalformedModule extends Error {}

/** A position in a byte array; every read moves it. */
export class Cursor {
  readonly bytes: Uint8Array;
  position: number;
  readonly end: number;

  constructor(bytes: Uint8Array, position = 0, end = bytes.length) {
    this.bytes = bytes;
    this.position = position;
    this.end = end;
  }

  get done(): boolean {
    return this.position >= this.end;
  }

  byte(): number {
    if (this.position >= this.end) throw new MalformedModule(`the module ends early, at byte ${this.position}`);
    return assertDefined(this.bytes[this.position++]);
  }

  /** Unsigned LEB128, at most 32 bits. */
  u32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new MalformedModule(`a number is too long at byte ${this.position}`);
  }

  /** Signed LEB128 of any width up to 64 bits. */
  signed(): bigint {
    let value = 0n;
    let shift = 0n;
    for (;;) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      shift += 7n;
      if (byte < 0x80) return byte & 0x40 ? value - (1n << shift) : value;
      if (shift > 70n) throw new MalformedModule(`a number is too long at byte ${this.position}`);
    }
  }

  take(length: number): Uint8Array {
    if (this.position + length > this.end) throw new MalformedModule(`the module ends early, at byte ${this.end}`);
    const slice = this.bytes.subarray(this.position, this.position + length);
    this.position += length;
    return slice;
  }

  name(): string {
    return new TextDecoder().decode(this.take(this.u32()));
  }

  /** A number of so many bytes, lowest first, without a sign. */
  little(length: number): bigint {
    return this.take(length).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  }

  /** A number of items, and they. */
  list<T>(read: (index: number) => T): T[] {
    const count = this.u32();
    const items: T[] = [];
    for (let index = 0; index < count; index++) items.push(read(index));
    return items;
  }

  /** All that is left. */
  rest(): Uint8Array {
    return this.take(this.end - this.position);
  }
}

/** Appends an unsigned LEB128 number (0 to 2^53). */
export function pushU32(out: number[], value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    out.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  out.push(rest);
}

/** Appends a signed LEB128 number of any size. */
export function pushSigned(out: number[], value: number | bigint): void {
  let rest = BigInt(value);
  for (;;) {
    const byte = Number(rest & 0x7fn);
    rest >>= 7n;
    if ((rest === 0n && !(byte & 0x40)) || (rest === -1n && byte & 0x40)) {
      out.push(byte);
      return;
    }
    out.push(byte | 0x80);
  }
}

/** Appends a length-prefixed UTF-8 name. */
export function pushName(out: number[], name: string): void {
  const encoded = new TextEncoder().encode(name);
  pushU32(out, encoded.length);
  for (const byte of encoded) out.push(byte);
}

/** The bytes of a number, lowest first. */
export function littleEndian(value: bigint, length: number): number[] {
  return Array.from({ length }, (_, byte) => Number((value >> BigInt(8 * byte)) & 0xffn));
}
