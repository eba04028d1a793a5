// SHA-256: how an artifact is named wherever something is kept about it.
//
// Partners: cli/certificate-store.ts, verify/matrix, verify/breaks, verify/mutants.

import { createHash } from "node:crypto";

/** Hexadecimal. */
export function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
