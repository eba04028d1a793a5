// Image: the kernel of the shipped artifact, the machine layer, and the benchmark in place of the kernel's boot.
//
// Owner: the folders build/bench/*. Invariant: the printed C of the kernel is the shipped image's, byte for byte; what
// the benchmark adds lies in files of its own.
// Pairs with: bench/native, toolchain/gcc.ts (a weak machine_main makes room), board-run.ts (which runs the image).
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { buildArtifacts } from "../toolchain/build.ts";
import { KERNEL_PRINT, type PrintedC, printC } from "../toolchain/c-printer.ts";
import { linkElf } from "../toolchain/gcc.ts";
import { handWrittenUser } from "../toolchain/hand-written-user.ts";
import { packageRoot } from "../toolchain/package-root.ts";

/**
 * operations: every operation by itself, and user tasks. chains: resched chains, with a stamp around each trap that
 * the other image must not pay for.
 */
export type ImageKind = "operations" | "chains";

export type ImageOutcome =
  | { kind: "built"; elf: string }
  /** message: one line. */
  | { kind: "missing-tool"; message: string }
  | { kind: "refused"; lines: string[] };

const NATIVE = join(packageRoot, "bench", "native");
const COMMON_SOURCES = ["bench.c", "situations.c", "resched-chains.c", "twin.c", "twin-chain.c", "measure.S"];

export async function buildImage(kind: ImageKind): Promise<ImageOutcome> {
  const built = await buildArtifacts();
  if (built.kind === "refused") return { kind: "refused", lines: built.lines };
  const folder = join(packageRoot, "build", "bench", kind);
  const chains = kind === "chains";
  const outcome = await linkElf({
    kernel: printC(await readFile(built.artifacts.kernel), KERNEL_PRINT),
    user: await programs(),
    folder,
    elf: join(folder, "bench.elf"),
    extraSources: [...COMMON_SOURCES, ...(chains ? ["trap-stamp.S"] : [])].map((name) => join(NATIVE, name)),
    extraLinkFlags: chains ? ["-Wl,--wrap=kernel_trap"] : [],
  });
  switch (outcome.kind) {
    case "built":
      return { kind: "built", elf: outcome.elf };
    case "missing-compiler":
      return { kind: "missing-tool", message: outcome.message };
    case "refused":
      return { kind: "refused", lines: outcome.diagnostics };
    default:
      return outcome satisfies never;
  }
}

async function programs(): Promise<PrintedC> {
  const code = await readFile(join(NATIVE, "programs.c"), "utf8");
  return handWrittenUser(code, "int32_t");
}
