// Worker: one thread of a parallel search. Takes pieces, searches below them, gives pieces away, reports how it ended.
//
// Owner: itself; it shares the table and the queue with the others. Pairs with: parallel.ts, which starts it.

import { parentPort, workerData } from "node:worker_threads";
import { DepthFirst } from "./depth-first.ts";
import type { Job, WorkerReport } from "./parallel.ts";
import { SharedTable } from "./shared-table.ts";
import { prepare } from "./target.ts";
import { WorkQueue } from "./work-queue.ts";
import { certain } from "./certain.ts";

function work(job: Job): WorkerReport {
  const { reductions, newProgram } = prepare(job.target);
  const program = newProgram();
  program.watch(job.watched);
  const queue = new WorkQueue(job.queue);
  const table = new SharedTable(job.table, job.workers);
  const finals = job.collectFinals ? new Set<string>() : undefined;
  const before = { states: 0, transitions: 0 };
  let depthMax = 0;
  const report = (outcome: WorkerReport["outcome"]): WorkerReport => {
    queue.count(job.worker, before.states, before.transitions, depthMax);
    return {
      outcome,
      watched: program.watchedWords(),
      watchedTooMany: program.watchedTooMany,
      touched: program.touchedWords(),
      worstSteps: program.worstSteps,
      finals: finals ? [...finals] : [],
    };
  };
  for (let piece = queue.take(); piece; piece = queue.take()) {
    program.restart();
    const search = new DepthFirst(program, table, {
      sleepSets: reductions.sleepSets && reductions.mergeStates,
      mergeStates: reductions.mergeStates,
      transitionsMax: job.transitionsMax,
      ...(finals ? { finals } : {}),
      share: {
        wanted: () => queue.wanted,
        give: (given) => queue.give(given),
      },
      onProgress: (counts, depth) => {
        queue.count(job.worker, before.states + counts.states, before.transitions + counts.transitions, depth);
        return !queue.stopped;
      },
    });
    const outcome = search.runPiece(piece);
    before.states += search.counts.states;
    before.transitions += search.counts.transitions;
    depthMax = Math.max(depthMax, piece.schedule.length + search.counts.depthMax);
    if (outcome.kind !== "exhausted") return report(outcome);
    queue.done();
  }
  return report({ kind: "exhausted", cycles: true, cut: false });
}

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker's port has no origin
certain(parentPort).postMessage(work(workerData as Job));
