// Suite: many scenarios, several at a time, each in a worker of its own.
//
// A scenario is explored by one worker from beginning to end: two scenarios on two cores share nothing, which is
// faster than two workers on one table.
// Owner: the caller. Invariant: results come in the order of the scenarios, whichever ends first.
// Pairs with: worker.ts (the other side), run.ts, the command.

import { readFile } from "node:fs/promises";
import { Worker } from "node:worker_threads";
import type { Progress, SearchState } from "../../explore/index.ts";
import { buildArtifacts } from "../../toolchain/build.ts";
import { harness, HARNESS_MAP } from "./harness-build.ts";
import type { Parts } from "./parts.ts";
import type { ScenarioResult } from "./run.ts";
import type { Scenario, Tier } from "./scenario.ts";
import { threadsOf } from "./scenario.ts";

export interface SuiteOptions {
  readonly tier: Tier;
  /** Scenarios at a time. Default 1. */
  readonly jobs?: number;
  /** Find the shortest counterexample, too. Default true. */
  readonly shortest?: boolean;
  /** Measure what each operation takes at worst, too. */
  readonly operations?: boolean;
  /** Bounds of each exploration; past them it is incomplete. */
  readonly transitionsMax?: number;
  readonly memoryMax?: number;
  /** Aborted: what runs is stopped and is a result, incomplete, with its search; the rest is not begun. */
  readonly signal?: AbortSignal;
  /** The search of a scenario that was stopped before, to go on with. Asked when its turn comes. */
  readonly resume?: (scenario: Scenario) => SearchState | undefined;
  /** Called once for each scenario, in order. */
  readonly onResult?: (scenario: Scenario, result: ScenarioResult) => void;
  /** Called a few times a second. */
  readonly onProgress?: (now: SuiteProgress) => void;
}

export interface SuiteProgress {
  readonly done: number;
  readonly of: number;
  /** What is being explored, in order; progress: undefined before its first word. */
  readonly running: readonly { readonly name: string; readonly progress: Progress | undefined }[];
}

export interface SuiteEntry {
  readonly scenario: Scenario;
  readonly result: ScenarioResult;
}

/** What a worker gets, by scenario names: a scenario itself is code. */
export interface Job {
  readonly name: string;
  readonly tier: Tier;
  readonly parts: Parts;
  readonly transitionsMax: number | undefined;
  readonly memoryMax: number | undefined;
  readonly resume: SearchState | undefined;
  readonly operations: boolean;
  readonly shortest: boolean;
  /** A word that becomes 1 when the worker is to stop. */
  readonly stop: SharedArrayBuffer;
}

/** What a worker reports. */
export type JobMessage =
  | { readonly kind: "progress"; readonly progress: Progress }
  | { readonly kind: "ended"; readonly result: ScenarioResult };

export type PartsOutcome =
  | { readonly kind: "ready"; readonly parts: Parts }
  /** lines: what the build refused. */
  | { readonly kind: "refused"; readonly lines: readonly string[] };

/** The shipped kernel and the harness, built or found fresh. */
export async function shippedParts(): Promise<PartsOutcome> {
  const built = await buildArtifacts();
  if (built.kind !== "built") return { kind: "refused", lines: built.lines };
  const parts = { kernel: new Uint8Array(await readFile(built.artifacts.kernel)), harness: await harness() };
  return { kind: "ready", parts: { ...parts, maps: { kernel: built.artifacts.kernelMap, harness: HARNESS_MAP } } };
}

/** Explores those of the scenarios that have the tier. Runs as JavaScript only: a worker is a file of its own. */
export async function runSuite(
  scenarios: readonly Scenario[],
  parts: Parts,
  options: SuiteOptions,
): Promise<readonly SuiteEntry[]> {
  const chosen = scenarios.filter((scenario) => threadsOf(scenario, options.tier) !== undefined);
  const results: (ScenarioResult | undefined)[] = chosen.map(() => undefined);
  const running = new Map<string, Progress | undefined>();
  const workers = new Set<Worker>();
  let next = 0;
  let reported = 0;
  let done = 0;
  const look = (): void =>
    options.onProgress?.({
      done,
      of: chosen.length,
      running: [...running].map(([name, progress]) => ({ name, progress })),
    });
  const drain = async (): Promise<void> => {
    for (let index = next++; index < chosen.length; index = next++) {
      const scenario = chosen[index];
      if (scenario === undefined || options.signal?.aborted) return;
      running.set(scenario.name, undefined);
      look();
      results[index] = await inWorker(scenario, parts, options, workers, (progress) => {
        running.set(scenario.name, progress);
        look();
      });
      running.delete(scenario.name);
      done += 1;
      for (let result = results[reported]; result !== undefined; result = results[++reported]) {
        const ended = chosen[reported];
        if (ended !== undefined) options.onResult?.(ended, result);
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.max(1, options.jobs ?? 1) }, drain));
  } finally {
    // Only a fault of ours leaves any.
    for (const worker of workers) void worker.terminate();
  }
  return chosen.flatMap((scenario, index) => {
    const result = results[index];
    return result === undefined ? [] : [{ scenario, result }];
  });
}

function inWorker(
  scenario: Scenario,
  parts: Parts,
  options: SuiteOptions,
  workers: Set<Worker>,
  onProgress: (progress: Progress) => void,
): Promise<ScenarioResult> {
  const stop = new SharedArrayBuffer(4);
  const job: Job = {
    name: scenario.name,
    tier: options.tier,
    parts,
    transitionsMax: options.transitionsMax,
    memoryMax: options.memoryMax,
    resume: options.resume?.(scenario),
    operations: options.operations ?? false,
    shortest: options.shortest ?? true,
    stop,
  };
  const ask = (): void => void Atomics.store(new Int32Array(stop), 0, 1);
  if (options.signal?.aborted) ask();
  options.signal?.addEventListener("abort", ask, { once: true });
  const worker = new Worker(new URL("./worker.js", import.meta.url), { workerData: job });
  workers.add(worker);
  return new Promise<ScenarioResult>((resolve, reject) => {
    worker.on("message", (message: JobMessage) => {
      if (message.kind === "progress") onProgress(message.progress);
      else resolve(message.result);
    });
    worker.once("error", reject);
    worker.once("exit", (code) => reject(new Error(`the worker of ${scenario.name} ended with code ${code}`)));
  }).finally(() => {
    options.signal?.removeEventListener("abort", ask);
    workers.delete(worker);
  });
}
