// Input file: what the user names to be read. What keeps it from being read is the user's to mend, in one line.

import { readFileSync } from "node:fs";

export type Input =
  { readonly kind: "read"; readonly bytes: Uint8Array } | { readonly kind: "usage"; readonly message: string };

export function readInput(path: string): Input {
  try {
    return { kind: "read", bytes: new Uint8Array(readFileSync(path)) };
  } catch (error) {
    return { kind: "usage", message: `${path}: ${reasonOf(error)}` };
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
