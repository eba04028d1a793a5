// Virt trial: one mutant of the machine layer, built and booted on QEMU, judged by the gate.
//
// Owner: one trial at a time; a folder under .hartbeat/mutants/virt. Invariant: a boot that does not end is an outcome of its own
// and no kill: on real harts nothing but a clock could distinguish it from a slow one.
// Pairs with: source-mutants.ts, toolchain/gcc.ts, machines/virt/machine-boot.ts.

import { execFile } from "node:child_process";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { KernelImage } from "../rig/kernel-image.ts";
import { allChecks } from "../clauses/index.ts";
import { isRefutation } from "../rig/refutation.ts";
import { bootVirt } from "../../machines/virt/machine-boot.ts";
import { Gate } from "../../proof/gate.ts";
import { KERNEL_PRINT, type PrintedC, printC, USER_PRINT } from "../../toolchain/c-printer.ts";
import { COMPILER_MISSING, type Compiler, findCompiler, linkElf, machineFolder } from "../../toolchain/gcc.ts";
import { packageRoot } from "../../toolchain/package-root.ts";
import { firstLine } from "./check.ts";
import { type SourceMutant, applySourceMutant } from "./source-mutants.ts";

export type VirtOutcome =
  | { readonly kind: "killed"; readonly by: string; readonly reason: string }
  /** A boot did not end while it was waited for. */
  | { readonly kind: "endless"; readonly by: string }
  /** The image's bytes are those of the unmutated layer. */
  | { readonly kind: "equivalent" }
  | { readonly kind: "survived" }
  /** The compiler refuses it. */
  | { readonly kind: "invalid"; readonly reason: string };

interface Board {
  readonly name: string;
  readonly harts: number;
  readonly icount: boolean;
  readonly aclint: boolean;
}

const BOARDS: readonly Board[] = [
  { name: "boot of 2", harts: 2, icount: true, aclint: false },
  { name: "boot of 4 by SSWI", harts: 4, icount: false, aclint: true },
  { name: "boot of 1", harts: 1, icount: true, aclint: false },
];

/** A boot takes well under a second. Past this it is given up, and its mutant has no kill. */
const WAIT_MS = 30_000;
const FOLDER = join(packageRoot, ".hartbeat", "mutants", "virt");

/** Why it cannot be done here, in one line. */
export class NoToolchain extends Error {}

export class VirtTrials {
  private normal: Buffer | undefined;

  private constructor(
    private readonly compiler: Compiler,
    private readonly kernel: PrintedC,
    private readonly user: PrintedC,
    private readonly image: (root: string) => KernelImage,
  ) {}

  static async open(paths: {
    readonly kernel: string;
    readonly kernelMap: string;
    readonly user: string;
    readonly userSim: string;
  }): Promise<VirtTrials> {
    const compiler = await findCompiler();
    if (compiler === undefined) throw new NoToolchain(COMPILER_MISSING);
    const [kernel, user, userSim] = await Promise.all(
      [paths.kernel, paths.user, paths.userSim].map((path) => readFile(path)),
    );
    if (kernel === undefined || user === undefined || userSim === undefined) throw new Error("an artifact is missing");
    const map = await readFile(paths.kernelMap, "utf8");
    const image = (root: string): KernelImage => new KernelImage(kernel, userSim, map, root);
    return new VirtTrials(compiler, printC(kernel, KERNEL_PRINT), printC(user, USER_PRINT), image);
  }

  async run(mutant: SourceMutant): Promise<VirtOutcome> {
    this.normal ??= await this.unmutated();
    const layer = await this.copyWith(mutant);
    const built = await this.build(layer, "mutant");
    if (built.kind === "refused") return { kind: "invalid", reason: built.reason };
    if (built.bytes.equals(this.normal)) return { kind: "equivalent" };
    const text = await this.textChecks(layer);
    if (text !== undefined) return text;
    let endless: VirtOutcome | undefined;
    for (const board of BOARDS) {
      const outcome = await bootOne(board, built.elf);
      if (outcome.kind === "failed") return { kind: "killed", by: board.name, reason: outcome.reason };
      if (outcome.kind === "endless") endless ??= { kind: "endless", by: board.name };
    }
    return endless ?? { kind: "survived" };
  }

  /** The unmutated image's bytes; throws where it does not pass every boot. */
  private async unmutated(): Promise<Buffer> {
    const layer = await this.copyWith(undefined);
    const built = await this.build(layer, "unmutated");
    if (built.kind === "refused") throw new Error(`the unmutated layer does not build: ${built.reason}`);
    for (const board of BOARDS) {
      const outcome = await bootOne(board, built.elf);
      if (outcome.kind !== "passed")
        throw new Error(`the unmutated layer does not pass ${board.name}: ${outcome.kind}`);
    }
    return built.bytes;
  }

  private async copyWith(mutant: SourceMutant | undefined): Promise<string> {
    const root = join(FOLDER, "root");
    await rm(root, { recursive: true, force: true });
    const layer = join(root, "machines", "virt");
    await cp(machineFolder, layer, { recursive: true });
    await cp(join(packageRoot, "kernel"), join(root, "kernel"), { recursive: true });
    if (mutant !== undefined) {
      const path = join(layer, mutant.file);
      await writeFile(path, applySourceMutant(await readFile(path, "utf8"), mutant));
    }
    return layer;
  }

  private async build(
    layer: string,
    name: string,
  ): Promise<{ kind: "built"; elf: string; bytes: Buffer } | { kind: "refused"; reason: string }> {
    const folder = join(FOLDER, name);
    await mkdir(folder, { recursive: true });
    const elf = join(folder, "hartbeat.elf");
    const { kernel, user, compiler } = this;
    const outcome = await linkElf({ kernel, user, folder, elf, machine: layer }, compiler);
    if (outcome.kind === "missing-compiler") throw new NoToolchain(outcome.message);
    if (outcome.kind === "refused") return { kind: "refused", reason: outcome.diagnostics[0] ?? "refused" };
    const binary = join(folder, "hartbeat.bin");
    await promisify(execFile)(`${compiler.prefix}objcopy`, ["-O", "binary", elf, binary]);
    return { kind: "built", elf, bytes: await readFile(binary) };
  }

  /** Cases that read the layer's sources. */
  private async textChecks(layer: string): Promise<VirtOutcome | undefined> {
    const image = this.image(join(layer, "..", ".."));
    for (const one of allChecks.filter(({ title }) => title.includes("on virt"))) {
      try {
        await one.run(image);
      } catch (thrown) {
        if (!isRefutation(thrown)) throw thrown;
        return { kind: "killed", by: `${one.clause} ${one.title}`, reason: firstLine(thrown) };
      }
    }
    return undefined;
  }
}

async function bootOne(
  { harts, icount, aclint }: Board,
  elf: string,
): Promise<{ kind: "passed" | "endless" } | { kind: "failed"; reason: string }> {
  const gate = new Gate({ machine: "virt", harts, ipi: aclint ? "aclint-sswi" : "firmware", untilMarker: false });
  const run = bootVirt({ elf, harts, icount, aclint });
  let isGivenUp = false;
  const timer = setTimeout(() => {
    isGivenUp = true;
    run.stop();
  }, WAIT_MS);
  try {
    for await (const text of run.lines) {
      gate.feed(text);
      if (gate.isRed) break;
    }
    // Red by what was printed so far is red, however the board ends.
    if (gate.isRed) run.stop();
    const outcome = await run.outcome;
    if (isGivenUp && !gate.isRed) return { kind: "endless" };
    const verdict = gate.conclude(outcome);
    if (verdict.kind === "passed") return { kind: "passed" };
    return { kind: "failed", reason: firstLine(JSON.stringify(verdict)) };
  } finally {
    clearTimeout(timer);
    run.stop();
  }
}
