// Package contents: whether this package is a clone, which builds its artifacts, or a published one, which carries them;
// how a build reports what it does.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../toolchain/package-root.ts";

export const hasSources: boolean = existsSync(join(packageRoot, "kernel", "index.ts"));

export function progress(line: string): void {
  process.stderr.write(`hartbeat: ${line}\n`);
}
