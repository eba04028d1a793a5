// Clause coverage: which explorations cover the kernel that was booted, from the certificates that were kept.
//
// Owner: none. Invariant: only what was explored on this very kernel, driven by the harness of today, is reported as such.
// Partners: certificate-store.ts; proof/clauses.ts turns it into facts; prove reports them.

import { scenarios } from "../verify/scenarios/suite.ts";
import { clauseFacts } from "../proof/clauses.ts";
import type { ClauseCoverage } from "../proof/proof-event.ts";
import { sha256Of } from "../toolchain/sha256.ts";
import { type KeptCertificates, exploredIn, isAnythingKept, readCertificates } from "./certificate-store.ts";

const NOTHING: KeptCertificates = { certificates: new Map(), unreadable: [] };

/** kernel: SHA-256 of the artifact. findHarness: the harness of today; undefined where there is none. */
export async function coverageFor(
  kernel: string,
  findHarness: () => Promise<Uint8Array | undefined>,
): Promise<ClauseCoverage> {
  // The harness may have to be compiled first, which is not worth its seconds where nothing is kept.
  const bytes = isAnythingKept(kernel) ? await findHarness() : undefined;
  const harness = bytes && sha256Of(bytes);
  const kept = harness === undefined ? NOTHING : readCertificates({ kernel, harness }, scenarios);
  if (kept.unreadable.length > 0) {
    const others = kept.unreadable.length > 1 ? ` and ${kept.unreadable.length - 1} more` : "";
    process.stderr.write(`hartbeat: ${kept.unreadable[0]}${others}: not a whole certificate, so it does not count\n`);
  }
  const explored = exploredIn(kept);
  return {
    kernel,
    clauses: clauseFacts(scenarios, explored),
    explored: explored.size,
    of: scenarios.length,
    next: nextOf(explored.size, scenarios.length),
  };
}

function nextOf(explored: number, of: number): string | null {
  if (explored === of) return null;
  return `npx hartbeat explore --kernel${explored === 0 ? "" : " --full"}`;
}
