// Printed graph: the kernel printed as C and compiled for virt, as far as gcc's call graph with its frames.
//
// Owner: a temporary folder a call. The machine layer is left out: its functions are named, not compiled.
// Partners: toolchain/stack-depth.ts, which adds the frames up.

import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { abiHeader } from "../../toolchain/abi-header.ts";
import { MEANING_FLAGS, RISCV_FLAGS } from "../../toolchain/c-flags.ts";
import { KERNEL_PRINT, printC } from "../../toolchain/c-printer.ts";
import { findCompiler, machineFolder } from "../../toolchain/gcc.ts";
import { packageRoot } from "../../toolchain/package-root.ts";

export interface PrintedGraph {
  /** Text of the .ci file. */
  readonly graph: string;
  /** The machine layer's functions that the kernel calls, as C names them. */
  readonly machineCalls: ReadonlySet<string>;
}

export async function hasCrossCompiler(): Promise<boolean> {
  return (await findCompiler()) !== undefined;
}

/** Throws where there is no cross compiler, or it refuses the printed C. */
export async function printedGraph(wasm: Uint8Array): Promise<PrintedGraph> {
  const compiler = await findCompiler();
  if (compiler === undefined) throw new Error("no RISC-V cross compiler on the PATH");
  const folder = await mkdtemp(join(tmpdir(), "hartbeat-graph-"));
  try {
    const printed = printC(wasm, KERNEL_PRINT);
    const files = {
      "kernel.c": printed.code,
      "kernel-data.c": printed.data,
      "kernel.h": printed.header,
      "abi.h": abiHeader(),
    };
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    const include = ["-I", machineFolder, "-I", join(packageRoot, "toolchain"), "-I", "."];
    const flags = [...RISCV_FLAGS, ...MEANING_FLAGS, "-fcallgraph-info=su", "-fstack-usage"];
    const args = [...flags, ...include, "-c", "kernel.c", "-o", "kernel.o"];
    await promisify(execFile)(`${compiler.prefix}gcc`, args, { cwd: folder });
    const graph = await readFile(join(folder, "kernel.ci"), "utf8");
    return { graph, machineCalls: new Set(graph.match(/\bmachine_\w+/g) ?? []) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
