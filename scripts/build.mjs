// npm run build: compiles the host code; with --artifacts the kernel's images too, as a published package has them.

import { ensureReady } from "./setup.mjs";

ensureReady();
if (process.argv.includes("--artifacts")) {
  const { buildArtifacts, buildElf } = await import("../dist/toolchain/build.js");
  await buildArtifacts();
  await buildElf();
}
