// Run: one scenario explored over a kernel, from the artifact's bytes to a result that can be saved.
//
// The kernel's own code is what boots: it is linked, unchanged but for the numbers of functions, with the harness that
// supplies its imports. The certificate carries the hashes of both.
// Owner: the caller. Invariant: a certificate is made only of an exploration that came to its end.
// Pairs with: scenario.ts (what), explore/ (how), compile.ts (the harness), the command.

import { readFileSync } from "node:fs";
import type {
  Certificate,
  Counterexample,
  Exploration,
  ExploreOptions,
  IncompleteReason,
  Linked,
  SourceLines,
  Target,
} from "../../explore/index.ts";
import {
  certificateOf,
  decodeModule,
  describeViolation,
  explore,
  findSourceLines,
  link,
  linkedSourceMap,
} from "../../explore/index.ts";
import type { OperationCosts } from "./operation-costs.ts";
import type { Scenario, Tier } from "./scenario.ts";
import { questionOf, wordsOf } from "./scenario.ts";

export interface KernelCertificate extends Certificate {
  readonly about: string;
  readonly clauses: readonly string[];
  readonly harts: number;
  readonly tier: Tier;
  /** The artifact that boots, and the model of the machine around it. SHA-256, hexadecimal. */
  readonly kernel: { readonly sha256: string; readonly bytes: number };
  readonly harness: { readonly sha256: string; readonly bytes: number };
  /** What stands in for the parts of the state that were left out, and why that is sound. */
  readonly leftOut: string;
  readonly transitionsPerSecond: number;
  /** What one call of each operation takes at worst, by a search of its own; null: not asked for. */
  readonly operations: OperationCosts | null;
}

export type ScenarioResult =
  | { readonly kind: "passed"; readonly certificate: KernelCertificate }
  /** words: one line that says what is broken. */
  | {
      readonly kind: "violated";
      readonly words: string;
      readonly counterexample: Counterexample;
      /** The linked module that it is about, and its source map, where the parts have theirs. */
      readonly module: Uint8Array;
      readonly sourceMap: string | undefined;
      readonly exploration: Exploration;
    }
  | { readonly kind: "incomplete"; readonly reason: IncompleteReason; readonly exploration: Exploration };

export interface Parts {
  readonly kernel: Uint8Array;
  readonly harness: Uint8Array;
  /** Files with their source maps: large, and read only when a counterexample is to be shown. */
  readonly maps?: { readonly kernel: string; readonly harness: string };
}

const LEFT_OUT = {
  ghost:
    "evidence rings, event numbers, counters and console lines: written by the kernel, read by selftests and reports only, neither of which runs here",
  kept: "console lines: written by the kernel and never read",
} as const;

/** What the explorer is given for a scenario. Throws UnsupportedModule, in one line, when the parts do not fit. */
export function targetOf(scenario: Scenario, tier: Tier, parts: Parts): Target {
  return { wasm: linkedOf(parts).bytes, ...questionOf(scenario, tier) };
}

function linkedOf({ kernel, harness }: Parts): Linked {
  return link([
    { name: "kernel", module: decodeModule(kernel) },
    { name: "machine", module: decodeModule(harness) },
  ]);
}

/** A source map of a linked module; undefined where a part has none. */
function sourceMapOf(linked: Linked, { kernel, harness, maps }: Parts): string | undefined {
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

export interface RunOptions extends ExploreOptions {
  /** Measure what each operation takes at worst, too. */
  readonly operations?: boolean;
}

/** Explores a scenario to its end, or until the options stop it. */
export async function runScenario(
  scenario: Scenario,
  tier: Tier,
  parts: Parts,
  { operations, ...options }: RunOptions = {},
): Promise<ScenarioResult> {
  const linked = linkedOf(parts);
  const target = { wasm: linked.bytes, ...questionOf(scenario, tier) };
  const sourceMap = linkedLines(linked, parts);
  const exploration = await explore(target, { sourceMap, ...options });
  const { verdict } = exploration;
  switch (verdict.kind) {
    case "violated": {
      const { violation } = verdict.counterexample;
      const name = (thread: number): string => exploration.threadNames[thread] ?? "the check";
      const words =
        violation.kind === "invariant" || violation.kind === "final"
          ? `${wordsOf(violation.result)} (${violation.kind === "final" ? "at the end" : "in some state"})`
          : describeViolation(violation, name);
      const { counterexample } = verdict;
      return {
        kind: "violated",
        words,
        counterexample,
        module: target.wasm,
        sourceMap: sourceMapOf(linked, parts),
        exploration,
      };
    }
    case "incomplete":
      return { kind: "incomplete", reason: verdict.reason, exploration };
    case "passed": {
      const certificate = certificateOf(scenario.name, target, exploration);
      if (certificate === undefined) throw new Error("an exploration that passed has no certificate");
      return {
        kind: "passed",
        certificate: {
          ...certificate,
          about: scenario.about,
          clauses: scenario.clauses,
          harts: scenario.harts,
          tier,
          kernel: await identityOf(parts.kernel),
          harness: await identityOf(parts.harness),
          leftOut: LEFT_OUT[scenario.evidence],
          transitionsPerSecond: Math.round(exploration.transitionsPerSecond),
          operations: operations ? await measure(scenario, parts, options) : null,
        },
      };
    }
    default:
      return verdict satisfies never;
  }
}

async function measure(scenario: Scenario, parts: Parts, options: ExploreOptions): Promise<OperationCosts> {
  const { measureOperations } = await import("./operation-costs.ts");
  // What a search stopped at is another one's.
  const { memoryMax, onProgress } = options;
  return measureOperations(scenario, parts, {
    ...(memoryMax === undefined ? {} : { memoryMax }),
    ...(onProgress === undefined ? {} : { onProgress }),
  });
}

async function identityOf(bytes: Uint8Array): Promise<{ sha256: string; bytes: number }> {
  const digest = await crypto.subtle.digest("SHA-256", bytes as BufferSource);
  const sha256 = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return { sha256, bytes: bytes.length };
}
