// Output file: files that a command writes, and the folders to them, of any size.
//
// Invariant: no single call of the system gets more than it takes: Node.js refuses 2 GiB and more at once.
// Partners: input-file.ts reads them again.

import { closeSync, mkdirSync, openSync, renameSync, writeFileSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/** Bytes that are handed to the system at once. */
export const CHUNK_BYTES = 2 ** 30;

/** Writes a file, and the folders to it. */
export function writeWhole(path: string, contents: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, contents);
}

/** Writes a file from parts. What was there stays until all is written: it may be what the parts were made from. */
export function writeParts(path: string, parts: readonly Uint8Array[], chunkBytes = CHUNK_BYTES): void {
  mkdirSync(dirname(path), { recursive: true });
  const unfinished = `${path}.part`;
  const file = openSync(unfinished, "w");
  try {
    for (const part of parts)
      for (let from = 0; from < part.length;)
        from += writeSync(file, part, from, Math.min(chunkBytes, part.length - from));
  } finally {
    closeSync(file);
  }
  renameSync(unfinished, path);
}
