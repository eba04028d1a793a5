// Exit code: how a command ended, and the one place that turns this into what the shell sees.
//
// Partners: each verb hands back a CommandEnding; main.ts asks here. The README has the table.

import type { ProofSummary } from "../proof/proof-event.ts";

export type CommandEnding =
  | { readonly kind: "done" }
  /** A gate is red, or a counterexample was found. */
  | { readonly kind: "red" }
  /** The command was given wrongly; one line states what, where and how to mend it. */
  | { readonly kind: "usage"; readonly message: string }
  /** Something that the command needs is not there; one line states what and how to get it. */
  | { readonly kind: "missing-tool"; readonly message: string }
  /** A fault of ours. */
  | { readonly kind: "internal"; readonly message: string }
  | { readonly kind: "nothing-selected"; readonly message: string }
  /** It came to an end before everything was shown. */
  | { readonly kind: "incomplete" }
  | { readonly kind: "interrupted" };

export function exitCodeOf(ending: CommandEnding): number {
  switch (ending.kind) {
    case "done":
      return 0;
    case "red":
      return 1;
    case "usage":
      return 2;
    case "missing-tool":
    case "internal":
      return 3;
    case "nothing-selected":
      return 4;
    case "incomplete":
      return 5;
    case "interrupted":
      return 130;
    default:
      return ending satisfies never;
  }
}

/** What a summary means for the command: red outweighs incomplete, silence is never done. */
export function endingOfSummary(summary: ProofSummary): CommandEnding {
  if (summary.failed > 0) return { kind: "red" };
  if (summary.inconclusive > 0 || summary.notRun > 0) return { kind: "incomplete" };
  if (summary.runs === 0) return { kind: "nothing-selected", message: "no run was selected" };
  return { kind: "done" };
}
