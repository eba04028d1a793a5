// Sources: small AssemblyScript programs in a temporary folder, compiled as the kernel is (tests only).
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type AscJob, type AscOutcome, compile } from "../asc.ts";

/** Text by path relative to the root; `kernel/index.ts` is the entry. */
export type Sources = Record<string, string>;

export async function withSources<T>(sources: Sources, work: (root: string) => Promise<T>): Promise<T> {
  const root = mkdtempSync(join(tmpdir(), "hartbeat-sources-"));
  try {
    for (const [name, text] of Object.entries(sources)) {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      writeFileSync(join(root, name), text);
    }
    return await work(root);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

export function compileSources(sources: Sources, build: AscJob["build"]): Promise<AscOutcome> {
  return withSources(sources, (root) =>
    compile({ root, entry: "kernel/index.ts", memory: { pages: 1, shared: true }, build }),
  );
}

/** The same for sources that must compile. */
export async function compiledSources(
  sources: Sources,
  build: AscJob["build"],
): Promise<Extract<AscOutcome, { kind: "compiled" }>> {
  const outcome = await compileSources(sources, build);
  if (outcome.kind === "refused") throw new Error(outcome.diagnostics.join("\n"));
  return outcome;
}
