// Parallel: one exhaustive search by several workers over one table of states.
//
// Each worker has a program of its own and goes depth first; an idle one gets a choice from the shallowest level of a busy
// one. Owner: one round. Invariant: the round is exhausted only if every worker says so.
// Pairs with: worker.ts, shared-table.ts, work-queue.ts; explore.ts calls it.

import { Worker } from "node:worker_threads";
import type { DepthFirstOutcome, SearchCounts } from "./depth-first.ts";
import { ENTRY_BYTES } from "./state-table.ts";
import type { Target } from "./target.ts";
import { WorkQueue } from "./work-queue.ts";

/** What a worker is told. */
export interface Job {
  readonly target: Target;
  readonly watched: readonly number[];
  readonly table: SharedArrayBuffer;
  readonly queue: SharedArrayBuffer;
  readonly worker: number;
  readonly workers: number;
  readonly transitionsMax: number;
  readonly collectFinals: boolean;
}

/** What a worker says at its end. */
export interface WorkerReport {
  readonly outcome: DepthFirstOutcome;
  readonly watched: readonly number[];
  readonly watchedTooMany: boolean;
  /** Who touched what, in this worker's part: see Program.touchedWords. */
  readonly touched: readonly number[];
  readonly worstSteps: readonly number[];
  readonly finals: readonly string[];
}

export interface ParallelOptions {
  readonly workers: number;
  /** The worker's module, as JavaScript. */
  readonly workerModule: URL;
  readonly memoryMax: number;
  readonly transitionsMax: number;
  readonly collectFinals: boolean;
  readonly onProgress: (counts: SearchCounts) => boolean;
}

export interface ParallelOutcome {
  readonly outcome: DepthFirstOutcome;
  readonly counts: SearchCounts;
  readonly reports: readonly WorkerReport[];
  readonly tableBytes: number;
  /** From the first worker's first step on, without the time that workers take to start. */
  readonly seconds: number;
}

/** The more urgent outcome decides. */
const URGENCY = { violated: 0, restart: 1, stopped: 2, exhausted: 3 } as const;

export async function searchInParallel(
  target: Target,
  watched: readonly number[],
  prefix: readonly number[],
  options: ParallelOptions,
): Promise<ParallelOutcome> {
  const entries = 2 ** Math.floor(Math.log2(options.memoryMax / ENTRY_BYTES));
  const table = new SharedArrayBuffer(entries * ENTRY_BYTES);
  const buffer = WorkQueue.newBuffer();
  const queue = new WorkQueue(buffer);
  queue.give({ schedule: prefix, choice: -1, asleep: 0 });
  let started = 0;
  const timer = setInterval(() => {
    const counts = queue.counted(options.workers);
    if (started === 0 && counts.transitions > 0) started = performance.now();
    if (!options.onProgress(counts)) queue.stop();
  }, 50);
  const from = performance.now();
  try {
    const reports = await Promise.all(
      Array.from({ length: options.workers }, async (_, worker) => {
        const workerData: Job = {
          target,
          watched,
          table,
          queue: buffer,
          worker,
          workers: options.workers,
          transitionsMax: options.transitionsMax,
          collectFinals: options.collectFinals,
        };
        return new Promise<WorkerReport>((resolve, reject) => {
          const thread = new Worker(options.workerModule, { workerData });
          thread.once("error", (error) => {
            queue.stop();
            reject(error instanceof Error ? error : new Error(String(error)));
          });
          thread.once("message", (report: WorkerReport) => {
            if (report.outcome.kind !== "exhausted") queue.stop();
            resolve(report);
          });
        });
      }),
    );
    const outcome = reports
      .map((report) => report.outcome)
      .reduce((a, b) => (URGENCY[b.kind] < URGENCY[a.kind] ? b : a));
    const seconds = (performance.now() - (started || from)) / 1000;
    return { outcome, counts: queue.counted(options.workers), reports, tableBytes: table.byteLength, seconds };
  } finally {
    clearInterval(timer);
  }
}
