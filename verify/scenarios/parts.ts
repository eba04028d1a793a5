// Parts: the kernel and the harness that a scenario runs on, linked to one module, with its source lines.
//
// Owner: the caller. Invariant: the kernel's code is not changed but for the numbers of its functions.
// Pairs with: run.ts and operation-costs.ts (explore the module), harness-build.ts (the harness), explore/ (links).

import { readFileSync } from "node:fs";
import type { Linked, SourceLines, Target } from "../../explore/index.ts";
import { decodeModule, findSourceLines, link, linkedSourceMap } from "../../explore/index.ts";
import type { Scenario, Tier } from "./scenario.ts";
import { questionOf } from "./scenario.ts";

export interface Parts {
  readonly kernel: Uint8Array;
  readonly harness: Uint8Array;
  /** Files with their source maps: large, and read only when a counterexample is to be shown. */
  readonly maps?: { readonly kernel: string; readonly harness: string };
}

/** What the explorer is given for a scenario. Throws UnsupportedModule, in one line, when the parts do not fit. */
export function targetOf(scenario: Scenario, tier: Tier, parts: Parts): Target {
  return { wasm: linkedOf(parts).bytes, ...questionOf(scenario, tier) };
}

/** The kernel and its harness as one module. */
export function linkedOf({ kernel, harness }: Parts): Linked {
  return link([
    { name: "kernel", module: decodeModule(kernel) },
    { name: "machine", module: decodeModule(harness) },
  ]);
}

/** A source map of a linked module; undefined where a part has none. */
export function sourceMapOf(linked: Linked, { kernel, harness, maps }: Parts): string | undefined {
  const texts = [readIfThere(maps?.kernel), readIfThere(maps?.harness)] as const;
  if (texts.every((text) => text === undefined)) return undefined;
  return linkedSourceMap(linked, [
    { module: decodeModule(kernel), sourceMap: texts[0], wrappers: ["kernel/shared.ts"] },
    { module: decodeModule(harness), sourceMap: texts[1], wrappers: [] },
  ]);
}

/** Its source lines. The maps are read at the first question, which comes with the first counterexample. */
export function linkedLines(linked: Linked, parts: Parts): SourceLines {
  let lines: SourceLines | undefined;
  return (offset) => {
    lines ??= findSourceLines(decodeModule(linked.bytes), sourceMapOf(linked, parts));
    return lines(offset);
  };
}

function readIfThere(path: string | undefined): string | undefined {
  try {
    return path === undefined ? undefined : readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
