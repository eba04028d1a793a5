// Host: the TypeScript that runs under Node, compiled to dist/, and the explorer's runtime, which it holds as bytes.
//
// Fresh means: dist/ was made from exactly these sources, by their hash. A build goes to a folder of its own and
// is moved into place when it is whole, so that a command that runs meanwhile never sees half of it.

import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { giveUp, root, runNode, say } from "./step.mjs";

const DIST = join(root, "dist");
const STAMP = ".inputs";
/** Where tests, which run the sources, find the runtime's bytes. */
const RUNTIME_BYTES = join(root, "explore", "instrument", "runtime-bytes.js");

/** Compiles the host code where dist/ is missing or was made from other sources. */
export function ensureHost() {
  const inputs = hashInputs(root);
  if (isMadeFrom(inputs)) return;
  say("compiling the host code (tsc)");
  const fresh = join(root, `dist.${process.pid}`);
  const tsc = join("node_modules", "typescript", "bin", "tsc");
  const { ok } = runNode([tsc, "-p", "tsconfig.build.json", "--outDir", fresh]);
  if (!ok) giveUpWithout(fresh, "the host code does not compile, see above");
  if (!runNode([join(fresh, "toolchain", "explorer-runtime.js"), fresh]).ok)
    giveUpWithout(fresh, "the explorer's runtime does not compile, see above");
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

function giveUpWithout(fresh, message) {
  rmSync(fresh, { recursive: true, force: true });
  giveUp(message, 1);
}

function isMadeFrom(inputs) {
  const stamp = join(DIST, STAMP);
  return existsSync(RUNTIME_BYTES) && existsSync(stamp) && readFileSync(stamp, "utf8") === inputs;
}

/** Hash of all that the compiler reads, in the package at `home`: the sources that its settings name, and they. */
export function hashInputs(home) {
  const settings = ["tsconfig.json", "tsconfig.build.json", "package-lock.json"];
  const { include } = JSON.parse(readFileSync(join(home, "tsconfig.json"), "utf8"));
  // The build leaves the tests out.
  const folders = include.filter((glob) => !glob.endsWith(".test.ts")).map((glob) => glob.replace(/\/?\*.*$/, ""));
  const hash = createHash("sha256");
  for (const file of [...settings, ...new Set(folders.flatMap((folder) => sourcesUnder(home, folder)))].toSorted()) {
    hash
      .update(file)
      .update("\0")
      .update(readFileSync(join(home, file)))
      .update("\0");
  }
  return hash.digest("hex");
}

/** Paths, relative to the package. */
function sourcesUnder(home, folder) {
  return readdirSync(join(home, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts"))
    .map((path) => join(folder, path));
}
