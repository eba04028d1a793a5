// Program source: a user program as a file: AssemblyScript, C or WebAssembly, compiled where it must be.
//
// What AssemblyScript made is kept under `.hartbeat/programs/`, by the text of every file that was read, since asc takes
// seconds; a second call with the same files starts no compiler.
// Pairs with: asc.ts and program-clang.ts, which compile; program-module.ts, which takes what comes out.

import { readFile } from "node:fs/promises";
import { basename, dirname, extname, join, resolve } from "node:path";
import { compile, USER_MEMORY } from "./asc.ts";
import { hashOf, isFresh, store } from "./build-cache.ts";
import { type CompileOutcome, compileC } from "./program-clang.ts";
import { packageRoot } from "./package-root.ts";
import { sha256Of } from "./sha256.ts";

export type SourceOutcome = CompileOutcome | { kind: "unreadable"; message: string };

const SUFFIXES = ".ts (AssemblyScript), .c or .wasm";

/** Reads or compiles a program. folder: where results are kept. tools: what the compilers are, for the key. */
export async function programWasm(path: string, folder: string, tools: string): Promise<SourceOutcome> {
  // asc writes names into its source map as they are.
  if (/["\\\p{Cc}]/u.test(basename(path)))
    return {
      kind: "unreadable",
      message: `${JSON.stringify(path)}: rename it: quotes, backslashes and control characters cannot be compiled`,
    };
  const text = await readFile(path).catch((error: NodeJS.ErrnoException) => error.code ?? "unknown");
  if (typeof text === "string") return { kind: "unreadable", message: `${path}: ${reasonOf(text)}` };
  switch (extname(path)) {
    case ".wasm":
      return { kind: "compiled", wasm: text, warnings: [] };
    case ".c":
      return compileC(path);
    case ".ts":
      return compileScript(path, folder, tools);
    default:
      return { kind: "unreadable", message: `${path}: a program is a file that ends in ${SUFFIXES}` };
  }
}

function reasonOf(code: string): string {
  if (code === "ENOENT") return "there is no such file";
  if (code === "EISDIR") return "this is a folder; name a file";
  return code === "EACCES" ? "this file must not be read; change its permissions" : `it cannot be read (${code})`;
}

async function compileScript(path: string, folder: string, tools: string): Promise<CompileOutcome> {
  const root = dirname(resolve(path));
  const name = `source-${sha256Of(new TextEncoder().encode(resolve(path))).slice(0, 16)}`;
  const kept = await keptResult(folder, name, root, tools);
  if (kept !== null) return { kind: "compiled", wasm: kept, warnings: [] };
  const outcome = await compile({
    ...{ root, entry: basename(path), memory: USER_MEMORY, build: "optimized", sdk: "provided" },
  }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ERR_MODULE_NOT_FOUND") return null;
    throw error;
  });
  if (outcome === null) return { kind: "missing-compiler", message: await toolsMissing() };
  if (outcome.kind === "refused") return { kind: "refused", compiler: "asc", lines: outcome.diagnostics };
  const { wasm, warnings } = outcome;
  // Files of the SDK are part of `tools`.
  const files = outcome.files.filter((file) => !file.includes("node_modules/"));
  if (warnings.length === 0) {
    const hash = await hashOf(root, files, [tools]);
    await store(
      folder,
      name,
      hash,
      new Map<string, Uint8Array | string>([
        [`${name}.wasm`, wasm],
        [`${name}.json`, JSON.stringify(files)],
      ]),
    );
  }
  return { kind: "compiled", wasm, warnings };
}

/** One line: what a program needs that is not there. asc brings binaryen along. */
export async function toolsMissing(): Promise<string> {
  const manifest = JSON.parse(await readFile(join(packageRoot, "package.json"), "utf8")) as {
    devDependencies: Record<string, string>;
  };
  const version = manifest.devDependencies["assemblyscript"];
  return `programs need assemblyscript and its binaryen, which are not there; mend it with: npm install assemblyscript@${version}`;
}

/** What was made of the same files before; null where there is none, or one of them changed. */
async function keptResult(folder: string, name: string, root: string, tools: string): Promise<Uint8Array | null> {
  try {
    const files = JSON.parse(await readFile(join(folder, `${name}.json`), "utf8")) as string[];
    const hash = await hashOf(root, files, [tools]);
    return (await isFresh(folder, name, hash)) ? await readFile(join(folder, `${name}.wasm`)) : null;
  } catch {
    return null;
  }
}
