// gcc: the printed C and the machine layer of virt, compiled and linked to one ELF image.
//
// Owner: the compiler's flags, all of them, are pinned here and nowhere else.
// Invariants: user programs are linked first, as an image of their own at the user's addresses, and then embedded
// as bytes; what the kernel links cannot call into them. Unused functions are left out, so an image for benchmarks
// that names more of the kernel's operations gets more of them.
// Pairs with: c-printer.ts (kernel.c, user.c), machines/virt (everything else), build.ts (which caches the result).
import { execFile } from "node:child_process";
import { access, constants, mkdir, readdir, writeFile } from "node:fs/promises";
import { basename, delimiter, join } from "node:path";
import { abiHeader } from "./abi-header.ts";
import { layoutHeader } from "./layout-header.ts";
import { MEANING_FLAGS, RISCV_FLAGS } from "./c-flags.ts";
import type { PrintedC } from "./c-printer.ts";
import { packageRoot } from "./package-root.ts";
import { moduleName, type UserModule, userModulesCode, userModulesHeader } from "./user-modules.ts";

export interface ElfJob {
  /** kernel.wasm, printed with KERNEL_PRINT. */
  kernel: PrintedC;
  /** user.wasm, printed with USER_PRINT. */
  user: PrintedC;
  /** Further modules of user programs, numbered from 1. */
  modules?: readonly UserModule[];
  /** Folder for what is written on the way (objects, generated headers, stack usage); made when missing. */
  folder: string;
  /** Path of the image to write. */
  elf: string;
  /** Folder of the machine layer's sources; the package's own when absent. */
  machine?: string;
  /** More C or assembly files for the kernel's image, absolute: a benchmark's `machine_main`, for instance. */
  extraSources?: string[];
  /** More flags for linking the kernel's image: `-Wl,--wrap=kernel_trap`, for instance. */
  extraLinkFlags?: string[];
}

export type ElfOutcome =
  /** stackUsage: paths of gcc's .su files, one for each C file of the kernel's image. warnings: one line each. */
  | { kind: "built"; elf: string; stackUsage: string[]; warnings: string[] }
  /** message: one line that states what is missing and how to install it. */
  | { kind: "missing-compiler"; message: string }
  /** diagnostics: the tool's errors, one line each, `file:line:column: error: …` where it has a place. */
  | { kind: "refused"; diagnostics: string[] };

export interface Compiler {
  /** Absolute path up to the tool's name: `${prefix}gcc`, `${prefix}objcopy`. */
  prefix: string;
}

export const COMPILE_FLAGS: readonly string[] = [
  ...RISCV_FLAGS,
  ...MEANING_FLAGS,
  "-fno-isolate-erroneous-paths-dereference",
  // Loops of the kernel turn once or twice: what is set up before them for many turns would cost more than it saves.
  "-fno-move-loop-invariants",
  ...["-std=gnu17", "-g1", "-fno-pic", "-fno-common", "-fno-stack-protector"],
  // memset must not be compiled to a call of memset, and no section of the image is found by unwinding.
  ...["-fno-tree-loop-distribute-patterns", "-fno-asynchronous-unwind-tables"],
  ...["-ffunction-sections", "-fdata-sections", "-fstack-usage", "-fcallgraph-info=su", "-Wall", "-Wextra"],
];

const LINK_FLAGS = ["-nostdlib", "-nostartfiles", "-static", "-Wl,--gc-sections", "-Wl,--no-warn-rwx-segments"];

const TOOL_PREFIXES = ["riscv64-unknown-elf-", "riscv64-elf-"];

/** Files of machines/virt that are linked into the user image instead of the kernel's; memory routines go to both. */
const USER_SOURCES = ["user-entry.S", "user-start.c"];
const SHARED_SOURCE = "memory-routines.c";
/** Constants without a function: gcc reports no stack usage of it. */
const KERNEL_DATA = "kernel-data.c";
/** Compiled last, when the user image exists. */
const EMBEDDING_SOURCE = "user-image.S";

export const COMPILER_MISSING =
  "no RISC-V cross compiler (riscv64-unknown-elf-gcc) on the PATH; mend it with: apt-get install gcc-riscv64-unknown-elf";

/** Where the machine layer's sources lie. */
export const machineFolder = join(packageRoot, "machines", "virt");

/** Generated headers and the printed ones lie in the job's folder, where gcc runs; wasm-c.h beside this file. */
const includeFlags = (machine: string): string[] => ["-I", machine, "-I", join(packageRoot, "toolchain"), "-I", "."];

/** Every source and header that an image depends on besides the printed C, absolute and sorted: for a cache's key. */
export async function machineSources(folder = machineFolder): Promise<string[]> {
  const headers = join(packageRoot, "toolchain");
  const machine = (await readdir(folder)).filter((name) => /\.([chS]|ld)$/.test(name));
  const printed = (await readdir(headers)).filter((name) => name.endsWith(".h"));
  return [...machine.map((name) => join(folder, name)), ...printed.map((name) => join(headers, name))].sort();
}

/** The first cross compiler on the PATH, or undefined. */
export async function findCompiler(path = process.env["PATH"] ?? ""): Promise<Compiler | undefined> {
  for (const tool of TOOL_PREFIXES)
    for (const folder of path.split(delimiter).filter((one) => one !== "")) {
      const prefix = join(folder, tool);
      const found = await access(`${prefix}gcc`, constants.X_OK).then(
        () => true,
        () => false,
      );
      if (found) return { prefix };
    }
  return undefined;
}

/** `12.2.0`, as the compiler prints it. Throws when it cannot be run. */
export async function compilerVersion(compiler: Compiler): Promise<string> {
  const run = await runTool(`${compiler.prefix}gcc`, ["-dumpfullversion"], process.cwd());
  if (run.failed) throw new Error(`${compiler.prefix}gcc does not run: ${run.lines.join(" ")}`);
  return run.lines.join("").trim();
}

/** Compiles and links an image. A warning is reported and does not refuse the image; build gates decide about it. */
export async function linkElf(job: ElfJob, found?: Compiler): Promise<ElfOutcome> {
  const compiler = found ?? (await findCompiler());
  if (compiler === undefined) return { kind: "missing-compiler", message: COMPILER_MISSING };
  await mkdir(job.folder, { recursive: true });
  const modules = job.modules ?? [];
  const names = modules.map((_, index) => moduleName(index + 1));
  const written: Record<string, string> = {
    "abi.h": abiHeader(),
    "layout.h": layoutHeader(),
    "user-modules.h": userModulesHeader(modules),
    "user-modules.c": userModulesCode(modules),
    ...printedFiles("kernel", job.kernel),
    ...printedFiles("user", job.user),
  };
  modules.forEach(({ printed }, index) => Object.assign(written, printedFiles(moduleName(index + 1), printed)));
  for (const [name, text] of Object.entries(written)) await writeFile(join(job.folder, name), text);

  const layer = job.machine ?? machineFolder;
  const steps = new Steps(compiler, job.folder, layer);
  const machine = (await machineSources(layer)).filter((file) => /\.[cS]$/.test(file));
  const own = machine.filter((file) => ![...USER_SOURCES, EMBEDDING_SOURCE].includes(basename(file)));
  const kernelSources = [...own, ...(job.extraSources ?? []), "kernel.c", KERNEL_DATA];
  const userSources = [...USER_SOURCES.map((name) => join(layer, name)), "user-data.c", "user-modules.c"];
  const moduleSources = names.flatMap((name) => [`${name}.c`, `${name}-data.c`]);

  const [kernelObjects, userObjects, moduleObjects, programs] = await Promise.all([
    Promise.all(kernelSources.map((source) => steps.compile(source))),
    Promise.all(userSources.map((source) => steps.compile(source))),
    Promise.all(moduleSources.map((source) => steps.compile(source))),
    steps.compile("user.c"),
    steps.preprocess("link.ld"),
    steps.preprocess("user.ld"),
  ]);
  const userParts = [...userObjects, ...moduleObjects, programs, objectName(SHARED_SOURCE)];
  await steps.link("user.elf", "user.ld", userParts);
  await Promise.all([
    steps.extract("user.elf", ".text", "user-code.bin"),
    steps.extract("user.elf", ".rodata", "user-constants.bin"),
  ]);
  const image = await steps.compile(join(layer, EMBEDDING_SOURCE));
  // The programs are here for user_programCount alone; everything else of them is unused and left out. The kernel loads
  // a shared memory.
  const sharedData = modules.flatMap(({ shared }, index) => (shared ? [`${moduleName(index + 1)}-data.o`] : []));
  await steps.link(job.elf, "link.ld", [...kernelObjects, image, programs, ...sharedData], job.extraLinkFlags);

  if (steps.errors.length > 0) return { kind: "refused", diagnostics: steps.errors };
  const stackUsage = kernelSources
    .filter((source) => source.endsWith(".c") && source !== KERNEL_DATA)
    .map((source) => join(job.folder, objectName(source).replace(/\.o$/, ".su")));
  return { kind: "built", elf: job.elf, stackUsage, warnings: steps.warnings };
}

/** The three files of a printed artifact, by name. */
function printedFiles(name: string, printed: PrintedC): Record<string, string> {
  return { [`${name}.c`]: printed.code, [`${name}-data.c`]: printed.data, [`${name}.h`]: printed.header };
}

function objectName(source: string): string {
  return `${basename(source).replace(/\.[cS]$/, "")}.o`;
}

/** The tool runs of one job. After an error the later steps do nothing: one cause is reported once. */
class Steps {
  readonly errors: string[] = [];
  readonly warnings: string[] = [];
  readonly #compiler: Compiler;
  readonly #folder: string;
  readonly #layer: string;

  constructor(compiler: Compiler, folder: string, layer: string) {
    this.#compiler = compiler;
    this.#folder = folder;
    this.#layer = layer;
  }

  /** Returns the object's name, relative to the folder. */
  async compile(source: string): Promise<string> {
    const object = objectName(source);
    await this.#gcc([...COMPILE_FLAGS, ...includeFlags(this.#layer), "-c", source, "-o", object]);
    return object;
  }

  async preprocess(script: string): Promise<void> {
    const source = join(this.#layer, script);
    await this.#gcc(["-E", "-P", "-x", "c", ...includeFlags(this.#layer), source, "-o", script]);
  }

  async link(output: string, script: string, objects: string[], flags: string[] = []): Promise<void> {
    const architecture = RISCV_FLAGS;
    await this.#gcc([...architecture, ...LINK_FLAGS, ...flags, "-T", script, ...objects, "-lgcc", "-o", output]);
  }

  async extract(image: string, section: string, output: string): Promise<void> {
    await this.#run("objcopy", ["-O", "binary", "-j", section, image, output]);
  }

  #gcc(args: string[]): Promise<void> {
    return this.#run("gcc", args);
  }

  async #run(tool: string, args: string[]): Promise<void> {
    if (this.errors.length > 0) return;
    const run = await runTool(`${this.#compiler.prefix}${tool}`, args, this.#folder);
    const lines = run.lines.map((line) => line.replace(/^\S*\/ld: /, ""));
    if (!run.failed) this.warnings.push(...lines.filter((line) => /warning: /.test(line)));
    else {
      // What follows from an error, and the linker's driver repeating that there was one, would only hide it.
      const reported = lines.filter((line) => !/warning: |note: |^collect2: |: in function |^\s/i.test(line));
      this.errors.push(...(reported.length > 0 ? reported : lines.slice(0, 1)));
    }
  }
}

function runTool(command: string, args: string[], folder: string): Promise<{ failed: boolean; lines: string[] }> {
  return new Promise((resolve) => {
    // Diagnostics are read by people and by gates; a translated compiler would hide its warnings from both.
    const environment = { ...process.env, LC_ALL: "C" };
    execFile(command, args, { cwd: folder, env: environment, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      const lines = `${stdout}${stderr}`.split("\n").filter((line) => line.trim() !== "");
      if (error !== null && lines.length === 0) lines.push(`${basename(command)}: ${error.message}`);
      resolve({ failed: error !== null, lines });
    });
  });
}
