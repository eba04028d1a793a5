// Mutant table: the outcomes of a mutation run, file by file, and whether they reach the goal.
//
// Goal: of the concurrent core every mutant is killed, equivalent or explained; of everything else 95 of 100.
// A mutant at which a check came to its bound is counted by itself: it is no kill, and no survivor either.
// Owner: none, pure. Pairs with: survivors.ts.

import { isCore } from "./catalogue.ts";
import type { Stage } from "./check.ts";
import { STAGES } from "./check.ts";
import type { Mutant } from "./mutant.ts";
import { type Explanation, explains, isSurvivor } from "./survivors.ts";
import type { TrialOutcome } from "./mutant-trial.ts";

export interface Tried {
  readonly mutant: Mutant;
  readonly outcome: TrialOutcome;
}

export interface FileRow {
  readonly file: string;
  readonly mutants: number;
  readonly killed: Readonly<Record<Stage, number>>;
  readonly unbounded: number;
  readonly equivalent: number;
  readonly explained: number;
  readonly survived: number;
}

export interface Tally {
  readonly rows: readonly FileRow[];
  /** Survivors that nothing explains. */
  readonly unexplained: readonly Tried[];
  readonly isGoalReached: boolean;
  /** One line each. */
  readonly verdicts: readonly string[];
}

const GOAL_ELSEWHERE = 0.95;

export function tally(tried: readonly Tried[], explanations: readonly Explanation[]): Tally {
  const valid = tried.filter(({ outcome }) => outcome.kind !== "invalid");
  const isExplained = ({ mutant }: Tried): boolean => explanations.some((entry) => explains(entry, mutant));
  const survivors = valid.filter(({ outcome }) => isSurvivor(outcome));
  const unexplained = survivors.filter((one) => !isExplained(one));
  const files = [...new Set(valid.map(({ mutant }) => mutant.file))].toSorted(
    (a, b) => Number(isCore(b)) - Number(isCore(a)) || a.localeCompare(b),
  );
  const rows = files.map((file) => {
    const own = valid.filter(({ mutant }) => mutant.file === file);
    const count = (kind: TrialOutcome["kind"]): number => own.filter(({ outcome }) => outcome.kind === kind).length;
    const killed = Object.fromEntries(
      STAGES.map((stage) => [
        stage,
        own.filter(({ outcome }) => outcome.kind === "killed" && outcome.stage === stage).length,
      ]),
    ) as Record<Stage, number>;
    const explained = own.filter((one) => isSurvivor(one.outcome) && isExplained(one)).length;
    const survived = own.filter((one) => isSurvivor(one.outcome)).length - explained;
    return {
      file,
      mutants: own.length,
      killed,
      unbounded: count("unbounded"),
      equivalent: count("equivalent"),
      explained,
      survived,
    };
  });
  return { rows, unexplained, ...judge(rows) };
}

function judge(rows: readonly FileRow[]): Pick<Tally, "isGoalReached" | "verdicts"> {
  const sum = (of: readonly FileRow[], pick: (row: FileRow) => number): number =>
    of.reduce((total, row) => total + pick(row), 0);
  const core = rows.filter(({ file }) => isCore(file));
  const rest = rows.filter(({ file }) => !isCore(file));
  const verdicts: string[] = [];
  const share = (of: readonly FileRow[]): { killed: number; due: number } => ({
    killed: sum(of, killedOf) + sum(of, ({ unbounded }) => unbounded),
    due: sum(of, (row) => row.mutants - row.equivalent - row.explained),
  });
  const inCore = share(core);
  const elsewhere = share(rest);
  if (inCore.due > 0) verdicts.push(`core: ${formatShare(inCore)} (goal: all)`);
  if (elsewhere.due > 0) verdicts.push(`elsewhere: ${formatShare(elsewhere)} (goal: 95 %)`);
  const isGoalReached =
    inCore.killed === inCore.due && (elsewhere.due === 0 || elsewhere.killed / elsewhere.due >= GOAL_ELSEWHERE);
  return { verdicts, isGoalReached };
}

function formatShare({ killed, due }: { killed: number; due: number }): string {
  return `${killed} of ${due} mutants killed or stopped at a bound, ${((100 * killed) / due).toFixed(1)} %`;
}

function killedOf({ killed }: FileRow): number {
  return STAGES.reduce((total, stage) => total + killed[stage], 0);
}

/** Columns in characters, one line a file. */
export function renderTable(rows: readonly FileRow[]): string {
  const head = ["file", "mutants", "killed", ...STAGES, "bound", "equivalent", "explained", "survived"];
  const lines = rows.map((row) => [
    row.file,
    row.mutants,
    killedOf(row),
    ...STAGES.map((stage) => row.killed[stage]),
    row.unbounded,
    row.equivalent,
    row.explained,
    row.survived,
  ]);
  const total = head.map((_, column) =>
    column === 0 ? "total" : lines.reduce((sum, line) => sum + Number(line[column] ?? 0), 0),
  );
  const texts = [head, ...lines, total].map((line) => line.map(String));
  const widths = head.map((_, column) => Math.max(...texts.map((line) => line[column]?.length ?? 0)));
  return texts
    .map((line) =>
      line
        .map((text, column) => (column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0)))
        .join("  "),
    )
    .join("\n");
}
