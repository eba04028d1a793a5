import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { hashInputs } from "./host.mjs";
import { root as packageRoot } from "./step.mjs";

const { include } = JSON.parse(readFileSync(join(packageRoot, "tsconfig.json"), "utf8"));
/** A file that each part of the settings names, and one in a folder below it where that is named too. */
const named = include
  .filter((glob) => !glob.endsWith(".test.ts"))
  .flatMap((glob) => (glob.endsWith("/*.ts") ? [glob.replace("*", "a")] : [`${glob}/a.ts`, `${glob}/below/a.ts`]));

let root;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "hartbeat-host-"));
  put("tsconfig.json", JSON.stringify({ include }));
  for (const file of ["tsconfig.build.json", "package-lock.json", ...named]) put(file, "{}");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function put(file, text) {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
}

test.each([...named, "package-lock.json"])("host code: %s edited: compiled again", (file) => {
  const before = hashInputs(root);
  put(file, "export const edited = 1;");
  expect(hashInputs(root)).not.toBe(before);
});

test("host code: the same sources, and a test among them edited: as it was", () => {
  const before = hashInputs(root);
  put("cli/a.test.ts", "edited");
  expect(hashInputs(root)).toBe(before);
});

test("host code: the kernel's checks are among what is compiled", () => {
  expect(named).toContain("verify/clauses/a.ts");
});
