// Engines: newer versions of Node, on which the package is tried beside the one that runs the tests.
//
// npm carries Node's binary for Linux on x64; scripts/engines/ pins three versions by their hashes. They take 600 MB, so
// they are no dependencies: `npm test` fetches them once, into .hartbeat/engines. Where that is not possible, the tests
// that need them report themselves as skipped.
// Pairs with: scripts/engines.test.mjs.

import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { holds } from "./packages.mjs";
import { root, run, say } from "./step.mjs";

const PINS = join(root, "scripts", "engines");
const FOLDER = join(root, ".hartbeat", "engines");

/** The engines by name (`node-22`), with the program, whether it is there or not. */
export function engines() {
  const names = Object.keys(JSON.parse(readFileSync(join(PINS, "package.json"), "utf8")).dependencies);
  return names.map((name) => ({ name, program: join(FOLDER, "node_modules", name, "bin", "node") }));
}

/** Installs the engines where they are missing or not the pinned ones. Never fails: the tests report what is missing. */
export function ensureEngines() {
  if (process.platform !== "linux" || process.arch !== "x64") {
    return say("no other versions of Node: npm has them for Linux on x64 only");
  }
  if (areFresh()) return undefined;
  say("installing other versions of Node (npm ci, into .hartbeat/engines)");
  mkdirSync(FOLDER, { recursive: true });
  for (const file of ["package.json", "package-lock.json"]) copyFileSync(join(PINS, file), join(FOLDER, file));
  const { ok } = run("npm", [
    "ci",
    "--prefix",
    FOLDER,
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
  ]);
  return ok ? undefined : say("npm ci failed, see above: without them the tests on newer versions are skipped");
}

function areFresh() {
  const present = join(FOLDER, "node_modules", ".package-lock.json");
  if (!existsSync(present) || !engines().every(({ program }) => existsSync(program))) return false;
  const [wanted, found] = [join(PINS, "package-lock.json"), present].map((path) =>
    JSON.parse(readFileSync(path, "utf8")),
  );
  return holds(found, wanted);
}
