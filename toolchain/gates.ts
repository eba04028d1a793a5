// Gates: what an artifact must pass before it is written, in one place.
//
// Owner: none. The optimised artifact passes the artifact gate; its debug build passes the must-use gate and the loop
// bounds, because the optimiser removes the drops and unrolls the loops that those look for.
// Pairs with: build.ts, which compiles both forms and stops at the first line.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { checkArtifact, type GateRules } from "./artifact-gate.ts";
import { KERNEL_MEMORY, USER_MEMORY } from "./asc.ts";
import { readImportList } from "./import-list.ts";
import { type LoopReport, refuseUnbounded, reportLoops } from "./loop-bounds.ts";
import { checkMustUse, updateFunctions } from "./must-use-gate.ts";
import { readSourceMap } from "../wasm/source-map.ts";

/** One compiled form of an artifact. files: every source read, relative to the root. */
export interface CompiledForm {
  wasm: Uint8Array;
  sourceMap: string;
  files: string[];
}

export interface GateVerdict {
  /** The gate that refused first; null when all passed. */
  gate: "artifact gate" | "must-use gate" | "loop bounds" | null;
  lines: string[];
  loops: LoopReport[];
}

/** The rules for the kernel or the user programs, read from the sources under the root. */
export async function readRules(root: string, role: "kernel" | "user"): Promise<GateRules> {
  const module = role === "kernel" ? "machine" : "os";
  const text = await readFile(join(root, role, `${module}.ts`), "utf8");
  const imports = readImportList(module, text);
  if (role === "kernel") return { imports, memory: KERNEL_MEMORY, atomicsInterface: "kernel/shared" };
  return { imports, memory: USER_MEMORY, atomicsInterface: null };
}

/** Runs every gate that needs no C. User programs may loop for ever and drop what a system call answers: they are preempted. */
export async function passGates(
  root: string,
  role: "kernel" | "user",
  optimized: CompiledForm,
  debug: CompiledForm | null,
): Promise<GateVerdict> {
  const artifact = checkArtifact(optimized.wasm, readSourceMap(optimized.sourceMap), await readRules(root, role));
  if (artifact.length > 0) return { gate: "artifact gate", lines: artifact, loops: [] };
  if (debug === null) return { gate: null, lines: [], loops: [] };
  const map = readSourceMap(debug.sourceMap);
  const atomicsFile = await readFile(join(root, "kernel/shared.ts"), "utf8").catch(() => "");
  const discarded = checkMustUse(debug.wasm, map, updateFunctions("kernel/shared.ts", atomicsFile));
  if (discarded.length > 0) return { gate: "must-use gate", lines: discarded, loops: [] };
  const texts = await Promise.all(
    debug.files.map(async (name) => [name, await readFile(join(root, name), "utf8")] as const),
  );
  const loops = reportLoops(debug.wasm, map, new Map(texts));
  const unbounded = refuseUnbounded(loops);
  return { gate: unbounded.length > 0 ? "loop bounds" : null, lines: unbounded, loops };
}
