// Case: one check of one clause of the contract, as a function over a kernel.
//
// The same case is a test of the shipped kernel, where it must pass, and a trial of each kernel that was broken
// against its clause, where the clause's cases together must not.
// Partners: checks/, which lists them; case.test-support.ts and proof/counterfactuals, which run them.

import type { KernelImage } from "./kernel-image.ts";

export type Clause =
  | "Q1"
  | "Q2"
  | "Q3"
  | "Q4"
  | "Q5"
  | "Q6"
  | "Q7"
  | "S1"
  | "S2"
  | "S3"
  | "S4"
  | "S5"
  | "I1"
  | "I2"
  | "I3"
  | "I4"
  | "I5"
  | "I6"
  | "I7"
  | "I8"
  | "C1"
  | "C2"
  | "C3"
  | "C4"
  | "C5"
  | "T1"
  | "T2"
  | "T3"
  | "T4"
  | "T5"
  | "T7"
  | "D6";

export interface Case {
  readonly clause: Clause;
  /** `subject: situation: expectation`. */
  readonly title: string;
  /** What has to be installed for it to run at all. */
  readonly needs?: "cross-compiler";
  /** Throws a Refutation, or lets the kernel's own trap pass, when the kernel does not do what the clause asks. */
  readonly run: (kernel: KernelImage) => void | Promise<void>;
}
