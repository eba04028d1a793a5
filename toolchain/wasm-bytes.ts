// Bytes of a wasm module, read one after another: LEB128 numbers, names, constants.
//
// Owner: the reader that made it. Invariant: `at` never passes `end`; running past it throws WasmFormatError.
// Pairs with: wasm-reader.ts.

/** The module is truncated or malformed. The message is one clear line. */
export class WasmFormatError extends Error {}

export class WasmBytes {
  constructor(
    private readonly bytes: Uint8Array,
    /** Offset of the next byte, from the module's start. */
    public at: number,
    public readonly end: number,
  ) {
    if (end > bytes.length) throw new WasmFormatError(`wasm: truncated: ${bytes.length} bytes of ${end}`);
  }

  byte(): number {
    const byte = this.at < this.end ? this.bytes[this.at] : undefined;
    if (byte === undefined) throw new WasmFormatError(`wasm: truncated at byte ${this.at}`);
    this.at++;
    return byte;
  }

  /** Unsigned, at most 32 bits. */
  unsigned(): number {
    let value = 0;
    for (let scale = 1; scale <= 0x10000000; scale *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new WasmFormatError(`wasm: number too long at byte ${this.at}`);
  }

  /** Signed, at most the given number of bits. */
  signed(bits: number): bigint {
    let value = 0n;
    for (let shift = 0n; shift < BigInt(bits); shift += 7n) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(Math.min(bits, Number(shift) + 7), value);
    }
    throw new WasmFormatError(`wasm: number too long at byte ${this.at}`);
  }

  name(): string {
    return new TextDecoder().decode(this.slice(this.unsigned()));
  }

  /** A view, not a copy, of the next bytes. */
  slice(length: number): Uint8Array {
    const start = this.at;
    this.skip(length);
    return this.bytes.subarray(start, this.at);
  }

  skip(length: number): void {
    if (this.at + length > this.end) throw new WasmFormatError(`wasm: truncated at byte ${this.end}`);
    this.at += length;
  }

  /** The next `length` bytes as a reader of their own; this one moves past them. */
  part(length: number): WasmBytes {
    const start = this.at;
    this.skip(length);
    return new WasmBytes(this.bytes, start, start + length);
  }
}
