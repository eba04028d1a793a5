// Results: what is known of each mutant, one line each in .hartbeat/mutants/results.ndjson, so that a run goes on where
// another one stopped.
//
// Owner: the command that runs. Invariants: a line is written when its result is known; a killed mutant stays killed while
// artifact and checks are the same; whatever else was found holds for the very same checks only.
// Pairs with: campaign.ts, table.ts.

import { appendFileSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import type { TrialOutcome } from "./trial.ts";

export interface KeptResult {
  /** SHA-256 of the artifact, and the baseline's key: artifact, checks and stages. */
  readonly artifact: string;
  readonly key: string;
  readonly id: string;
  readonly outcome: TrialOutcome;
}

export class Results {
  private readonly known = new Map<string, TrialOutcome>();

  constructor(
    private readonly path: string,
    private readonly artifact: string,
    private readonly key: string,
  ) {
    for (const line of linesOf(path)) {
      const kept = parse(line);
      if (kept?.artifact === artifact && kept.key === key) this.known.set(kept.id, kept.outcome);
    }
  }

  outcomeOf(id: string): TrialOutcome | undefined {
    return this.known.get(id);
  }

  keep(id: string, outcome: TrialOutcome): void {
    this.known.set(id, outcome);
    mkdirSync(dirname(this.path), { recursive: true });
    const kept: KeptResult = { artifact: this.artifact, key: this.key, id, outcome };
    appendFileSync(this.path, `${JSON.stringify(kept)}\n`);
  }

  /** Forgets everything. */
  clear(): void {
    this.known.clear();
    rmSync(this.path, { force: true });
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
