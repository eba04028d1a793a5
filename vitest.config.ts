// Tests sit beside what they test; the built copies in dist/ are not tests of their own.

import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["**/*.{test,conformance}.{ts,mjs}"],
    exclude: ["**/node_modules/**", "dist*/**", "build/**", ".hartbeat/**"],
    // By itself vitest leaves one core free, which on two cores is half of the machine. A search takes up to 1 GiB, and
    // past eight workers the longest file decides.
    maxWorkers: Math.min(availableParallelism(), 8),
    // Bounds for what hangs, never a verdict on speed: a loaded machine takes several times what a quiet one takes.
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
