// Clang: one C file to a module that runs as a user program: the system's clang and wasm-ld, else npm's @yowasp/clang.
//
// Owner: the compiler's and linker's flags. The C stack lies at the memory's start and grows down: what overruns it leaves
// the memory and faults. Stack and data must fit USER_MEMORY_BYTES, or the linker refuses.
// Pairs with: user/hartbeat-user.h, which every program may include; program-source.ts.

import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { USER_MEMORY_BYTES } from "../abi/layout.ts";
import { packageRoot } from "./package-root.ts";

export type CompileOutcome =
  | { kind: "compiled"; wasm: Uint8Array; warnings: string[] }
  /** lines: the compiler's own. */
  | { kind: "refused"; compiler: string; lines: string[] }
  /** message: one line that states what is missing and how to install it. */
  | { kind: "missing-compiler"; message: string };

/** Bytes of a C program's stack in its linear memory. */
const STACK_BYTES = 8192;

const COMPILE_FLAGS: readonly string[] = [
  ..."--target=wasm32-unknown-unknown -std=gnu17 -O2 -ffreestanding -fno-builtin-printf".split(" "),
  ..."-mbulk-memory -msign-ext -mmutable-globals -Wall -fno-color-diagnostics".split(" "),
];

const LINK_FLAGS: readonly string[] = [
  "--no-entry",
  "--import-memory",
  "--stack-first",
  "-z",
  `stack-size=${STACK_BYTES}`,
  `--initial-memory=${USER_MEMORY_BYTES}`,
  `--max-memory=${USER_MEMORY_BYTES}`,
];

const HEADER = "hartbeat-user.h";

const MISSING =
  "no compiler for C programs (clang with the target wasm32, and wasm-ld) on the PATH; mend it with: apt-get install clang lld, or: npm install @yowasp/clang";

/** Compiles and links one file. */
export async function compileC(path: string): Promise<CompileOutcome> {
  if (await hasSystemClang()) return compileWithSystem(path);
  const packaged = await packagedClang();
  if (packaged !== null) return compileWithPackage(path, packaged);
  return { kind: "missing-compiler", message: MISSING };
}

export async function hasSystemClang(): Promise<boolean> {
  const [clang, linker] = await Promise.all([
    runTool("clang", ["--print-targets"], "."),
    runTool("wasm-ld", ["--version"], "."),
  ]);
  return !clang.failed && !linker.failed && clang.lines.some((line) => /\bwasm32\b/.test(line));
}

async function compileWithSystem(path: string): Promise<CompileOutcome> {
  const folder = await mkdtemp(join(tmpdir(), "hartbeat-c-"));
  const [object, output] = [join(folder, "program.o"), join(folder, "program.wasm")];
  try {
    const header = join(packageRoot, "user");
    const compiled = await runTool(
      "clang",
      [...COMPILE_FLAGS, "-I", header, "-c", "-o", object, basename(path)],
      dirname(path),
    );
    if (compiled.failed) return { kind: "refused", compiler: "clang", lines: compiled.lines };
    // By wasm-ld itself: clang would run a wasm-opt that it finds on the path.
    const linked = await runTool("wasm-ld", [...LINK_FLAGS, "-o", output, object], folder);
    if (linked.failed) return { kind: "refused", compiler: "wasm-ld", lines: linked.lines };
    return { kind: "compiled", wasm: await readFile(output), warnings: [...compiled.lines, ...linked.lines] };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What this uses of the package. */
interface PackagedClang {
  /** Without arguments it only loads itself. */
  readonly runLLVM: (args: null, files: object, options: { readonly fetchProgress: () => void }) => Promise<unknown>;
  readonly runClang: (
    args: readonly string[],
    files: Record<string, Uint8Array | string>,
    options: { readonly stderr: (bytes: Uint8Array | null) => void },
  ) => Promise<Record<string, unknown>>;
  readonly Exit: new () => Error;
}

async function packagedClang(): Promise<PackagedClang | null> {
  const name = "@yowasp/clang";
  try {
    return (await import(name)) as PackagedClang;
  } catch {
    return null;
  }
}

/** In the package's virtual folder lie the program, the headers beside it, and the SDK's. */
export async function compileWithPackage(
  path: string,
  { runLLVM, runClang, Exit }: PackagedClang,
): Promise<CompileOutcome> {
  const headers = (await readdir(dirname(path))).filter((name) => name.endsWith(".h"));
  const files: Record<string, Uint8Array> = { [HEADER]: await readFile(join(packageRoot, "user", HEADER)) };
  for (const name of [...headers, basename(path)]) files[name] = await readFile(join(dirname(path), name));
  let errors = "";
  const decoder = new TextDecoder();
  const options = {
    stderr: (bytes: Uint8Array | null) =>
      void (errors += bytes === null ? "" : decoder.decode(bytes, { stream: true })),
  };
  // runClang would print its progress on stdout.
  await runLLVM(null, {}, { fetchProgress: () => undefined });
  const link = LINK_FLAGS.map((flag) => `-Wl,${flag}`);
  const args = ["clang", ...COMPILE_FLAGS, "-I.", "-nostdlib", ...link, basename(path), "-o", "program.wasm"];
  try {
    const { "program.wasm": wasm } = await runClang(args, files, options);
    if (!(wasm instanceof Uint8Array)) throw new Error("@yowasp/clang wrote no module");
    return { kind: "compiled", wasm, warnings: toLines(errors) };
  } catch (error) {
    if (!(error instanceof Exit)) throw error;
    return { kind: "refused", compiler: "@yowasp/clang", lines: toLines(errors) };
  }
}

function runTool(
  command: string,
  args: readonly string[],
  folder: string,
): Promise<{ failed: boolean; lines: string[] }> {
  return new Promise((resolve) => {
    const environment = { ...process.env, LC_ALL: "C" };
    execFile(command, args, { cwd: folder, env: environment, maxBuffer: 1 << 26 }, (error, stdout, stderr) =>
      resolve({ failed: error !== null, lines: toLines(`${stdout}${stderr}`) }),
    );
  });
}

function toLines(text: string): string[] {
  return text.split("\n").filter((line) => line.trim() !== "");
}
