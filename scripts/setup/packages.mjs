// Packages: the npm packages that package-lock.json pins, installed exactly.
//
// Fresh means: what node_modules lists (npm's hidden lockfile) is what package-lock.json asks for. No
// time stamps: a checkout, a copy and a cached folder all have times of their own.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { giveUp, root, run, say } from "./step.mjs";

const NODE_FLOOR = [20, 19];

/** Installs the npm packages where they are missing or not the pinned ones. */
export function ensurePackages() {
  requireNode();
  if (packagesAreFresh()) return;
  say("installing the npm packages (npm ci)");
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const { ok, status } = run(npm, ["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
  if (!ok) giveUp(status === null ? "npm was not found: install Node.js with npm" : "npm ci failed, see above");
}

function packagesAreFresh() {
  const wanted = readLock("package-lock.json");
  const present = readLock(join("node_modules", ".package-lock.json"));
  return wanted !== null && present !== null && holds(present, wanted);
}

/** Whether the packages of lockfile `present` are those that lockfile `wanted` asks for. */
export function holds(present, wanted) {
  return Object.entries(wanted.packages).every(([place, entry]) => {
    // An optional package belongs to one platform; npm leaves the others' out.
    if (place === "" || entry.optional === true) return true;
    const found = present.packages[place];
    return found?.version === entry.version && found?.integrity === entry.integrity;
  });
}

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const [floorMajor = 0, floorMinor = 0] = NODE_FLOOR;
  if (major > floorMajor || (major === floorMajor && minor >= floorMinor)) return;
  giveUp(`Node.js ${process.versions.node} is too old: install ${NODE_FLOOR.join(".")} or newer (https://nodejs.org)`);
}

function readLock(path) {
  try {
    return JSON.parse(readFileSync(join(root, path), "utf8"));
  } catch {
    return null;
  }
}
