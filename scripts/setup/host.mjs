// Host: the TypeScript that runs under Node, compiled to dist/.
//
// Fresh means: dist/ was made from exactly these sources, by their hash. A build goes to a folder of its own and
// is moved into place when it is whole, so that a command that runs meanwhile never sees half of it.

import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { giveUp, root, runNode, say } from "./step.mjs";

const DIST = join(root, "dist");
const STAMP = ".inputs";
const FOLDERS = [
  "abi",
  "kernel/scenarios",
  "kernel/testing",
  "toolchain",
  "machines",
  "explore",
  "proof",
  "verify",
  "trace",
  "cli",
  "bench",
];

/** Compiles the host code where dist/ is missing or was made from other sources. */
export function ensureHost() {
  const inputs = hashInputs();
  if (isMadeFrom(inputs)) return;
  say("compiling the host code (tsc)");
  const fresh = join(root, `dist.${process.pid}`);
  const tsc = join("node_modules", "typescript", "bin", "tsc");
  const { ok } = runNode([tsc, "-p", "tsconfig.build.json", "--outDir", fresh]);
  if (!ok) {
    rmSync(fresh, { recursive: true, force: true });
    giveUp("the host code does not compile, see above", 1);
  }
  writeFileSync(join(fresh, STAMP), inputs);
  try {
    rmSync(DIST, { recursive: true, force: true });
    renameSync(fresh, DIST);
  } catch (error) {
    // Another process may have put the same build there first; then ours is not needed.
    rmSync(fresh, { recursive: true, force: true });
    if (!isMadeFrom(inputs)) throw error;
  }
}

function isMadeFrom(inputs) {
  const stamp = join(DIST, STAMP);
  return existsSync(stamp) && readFileSync(stamp, "utf8") === inputs;
}

function hashInputs() {
  const hash = createHash("sha256");
  const files = FOLDERS.filter((folder) => existsSync(join(root, folder))).flatMap(sourcesUnder);
  for (const file of ["tsconfig.json", "tsconfig.build.json", "package-lock.json", ...files.toSorted()]) {
    hash
      .update(file)
      .update("\0")
      .update(readFileSync(join(root, file)))
      .update("\0");
  }
  return hash.digest("hex");
}

/** Paths, relative to the package, of what the build compiles; it leaves the tests out. */
function sourcesUnder(folder) {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts"))
    .map((path) => join(folder, path));
}
