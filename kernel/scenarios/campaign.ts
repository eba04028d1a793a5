// Campaign: many scenarios, several at a time, each in a worker of its own.
//
// A scenario is explored by one worker from beginning to end: two scenarios on two cores share nothing, which is
// faster than two workers on one table.
// Owner: the caller. Invariant: results come in the order of the scenarios, whichever ends first.
// Pairs with: worker.ts (the other side), run.ts, the command.

import { readFile } from "node:fs/promises";
import { Worker } from "node:worker_threads";
import { buildArtifacts } from "../../toolchain/build.ts";
import { harness } from "./compile.ts";
import type { Parts, ScenarioResult } from "./run.ts";
import type { Scenario, Tier } from "./scenario.ts";
import { threadsOf } from "./scenario.ts";

export interface CampaignOptions {
  readonly tier: Tier;
  /** Scenarios at a time. Default 1. */
  readonly jobs?: number;
  /** Bounds of each exploration; past them it is incomplete. */
  readonly transitionsMax?: number;
  readonly memoryMax?: number;
  /** Aborted: what runs is ended, and what has ended by then is the result. */
  readonly signal?: AbortSignal;
  /** Called once for each scenario, in order. */
  readonly onResult?: (scenario: Scenario, result: ScenarioResult) => void;
}

export interface CampaignEntry {
  readonly scenario: Scenario;
  readonly result: ScenarioResult;
}

/** What a worker is told, by scenario names: a scenario itself is code. */
export interface Job {
  readonly name: string;
  readonly tier: Tier;
  readonly parts: Parts;
  readonly transitionsMax: number | undefined;
  readonly memoryMax: number | undefined;
}

export type PartsOutcome =
  | { readonly kind: "ready"; readonly parts: Parts }
  /** lines: what the build refused. */
  | { readonly kind: "refused"; readonly lines: readonly string[] };

/** The shipped kernel and the harness, built or found fresh. */
export async function shippedParts(): Promise<PartsOutcome> {
  const built = await buildArtifacts();
  if (built.kind !== "built") return { kind: "refused", lines: built.lines };
  return {
    kind: "ready",
    parts: { kernel: new Uint8Array(await readFile(built.artifacts.kernel)), harness: await harness() },
  };
}

/** Explores those of the scenarios that have the tier. Runs as JavaScript only: a worker is a file of its own. */
export async function runCampaign(
  scenarios: readonly Scenario[],
  parts: Parts,
  options: CampaignOptions,
): Promise<readonly CampaignEntry[]> {
  const chosen = scenarios.filter((scenario) => threadsOf(scenario, options.tier) !== undefined);
  const results: (ScenarioResult | undefined)[] = chosen.map(() => undefined);
  let next = 0;
  let told = 0;
  const drain = async (): Promise<void> => {
    for (let index = next++; index < chosen.length; index = next++) {
      const scenario = chosen[index];
      if (scenario === undefined || options.signal?.aborted) return;
      results[index] = await inWorker(scenario, parts, options);
      for (let result = results[told]; result !== undefined; result = results[++told]) {
        const done = chosen[told];
        if (done !== undefined) options.onResult?.(done, result);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, options.jobs ?? 1) }, drain));
  return chosen.flatMap((scenario, index) => {
    const result = results[index];
    return result === undefined ? [] : [{ scenario, result }];
  });
}

/** Undefined: it was ended by the signal. */
function inWorker(scenario: Scenario, parts: Parts, options: CampaignOptions): Promise<ScenarioResult | undefined> {
  const job: Job = {
    name: scenario.name,
    tier: options.tier,
    parts,
    transitionsMax: options.transitionsMax,
    memoryMax: options.memoryMax,
  };
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./worker.js", import.meta.url), { workerData: job });
    const stop = (): void => {
      resolve(undefined);
      void worker.terminate();
    };
    options.signal?.addEventListener("abort", stop, { once: true });
    worker.once("message", (result: ScenarioResult) => {
      options.signal?.removeEventListener("abort", stop);
      resolve(result);
    });
    worker.once("error", reject);
    worker.once("exit", (code) => reject(new Error(`the worker of ${scenario.name} ended with code ${code}`)));
  });
}
