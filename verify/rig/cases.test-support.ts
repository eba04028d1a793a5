// Cases as tests: runs checks on the shipped kernel, one test a case.
//
// Partners: kernel/*.test.ts, each of which names the clauses that its subject fulfils.

import { beforeAll, test } from "vitest";
import type { Case } from "./case.ts";
import { type KernelImage, shippedKernel } from "./kernel-image.ts";
import { hasCrossCompiler } from "./printed-graph.ts";

const canCompile = await hasCrossCompiler();

/** Defines a test for each case; titles begin with the clause. */
export function testCases(cases: readonly Case[]): void {
  let kernel: KernelImage;
  beforeAll(async () => {
    kernel = await shippedKernel();
  });
  for (const one of cases) {
    const impossible = one.needs === "cross-compiler" && !canCompile;
    test.skipIf(impossible)(`${one.title} [${one.clause}]`, async () => one.run(kernel));
  }
}
