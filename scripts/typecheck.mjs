// npm run typecheck: the host code, then the kernel, the explorer's runtime, the user programs and the examples of programs against AssemblyScript's own types.

import { join } from "node:path";
import { ensurePackages } from "./setup/packages.mjs";
import { flagsOf, runNode, say } from "./setup/step.mjs";

const PROJECTS = [
  "tsconfig.json",
  "kernel/tsconfig.json",
  "explore/runtime/tsconfig.json",
  "verify/scenarios/harness/tsconfig.json",
  "user/tsconfig.json",
  "examples/programs/tsconfig.json",
];

flagsOf([]);
ensurePackages();
let ok = true;
for (const project of PROJECTS) {
  const result = runNode([join("node_modules", "typescript", "bin", "tsc"), "--noEmit", "-p", project]);
  if (!result.ok) say(`${project}: does not typecheck`);
  ok &&= result.ok;
}
process.exitCode = ok ? 0 : 1;
