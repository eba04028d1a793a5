// Run: one scenario explored over a kernel, from the artifact's bytes to a result that can be saved.
//
// The kernel's own code is what boots: it is linked, unchanged but for the numbers of functions, with the harness that
// supplies its imports. The certificate carries the hashes of both.
// Owner: the caller. Invariant: a certificate is made only of an exploration that came to its end.
// Pairs with: scenario.ts (what), explore/ (how), compile.ts (the harness), the command.

import type {
  Certificate,
  Counterexample,
  Exploration,
  ExploreOptions,
  IncompleteReason,
  Target,
} from "../../explore/index.ts";
import { certificateOf, decodeModule, describeViolation, explore, link } from "../../explore/index.ts";
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
}

export type ScenarioResult =
  | { readonly kind: "passed"; readonly certificate: KernelCertificate }
  /** words: one line that says what is broken. */
  | {
      readonly kind: "violated";
      readonly words: string;
      readonly counterexample: Counterexample;
      /** The linked module that it is about. */
      readonly module: Uint8Array;
      readonly exploration: Exploration;
    }
  | { readonly kind: "incomplete"; readonly reason: IncompleteReason; readonly exploration: Exploration };

export interface Parts {
  readonly kernel: Uint8Array;
  readonly harness: Uint8Array;
}

const LEFT_OUT = {
  ghost:
    "evidence rings, event numbers, counters and console lines: written by the kernel, read by selftests and reports only, neither of which runs here",
  kept: "console lines: written by the kernel and never read",
} as const;

/** What the explorer is given for a scenario. Throws UnsupportedModule, in one line, when the parts do not fit. */
export function targetOf(scenario: Scenario, tier: Tier, { kernel, harness }: Parts): Target {
  const question = questionOf(scenario, tier);
  const linked = link([
    { name: "kernel", module: decodeModule(kernel) },
    { name: "machine", module: decodeModule(harness) },
  ]);
  return { wasm: linked.bytes, ...question };
}

/** Explores a scenario to its end, or until the options stop it. */
export async function runScenario(
  scenario: Scenario,
  tier: Tier,
  parts: Parts,
  options: ExploreOptions = {},
): Promise<ScenarioResult> {
  const target = targetOf(scenario, tier, parts);
  const exploration = await explore(target, options);
  const { verdict } = exploration;
  switch (verdict.kind) {
    case "violated": {
      const { violation } = verdict.counterexample;
      const name = (thread: number): string => exploration.threadNames[thread] ?? "the check";
      const words =
        violation.kind === "invariant" || violation.kind === "final"
          ? `${wordsOf(violation.result)} (${violation.kind === "final" ? "at the end" : "in some state"})`
          : describeViolation(violation, name);
      return { kind: "violated", words, counterexample: verdict.counterexample, module: target.wasm, exploration };
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
        },
      };
    }
    default:
      return verdict satisfies never;
  }
}

async function identityOf(bytes: Uint8Array): Promise<{ sha256: string; bytes: number }> {
  const digest = await crypto.subtle.digest("SHA-256", bytes as BufferSource);
  const sha256 = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return { sha256, bytes: bytes.length };
}
