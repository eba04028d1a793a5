// Exploration worker: the thread in which a search runs. It reports its progress, looks at the stop word as often, and
// sends the end as one message.
//
// Partners: exploration-thread.ts starts it. A fault of ours is thrown and reaches the other side as an error.

import { parentPort, workerData } from "node:worker_threads";
import { explore } from "../explore/explore.ts";
import { refusalOf } from "../explore/report/refusal.ts";
import type { ExplorationEnding, ThreadJob, ThreadMessage } from "./exploration-thread.ts";

const send = (message: ThreadMessage): void => {
  // What a stopped search has seen may be as large as its table: it changes hands and is not copied.
  const states = message.kind === "explored" ? message.exploration.unfinished?.states : undefined;
  parentPort?.postMessage(message, states ? [states.buffer as ArrayBuffer] : []);
};

async function run({ target, options, stop }: ThreadJob): Promise<ExplorationEnding> {
  const stopWord = new Int32Array(stop);
  try {
    const exploration = await explore(target, {
      ...options,
      onProgress: (progress) => {
        send({ kind: "progress", progress });
        return Atomics.load(stopWord, 0) === 0;
      },
    });
    return { kind: "explored", exploration };
  } catch (error) {
    const message = refusalOf(error);
    if (message === undefined) throw error;
    return { kind: "refused", message };
  }
}

send(await run(workerData as ThreadJob));
