// Mutant results: what is known of each mutant, one line each in .hartbeat/mutants/results.ndjson, so that a run goes on where
// another one stopped, and a run of more stages where one of fewer ended.
//
// Owner: the command that runs. Invariants: a line is written when its result is known; it holds for the very same
// artifact, checks and tier; a killed mutant stays killed when more stages are asked for, and a survivor does not.
// Pairs with: mutation-run.ts, mutant-table.ts.

import { appendFileSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { STAGES, type Stage } from "./check.ts";
import type { TrialOutcome } from "./mutant-trial.ts";

export interface KeptResult {
  /** Of the artifact, the checks and the tier: see shipped.ts. */
  readonly key: string;
  readonly id: string;
  /** The last stage that the run had. */
  readonly until: Stage;
  readonly outcome: TrialOutcome;
}

export class Results {
  private readonly known = new Map<string, TrialOutcome>();

  constructor(
    private readonly path: string,
    private readonly key: string,
    private readonly until: Stage,
  ) {
    for (const line of linesOf(path)) {
      const kept = parse(line);
      if (kept?.key === key && holds(kept, until)) this.known.set(kept.id, kept.outcome);
    }
  }

  outcomeOf(id: string): TrialOutcome | undefined {
    return this.known.get(id);
  }

  keep(id: string, outcome: TrialOutcome): void {
    this.known.set(id, outcome);
    mkdirSync(dirname(this.path), { recursive: true });
    const kept: KeptResult = { key: this.key, id, until: this.until, outcome };
    appendFileSync(this.path, `${JSON.stringify(kept)}\n`);
  }

  /** Forgets everything. */
  clear(): void {
    this.known.clear();
    rmSync(this.path, { force: true });
  }
}

/** Whether a run that stops after another stage would come to the same. */
function holds({ outcome, until }: KeptResult, wanted: Stage): boolean {
  switch (outcome.kind) {
    case "killed":
      return STAGES.indexOf(outcome.stage) <= STAGES.indexOf(wanted);
    case "equivalent":
    case "invalid":
      return true;
    case "unbounded":
    case "survived":
    case "undecided":
      return until === wanted;
    default:
      return outcome satisfies never;
  }
}

function linesOf(path: string): string[] {
  try {
    return readFileSync(path, "utf8").split("\n");
  } catch {
    return [];
  }
}

/** A line that was cut short by an interruption is no result. */
function parse(line: string): KeptResult | undefined {
  if (line === "") return undefined;
  try {
    return JSON.parse(line) as KeptResult;
  } catch {
    return undefined;
  }
}
