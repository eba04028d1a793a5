// Package root: the folder that holds package.json, from which sources are read and under which build/ lies.
//
// Owner: none, a constant. The compiled toolchain runs from dist/, one level deeper than its source, so the
// place is searched for instead of counted.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

function findPackageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json"))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error("the toolchain lies outside any package");
    folder = parent;
  }
  return folder;
}

/** Absolute path of the package's folder. */
export const packageRoot = findPackageRoot();
