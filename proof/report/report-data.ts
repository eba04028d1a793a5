// Report data: what is known about one kernel, put together from what the other commands have kept.
//
// Owner: none, pure. Invariant: what is about another kernel, or was not run, is never shown as a result; it is a section
// that names the command.
// Partners: cli/report-sources.ts reads the files; report-page.ts and report-lines.ts show this.
// Clauses: D9 (docs/contract.md), as far as it makes visible what each proof has refuted.

import type { ClauseFact, Explored, NamedCheck } from "../clauses.ts";

/** What a command leaves behind, or that it has not run. */
export type Section<T> =
  | { readonly kind: "known"; readonly value: T }
  /** stale: something is there, about another kernel. */
  | { readonly kind: "not-run"; readonly command: string; readonly stale: boolean };

/** One deliberate break of a clause, and what a check made of it. */
export interface BreakResult {
  readonly clause: string;
  readonly title: string;
  /** `red`: found; `green`: not found; anything else: no verdict. */
  readonly outcome: "red" | "green" | "refused" | "skipped";
  /** The check or scenario that found it; in the matrix, the proof that was tried. */
  readonly by: string | null;
}

export interface MutantResult {
  readonly id: string;
  readonly outcome: string;
  readonly by: string | null;
}

export interface CoverageRow {
  readonly file: string;
  readonly lines: { readonly reached: number; readonly of: number };
  readonly explored: { readonly reached: number; readonly of: number };
}

export interface SoakRow {
  /** `virt, 8 harts, firmware, default programs`. */
  readonly title: string;
  readonly machine: "sim" | "virt";
  readonly programs: string;
  readonly faults: boolean;
  readonly runs: number;
  readonly passed: number;
  readonly failed: number;
  /** Whether its images are the ones of today. */
  readonly isCurrent: boolean;
}

export interface CostRow {
  readonly operation: string;
  /** The most atomic accesses that one call takes. */
  readonly accesses: number;
  readonly scenario: string;
}

export interface ReportSources {
  /** SHA-256 of kernel.wasm, and its size. */
  readonly kernel: { readonly sha256: string; readonly bytes: number };
  readonly made: string;
  readonly facts: readonly ClauseFact[];
  readonly transitionsOf: ReadonlyMap<string, number>;
  readonly breaks: Section<readonly BreakResult[]>;
  readonly matrix: Section<readonly BreakResult[]>;
  readonly mutants: Section<readonly MutantResult[]>;
  readonly coverage: Section<readonly CoverageRow[]>;
  readonly soaks: Section<readonly SoakRow[]>;
  readonly costs: Section<readonly CostRow[]>;
}

export interface ClauseRow {
  readonly clause: string;
  readonly label: string;
  readonly explored: readonly (Explored & { readonly transitions: number })[];
  readonly unexplored: readonly string[];
  readonly others: readonly NamedCheck[];
  /** What a boot on virt shows of it; null: nothing that the gate judges. */
  readonly onVirt: string | null;
  readonly breaks: readonly BreakResult[];
  /** Each break before each proof that is listed for this clause. */
  readonly matrix: readonly BreakResult[];
  /** Mutants that a scenario of this clause, or a check that begins with its id, has killed. */
  readonly mutants: readonly string[];
}

export interface Report {
  readonly format: "hartbeat-report";
  readonly version: 2;
  readonly kernel: ReportSources["kernel"];
  readonly made: string;
  readonly clauses: readonly ClauseRow[];
  readonly breaks: ReportSources["breaks"];
  readonly matrix: ReportSources["matrix"];
  readonly mutants: ReportSources["mutants"];
  readonly coverage: ReportSources["coverage"];
  readonly soaks: ReportSources["soaks"];
  readonly costs: ReportSources["costs"];
}

/** What the gate judges on a boot, by clause: markers of the ladder, and the summary after it. */
export const SHOWN_BY_A_BOOT: Readonly<Record<string, string>> = {
  I1: "marker test_reject_invalid_ipi_target_cpu",
  I2: "marker test_reject_offline_cpu_resched",
  I3: "marker ipi resched: each step of a request by its number",
  I4: "marker ipi counterfactual: a refused send, no trap before a later one",
  I5: "marker ipi counterfactual: S_SOFT without a request",
  I6: "the last request accepted is the last acknowledged, on every CPU",
  I7: "accepted = sent + refused + coalesced, on every hart",
  S1: "markers work stealing, test_reject_steal_above_bound",
  S2: "marker test_reject_steal_higher_qos",
  S3: "tasks spawned = reported = reaped; runs of tasks = picks of harts",
  C5: "fallbacks 0 on every hart",
  T1: "answers to the petitioners: granted on the boot hart only",
  T3: "intruders: four faults, two answers, no other task harmed",
  T5: "user lines: exactly the expected ones, none like the kernel's",
  D1: "the ladder, to the character",
  D2: "evidence before each marker",
  D3: "nothing missing, nothing out of order",
  D8: "every line and sum of the console",
};

export function reportOf(sources: ReportSources): Report {
  const { kernel, made, breaks, matrix, mutants, coverage, soaks, costs } = sources;
  const of = (section: Section<readonly BreakResult[]>, clause: string): readonly BreakResult[] =>
    section.kind === "known" ? section.value.filter((one) => one.clause === clause) : [];
  const killed = mutants.kind === "known" ? mutants.value.filter(({ outcome }) => outcome === "killed") : [];
  const clauses = sources.facts.map((fact): ClauseRow => {
    const names = new Set([...fact.explored.map(({ name }) => name), ...fact.unexplored]);
    const isOwn = (by: string): boolean =>
      by.startsWith(`${fact.clause} `) || (by.startsWith("scenario ") && names.has(by.slice("scenario ".length)));
    return {
      clause: fact.clause,
      label: fact.label,
      explored: fact.explored.map((one) => ({ ...one, transitions: sources.transitionsOf.get(one.name) ?? 0 })),
      unexplored: fact.unexplored,
      others: fact.others,
      onVirt: SHOWN_BY_A_BOOT[fact.clause] ?? null,
      breaks: of(breaks, fact.clause),
      matrix: of(matrix, fact.clause),
      mutants: killed.filter(({ by }) => by !== null && isOwn(by)).map(({ id }) => id),
    };
  });
  return {
    format: "hartbeat-report",
    version: 2,
    kernel,
    made,
    clauses,
    breaks,
    matrix,
    mutants,
    coverage,
    soaks,
    costs,
  };
}

/** Boots of today's image on virt that passed, whatever ran there. */
export function bootsOnVirt({ soaks }: Report): number {
  if (soaks.kind !== "known") return 0;
  const current = soaks.value.filter(({ machine, isCurrent }) => machine === "virt" && isCurrent);
  return current.reduce((sum, { passed }) => sum + passed, 0);
}

/** `2 of 3 red`; null where none was tried. A break that several proofs were tried on is red when one of them found it. */
export function breakLabel(breaks: readonly BreakResult[]): string | null {
  const titles = new Set(breaks.map(({ title }) => title));
  if (titles.size === 0) return null;
  const red = new Set(breaks.filter(({ outcome }) => outcome === "red").map(({ title }) => title));
  return `${red.size} of ${titles.size} red`;
}

export interface MutantCounts {
  readonly killed: number;
  readonly survived: number;
  readonly equivalent: number;
  readonly other: number;
}

export function countMutants(mutants: readonly MutantResult[]): MutantCounts {
  const count = (kind: string): number => mutants.filter(({ outcome }) => outcome === kind).length;
  const [killed, survived, equivalent] = [count("killed"), count("survived"), count("equivalent")];
  return { killed, survived, equivalent, other: mutants.length - killed - survived - equivalent };
}
