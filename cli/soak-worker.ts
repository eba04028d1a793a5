// Soak worker: a thread that runs chunks of seeds on the embedded machine, one chunk at a time, as they are asked for.
//
// Partners: soak-lanes.ts starts it, sends chunks and sets the stop word. A fault of ours is thrown and reaches the other
// side as an error.

import { parentPort, workerData } from "node:worker_threads";
import { pausableModule } from "../machines/sim/resumable-instance.ts";
import type { Chunk } from "../proof/soak/soak-setup.ts";
import { SimSoak } from "../proof/soak/sim-soak.ts";
import type { SoakThreadJob } from "./soak-lanes.ts";

const job = workerData as SoakThreadJob;
const stop = new Int32Array(job.stop);
const soak = new SimSoak({ kernel: pausableModule(job.kernel), user: pausableModule(job.user) }, job.setup);

parentPort?.on("message", (chunk: Chunk) => {
  parentPort?.postMessage(
    soak.runChunk(chunk, () => Atomics.load(stop, 0) === 0),
    [],
  );
});
