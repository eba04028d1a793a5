// npm run build: the host code, the kernel's images and the harness of its scenarios; with --host the host code alone.
//
// Where the cross compiler is missing, the image for virt is left out, and a line reports it: sim needs none.

import { ensureReady } from "./setup.mjs";
import { flagsOf, say } from "./setup/step.mjs";

const flags = flagsOf(["--host"]);
ensureReady();
if (!flags.includes("--host")) {
  const { buildElf } = await import("../dist/toolchain/build.js");
  const outcome = await buildElf({ progress: say });
  if (outcome.kind === "missing-compiler") say(`no image for virt: ${outcome.message}`);
  if (outcome.kind === "refused") {
    for (const line of outcome.lines) process.stderr.write(`${line}\n`);
    say(`${outcome.step} refuses the kernel's sources`);
    process.exitCode = 1;
  } else {
    const { harness } = await import("../dist/verify/scenarios/harness-build.js");
    await harness();
    const { buildWorkloadProgram } = await import("../dist/toolchain/workload-image.js");
    const workload = await buildWorkloadProgram({ progress: say });
    if (workload.kind === "refused") {
      for (const line of workload.lines) process.stderr.write(`${line}\n`);
      say(`${workload.step} refuses the sources of the program workload`);
      process.exitCode = 1;
    }
  }
}
