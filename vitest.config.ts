// Tests sit beside what they test; the built copies in dist/ are not tests of their own.

import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["**/*.{test,conformance}.{ts,mjs}"],
    exclude: ["**/node_modules/**", "dist*/**", "build/**", ".hartbeat/**"],
    testTimeout: 30_000,
    hookTimeout: 120_000,
  },
});
