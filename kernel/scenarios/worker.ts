// Worker: explores one scenario in a thread of its own and reports the result.
//
// Owner: itself. Pairs with: campaign.ts, which starts it.

import { parentPort, workerData } from "node:worker_threads";
import type { Job } from "./campaign.ts";
import { runScenario } from "./run.ts";
import { select } from "./suite.ts";

const job = workerData as Job;
const selection = select([job.name]);
if (selection.kind !== "selected" || selection.scenarios[0] === undefined) throw new Error(`no scenario ${job.name}`);
const result = await runScenario(selection.scenarios[0], job.tier, job.parts, {
  ...(job.transitionsMax === undefined ? {} : { transitionsMax: job.transitionsMax }),
  ...(job.memoryMax === undefined ? {} : { memoryMax: job.memoryMax }),
});
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker's port has no origin
parentPort?.postMessage(result);
