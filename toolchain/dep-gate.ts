// Dep-gate: who may import whom. The kernel's graph holds the kernel and abi/, nothing else; the host's folders import
// only what stands before them on the way from sources to reports.
//
// No file reaches itself through its imports, types included.
// Run as a program (npm run dep-gate) it prints one line a forbidden import or circle and exits 1; 0 when there is none.
// Not seen: a name put together at run time, as `import(name)`. Tests and their helpers may import anything.
//
// Owner: the table below. Pairs with: import-circles.ts. Fulfils: the RFC's `dep-gate`.
import { realpathSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join, posix, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { findCircles } from "./import-circles.ts";
import { packageRoot } from "./package-root.ts";

interface Rule {
  /** Folders of the package whose files may be imported, besides the folder itself. */
  folders: string[];
  packages: string[];
  /** Node's own modules: none, so that it runs in a browser, or all. */
  node: boolean;
}

const pure = (...folders: string[]): Rule => ({ folders, packages: [], node: false });
const host = (folders: string[], ...packages: string[]): Rule => ({ folders, packages, node: true });

/** What the explorer's searches and reports have in common. */
const SEARCH = ["wasm", "explore/exploration.ts", "explore/instrument", "explore/program"];

/** By folder; the longest matching one counts. A folder without a rule is refused. */
const RULES: ReadonlyMap<string, Rule> = new Map([
  ["abi", pure()],
  // The library for WebAssembly's binary format knows nothing of the project and runs in a web page.
  ["wasm", pure()],
  ["kernel", pure("abi")],
  ["user", pure("abi")],
  ["kernel/layout.ts", pure("abi")],
  // What a trace is and what can be computed of one; and workloads, read and compiled. Both run in a web page.
  ["trace", { ...pure("abi"), packages: ["pbf"] }],
  ["workload", { ...pure("abi"), packages: ["jsonc-parser"] }],
  ["toolchain", host(["abi", "wasm", "kernel/layout.ts"], "assemblyscript", "binaryen")],
  ["machines", host(["abi", "kernel/layout.ts", "toolchain", "trace"])],
  // The embedded machine runs in a web page; of the toolchain it needs the names of pause sites, which are data.
  ["machines/sim", pure("abi", "kernel/layout.ts", "machines", "toolchain", "trace")],
  // The explorer's library runs in a web page as well; only what spreads a search over threads needs Node.
  ["explore", pure("wasm")],
  // Linked into each module that is explored; host code reads the addresses, which are constants.
  ["explore/runtime", pure()],
  ["explore/instrument", pure("wasm", "explore/runtime/addresses.ts")],
  ["explore/program", pure("wasm", "explore/instrument")],
  ["explore/search", pure(...SEARCH)],
  ["explore/search/parallel.ts", host(["explore/search", ...SEARCH])],
  ["explore/search/worker.ts", host(["explore/search", ...SEARCH])],
  ["explore/report", pure("explore/search", ...SEARCH)],
  // Put beside the explorer: only its comparison may know it, which a test of its own checks.
  ["explore/oracle", pure("wasm", "explore")],
  ["proof", host(["abi", "toolchain", "machines", "explore", "verify/clause-id.ts"])],
  // The names of the clauses are constants, which every check of the kernel uses.
  ["verify/clause-id.ts", pure()],
  // What checks the kernel. The rig calls one artifact in process; clauses are its checks; scenarios are explored.
  ["verify/rig", host(["abi", "kernel/layout.ts", "toolchain", "machines", "proof", "verify/clause-id.ts"])],
  ["verify/clauses", host(["abi", "wasm", "toolchain", "machines", "proof", "verify/rig", "verify/clause-id.ts"])],
  [
    "verify/scenarios",
    host(["abi", "kernel/layout.ts", "explore", "toolchain", "verify/rig", "verify/clause-id.ts"], "assemblyscript"),
  ],
  // The harness is compiled as the kernel is, and linked with it.
  ["verify/scenarios/harness", pure("abi", "kernel", "verify/scenarios/broken", "verify/scenarios/cost-slots")],
  // Broken kernels are put before the checks and the scenarios; the matrix puts each before every one.
  ["verify/breaks", host(["abi", "toolchain", "explore", "proof", "verify"])],
  ["verify/matrix", host(["abi", "toolchain", "explore", "verify"])],
  ["verify/tables", host(["verify/rig"])],
  // The document of the contract is held to all of these.
  ["verify/contract", host(["abi", "toolchain", "proof", "verify"])],
  // Mutants of the artifact are put before everything that judges it.
  ["verify/mutants", host(["abi", "wasm", "toolchain", "machines", "explore", "proof", "verify"], "binaryen")],
  ["cli", host(["abi", "toolchain", "machines", "explore", "proof", "trace", "verify", "workload"], "commander")],
  ["bench", host(["abi", "wasm", "toolchain", "machines", "explore", "trace", "verify/scenarios"], "commander")],
]);

const IMPORT = /^\s*(?:import|export)\s(?:[^"';]*?\sfrom\s)?\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)/gm;
const TEST = /\.(test|scenario|conformance|bench)\.ts$|\.(test-)?support\.ts$|(^|\/)(testing|fixtures)\//;

/** One line for each import that the table does not allow, and for each circle. root: the package's folder. */
export async function checkDependencies(root: string): Promise<string[]> {
  const lines: string[] = [];
  const graph = new Map<string, string[]>();
  for (const folder of await topFolders(root))
    for (const file of await sourceFiles(root, folder)) {
      const text = await readFile(join(root, file), "utf8");
      const targets: string[] = [];
      for (const match of withoutComments(text).matchAll(IMPORT)) {
        const imported = match[1] ?? match[2] ?? "";
        const message = refusal(file, imported);
        if (message !== null) lines.push(`${file}:${lineOf(text, match.index, match[0])}: ${message}`);
        if (imported.startsWith(".")) targets.push(fileOf(file, imported));
      }
      graph.set(file, targets);
    }
  for (const [first = "", ...others] of findCircles(graph))
    lines.push(`${first}: is in a circle of imports: ${[...others, first].join(", ")}`);
  return lines;
}

/** The file that an import names; the kernel's dialect leaves out the suffix. */
function fileOf(file: string, imported: string): string {
  const target = posix.join(dirname(file).replaceAll("\\", "/"), imported);
  return target.endsWith(".ts") ? target : `${target}.ts`;
}

async function topFolders(root: string): Promise<string[]> {
  const present = await readdir(root);
  const named = new Set([...RULES.keys()].map((folder) => folder.split("/")[0] ?? folder));
  return [...named].filter((folder) => present.includes(folder));
}

async function sourceFiles(root: string, folder: string): Promise<string[]> {
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
    .filter((file) => !TEST.test(file))
    .toSorted();
}

/** Comments become blanks, so that positions stay. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[^]*?\*\/|(?<=^|\s)\/\/.*$/gm, (comment) => comment.replace(/[^\n]/g, " "));
}

function lineOf(text: string, index: number, matched: string): number {
  const start = index + matched.length - matched.trimStart().length;
  return text.slice(0, start).split("\n").length;
}

/** Why a file may not import that, or null. */
function refusal(file: string, imported: string): string | null {
  const folder = ruleFolder(file);
  const rule = RULES.get(folder);
  if (rule === undefined) return `${folder}/ has no rule in dep-gate`;
  if (imported.startsWith(".")) {
    const target = posix.join(dirname(file).replaceAll("\\", "/"), imported);
    const allowed = [folder, ...rule.folders];
    if (allowed.some((one) => target === one || target.startsWith(`${one}/`))) return null;
    return `${label(folder)} must not import ${target}; it may import ${allowed.map(label).join(", ")}`;
  }
  if (imported.startsWith("node:") || !/^[\w@]/.test(imported))
    return rule.node ? null : `${folder}/ must not import ${imported}; it runs without Node`;
  const name = imported
    .split("/")
    .slice(0, imported.startsWith("@") ? 2 : 1)
    .join("/");
  if (rule.packages.includes(name)) return null;
  return `${folder}/ must not import the package ${name}${rule.packages.length > 0 ? `; it may use ${rule.packages.join(", ")}` : ""}`;
}

function label(folder: string): string {
  return folder.endsWith(".ts") ? folder : `${folder}/`;
}

/** The longest folder, or the file itself, that has a rule; else the top folder. */
function ruleFolder(file: string): string {
  const parts = file.split("/");
  const prefixes = parts.map((_, index) => parts.slice(0, parts.length - index).join("/"));
  return prefixes.find((prefix) => RULES.has(prefix)) ?? parts[0] ?? "";
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const lines = await checkDependencies(packageRoot);
  for (const line of lines) process.stderr.write(`${line}\n`);
  if (lines.length > 0) process.exitCode = 1;
  else process.stdout.write("dep-gate: every import is in its place, and none comes back to its file\n");
}
