// Baseline: what the unmutated artifact does under every check: which pass, what they cost, which code they reach.
//
// Cost is counted, not timed: blocks entered, and transitions of searches; so the order of checks does not depend on the machine.
// Owner: .hartbeat/mutants/baseline.json. Invariant: it is used only for the very artifact and checks that it was made of.
// Pairs with: mutant-trial.ts (which checks, in which order), coverage.ts (what nothing reaches).

import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Tier } from "../scenarios/scenario.ts";
import { packageRoot } from "../../toolchain/package-root.ts";
import type { Artifact } from "./artifact.ts";
import { blocksOf } from "./blocks.ts";
import { bootChecks } from "./boot-checks.ts";
import type { Check, Stage } from "./check.ts";
import { exploredChecks } from "./explored-checks.ts";
import { ProbedSubject, type Surroundings } from "./subject.ts";
import { NEEDS_PAUSES, unitChecks } from "./unit-checks.ts";
import { SIM_PROBE, withProbes } from "./weave.ts";

export interface BaselineCheck {
  readonly name: string;
  readonly stage: Stage;
  /** Blocks entered, with repetitions. */
  readonly cost: number;
  /** Of a scenario's search; 0 elsewhere. */
  readonly transitions: number;
  /** Numbers of the blocks that it enters, ascending. */
  readonly blocks: readonly number[];
}

export interface Baseline {
  /** Of the artifact, every check, the tier and the last stage. */
  readonly key: string;
  /** By stage, the cheapest first. */
  readonly checks: readonly BaselineCheck[];
  /** Cases that do not judge the artifact's behaviour, since without its sources they do not pass. */
  readonly leftOut: readonly string[];
}

/** A check that the unmutated kernel does not pass: no mutant can be judged. */
export class NotGreen extends Error {}

export interface BaselineOptions {
  readonly tier: Tier;
  /** Leave the stages after this one out. */
  readonly until: Stage;
  readonly onCheck?: (name: string, done: number, of: number) => void;
}

const ORDER: readonly Stage[] = ["unit", "explored", "paused", "sim"];

/** Runs every check on the artifact with probes in it. */
export async function makeBaseline(
  artifact: Artifact,
  surroundings: Surroundings,
  key: string,
  { tier, until, onCheck }: BaselineOptions,
): Promise<Baseline> {
  const { blockAfter, list } = blocksOf(artifact);
  const entered = new Uint8Array(list.length);
  let cost = 0;
  const report = (block: number): void => {
    entered[block] = 1;
    cost += 1;
  };
  const [wasm, forSim] = [withProbes(artifact.wasm, blockAfter), withProbes(artifact.wasm, blockAfter, SIM_PROBE)];
  const subject = new ProbedSubject(wasm, surroundings, forSim, report);
  const stages = ORDER.slice(0, ORDER.indexOf(until) + 1);
  const paused = new Map(unitChecks("paused").map((check) => [check.name, check]));
  const queue: Check[] = [...unitChecks("unit"), ...exploredChecks(tier), ...bootChecks()].filter(({ stage }) =>
    stages.includes(stage),
  );
  const checks: BaselineCheck[] = [];
  const leftOut: string[] = [];
  let done = 0;
  for (let check = queue.shift(); check !== undefined; check = queue.shift()) {
    onCheck?.(check.name, done++, done + queue.length);
    entered.fill(0);
    cost = 0;
    const outcome = await check.run(subject);
    const later = paused.get(check.name);
    if (outcome.kind === "broken" && outcome.reason === NEEDS_PAUSES && later !== undefined) {
      if (stages.includes("paused")) queue.push(later);
      continue;
    }
    if (outcome.kind !== "passed") {
      if (check.stage !== "unit" && check.stage !== "paused") throw new NotGreen(`${check.name}: ${outcome.reason}`);
      leftOut.push(check.name);
      continue;
    }
    const transitions = "transitions" in check ? (check as { transitions: () => number }).transitions() : 0;
    const blocks = [...entered.keys()].filter((block) => entered[block] === 1);
    checks.push({ name: check.name, stage: check.stage, cost, transitions, blocks });
  }
  const sorted = checks.toSorted(
    (a, b) => ORDER.indexOf(a.stage) - ORDER.indexOf(b.stage) || a.transitions - b.transitions || a.cost - b.cost,
  );
  return { key, checks: sorted, leftOut };
}

export function keyOf(artifact: Artifact, surroundings: Surroundings, checks: string, tier: Tier): string {
  const hash = createHash("sha256").update(artifact.wasm).update(surroundings.harness).update(surroundings.userSim);
  return hash.update(checks).update(tier).digest("hex");
}

const FILE = join(packageRoot, ".hartbeat", "mutants", "baseline.json");

export async function loadBaseline(key: string): Promise<Baseline | undefined> {
  try {
    const found = JSON.parse(await readFile(FILE, "utf8")) as Baseline;
    return found.key === key ? found : undefined;
  } catch {
    return undefined;
  }
}

export async function saveBaseline(baseline: Baseline): Promise<void> {
  await mkdir(dirname(FILE), { recursive: true });
  await writeFile(FILE, JSON.stringify(baseline));
}
