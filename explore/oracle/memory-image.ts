// Memory image: the bytes that an abstract program can touch, for the interpreter: a few windows, all else is 0.
//
// Owner: a state of the interpreter. Invariant: an access inside of memory lies in one window, or the generator is wrong.
// Pairs with: abstract-machine.ts; compare.ts reads the bytes of final memories.

export type Window = readonly [from: number, bytes: number];

const PAGE_BYTES = 65536;

export class MemoryImage {
  readonly windows: readonly Window[];
  /** From here on lies what belongs to threads: outside of the module's pages, and there from the start. */
  readonly threadLocalsFrom: number;
  private contents: Uint8Array;
  /** Do other images have the same contents? Then a write copies them first. */
  private isShared = false;
  private asText: string | undefined;

  constructor(windows: readonly Window[], threadLocalsFrom: number, contents?: Uint8Array) {
    this.windows = windows;
    this.threadLocalsFrom = threadLocalsFrom;
    this.contents = contents ?? new Uint8Array(windows.reduce((sum, [, length]) => sum + length, 0));
  }

  get bytes(): Uint8Array {
    return this.contents;
  }

  get text(): string {
    return (this.asText ??= Reflect.apply(String.fromCharCode, undefined, this.contents));
  }

  copy(): MemoryImage {
    const image = new MemoryImage(this.windows, this.threadLocalsFrom, this.contents);
    this.isShared = true;
    image.isShared = true;
    image.asText = this.asText;
    return image;
  }

  isInside(address: number, bytes: number, pages: number): boolean {
    if (address + bytes <= pages * PAGE_BYTES) return true;
    return this.windows.some(
      ([from, length]) => from >= this.threadLocalsFrom && address >= from && address + bytes <= from + length,
    );
  }

  private place(address: number): number {
    let at = 0;
    for (const [from, length] of this.windows) {
      if (address >= from && address < from + length) return at + address - from;
      at += length;
    }
    throw new Error(`address ${address} is in no window`);
  }

  read(address: number, bytes: number): bigint {
    let value = 0n;
    for (let i = bytes - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.bytes[this.place(address + i)] ?? 0);
    return value;
  }

  write(address: number, bytes: number, value: bigint): void {
    if (this.isShared) this.contents = this.contents.slice();
    this.isShared = false;
    this.asText = undefined;
    for (let i = 0; i < bytes; i++) this.contents[this.place(address + i)] = Number((value >> BigInt(8 * i)) & 0xffn);
  }
}
