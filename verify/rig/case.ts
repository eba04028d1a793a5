// Case: one check of one clause of the contract, as a function over a kernel.
//
// The same case is a test of the shipped kernel, where it must pass, and a trial of each kernel that was broken
// against its clause, where the clause's cases together must not.
// Partners: verify/clauses, which lists them; cases.test-support.ts and verify/breaks, which run them.

import type { ClauseId } from "../clause-id.ts";
import type { KernelImage } from "./kernel-image.ts";

export interface Case {
  readonly clause: ClauseId;
  /** `subject: situation: expectation`. */
  readonly title: string;
  /** What has to be installed for it to run at all. */
  readonly needs?: "cross-compiler";
  /** Throws a Refutation, or lets the kernel's own trap pass, when the kernel does not do what the clause asks. */
  readonly run: (kernel: KernelImage) => void | Promise<void>;
}
