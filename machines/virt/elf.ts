// ELF: whether a file is a whole image that the board can boot, decided before QEMU starts.
//
// Owner: none, reads the file's headers.
// Format: ELF-64, System V ABI; e_machine 243 is RISC-V. QEMU itself boots into nothing when a file is cut short.
import { open } from "node:fs/promises";

const HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const MACHINE_RISCV = 243;
const TYPE_EXECUTABLE = 2;
const SEGMENT_LOAD = 1;
/** Where the firmware jumps to: the first LOAD segment must start here. */
const IMAGE_BASE = 0x80200000n;

/** What is wrong with the image, as one line; undefined when nothing is. */
export async function checkElf(path: string): Promise<string | undefined> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => error);
  if (file instanceof Error) {
    if (file.code === "ENOENT") return `${path}: no such image; mend it with: npm run build`;
    return `${path}: the image cannot be read (${file.code})`;
  }
  try {
    const { size } = await file.stat();
    const header = Buffer.alloc(HEADER_BYTES);
    const { bytesRead } = await file.read(header, 0, HEADER_BYTES, 0);
    if (bytesRead < HEADER_BYTES || header.readUInt32BE(0) !== 0x7f454c46) return notAnImage(path, "it is no ELF file");
    if (header[4] !== 2 || header[5] !== 1 || header.readUInt16LE(18) !== MACHINE_RISCV)
      return notAnImage(path, "it is not for 64-bit RISC-V");
    if (header.readUInt16LE(16) !== TYPE_EXECUTABLE) return notAnImage(path, "it is not linked");
    const offset = Number(header.readBigUInt64LE(32));
    const count = header.readUInt16LE(56);
    if (header.readUInt16LE(54) !== PROGRAM_HEADER_BYTES || count === 0) return notAnImage(path, "it has no segments");
    if (offset + count * PROGRAM_HEADER_BYTES > size)
      return truncated(path, size, offset + count * PROGRAM_HEADER_BYTES);
    const table = Buffer.alloc(count * PROGRAM_HEADER_BYTES);
    await file.read(table, 0, table.length, offset);
    return checkSegments(path, size, table);
  } finally {
    await file.close();
  }
}

function checkSegments(path: string, size: number, table: Buffer): string | undefined {
  let lowest: bigint | undefined;
  for (let at = 0; at < table.length; at += PROGRAM_HEADER_BYTES) {
    if (table.readUInt32LE(at) !== SEGMENT_LOAD) continue;
    const end = Number(table.readBigUInt64LE(at + 8) + table.readBigUInt64LE(at + 32));
    if (end > size) return truncated(path, size, end);
    const address = table.readBigUInt64LE(at + 24);
    if (lowest === undefined || address < lowest) lowest = address;
  }
  if (lowest === undefined) return notAnImage(path, "nothing of it is loaded");
  if (lowest !== IMAGE_BASE)
    return notAnImage(path, `it loads at 0x${lowest.toString(16)}, not where the firmware jumps`);
  return undefined;
}

function notAnImage(path: string, reason: string): string {
  return `${path}: not an image of this board, ${reason}; mend it with: npm run build`;
}

function truncated(path: string, size: number, needed: number): string {
  return `${path}: the image is truncated, ${size} bytes of at least ${needed}; mend it with: npm run build`;
}
