// npm run typecheck: the host code, then the kernel and the user programs against AssemblyScript's own types.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { ensurePackages } from "./setup/packages.mjs";
import { root, runNode, say } from "./setup/step.mjs";

const PROJECTS = [
  "tsconfig.json",
  "kernel/tsconfig.json",
  "kernel/scenarios/harness/tsconfig.json",
  "user/tsconfig.json",
  "bench/kernel/tsconfig.json",
];

ensurePackages();
let ok = true;
for (const project of PROJECTS.filter((path) => existsSync(join(root, path)))) {
  const result = runNode([join("node_modules", "typescript", "bin", "tsc"), "--noEmit", "-p", project]);
  if (!result.ok) say(`${project}: does not typecheck`);
  ok &&= result.ok;
}
process.exitCode = ok ? 0 : 1;
