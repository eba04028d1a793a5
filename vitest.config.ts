// Tests sit beside what they test; the built copies in dist/ are not tests of their own.

import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files that take longest, in that order. They start first, so that the workers end at about the same time. */
const LONG_FILES = [
  "verify/scenarios/suite.test.ts",
  "verify/breaks/trials-queues.test.ts",
  "verify/breaks/trials-tasks.test.ts",
  "verify/breaks/trials-resched.test.ts",
  "cli/explore-kernel.test.ts",
  "cli/explore.test.ts",
  "explore/search/workers.test.ts",
  "explore/oracle/oracle.test.ts",
  "bench/smallest.test.ts",
  "verify/mutants/mutants.test.ts",
  "machines/virt/console-races.test.ts",
  "machines/virt/user-space-lives.test.ts",
  "verify/matrix/matrix.test.ts",
  "scripts/engines.test.mjs",
].map((name) => join(import.meta.dirname, name));

for (const file of LONG_FILES)
  if (!existsSync(file)) throw new Error(`vitest.config.ts: LONG_FILES names ${file}, which does not exist`);

class LongFilesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rankOf = ({ moduleId }: TestSpecification): number =>
      LONG_FILES.includes(moduleId) ? LONG_FILES.indexOf(moduleId) : LONG_FILES.length;
    return (await super.sort(files)).toSorted((a, b) => rankOf(a) - rankOf(b));
  }
}

export default defineConfig({
  test: {
    include: ["**/*.{test,conformance}.{ts,mjs}"],
    exclude: ["**/node_modules/**", "dist*/**", "build/**", ".hartbeat/**"],
    // By itself vitest leaves one core free, which on two cores is half of the machine. A search takes up to 1 GiB, and
    // past eight workers the longest file decides.
    maxWorkers: Math.min(availableParallelism(), 8),
    // The files of a worker share their modules: asc, Binaryen and the explorer are loaded and warmed up once a worker.
    isolate: false,
    sequence: { sequencer: LongFilesFirst },
    // Bounds for what hangs, never a verdict on speed: a loaded machine takes several times what a quiet one takes.
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
