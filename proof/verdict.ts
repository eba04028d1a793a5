// Verdict: how a proof ended. Silence is never `passed`.
//
// Partners: gate.ts reaches verdicts, reporters show them, cli/exit-code.ts maps them.

export type Verdict =
  | { readonly kind: "passed" }
  /** At least one reason, each one line; the first is what went wrong first. */
  | { readonly kind: "failed"; readonly reasons: readonly string[] }
  /** Neither shown nor refuted: the run was cut short from outside. */
  | { readonly kind: "inconclusive"; readonly reason: string };

export function failed(...reasons: readonly string[]): Verdict {
  return { kind: "failed", reasons };
}
