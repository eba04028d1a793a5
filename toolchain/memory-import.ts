// Memory import: reads and replaces the limits of the one memory that a module imports, in its binary form, since
// Binaryen's interface cannot change a memory without forgetting its data.
//
// Binary format: WebAssembly core specification, chapter 5 (sections) and 5.5.5 (the import section).

export interface MemoryLimits {
  readonly initialPages: number;
  /** Absent when the memory may grow without bound. */
  readonly maximumPages?: number;
  readonly shared: boolean;
}

const HEADER_BYTES = 8;
const IMPORT_SECTION = 2;
const FLAG_MAXIMUM = 1;
const FLAG_SHARED = 2;

const KIND_FUNCTION = 0;
const KIND_TABLE = 1;
const KIND_MEMORY = 2;
const KIND_GLOBAL = 3;

/** The limits of the imported memory, or undefined when the module imports none. */
export function readMemoryImport(wasm: Uint8Array): MemoryLimits | undefined {
  return findMemoryImport(wasm)?.limits;
}

/** The same module with other limits on its imported memory. Throws when it imports none. */
export function replaceMemoryImport(wasm: Uint8Array, limits: Required<MemoryLimits>): Uint8Array {
  const found = findMemoryImport(wasm);
  if (found === undefined) throw new Error("the module imports no memory");
  const flags = FLAG_MAXIMUM | (limits.shared ? FLAG_SHARED : 0);
  const written = [flags, ...encodeUnsigned(limits.initialPages), ...encodeUnsigned(limits.maximumPages)];
  const contentBytes = found.section.contentEnd - found.section.contentStart;
  const size = encodeUnsigned(contentBytes - (found.limitsEnd - found.limitsStart) + written.length);
  return Uint8Array.from([
    ...wasm.subarray(0, found.section.sizeStart),
    ...size,
    ...wasm.subarray(found.section.contentStart, found.limitsStart),
    ...written,
    ...wasm.subarray(found.limitsEnd),
  ]);
}

interface Section {
  readonly id: number;
  /** Where the section's size is written, and where its content begins and ends. */
  readonly sizeStart: number;
  readonly contentStart: number;
  readonly contentEnd: number;
}

interface FoundMemory {
  readonly section: Section;
  readonly limits: MemoryLimits;
  readonly limitsStart: number;
  readonly limitsEnd: number;
}

function findMemoryImport(wasm: Uint8Array): FoundMemory | undefined {
  const section = findSection(wasm, IMPORT_SECTION);
  if (section === undefined) return undefined;
  const reader = new Reader(wasm, section.contentStart);
  for (let left = reader.unsigned(); left > 0; left -= 1) {
    reader.skip(reader.unsigned());
    reader.skip(reader.unsigned());
    const kind = reader.byte();
    if (kind === KIND_MEMORY) {
      const limitsStart = reader.position;
      const limits = readLimits(reader);
      return { section, limits, limitsStart, limitsEnd: reader.position };
    }
    if (kind === KIND_FUNCTION) reader.unsigned();
    else if (kind === KIND_GLOBAL) reader.skip(2);
    else if (kind === KIND_TABLE) {
      reader.byte();
      readLimits(reader);
    } else throw new Error(`the module imports something of an unknown kind (${kind})`);
  }
  return undefined;
}

function findSection(wasm: Uint8Array, id: number): Section | undefined {
  const reader = new Reader(wasm, HEADER_BYTES);
  while (reader.position < wasm.length) {
    const found = reader.byte();
    const sizeStart = reader.position;
    const bytes = reader.unsigned();
    const contentStart = reader.position;
    if (found === id) return { id, sizeStart, contentStart, contentEnd: contentStart + bytes };
    reader.skip(bytes);
  }
  return undefined;
}

function readLimits(reader: Reader): MemoryLimits {
  const flags = reader.byte();
  const initialPages = reader.unsigned();
  const shared = (flags & FLAG_SHARED) !== 0;
  if ((flags & FLAG_MAXIMUM) === 0) return { initialPages, shared };
  return { initialPages, maximumPages: reader.unsigned(), shared };
}

class Reader {
  constructor(
    private readonly bytes: Uint8Array,
    public position: number,
  ) {}

  byte(): number {
    const value = this.bytes[this.position];
    if (value === undefined) throw new Error("the module ends in the middle of a section");
    this.position += 1;
    return value;
  }

  /** An unsigned LEB128 number of up to 32 bits. */
  unsigned(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value |= (byte & 127) << shift;
      if (byte < 128) return value >>> 0;
    }
    throw new Error("the module holds a number that is too long");
  }

  skip(bytes: number): void {
    this.position += bytes;
  }
}

function encodeUnsigned(value: number): number[] {
  const bytes: number[] = [];
  let left = value;
  while (left >= 128) {
    bytes.push((left & 127) | 128);
    left >>>= 7;
  }
  bytes.push(left);
  return bytes;
}
