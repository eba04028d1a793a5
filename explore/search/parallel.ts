// Parallel: one exhaustive search by several workers over one table of states.
//
// Each worker has a program of its own and goes depth first, along branches of its own to begin with; an idle one gets a
// choice from the shallowest level of a busy one. A worker that stops stops them all.
// Owner: one round. Invariant: the round is exhausted only if nothing is left: no worker stopped on its way, and no work item
// lies untaken.
// Pairs with: worker.ts, shared-table.ts, work-queue.ts; search-together.ts calls it.

import { Worker } from "node:worker_threads";
import type { Branch } from "./branch.ts";
import { branchOf } from "./branch.ts";
import type { Waiting } from "./cycle-detection.ts";
import { mayCycle } from "./cycle-detection.ts";
import type { DepthFirstOutcome, SearchCounts } from "./depth-first.ts";
import type { SharedMemory } from "./shared-table.ts";
import { tableWords } from "./shared-table.ts";
import type { Target } from "../program/target.ts";
import { WorkQueue } from "./work-queue.ts";

/** What a worker is given. */
export interface Job {
  readonly target: Target;
  readonly raceTracked: readonly number[];
  /** What was seen of words before. */
  readonly accessSummary: readonly number[];
  readonly table: SharedMemory;
  /** States that the table holds before the round. */
  readonly statesBefore: number;
  readonly queue: SharedArrayBuffer;
  /** What this worker begins with. */
  readonly branches: readonly Branch[];
  readonly worker: number;
  readonly workers: number;
  readonly transitionsMax: number;
  readonly collectFinals: boolean;
}

/** What a worker reports at its end. */
export interface WorkerReport {
  readonly outcome: DepthFirstOutcome;
  /** What it has left to do, where it stopped. */
  readonly left: readonly Branch[];
  readonly raceTracked: readonly number[];
  readonly accessSummary: readonly number[];
  readonly raceTrackedTooMany: boolean;
  readonly worstSteps: readonly number[];
  /** States of its that did not close; undefined where that is not known. */
  readonly waiting: readonly Waiting[] | undefined;
  readonly finals: readonly string[];
}

export interface ParallelOptions {
  readonly workers: number;
  /** The worker's module, as JavaScript. */
  readonly workerModule: URL;
  readonly raceTracked: readonly number[];
  readonly accessSummary: readonly number[];
  /** What there is to search. */
  readonly branches: readonly Branch[];
  readonly table: SharedMemory;
  readonly statesBefore: number;
  readonly transitionsMax: number;
  readonly collectFinals: boolean;
  /** Called a few times a second with what this round has done; false stops it. */
  readonly onProgress: (counts: SearchCounts, depth: number, frontier: number) => boolean;
}

export interface ParallelOutcome {
  readonly outcome: DepthFirstOutcome;
  /** Of this round. */
  readonly counts: SearchCounts;
  /** What a round that stopped has left to do. */
  readonly left: readonly Branch[];
  readonly reports: readonly WorkerReport[];
  /** From the first worker's first step on, without the time that workers take to start. */
  readonly seconds: number;
}

const PROGRESS_MILLISECONDS = 50;

export async function searchInParallel(target: Target, options: ParallelOptions): Promise<ParallelOutcome> {
  const { workers } = options;
  const buffer = WorkQueue.newBuffer();
  const queue = new WorkQueue(buffer);
  const branches = Array.from({ length: workers }, (_, worker) =>
    options.branches.filter((_branch, index) => index % workers === worker),
  );
  queue.begin(branches.filter((own) => own.length > 0).length);
  let started = 0;
  let isAsked = false;
  const timer = setInterval(() => {
    const { counts, depth, frontier } = queue.counted(workers);
    if (started === 0 && counts.transitions > 0) started = performance.now();
    if (options.onProgress(counts, depth, frontier)) return;
    isAsked = true;
    queue.stop();
  }, PROGRESS_MILLISECONDS);
  const from = performance.now();
  try {
    const reports = await Promise.all(
      branches.map((own, worker) => {
        const workerData: Job = {
          target,
          raceTracked: options.raceTracked,
          accessSummary: options.accessSummary,
          table: options.table,
          statesBefore: options.statesBefore,
          queue: buffer,
          branches: own,
          worker,
          workers,
          transitionsMax: options.transitionsMax / workers,
          collectFinals: options.collectFinals,
        };
        return new Promise<WorkerReport>((resolve, reject) => {
          const thread = new Worker(options.workerModule, { workerData });
          thread.once("error", (error) => {
            queue.stop();
            reject(error instanceof Error ? error : new Error(String(error)));
          });
          thread.once("message", resolve);
        });
      }),
    );
    const left = [...reports.flatMap((report) => report.left), ...queue.left().map(branchOf)];
    const seconds = (performance.now() - (started || from)) / 1000;
    return {
      outcome: outcomeOf(reports, left, isAsked, () =>
        mayCycle(
          tableWords(options.table),
          reports.map(({ waiting }) => waiting),
        ),
      ),
      counts: queue.counted(workers).counts,
      left,
      reports,
      seconds,
    };
  } finally {
    clearInterval(timer);
  }
}

/** A violation outweighs a new beginning, and that a stop. Of stops that one counts which made the others stop. */
export function outcomeOf(
  reports: readonly Pick<WorkerReport, "outcome">[],
  left: readonly Branch[],
  isAsked: boolean,
  mayCycleBetween: () => boolean,
): DepthFirstOutcome {
  const outcomes = reports.map(({ outcome }) => outcome);
  const decisive = outcomes.find(({ kind }) => kind === "violated") ?? outcomes.find(({ kind }) => kind === "restart");
  if (decisive) return decisive;
  if (left.length === 0) {
    const cycles = outcomes.some((outcome) => outcome.kind === "exhausted" && outcome.cycles) || mayCycleBetween();
    return { kind: "exhausted", cycles, cut: false };
  }
  const reasons = outcomes.flatMap((outcome) => (outcome.kind === "stopped" ? [outcome.reason] : []));
  const reason = isAsked ? undefined : reasons.find((one) => one !== "interrupted");
  return { kind: "stopped", reason: reason ?? "interrupted" };
}
