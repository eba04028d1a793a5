// Patch: the edits of a break applied to a copy of the sources, and that copy compiled.
//
// Owner: one temporary folder a kernel; the checkout is never touched.
// Invariant: an edit whose old text is not there exactly once is refused: a break that broke nothing proves nothing.
// Pairs with: break.ts (what an edit is), toolchain/asc.ts (compiles), trial.ts and the tests of other parts.

import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AscJob, compile, kernelJob } from "../../toolchain/asc.ts";
import { packageRoot } from "../../toolchain/package-root.ts";
import type { Edit } from "./break.ts";

export type EditOutcome =
  { readonly kind: "applied"; readonly text: string } | { readonly kind: "refused"; readonly reason: string };

/** Line ends and runs of spaces do not count, so that a reformatted line is still found. */
export function applyEdit(text: string, edit: Edit): EditOutcome {
  const pattern = new RegExp(
    edit.old
      .trim()
      .split(/\s+/)
      .map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
      .join("\\s+"),
    "g",
  );
  const count = [...text.matchAll(pattern)].length;
  if (count !== 1) {
    const first = edit.old.trim().split("\n")[0] ?? "";
    return { kind: "refused", reason: `${edit.file}: "${first}" stands there ${count} times, not once` };
  }
  return { kind: "applied", text: text.replace(pattern, () => edit.new) };
}

/** What a trial needs of the sources: the kernel, and what its checks read beside it. */
const COPIED = ["abi", "kernel", "machines/virt"] as const;

export interface BrokenKernel {
  readonly kind: "broken";
  readonly wasm: Uint8Array;
  readonly sourceMap: string;
  /** Holds the sources that it was compiled from. */
  readonly folder: string;
}

/** An edit does not fit, or the compiler refuses the kernel. */
export interface RefusedBreak {
  readonly kind: "refused";
  readonly reason: string;
}

/** Hands the kernel with these edits, compiled as it is (no gate stands between), to its user, and removes its folder. */
export async function withBroken<T>(
  edits: readonly Edit[],
  build: AscJob["build"],
  root: string,
  use: (broken: BrokenKernel) => Promise<T>,
): Promise<T | RefusedBreak> {
  const folder = await mkdtemp(join(tmpdir(), "hartbeat-broken-"));
  try {
    const broken = await compileCopy(folder, edits, build, root);
    return broken.kind === "refused" ? broken : await use(broken);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The kernel with these edits. Throws the one line where it is refused. */
export async function brokenKernel(
  edits: readonly Edit[],
  build: AscJob["build"] = "debug",
): Promise<{ wasm: Uint8Array; sourceMap: string }> {
  const outcome = await withBroken(edits, build, packageRoot, async (broken) => broken);
  if (outcome.kind === "refused") throw new Error(outcome.reason);
  return outcome;
}

async function compileCopy(
  folder: string,
  edits: readonly Edit[],
  build: AscJob["build"],
  root: string,
): Promise<BrokenKernel | RefusedBreak> {
  for (const name of COPIED) await cp(join(root, name), join(folder, name), { recursive: true });
  await symlink(join(root, "node_modules"), join(folder, "node_modules"), "dir");
  for (const edit of edits) {
    const path = join(folder, edit.file);
    const applied = applyEdit(await readFile(path, "utf8"), edit);
    if (applied.kind === "refused") return applied;
    await writeFile(path, applied.text);
  }
  const compiled = await compile(kernelJob(folder, build));
  if (compiled.kind === "refused")
    return { kind: "refused", reason: `it does not compile: ${compiled.diagnostics[0] ?? "no reason given"}` };
  const { wasm, sourceMap } = compiled;
  return { kind: "broken", wasm, sourceMap, folder };
}
