// Explorer runtime: explore/runtime/, compiled, as a JavaScript module that holds the bytes, so that they are there in Node and
// in a web page alike.
//
// As a program it writes explore/instrument/runtime-bytes.js, which tests that run the sources import, and the same file in the
// folder of the host build that is its argument. What is there and was made from the same sources is kept.
// Owner: that file. Pairs with: asc.ts (compiles), scripts/setup/host.mjs (runs this), explore/instrument/runtime-functions.ts (decodes it).
import { realpathSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type AscJob, ascArguments, compile } from "./asc.ts";
import { filesIn, hashOf } from "./build-cache.ts";
import { packageRoot } from "./package-root.ts";

const SOURCES = "explore/runtime";
const MODULE = join("explore", "instrument", "runtime-bytes.js");

/** root: the folder that holds explore/runtime/. The memory and the table are the instrumented module's. */
const jobIn = (root: string): AscJob => ({
  root,
  entry: `${SOURCES}/index.ts`,
  memory: { pages: 1, shared: false },
  build: "optimized",
  table: "imported",
});

/** The sources do not compile; one line each. */
export class RuntimeRefused extends Error {}

/** The text of the module: compiled from the sources under a root, with the hash of what it was made from. */
export async function runtimeBytesModule(root: string, inputs: string): Promise<string> {
  const outcome = await compile(jobIn(root));
  if (outcome.kind === "refused") throw new RuntimeRefused(outcome.diagnostics.join("\n"));
  const base64 = Buffer.from(outcome.wasm).toString("base64");
  return `// Made by toolchain/explorer-runtime.ts from ${SOURCES}/: ${inputs}\nexport const RUNTIME_BASE64 = "${base64}";\n`;
}

async function inputsHash(): Promise<string> {
  const tools = ["toolchain/asc.ts", "toolchain/inlining.ts", "toolchain/explorer-runtime.ts", "package-lock.json"];
  const files = [...(await filesIn(packageRoot, SOURCES, /\.ts$/)), ...tools];
  return hashOf(packageRoot, files, ascArguments(jobIn(packageRoot)));
}

/** Writes the module beside its declaration and into the host build. */
async function writeModule(hostBuild: string): Promise<void> {
  const inputs = await inputsHash();
  const source = join(packageRoot, MODULE);
  const known = await readFile(source, "utf8").catch(() => "");
  const isFresh = known.includes(inputs);
  const text = isFresh ? known : await runtimeBytesModule(packageRoot, inputs);
  if (!isFresh) await writeFile(source, text);
  const target = join(hostBuild, MODULE);
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, text);
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    await writeModule(process.argv[2] ?? join(packageRoot, "dist"));
  } catch (error) {
    if (!(error instanceof RuntimeRefused)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
