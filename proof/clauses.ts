// Clauses: the contract's, in its order, each with a short label, and what covers it.
//
// Scenarios name their clauses themselves. What no scenario can show (a build, a machine's registers, this gate) is
// covered by a gate of the build or by a test; both are named here, and clauses.test.ts looks whether they exist.
//
// Owner: none, pure. Invariant: what was not explored on this very kernel is never reported as explored.
// Partners: verify/scenarios (clauses of each), cli/clause-coverage.ts (reads what was explored), reporters/clause-lines.ts.

import { CLAUSE_IDS, type ClauseId } from "../verify/clause-id.ts";

/** What each clause of docs/contract.md asks for, in at most 28 characters. */
export const CLAUSES = {
  Q1: "queues bounded, no growth",
  Q2: "full queue: refused whole",
  Q3: "no such CPU: refused whole",
  Q4: "no outcome dropped",
  Q5: "a refused yield keeps all",
  Q6: "strict classes, FIFO within",
  Q7: "class change loses no task",
  Q8: "bounded inversion",
  Q9: "refused means unchanged",
  S1: "one task a steal, one a tick",
  S2: "nothing above the bound",
  S3: "each task in one place",
  S4: "each victim once, no retry",
  S5: "no victim: refused",
  S6: "no hart idle over work",
  I1: "invalid target: refused",
  I2: "offline target: refused",
  I3: "causal, request by request",
  I4: "failed send stays pending",
  I5: "spurious S_SOFT: no ack",
  I6: "no wake-up lost",
  I7: "coalesced requests covered",
  I8: "sender known, mail bounded",
  I9: "no counter wraps in use",
  C1: "tp is a hint, and checked",
  C2: "the stack beats tp",
  C3: "nobody's stack: BOOT",
  C4: "few steps, no shared loop",
  C5: "every fallback counted",
  T1: "authority on the boot hart",
  T2: "each hart its own stack",
  T3: "a fault ends one task alone",
  T4: "stack depth known, and fits",
  T5: "console bounded, not forged",
  T6: "an id means one life",
  T7: "no trace of a former life",
  T8: "calls as the model answers",
  D1: "markers to the character",
  D2: "no marker without evidence",
  D3: "whatever is missing is red",
  D4: "one hart: the plain order",
  D5: "time passes no check",
  D6: "failures are evidence",
  D7: "one seed, one output",
  D8: "every line and sum judged",
  D9: "claims turn red when broken",
} as const satisfies Record<ClauseId, string>;

/** What covers without exploring. file: relative to the package's root. */
export type NamedCheck =
  /** A step of the build that refuses an artifact: what was booted has passed it. */
  | {
      readonly kind: "gate";
      readonly name: string;
      readonly file: string;
      /** Where only one machine's image passes it. */
      readonly image?: "virt";
    }
  /** A test of the suite, by the words of its title; it does not run here. */
  | { readonly kind: "test"; readonly title: string; readonly file: string };

const gate = (name: string, file: string, image?: "virt"): NamedCheck => ({
  kind: "gate",
  name,
  file: `toolchain/${file}.ts`,
  ...(image === undefined ? {} : { image }),
});
const test = (file: string, title: string): NamedCheck => ({ kind: "test", title, file: `${file}.test.ts` });

const ARTIFACT_GATE = gate("artifact gate", "artifact-gate");
const LOOP_BOUNDS = gate("loop bounds", "loop-bounds");

export const OTHER_CHECKS: Readonly<Partial<Record<ClauseId, readonly NamedCheck[]>>> = {
  Q1: [ARTIFACT_GATE],
  Q4: [gate("must-use gate", "must-use-gate")],
  S4: [LOOP_BOUNDS],
  I8: [
    test("kernel/resched", "resched: the sender's evidence: names the hart that made the call, whatever it was given"),
  ],
  I9: [
    test(
      "kernel/resched",
      "resched: as many requests pending as the state can count, and more come: SENT, FAILED and what was taken stay",
    ),
  ],
  C4: [LOOP_BOUNDS],
  C5: [
    test("kernel/cpu-id", "trap entry on virt: a user's tp: replaced by the hart's own before the kernel is called"),
  ],
  T2: [
    test("kernel/trap", "trap entry on virt: the stack comes from the block that sscratch names, and from no symbol"),
  ],
  T4: [ARTIFACT_GATE, gate("stack depth", "stack-depth", "virt")],
  T5: [
    test(
      "kernel/trap",
      "WriteLine: every byte that a user may write: printed as it is or as a full stop, in one line, behind the task's id",
    ),
    test(
      "proof/console-mutants",
      "gate: a task writes %s: a user's line, which nobody expects; with a line end in it: red",
    ),
  ],
  T8: [
    test(
      "kernel/trap",
      "system calls: random calls and arguments on three CPUs: answers, classes and lives as the reference model has them",
    ),
  ],
  D1: [test("proof/ladder", "ladder: two harts: RFC-0022's nine markers, to the character")],
  D2: [
    test(
      "proof/real-kernel",
      "gate: a real console without the evidence before a marker: red at that marker, each of them",
    ),
  ],
  D3: [
    test("proof/gate", "planted faults of D3"),
    test("cli/main", "hartbeat prove: REQUIRE_SMP=1 in the environment with one hart: exit code 2"),
  ],
  D4: [test("proof/real-kernel", "kernel: sim, five seeds: the whole ladder (harts=%i)")],
  D5: [
    LOOP_BOUNDS,
    test("proof/clock", "gate: the modules that reach a verdict: none reads a clock"),
    test(
      "proof/clock",
      "gate: a time-out after every line of a good console: failed; the same lines and a power-off: passed",
    ),
  ],
  D9: [
    test("verify/matrix/matrix", "plan: every clause that a scenario lists: there is a break of the kernel about it"),
  ],
  D8: [
    test(
      "proof/console-mutants",
      "gate: a console of sim, changed in one place: red, or immaterial by the table (harts=$harts, sswi=$sswi)",
    ),
    test(
      "proof/console-mutants",
      "gate: a console of virt, changed in one place: red, or immaterial by the table (harts=2)",
    ),
  ],
  D6: [test("proof/real-kernel", "kernel: sim with %s: red, by name")],
  D7: [
    test("proof/real-kernel", "kernel: sim, one seed: one output, byte for byte; another seed, another order"),
    test("proof/real-kernel", "kernel: virt, parallel harts: the whole ladder (harts=%i)"),
    test("proof/real-kernel", "kernel: virt with -icount, twice: the same console, byte for byte"),
  ],
};

/** A scenario that was explored to its end on the kernel in question. */
export interface Explored {
  readonly name: string;
  readonly tier: "fast" | "full";
  readonly states: number;
}

export interface ClauseFact {
  readonly clause: ClauseId;
  readonly label: string;
  readonly explored: readonly Explored[];
  /** Names of scenarios that would cover, and have not been explored on this kernel. */
  readonly unexplored: readonly string[];
  readonly others: readonly NamedCheck[];
}

/** What stands behind each clause, in the contract's order. */
export function clauseFacts(
  scenarios: readonly { readonly name: string; readonly clauses: readonly ClauseId[] }[],
  explored: ReadonlyMap<string, Explored>,
): readonly ClauseFact[] {
  return CLAUSE_IDS.map((clause) => {
    const names = scenarios.filter(({ clauses }) => clauses.includes(clause)).map(({ name }) => name);
    return {
      clause,
      label: CLAUSES[clause],
      explored: names.flatMap((name) => explored.get(name) ?? []),
      unexplored: names.filter((name) => !explored.has(name)),
      others: OTHER_CHECKS[clause] ?? [],
    };
  });
}

/** How a check is named on a page: the gate's name, or the file of the test. */
export function nameOfCheck(named: NamedCheck): string {
  if (named.kind === "test") return named.file;
  return named.image === undefined ? named.name : `${named.name} (${named.image})`;
}
