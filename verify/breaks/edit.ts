// Edit: a break of the kernel as text, and its application to a copy of the sources.
//
// Owner: one temporary folder a break; the checkout is never touched.
// Invariant: an edit whose old text is not there exactly once is refused: a break that broke nothing proves nothing.
// Partners: table.ts lists edits, trial.ts applies them.

import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export interface Edit {
  /** Relative to the package's folder. */
  readonly file: string;
  /** Exact text that stands there once. */
  readonly old: string;
  readonly new: string;
}

/** Line ends and runs of spaces do not count, so that a reformatted line is still found. */
export type EditOutcome =
  { readonly kind: "applied"; readonly text: string } | { readonly kind: "refused"; readonly reason: string };

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
const COPIED = ["abi", "kernel", "machines/virt/trap.S"] as const;

export type BrokenCopy =
  { readonly kind: "broken"; readonly folder: string } | { readonly kind: "refused"; readonly reason: string };

/** Copies the sources from `root` and applies the edits to the copy. The caller removes the folder; where an edit is refused none is left. */
export async function breakCopy(root: string, edits: readonly Edit[]): Promise<BrokenCopy> {
  const folder = await mkdtemp(join(tmpdir(), "hartbeat-broken-"));
  for (const name of COPIED) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await cp(join(root, name), join(folder, name), { recursive: true });
  }
  await symlink(join(root, "node_modules"), join(folder, "node_modules"), "dir");
  for (const edit of edits) {
    const path = join(folder, edit.file);
    const outcome = applyEdit(await readFile(path, "utf8"), edit);
    if (outcome.kind === "refused") {
      await rm(folder, { recursive: true, force: true });
      return outcome;
    }
    await writeFile(path, outcome.text);
  }
  return { kind: "broken", folder };
}
