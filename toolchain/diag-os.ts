// Diag-os: the OS target compiles, from scratch and without a single warning: asc over kernel and user programs, the
// gates, then gcc over the printed C and the machine layer.
//
// Run as a program (npm run diag-os) it prints one line a finding and exits 1; 3 when the cross compiler is missing.
// Owner: a temporary folder, so that nothing under build/ can make it look better than it is.
// Fulfils: the RFC's `diag-os`. Pairs with: build.ts, which reuses what it finds; this never does.
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type AscJob, compile, kernelJob, USER_MEMORY } from "./asc.ts";
import { KERNEL_PRINT, printC, USER_PRINT } from "./c-printer.ts";
import { passGates } from "./gates.ts";
import { type Compiler, COMPILER_MISSING, findCompiler, linkElf } from "./gcc.ts";
import { packageRoot } from "./package-root.ts";

export type Diagnosis =
  | { kind: "clean" }
  /** lines: one a warning, error or refusal. */
  | { kind: "found"; lines: string[] }
  | { kind: "missing-compiler"; message: string };

/** Compiles everything again. root: the package's folder. */
export async function diagnose(root: string, found?: Compiler): Promise<Diagnosis> {
  const compiler = found ?? (await findCompiler());
  if (compiler === undefined) return { kind: "missing-compiler", message: COMPILER_MISSING };
  const userJob: AscJob = { root, entry: "user/index.ts", memory: USER_MEMORY, build: "optimized" };
  const [kernel, debug, user] = [
    await compile(kernelJob(root, "optimized")),
    await compile(kernelJob(root, "debug")),
    await compile(userJob),
  ];
  if (kernel.kind === "refused") return { kind: "found", lines: kernel.diagnostics };
  if (debug.kind === "refused") return { kind: "found", lines: debug.diagnostics };
  if (user.kind === "refused") return { kind: "found", lines: user.diagnostics };
  const verdicts = [await passGates(root, "kernel", kernel, debug), await passGates(root, "user", user, null)];
  const refusals = verdicts.flatMap((verdict) => verdict.lines);
  if (refusals.length > 0) return { kind: "found", lines: refusals };

  const folder = mkdtempSync(join(tmpdir(), "hartbeat-diag-"));
  try {
    const outcome = await linkElf(
      {
        kernel: printC(kernel.wasm, KERNEL_PRINT),
        user: printC(user.wasm, USER_PRINT),
        folder,
        elf: join(folder, "hartbeat.elf"),
      },
      compiler,
    );
    if (outcome.kind === "missing-compiler") return outcome;
    const lines = outcome.kind === "refused" ? outcome.diagnostics : outcome.warnings;
    return lines.length > 0 ? { kind: "found", lines } : { kind: "clean" };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function report(diagnosis: Diagnosis): number {
  switch (diagnosis.kind) {
    case "clean":
      process.stdout.write("diag-os: the OS target compiles without a warning\n");
      return 0;
    case "found":
      for (const line of diagnosis.lines) process.stderr.write(`${line}\n`);
      return 1;
    case "missing-compiler":
      process.stderr.write(`${diagnosis.message}\n`);
      return 3;
  }
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url))
  process.exitCode = report(await diagnose(packageRoot));
