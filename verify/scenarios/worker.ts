// Worker: explores one scenario in a thread of its own, reports how far it is and at last the result.
//
// Owner: itself. Pairs with: suite-run.ts, which starts it and may ask it to stop.

import { parentPort, workerData } from "node:worker_threads";
import type { Job, JobMessage } from "./suite-run.ts";
import { runScenario } from "./run.ts";
import { select } from "./suite.ts";

function send(message: JobMessage, transferred: readonly ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transferred);
}

const job = workerData as Job;
const stop = new Int32Array(job.stop);
const selection = select([job.name]);
if (selection.kind !== "selected" || selection.scenarios[0] === undefined) throw new Error(`no scenario ${job.name}`);
const result = await runScenario(selection.scenarios[0], job.tier, job.parts, {
  ...(job.transitionsMax === undefined ? {} : { transitionsMax: job.transitionsMax }),
  ...(job.memoryMax === undefined ? {} : { memoryMax: job.memoryMax }),
  ...(job.resume === undefined ? {} : { resume: job.resume }),
  operations: job.operations,
  shortest: job.shortest,
  onProgress: (progress) => {
    send({ kind: "progress", progress });
    return Atomics.load(stop, 0) === 0;
  },
});
// The states of a search that stopped may be half a gigabyte: handed over, not copied.
const states = result.kind === "incomplete" ? result.exploration.unfinished?.states : undefined;
send({ kind: "ended", result }, states === undefined ? [] : [states.buffer as ArrayBuffer]);
