// Workload machine: machines that run a workload's tasks: the interpreter's image, with the phase table and the task table
// that a workload was compiled to.
//
// sim counts a microsecond as a tick and keeps its harts abreast, so that what a step costs is small beside what tasks do;
// virt has the board's own clock.
// Partners: run.ts, which asks; toolchain/workload-image.ts, which has the images.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { WORKLOAD_TABLE_BASE } from "../abi/workload-table.ts";
import type { MachineRun } from "../machines/machine-run.ts";
import { packageRoot } from "../toolchain/package-root.ts";
import { sha256Of } from "../toolchain/sha256.ts";
import type { WorkloadProgram } from "../toolchain/workload-image.ts";
import type { PhaseTable } from "../workload/phase-table.ts";
import type { CommandEnding } from "./exit-code.ts";
import { refusal, simImages } from "./machine-factory.ts";
import type { MachineKind, MachineSpec } from "./machine-options.ts";
import { hasSources, progress } from "./package-contents.ts";
import { BUILT_IN_PROGRAMS } from "./user-programs.ts";

export type WorkloadOpening =
  | {
      readonly kind: "open";
      /** Of the machine's clock: what a workload is compiled for. */
      readonly ticksPerSecond: number;
      /** SHA-256 of the kernel's artifact, hexadecimal. */
      readonly kernel: string | null;
      /** Whether its runs can be observed. */
      readonly observes: boolean;
      readonly start: (spec: MachineSpec, table: PhaseTable) => MachineRun | Promise<MachineRun>;
    }
  | Exclude<CommandEnding, { kind: "done" }>;

/** Prepares a kind of machine for workloads: artifacts built, tools found. */
export type OpenWorkload = (kind: MachineKind) => Promise<WorkloadOpening>;

const SIM_TICKS_PER_SECOND = 1_000_000;
const VIRT_TICKS_PER_SECOND = 10_000_000;
/** Beyond the duration: a run that takes longer hangs. */
const GRACE_SECONDS = 60;

export async function openWorkload(kind: MachineKind): Promise<WorkloadOpening> {
  switch (kind) {
    case "sim":
      return openSim();
    case "virt":
      return openVirt();
    default:
      return kind satisfies never;
  }
}

/** The task table: a row for each task, whose argument is its number. */
export function taskTableOf({ rows }: PhaseTable): number[] {
  return [rows.length, ...rows.flatMap(({ qos, cpu }, index) => [BUILT_IN_PROGRAMS, qos, cpu, index, 0])];
}

async function openSim(): Promise<WorkloadOpening> {
  const images = await simImages();
  if (images.kind !== "found") return images.kind === "done" ? { kind: "red" } : images;
  const program = hasSources ? await builtProgram() : { sim: join(packageRoot, "build", "workload.sim.wasm") };
  if ("kind" in program) return program;
  const { bootSim } = await import("../machines/sim/machine-boot.ts");
  const [kernel, user, workload] = await Promise.all(
    [images.kernel, images.user, program.sim].map(async (path) => WebAssembly.compile(await readFile(path))),
  );
  if (kernel === undefined || user === undefined || workload === undefined) throw new Error("an image is missing");
  return {
    kind: "open",
    ticksPerSecond: SIM_TICKS_PER_SECOND,
    kernel: sha256Of(await readFile(images.artifact)),
    observes: true,
    start: (spec, table) =>
      bootSim({
        kernel,
        user,
        programs: [workload],
        harts: spec.harts,
        sswi: spec.ipi === "sswi",
        ...(spec.kind === "sim" ? { seed: spec.seed } : {}),
        observe: spec.observe === true,
        pace: "even",
        ticksPerSecond: SIM_TICKS_PER_SECOND,
        stepsMax: spec.harts * SIM_TICKS_PER_SECOND * (table.durationMillis / 1000 + GRACE_SECONDS),
        taskTable: taskTableOf(table),
        userWords: table.words.map((value, index) => ({ address: WORKLOAD_TABLE_BASE + 4 * index, value })),
      }),
  };
}

async function openVirt(): Promise<WorkloadOpening> {
  const { findQemu, QEMU_MISSING } = await import("../machines/virt/qemu.ts");
  const command = await findQemu();
  if (command === undefined) return { kind: "missing-tool", message: QEMU_MISSING };
  if (!hasSources) {
    const message = "this package carries no sources of the image; run it in a clone, or on --machine sim";
    return { kind: "missing-tool", message };
  }
  const program = await builtProgram();
  if ("kind" in program) return program;
  const { buildWorkloadElf, withPhaseTable } = await import("../toolchain/workload-image.ts");
  const image = await buildWorkloadElf(program);
  if (image.kind === "missing-compiler") return { kind: "missing-tool", message: image.message };
  if (image.kind === "refused") return redOf(image);
  const { bootVirt } = await import("../machines/virt/machine-boot.ts");
  const { withTaskTable } = await import("../machines/virt/task-table-image.ts");
  return {
    kind: "open",
    ticksPerSecond: VIRT_TICKS_PER_SECOND,
    kernel: sha256Of(await readFile(join(packageRoot, "build", "kernel.wasm"))),
    observes: true,
    start: async (spec, table) => {
      const bytes = withTaskTable(withPhaseTable(await readFile(image.elf), table.words), taskTableOf(table));
      const elf = await keptImage(bytes);
      const icount = spec.kind === "virt" && spec.icount;
      const observe = spec.observe === true;
      return bootVirt({ elf, command, harts: spec.harts, aclint: spec.ipi === "sswi", icount, observe });
    },
  };
}

async function builtProgram(): Promise<WorkloadProgram | Exclude<CommandEnding, { kind: "done" }>> {
  const { buildWorkloadProgram } = await import("../toolchain/workload-image.ts");
  const outcome = await buildWorkloadProgram({ progress });
  return outcome.kind === "built" ? outcome.program : redOf(outcome);
}

/** A fault of our own sources. */
function redOf(refused: {
  readonly step: string;
  readonly lines: readonly string[];
}): Exclude<CommandEnding, { kind: "done" }> {
  const ending = refusal(refused);
  return ending.kind === "done" ? { kind: "red" } : ending;
}

/** Under `.hartbeat/workloads/`, by what is in it. */
async function keptImage(bytes: Buffer): Promise<string> {
  const folder = join(process.cwd(), ".hartbeat", "workloads");
  await mkdir(folder, { recursive: true });
  const elf = join(folder, `${sha256Of(bytes).slice(0, 16)}.elf`);
  await writeFile(elf, bytes);
  return elf;
}
