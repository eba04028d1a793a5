// Build: sources to artifacts, gates in between, nothing done twice.
//
//   kernel/, user/, abi/ --asc--> kernel.wasm, user.wasm --gates--> --pausable--> kernel.sim.wasm, user.sim.wasm
//                                                                  --C printer--> kernel.c, user.c --gcc--> hartbeat.elf
//
// Owner: the folder build/. Invariant: an artifact under build/ passed every gate; a second call with the same inputs
// reads and hashes the sources and starts neither asc nor Binaryen nor gcc.
// Pairs with: build-cache.ts; the steps, one file each.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { TRAP_STACK_BYTES } from "../abi/layout.ts";
import { type AscJob, type AscOutcome, compile, kernelJob, USER_MEMORY } from "./asc.ts";
import { filesIn, hashOf, isFresh, type Outputs, stampedHash, store, whileLocked } from "./build-cache.ts";
import { packageRoot } from "./package-root.ts";
import { checkStackDepth, type StackReport } from "./stack-depth.ts";
import type { UserModule } from "./user-modules.ts";

export interface BuildOptions {
  /** Folder that holds abi/, kernel/, user/, wasm/ and toolchain/; the package's own by default. */
  root?: string;
  /** Where a line of progress goes; standard error when it is a terminal, by default. */
  progress?: (line: string) => void;
}

/** Absolute paths. */
export interface Artifacts {
  kernel: string;
  user: string;
  kernelSim: string;
  userSim: string;
  /** Source maps of kernel and user. */
  kernelMap: string;
  userMap: string;
  /** Hash of every input, hexadecimal. */
  hash: string;
  /** What is known about each loop of the kernel: an array of LoopReport, JSON. */
  loops: string;
}

export type BuildOutcome =
  /** reused: nothing had to be built. */
  | { kind: "built"; artifacts: Artifacts; reused: boolean }
  /** step: what refused; lines: one a reason, `file:line:column: …` where there is a place. */
  | { kind: "refused"; step: string; lines: string[] };

export type ElfBuildOutcome =
  | { kind: "built"; elf: string; reused: boolean }
  /** message: one line that states what is missing and how to install it. */
  | { kind: "missing-compiler"; message: string }
  | { kind: "refused"; step: string; lines: string[] };

/** A step was refused; carries what BuildOutcome reports of it. */
export class StepRefused extends Error {
  constructor(
    readonly step: string,
    readonly lines: string[],
  ) {
    super(`${step}: ${lines.join("; ")}`);
  }
}

const toTerminal = (line: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`${line}\n`);
};

/** Makes kernel.wasm, user.wasm and their pausable forms under build/, or finds them fresh. */
export async function buildArtifacts(options: BuildOptions = {}): Promise<BuildOutcome> {
  const root = options.root ?? packageRoot;
  const progress = options.progress ?? toTerminal;
  const folder = join(root, "build");
  if (!existsSync(join(root, "kernel/index.ts"))) return shippedArtifacts(folder);
  const hash = await hashOf(root, await artifactInputs(root), await toolVersions(root));
  const built = (reused: boolean): BuildOutcome => ({ kind: "built", artifacts: artifactPaths(folder, hash), reused });
  if (await isFresh(folder, "artifacts", hash)) return built(true);
  return whileLocked(folder, async () => {
    if (await isFresh(folder, "artifacts", hash)) return built(true);
    const outputs = await refusals(() => makeArtifacts(root, progress));
    if ("kind" in outputs) return outputs;
    await store(folder, "artifacts", hash, outputs);
    return built(false);
  });
}

/** A published package has artifacts and no sources: what was built for it is what there is. */
async function shippedArtifacts(folder: string): Promise<BuildOutcome> {
  const hash = await stampedHash(folder, "artifacts");
  if (hash !== null) return { kind: "built", artifacts: artifactPaths(folder, hash), reused: true };
  return {
    kind: "refused",
    step: "build",
    lines: [`${folder}: neither sources nor complete artifacts; install the package again`],
  };
}

/** Makes build/hartbeat.elf, artifacts first, or finds it fresh. */
export async function buildElf(options: BuildOptions = {}): Promise<ElfBuildOutcome> {
  const root = options.root ?? packageRoot;
  const progress = options.progress ?? toTerminal;
  const folder = join(root, "build");
  const artifacts = await buildArtifacts(options);
  if (artifacts.kind === "refused") return artifacts;
  if (!existsSync(join(root, "machines/virt")) && (await stampedHash(folder, "elf")) !== null)
    return { kind: "built", elf: join(folder, "hartbeat.elf"), reused: true };
  const { findCompiler, COMPILER_MISSING } = await import("./gcc.ts");
  const compiler = await findCompiler();
  const elf = join(folder, "hartbeat.elf");
  const layer = await filesIn(root, "machines/virt", /\.([chS]|ld)$/);
  const version = compiler === undefined ? "none" : await versionLine(`${compiler.prefix}gcc`);
  const hash = await hashOf(root, layer, [artifacts.artifacts.hash, version]);
  if (await isFresh(folder, "elf", hash)) return { kind: "built", elf, reused: true };
  if (compiler === undefined) return { kind: "missing-compiler", message: COMPILER_MISSING };
  return whileLocked(folder, async () => {
    if (await isFresh(folder, "elf", hash)) return { kind: "built", elf, reused: true };
    progress("printing C, compiling the image for virt");
    const outputs = await refusals(() => shippedImage(artifacts.artifacts, join(folder, "virt")));
    if ("kind" in outputs) return outputs;
    await store(folder, "elf", hash, outputs);
    return { kind: "built", elf, reused: false };
  });
}

function artifactPaths(folder: string, hash: string): Artifacts {
  const path = (name: string): string => join(folder, name);
  return {
    kernel: path("kernel.wasm"),
    user: path("user.wasm"),
    kernelSim: path("kernel.sim.wasm"),
    userSim: path("user.sim.wasm"),
    kernelMap: path("kernel.wasm.map"),
    userMap: path("user.wasm.map"),
    loops: path("loops.json"),
    hash,
  };
}

/** The toolchain's own text is an input: a changed printer or gate makes everything stale. */
async function artifactInputs(root: string): Promise<string[]> {
  const folders = await Promise.all([
    filesIn(root, "abi", /\.ts$/),
    filesIn(root, "kernel", /\.ts$/),
    filesIn(root, "user", /\.ts$/),
    filesIn(root, "toolchain", /\.(ts|h)$/),
    filesIn(root, "wasm", /\.ts$/),
  ]);
  return folders.flat();
}

async function toolVersions(root: string): Promise<string[]> {
  const versions = await Promise.all(
    ["assemblyscript", "binaryen"].map(async (name) => {
      const text = await readFile(join(root, "node_modules", name, "package.json"), "utf8").catch(() => "{}");
      return `${name} ${(JSON.parse(text) as { version?: string }).version}`;
    }),
  );
  return versions;
}

function versionLine(compiler: string): Promise<string> {
  return new Promise((resolve) => {
    execFile(compiler, ["--version"], (error, stdout) =>
      resolve(error === null ? (stdout.split("\n")[0] ?? "") : "broken"),
    );
  });
}

/** What a step refused becomes an outcome; any other error is ours and passes on. */
async function refusals<T>(work: () => Promise<T>): Promise<T | { kind: "refused"; step: string; lines: string[] }> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StepRefused) return { kind: "refused", step: error.step, lines: error.lines };
    throw error;
  }
}

async function makeArtifacts(root: string, progress: (line: string) => void): Promise<Outputs> {
  const userJob: AscJob = { root, entry: "user/index.ts", memory: USER_MEMORY, build: "optimized" };
  progress("compiling kernel and user programs");
  const kernel = await compiled(kernelJob(root, "optimized"));
  const user = await compiled(userJob);
  progress("passing the gates");
  const { passGates } = await import("./gates.ts");
  const debug = await compiled(kernelJob(root, "debug"));
  const verdicts = [await passGates(root, "kernel", kernel, debug), await passGates(root, "user", user, null)];
  for (const verdict of verdicts) if (verdict.gate !== null) throw new StepRefused(verdict.gate, verdict.lines);
  progress("making them pausable");
  const { makePausable } = await import("./pausable.ts");
  return new Map<string, Uint8Array | string>([
    ["kernel.wasm", kernel.wasm],
    ["kernel.wasm.map", kernel.sourceMap],
    ["user.wasm", user.wasm],
    ["user.wasm.map", user.sourceMap],
    ["kernel.sim.wasm", makePausable(kernel.wasm)],
    ["user.sim.wasm", makePausable(user.wasm, { loops: "countdown" })],
    ["loops.json", `${JSON.stringify(verdicts[0]?.loops, null, 2)}\n`],
  ]);
}

async function compiled(job: AscJob): Promise<Extract<AscOutcome, { kind: "compiled" }>> {
  const outcome = await compile(job);
  if (outcome.kind === "refused") throw new StepRefused("asc", outcome.diagnostics);
  return outcome;
}

async function shippedImage(artifacts: Artifacts, folder: string): Promise<Outputs> {
  const { elf, stack } = await linkImage(artifacts, folder, []);
  return new Map<string, Uint8Array | string>([
    ["hartbeat.elf", elf],
    ["stack.json", `${JSON.stringify({ bytes: stack.bytes, of: TRAP_STACK_BYTES, path: stack.path }, null, 2)}\n`],
  ]);
}

/** Compiles and links the shipped kernel with the built-in programs and further modules; throws StepRefused. */
export async function linkImage(
  artifacts: Artifacts,
  folder: string,
  modules: readonly UserModule[],
): Promise<{ elf: Uint8Array; stack: StackReport }> {
  const { KERNEL_PRINT, printC, USER_PRINT } = await import("./c-printer.ts");
  const { linkElf } = await import("./gcc.ts");
  const elf = join(folder, "hartbeat.elf");
  const outcome = await linkElf({
    kernel: printC(await readFile(artifacts.kernel), KERNEL_PRINT),
    user: printC(await readFile(artifacts.user), USER_PRINT),
    modules,
    folder,
    elf,
  });
  if (outcome.kind === "missing-compiler") throw new StepRefused("gcc", [outcome.message]);
  if (outcome.kind === "refused") throw new StepRefused("gcc", outcome.diagnostics);
  const stack = await stackReport(outcome.stackUsage);
  if (stack.refusals.length > 0) throw new StepRefused("stack depth", stack.refusals);
  return { elf: await readFile(elf), stack };
}

/** Bytes of a trap stack that no path may need: the reserve at its top, and room to be wrong. */
const STACK_MARGIN_BYTES = 1024;

/** stackUsage: gcc's .su files; the call graphs lie beside them. */
async function stackReport(stackUsage: string[]): Promise<StackReport> {
  const { machineSources } = await import("./gcc.ts");
  const read = (path: string): Promise<string> => readFile(path.replace(/\.su$/, ".ci"), "utf8");
  const graphs = await Promise.all(stackUsage.map(async (path) => ({ text: await read(path), entered: true })));
  // The programs are linked for one function that returns how many there are; the others run on stacks of their own.
  graphs.push({ text: await read(join(dirname(stackUsage[0] ?? ""), "user.su")), entered: false });
  const assembly = (await machineSources()).filter((name) => name.endsWith(".S"));
  const texts = await Promise.all(assembly.map((name) => readFile(name, "utf8")));
  const names = texts.flatMap((text) => [...text.matchAll(/^\s*\.globl\s+(\w+)/gm)].map((match) => match[1] ?? ""));
  return checkStackDepth(graphs, new Set(names), { stackBytes: TRAP_STACK_BYTES, marginBytes: STACK_MARGIN_BYTES });
}
