import { expect, test } from "vitest";
import { holds } from "./packages.mjs";

const wanted = {
  packages: {
    "": { version: "0.1.0" },
    "node_modules/a": { version: "1.0.0", integrity: "sha512-a" },
    "node_modules/a-for-another-platform": { version: "1.0.0", integrity: "sha512-b", optional: true },
  },
};

test("packages: what the lockfile asks for, without another platform's: fresh", () => {
  expect(holds({ packages: { "node_modules/a": { version: "1.0.0", integrity: "sha512-a" } } }, wanted)).toBe(true);
});

test.each([
  ["missing", {}],
  ["of another version", { "node_modules/a": { version: "1.0.1", integrity: "sha512-a" } }],
  ["of another content", { "node_modules/a": { version: "1.0.0", integrity: "sha512-x" } }],
])("packages: one that is %s: stale", (_, packages) => {
  expect(holds({ packages }, wanted)).toBe(false);
});
