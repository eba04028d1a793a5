// Input file: what the user names to be read. What keeps it from being read is the user's to mend, in one line.
//
// Partners: output-file.ts, whose files may be larger than Node.js reads at once.

import { closeSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { CHUNK_BYTES } from "./output-file.ts";

export type Input =
  { readonly kind: "read"; readonly bytes: Uint8Array } | { readonly kind: "usage"; readonly message: string };

export function readInput(path: string, chunkBytes = CHUNK_BYTES): Input {
  try {
    return { kind: "read", bytes: readBytes(path, chunkBytes) };
  } catch (error) {
    return { kind: "usage", message: `${path}: ${reasonOf(error)}` };
  }
}

function readBytes(path: string, chunkBytes: number): Uint8Array {
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    // A pipe has no size, and nothing in it is too large to be read at once.
    if (size <= chunkBytes) return new Uint8Array(readFileSync(file));
    const bytes = new Uint8Array(size);
    let length = 0;
    while (length < size) {
      const count = readSync(file, bytes, length, Math.min(chunkBytes, size - length), null);
      if (count === 0) break;
      length += count;
    }
    return bytes.subarray(0, length);
  } finally {
    closeSync(file);
  }
}

/** The text of a file that may as well be absent. */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT") return "there is no such file";
  if (code === "EISDIR") return "this is a folder; name a file";
  if (code === "EACCES") return "this file must not be read; change its permissions";
  return error instanceof Error ? error.message : String(error);
}
