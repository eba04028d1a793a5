// Command bundle: the command as plain JavaScript in a temporary folder, for tests that need it as a process of its own.
//
// Owner: tests only. dist/ is left alone: it may be older than the sources that are tested.

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import packageJson from "../../package.json" with { type: "json" };

const source = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** `command`: what Node runs, with the arguments after it; `folder`: an empty one to work in. */
export async function bundleCommand(): Promise<{ readonly command: string; readonly folder: string }> {
  const folder = mkdtempSync(join(tmpdir(), "hartbeat-command-"));
  const out = join(folder, "command");
  await build({
    configFile: false,
    logLevel: "silent",
    root: source("."),
    // There are no packages beside it.
    ssr: { noExternal: Object.keys(packageJson.dependencies) },
    build: {
      ssr: true,
      outDir: out,
      emptyOutDir: true,
      target: "node20",
      rollupOptions: {
        input: [
          "cli/main.ts",
          "cli/exploration-worker.ts",
          "cli/soak-worker.ts",
          "explore/search/worker.ts",
          "verify/scenarios/worker.ts",
        ].map(source),
        // A file stays a file, so that workers lie where they are looked for.
        output: { preserveModules: true, preserveModulesRoot: source("."), entryFileNames: "[name].js" },
      },
    },
  });
  writeFileSync(join(out, "package.json"), `{ "type": "module", "version": "0.0.0" }\n`);
  const command = join(out, "run.js");
  writeFileSync(
    command,
    `import { main } from "./cli/main.js";\nprocess.exitCode = await main(process.argv.slice(2));\n`,
  );
  return { command, folder };
}
