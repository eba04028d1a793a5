// Run: one scenario explored over a kernel, from the artifact's bytes to a result that can be saved.
//
// The kernel's own code is what boots: it is linked, unchanged but for the numbers of functions, with the harness that
// supplies its imports. The certificate carries the hashes of both.
// Owner: the caller. Invariant: a certificate is made only of an exploration that came to its end.
// Pairs with: scenario.ts (what), parts.ts (of what), explore/ (how), harness-build.ts (the harness), the command.

import type {
  Certificate,
  Counterexample,
  Exploration,
  ExploreOptions,
  IncompleteReason,
} from "../../explore/index.ts";
import { certificateOf, describeViolation, explore } from "../../explore/index.ts";
import type { OperationCosts } from "./operation-costs.ts";
import { measureOperations } from "./operation-costs.ts";
import type { Parts } from "./parts.ts";
import { linkedLines, linkedOf, sourceMapOf } from "./parts.ts";
import type { Scenario, Tier } from "./scenario.ts";
import { questionOf, messageOf } from "./scenario.ts";

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
  /** message: one line that reports what is broken. */
  | {
      readonly kind: "violated";
      readonly message: string;
      readonly counterexample: Counterexample;
      /** The linked module that it is about, and its source map, where the parts have theirs. */
      readonly module: Uint8Array;
      readonly sourceMap: string | undefined;
      readonly exploration: Exploration;
    }
  | { readonly kind: "incomplete"; readonly reason: IncompleteReason; readonly exploration: Exploration };

const LEFT_OUT = {
  ghost:
    "evidence rings, event numbers, counters and console lines: written by the kernel, read by selftests and reports only, neither of which runs here",
  kept: "console lines: written by the kernel and never read",
} as const;

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
      const message =
        violation.kind === "invariant" || violation.kind === "final"
          ? `${messageOf(violation.result)} (${violation.kind === "final" ? "at the end" : "in some state"})`
          : describeViolation(violation, name);
      const { counterexample } = verdict;
      return {
        kind: "violated",
        message,
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

function measure(scenario: Scenario, parts: Parts, options: ExploreOptions): Promise<OperationCosts> {
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
