// ELF symbols: where a symbol of an image lies, in memory and in the file.
//
// Owner: none, a pure function of the bytes.
// Format: ELF-64, little-endian, System V ABI, chapter 4: section headers, then the symbol table that they name.

const SECTION_HEADER_BYTES = 64;
const SYMBOL_BYTES = 24;
const SECTION_SYMBOLS = 2;
const PROGRAM_HEADER_BYTES = 56;

export interface ElfSymbol {
  /** Virtual address; where the kernel image lies, it is the physical one as well. */
  readonly address: number;
  readonly bytes: number;
  /** Offset in the file; undefined for what no segment loads. */
  readonly offset: number | undefined;
}

/** Throws one clear line where the image has no such symbol. */
export function symbolOf(image: Buffer, name: string): ElfSymbol {
  const sections = Number(image.readBigUInt64LE(40));
  const count = image.readUInt16LE(60);
  for (let index = 0; index < count; index++) {
    const section = sections + index * SECTION_HEADER_BYTES;
    if (image.readUInt32LE(section + 4) !== SECTION_SYMBOLS) continue;
    const found = find(image, section, sections, name);
    if (found !== undefined) return found;
  }
  throw new Error(`the image has no symbol ${name}; build it again with: npm run build`);
}

function find(image: Buffer, section: number, sections: number, name: string): ElfSymbol | undefined {
  const [start, length] = extentOf(image, section);
  const [strings] = extentOf(image, sections + image.readUInt32LE(section + 40) * SECTION_HEADER_BYTES);
  const wanted = Buffer.from(`${name}\0`);
  for (let at = start; at < start + length; at += SYMBOL_BYTES) {
    const text = strings + image.readUInt32LE(at);
    if (!image.subarray(text, text + wanted.length).equals(wanted)) continue;
    const address = Number(image.readBigUInt64LE(at + 8));
    return { address, bytes: Number(image.readBigUInt64LE(at + 16)), offset: offsetOf(image, address) };
  }
  return undefined;
}

/** Offset and length of a section's contents. */
function extentOf(image: Buffer, section: number): [number, number] {
  return [Number(image.readBigUInt64LE(section + 24)), Number(image.readBigUInt64LE(section + 32))];
}

function offsetOf(image: Buffer, address: number): number | undefined {
  const table = Number(image.readBigUInt64LE(32));
  for (let index = 0; index < image.readUInt16LE(56); index++) {
    const at = table + index * PROGRAM_HEADER_BYTES;
    const offset = Number(image.readBigUInt64LE(at + 8));
    const start = Number(image.readBigUInt64LE(at + 16));
    const inFile = Number(image.readBigUInt64LE(at + 32));
    if (address >= start && address < start + inFile) return offset + address - start;
  }
  return undefined;
}
