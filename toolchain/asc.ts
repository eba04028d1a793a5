// AssemblyScript compiler: one entry file in, one wasm artifact and its source map out.
//
// Owner: the compiler options, all of them, are pinned here and nowhere else.
// Invariants: the artifact imports its memory as env.memory, frozen (initial = maximum), and nothing from the
// AssemblyScript runtime; the first 4 KiB of the memory hold no data, so that virt can leave them unmapped.
// Pairs with: build.ts, which writes what this returns; must-use-gate.ts and loop-bounds.ts, which read debug builds.
import type { Parser } from "assemblyscript";
import type binaryen from "binaryen";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { KERNEL_PAGES, USER_MEMORY_BYTES } from "../abi/layout.ts";
import { renameFunctions } from "../wasm/names.ts";
import { byteTexts } from "./byte-texts.ts";
import { directiveMistakes, inlineMarked, keepOutOfLine, outOfLineFunctions } from "./inlining.ts";
import { packageRoot } from "./package-root.ts";

/** The memory that an artifact imports. pages: of 64 KiB each. */
export interface MemoryLimits {
  pages: number;
  shared: boolean;
}

export interface AscJob {
  /** Folder that file names are relative to, in the source map and in messages. */
  root: string;
  /** Entry file, relative to the root. */
  entry: string;
  memory: MemoryLimits;
  /** A debug build keeps every call and drop where the source has it. */
  build: "optimized" | "debug";
  /** bytes: string literals are constant bytes, see byte-texts.ts. AssemblyScript's strings where this is left out. */
  texts?: "bytes";
  /** Left out of the names of functions, where they begin with it: `kernel/scheduler/pick` is `scheduler/pick`. */
  namePrefix?: string;
  /** First byte of the data segments; DATA_BASE where this is left out. */
  dataBase?: number;
  /** imported: a failed assertion calls env.abort with its place; it is an unreachable where this is left out. */
  abort?: "imported";
  /** imported: what indirect calls reach comes from outside; it is the module's own functions where this is left out. */
  table?: "imported";
  /** provided: the sources may import "hartbeat/user", wherever they lie, and a warning refuses nothing. */
  sdk?: "provided";
}

/** root: the folder that holds kernel/. */
export function kernelJob(root: string, build: AscJob["build"]): AscJob {
  const job: AscJob = { root, entry: "kernel/index.ts", memory: KERNEL_MEMORY, build, texts: "bytes" };
  // Names are a tenth of the artifact. A debug build keeps them whole: its gate compares them with asc's.
  return build === "optimized" ? { ...job, namePrefix: "kernel/" } : job;
}

export type AscOutcome =
  /** sourceMap: version 3, its mappings are byte offsets in the wasm. files: every source read, relative to the root. */
  | { kind: "compiled"; wasm: Uint8Array; sourceMap: string; files: string[]; warnings: string[] }
  /** diagnostics: one line each, `file:line:column: message`. */
  | { kind: "refused"; diagnostics: string[] };

export const KERNEL_MEMORY: MemoryLimits = { pages: KERNEL_PAGES, shared: true };
export const USER_MEMORY: MemoryLimits = { pages: USER_MEMORY_BYTES / 65536, shared: false };

/** First byte of the data segments; everything below is never used (see the header). */
export const DATA_BASE = 4096;

/** The compiler's arguments for a job, without the entry. Part of the cache's key in build.ts. */
export function ascArguments(job: AscJob): string[] {
  const { pages, shared } = job.memory;
  const options = [
    "--runtime stub --importMemory --noExportMemory --zeroFilledMemory --enable threads",
    `--memoryBase ${job.dataBase ?? DATA_BASE} --initialMemory ${pages} --maximumMemory ${pages}`,
    shared ? "--sharedMemory" : "",
    job.build === "optimized" ? "-O3 --converge" : "--optimizeLevel 0",
    // Keeps the names section.
    "--debug",
    job.abort === "imported" ? "" : "--use abort=",
    job.table === "imported" ? "--importTable" : "",
    "--outFile out.wasm --sourceMap --noColors",
  ];
  return options.join(" ").trim().split(/ +/);
}

/** Severity of a diagnostic, as AssemblyScript numbers it. */
const SEVERITY_ERROR = 3;
const SEVERITY_WARNING = 2;

interface Diagnostic {
  message: string;
  code: number;
  category: number;
  range: { start: number; source: { normalizedPath: string } | null } | null;
}

/** Compiles one entry file. A warning refuses the artifact as an error does: nothing is let through unread. */
export async function compile(job: AscJob): Promise<AscOutcome> {
  const { root, sdk } = job;
  // The compiler is 10 MB of JavaScript and binaryen 13: loaded only when something must be compiled.
  const { default: asc } = await import("assemblyscript/asc");
  const library = await import("assemblyscript");
  const outputs = new Map<string, Uint8Array | string>();
  const texts = new Map<string, string>();
  const found: Diagnostic[] = [];

  /** Runs after parsing, and between asc's code generation and its optimizer, which does most of the inlining. */
  class Inlining {
    // asc sets this on the prototype.
    declare readonly binaryen: typeof binaryen;
    afterParse({ sources }: Parser): void {
      for (const source of sources) inlineMarked(library, source, texts.get(source.normalizedPath) ?? "");
    }
    afterCompile(module: binaryen.Module): void {
      const names = [...texts].flatMap(([name, text]) => outOfLineFunctions(name, text));
      keepOutOfLine(this.binaryen, module, names);
    }
  }

  const result = await asc.main([job.entry, ...ascArguments(job)], {
    transforms: [Inlining as never, ...(job.texts === "bytes" ? [(await byteTexts()) as never] : [])],
    stdout: asc.createMemoryStream(),
    stderr: asc.createMemoryStream(),
    readFile: async (name: string) => {
      const path = (sdk === "provided" ? sdkPath(name) : null) ?? join(root, name);
      const text = await readFile(path, "utf8").catch(() => null);
      if (text !== null) texts.set(name, text);
      return text;
    },
    writeFile: (name: string, contents: Uint8Array | string) => void outputs.set(name, contents),
    listFiles: () => [],
    reportDiagnostic: (diagnostic: unknown) => void found.push(diagnostic as Diagnostic),
  });

  const described = (severity: number): string[] =>
    found.filter((one) => one.category === severity).map((one) => describe(one, texts));
  const warnings = described(SEVERITY_WARNING);
  const diagnostics = [
    ...described(SEVERITY_ERROR),
    ...(sdk === "provided"
      ? []
      : [...warnings, ...[...texts].flatMap(([name, text]) => directiveMistakes(name, text))]),
  ];
  const wasm = outputs.get("out.wasm");
  const sourceMap = outputs.get("out.wasm.map");
  if (diagnostics.length === 0 && result.error === null && wasm instanceof Uint8Array && typeof sourceMap === "string")
    return {
      kind: "compiled",
      wasm: shortNames(wasm, job.namePrefix),
      sourceMap,
      files: [...texts.keys()].filter((name) => name.endsWith(".ts")).toSorted(),
      warnings,
    };
  if (diagnostics.length === 0) diagnostics.push(`${job.entry}: ${result.error?.message ?? "asc wrote no output"}`);
  return { kind: "refused", diagnostics };
}

function shortNames(wasm: Uint8Array, prefix: string | undefined): Uint8Array {
  if (prefix === undefined) return wasm;
  return renameFunctions(wasm, (name) => (name.startsWith(prefix) ? name.slice(prefix.length) : name));
}

/**
 * Where the SDK's files lie: asc looks for the package in every `node_modules` above the program, and for what its files
 * import beside it. Null for other files.
 */
function sdkPath(name: string): string | null {
  const [, folder, file] = /(?:^|\/)node_modules\/(hartbeat|abi)\/([\w-]+\.ts)$/.exec(name.replaceAll("\\", "/")) ?? [];
  if (folder === undefined || file === undefined) return null;
  if (folder === "abi") return join(packageRoot, "abi", file);
  return join(packageRoot, "user", file === "user.ts" ? "sdk.ts" : file);
}

function describe(diagnostic: Diagnostic, texts: Map<string, string>): string {
  const severity = diagnostic.category === SEVERITY_ERROR ? "error" : "warning";
  const description = `${severity} AS${diagnostic.code}: ${diagnostic.message.replace(/\s+/g, " ")}`;
  const path = diagnostic.range?.source?.normalizedPath;
  if (path === undefined || diagnostic.range === null) return description;
  const before = (texts.get(path) ?? "").slice(0, diagnostic.range.start);
  const line = before.split("\n").length;
  const column = before.length - before.lastIndexOf("\n");
  return `${path}:${line}:${column}: ${description}`;
}
