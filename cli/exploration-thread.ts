// Exploration thread: the interface between the command line and the explorer. The search runs in a thread of its own, so that
// Ctrl-C and the progress are heard while it never pauses.
//
// Invariants: a stop is asked for, and what is known comes back; what the user has to mend comes back as `refused`.
// Partners: exploration-worker.ts runs the job; explore.ts (the verb) asks.

import { Worker } from "node:worker_threads";
import type { Exploration, ExploreOptions } from "../explore/exploration.ts";
import type { Progress } from "../explore/search/progress.ts";
import type { Target } from "../explore/program/target.ts";

/** Options that can be sent to a thread. */
export type PlainOptions = Omit<ExploreOptions, "onProgress" | "workerModule" | "sourceMap"> & {
  readonly sourceMap?: string;
};

export interface ExplorationJob {
  readonly target: Target;
  readonly options: PlainOptions;
}

export type ExplorationEnding =
  | { readonly kind: "explored"; readonly exploration: Exploration }
  /** What is wrong with the module or with what was asked of it, in one line. */
  | { readonly kind: "refused"; readonly message: string };

/** Runs one job. Aborting the signal ends it soon, with what is known by then. */
export type Explorer = (
  job: ExplorationJob,
  signal: AbortSignal,
  onProgress: (progress: Progress) => void,
) => Promise<ExplorationEnding>;

/** What the thread is given: the job, and a word that becomes 1 when it is to stop. */
export interface ThreadJob extends ExplorationJob {
  readonly stop: SharedArrayBuffer;
}

export type ThreadMessage = { readonly kind: "progress"; readonly progress: Progress } | ExplorationEnding;

export const exploreInThread: Explorer = (job, signal, onProgress) =>
  new Promise((resolve, reject) => {
    const stop = new SharedArrayBuffer(4);
    const workerData: ThreadJob = { ...job, stop };
    // What is resumed may be as large as a table: it changes hands and is not copied.
    const { resume } = job.options;
    const transferList = resume ? [resume.states.buffer as ArrayBuffer] : [];
    const thread = new Worker(new URL("./exploration-worker.js", import.meta.url), { workerData, transferList });
    const ask = (): void => void Atomics.store(new Int32Array(stop), 0, 1);
    if (signal.aborted) ask();
    signal.addEventListener("abort", ask, { once: true });
    thread.on("message", (message: ThreadMessage) => {
      if (message.kind === "progress") onProgress(message.progress);
      else resolve(message);
    });
    thread.once("error", reject);
    thread.once("exit", () => {
      signal.removeEventListener("abort", ask);
      reject(new Error("the explorer's thread ended without a word"));
    });
  });
