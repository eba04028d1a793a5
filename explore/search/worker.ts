// Worker: one thread of a parallel search. Searches along its own branches, then below the work items that it takes; gives
// work items away; reports how it ended and what it has left to do.
//
// Owner: itself; it shares the table and the queue with the others. Pairs with: parallel.ts, which starts it.

import { parentPort, workerData } from "node:worker_threads";
import type { Branch } from "./branch.ts";
import { branchOf } from "./branch.ts";
import { CycleDetection } from "./cycle-detection.ts";
import type { DepthFirstOutcome, SearchCounts } from "./depth-first.ts";
import { DepthFirst } from "./depth-first.ts";
import type { Job, WorkerReport } from "./parallel.ts";
import { SharedTable } from "./shared-table.ts";
import { prepare } from "../program/prepared-target.ts";
import { WorkQueue } from "./work-queue.ts";
import { assertDefined } from "../../wasm/assert-defined.ts";

function work(job: Job): WorkerReport {
  const { reductions, newProgram } = prepare(job.target);
  const program = newProgram();
  program.words.trackRaces(job.raceTracked);
  program.words.learn(job.accessSummary);
  const queue = new WorkQueue(job.queue);
  const table = new SharedTable(job.table, job.worker, job.workers, job.statesBefore);
  const finals = job.collectFinals ? new Set<string>() : undefined;
  // States that were saved do not say whether they closed.
  const cycleDetection = reductions.mergeStates && job.statesBefore === 0 ? new CycleDetection(table) : undefined;
  const own = [...job.branches];
  let cycles = false;
  let done: SearchCounts = { states: 0, transitions: 0, depthMax: 0 };

  const report = (outcome: DepthFirstOutcome, stopped?: Branch): WorkerReport => {
    // Whatever ended this worker early ends the round.
    if (outcome.kind !== "exhausted") queue.stop();
    queue.count(job.worker, done, 0, 0);
    return {
      outcome,
      left: stopped ? [stopped, ...own] : own,
      raceTracked: program.words.raceTrackedWords(),
      accessSummary: program.words.accessSummary(),
      raceTrackedTooMany: program.words.raceTrackedTooMany,
      worstSteps: program.worstSteps,
      waiting: cycleDetection?.waiting,
      finals: finals ? [...finals] : [],
    };
  };
  const next = (): Branch | undefined => {
    if (queue.stopped) return undefined;
    const branch = own.shift();
    if (branch) return branch;
    const item = queue.take();
    return item && branchOf(item);
  };

  for (let branch = next(); branch; branch = next()) {
    program.restart();
    const search = new DepthFirst(program, table, {
      sleepSets: reductions.sleepSets && reductions.mergeStates,
      mergeStates: reductions.mergeStates,
      transitionsMax: job.transitionsMax - done.transitions,
      ...(finals ? { finals } : {}),
      ...(cycleDetection ? { cycleDetection } : {}),
      share: {
        wanted: () => queue.wanted,
        give: (given) => queue.give(given),
      },
      onProgress: (_, depth, frontier) => {
        queue.count(job.worker, sum(done, search), depth, frontier);
        return !queue.stopped;
      },
    });
    const outcome = search.runBranch(branch);
    cycles ||= search.cyclesSeen;
    done = sum(done, search);
    if (outcome.kind === "stopped") return report(outcome, search.left());
    if (outcome.kind !== "exhausted") return report(outcome);
    queue.count(job.worker, done, 0, 0);
    if (own.length === 0) queue.done();
  }
  return report({ kind: "exhausted", cycles: cycles || !cycleDetection, cut: false });
}

function sum(done: SearchCounts, { counts, scheduleMax }: DepthFirst): SearchCounts {
  return {
    states: done.states + counts.states,
    transitions: done.transitions + counts.transitions,
    depthMax: Math.max(done.depthMax, scheduleMax),
  };
}

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker's port has no origin
assertDefined(parentPort).postMessage(work(workerData as Job));
