// Mutant trial: one mutant before the checks that reach its place, the cheapest first, until one of them fails.
//
// Owner: one worker, or a test. Invariant: `killed` names a check that the unmutated kernel passes and the mutant does not.
// Pairs with: baseline.ts (which checks, at which cost), check.ts.

import { assertDefined } from "../../wasm/assert-defined.ts";
import type { Tier } from "../scenarios/scenario.ts";
import type { Artifact } from "./artifact.ts";
import type { Baseline, BaselineCheck } from "./baseline.ts";
import { type Blocks, blocksOf } from "./blocks.ts";
import { bootChecks } from "./boot-checks.ts";
import { mutate } from "./catalogue.ts";
import { type Check, type Stage, STAGES, firstLine } from "./check.ts";
import { Equivalence } from "./equivalence.ts";
import { exploredChecks } from "./explored-checks.ts";
import type { Mutant } from "./mutant.ts";
import { Subject, type Surroundings } from "./subject.ts";
import { unitChecks } from "./unit-checks.ts";

export type TrialOutcome =
  | { readonly kind: "killed"; readonly stage: Stage; readonly by: string; readonly reason: string }
  /** Nothing failed; a check came to a bound that is several times what the unmutated kernel takes. */
  | { readonly kind: "unbounded"; readonly stage: Stage; readonly by: string; readonly reason: string }
  | { readonly kind: "equivalent" }
  /** checks: how many reach its place, and passed. */
  | { readonly kind: "survived"; readonly checks: number }
  /** No verdict: a check could not do its work. */
  | { readonly kind: "undecided"; readonly reason: string }
  /** The engine refuses the module. */
  | { readonly kind: "invalid" };

export interface TrialOptions {
  readonly tier: Tier;
  readonly until: Stage;
  /** Ask the optimizer about what nothing kills. Default true. */
  readonly equivalence?: boolean;
}

/** A search of a mutant may make so many times the transitions of the unmutated kernel's, and so many more. */
const TRANSITIONS_FACTOR = 4;
const TRANSITIONS_MORE = 200_000;

export class Trials {
  private readonly blocks: Blocks;
  private readonly checks: ReadonlyMap<string, Check>;
  private readonly plan: readonly { readonly known: BaselineCheck; readonly reaches: ReadonlySet<number> }[];
  private equivalence: Promise<Equivalence> | undefined;

  constructor(
    private readonly artifact: Artifact,
    private readonly surroundings: Surroundings,
    baseline: Baseline,
    private readonly options: TrialOptions,
  ) {
    const { tier, until } = options;
    this.blocks = blocksOf(artifact);
    const bounds = new Map(
      baseline.checks.map(({ name, transitions }) => [
        name.replace(/^scenario /, ""),
        TRANSITIONS_FACTOR * transitions + TRANSITIONS_MORE,
      ]),
    );
    const all = [...unitChecks("unit"), ...exploredChecks(tier, bounds), ...unitChecks("paused"), ...bootChecks()];
    this.checks = new Map(all.map((check) => [`${check.stage} ${check.name}`, check]));
    const last = STAGES.indexOf(until);
    this.plan = baseline.checks
      .filter(({ stage }) => STAGES.indexOf(stage) <= last)
      .toSorted((a, b) => estimate(a) - estimate(b))
      .map((known) => ({ known, reaches: new Set(known.blocks) }));
  }

  /** The checks that reach a mutant's place, in the order in which they are run. */
  planFor(mutant: Mutant): readonly BaselineCheck[] {
    const blocks = mutant.copies.map(({ functionIndex, at }) => this.blocks.blockOf(functionIndex, at));
    return this.plan.filter(({ reaches }) => blocks.some((block) => reaches.has(block))).map(({ known }) => known);
  }

  async run(mutant: Mutant): Promise<TrialOutcome> {
    const wasm = mutate(this.artifact, mutant);
    if (!WebAssembly.validate(wasm as BufferSource)) return { kind: "invalid" };
    const subject = new Subject(wasm, this.surroundings);
    let unbounded: TrialOutcome | undefined;
    let broken: string | undefined;
    let asked = false;
    const plan = this.planFor(mutant);
    for (const { name, stage } of plan) {
      // What costs as much as the optimizer comes after the question whether anything can be seen at all.
      if (stage !== "unit" && !asked) {
        asked = true;
        if (await this.isEquivalent(wasm)) return { kind: "equivalent" };
      }
      const outcome = await assertDefined(this.checks.get(`${stage} ${name}`)).run(subject);
      if (outcome.kind === "failed") return { kind: "killed", stage, by: name, reason: outcome.reason };
      if (outcome.kind === "unbounded") unbounded ??= { kind: "unbounded", stage, by: name, reason: outcome.reason };
      if (outcome.kind === "broken") broken ??= `${name}: ${outcome.reason}`;
    }
    if (unbounded !== undefined) return unbounded;
    if (!asked && (await this.isEquivalent(wasm))) return { kind: "equivalent" };
    return broken === undefined ? { kind: "survived", checks: plan.length } : { kind: "undecided", reason: broken };
  }

  private async isEquivalent(wasm: Uint8Array): Promise<boolean> {
    if (this.options.equivalence === false) return false;
    this.equivalence ??= Equivalence.of(this.artifact.wasm);
    const equivalence = await this.equivalence;
    try {
      return equivalence.isEquivalent(wasm);
    } catch (thrown) {
      throw new Error(`Binaryen refuses a valid mutant: ${firstLine(thrown)}`, { cause: thrown });
    }
  }
}

/** What a check costs, in blocks that a unit check enters: ratios are measured once and need not be exact. */
function estimate({ stage, cost, transitions }: BaselineCheck): number {
  switch (stage) {
    case "unit":
      return cost;
    case "explored":
      return 5000 + transitions / 25;
    case "paused":
      return 120_000 + cost / 400;
    case "sim":
      return 160_000 + cost / 50;
    case "virt":
      return 1_000_000;
    default:
      return stage satisfies never;
  }
}
