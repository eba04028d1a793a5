// Soak lanes: what runs chunks of a soak at the same time: threads with the embedded machine, or boards of QEMU.
//
// Invariants: a lane runs one chunk at a time; aborting the signal ends a chunk soon, with what was run by then.
// Partners: soak-worker.ts is the thread of a lane on sim; soak-images.ts has the images; soak.ts hands out chunks.

import { readFile } from "node:fs/promises";
import { Worker } from "node:worker_threads";
import type { MachineRun } from "../machines/machine-run.ts";
import { FAULT_PLAN_VERSION } from "../machines/sim/fault-plan.ts";
import type { Chunk, ChunkResult, SoakSetup, SoakFailure } from "../proof/soak/soak-setup.ts";
import { judgeFor } from "../proof/soak/judge.ts";
import { EMPTY_TALLY } from "../proof/soak/tally.ts";
import { sha256Of } from "../toolchain/sha256.ts";
import type { CommandEnding } from "./exit-code.ts";
import { type SoakImages, soakImages } from "./soak-images.ts";
import type { ImageHashes } from "./soak-state.ts";

export type SoakLane = (chunk: Chunk) => Promise<ChunkResult>;

export interface OpenLanes {
  readonly kind: "open";
  readonly lanes: readonly SoakLane[];
  readonly images: ImageHashes;
  /** The image that virt boots, to be kept beside what failed; null on sim, whose seeds say all. */
  readonly elf: string | null;
  /** Runs that make one chunk. */
  readonly chunkRuns: number;
  close(): Promise<void>;
}

export interface LaneOptions {
  readonly workers: number;
  /** virt: a boot that takes longer is red. */
  readonly timeoutMilliseconds: number;
  /** virt: an image to boot as it is. */
  readonly elf?: string;
}

/** Builds what the setup needs and opens its lanes. */
export type LaneOpener = (
  setup: SoakSetup,
  options: LaneOptions,
  signal: AbortSignal,
) => Promise<OpenLanes | CommandEnding>;

/** What a thread is given; its stop word becomes 1 when it is to come to an end. */
export interface SoakThreadJob {
  readonly setup: SoakSetup;
  readonly kernel: WebAssembly.Module;
  readonly user: WebAssembly.Module;
  readonly stop: SharedArrayBuffer;
}

/** Seeds that a thread runs between two messages: a second's worth at most. */
const CHUNK_SEEDS = 200;
const TURN_MILLISECONDS = 1000;

export const openLanes: LaneOpener = async (setup, options, signal) => {
  const images = await soakImages(setup, options.elf);
  switch (images.kind) {
    case "sim":
      return openSimLanes(setup, images, options, signal);
    case "virt":
      return openVirtLanes(setup, images, options, signal);
    default:
      return images;
  }
};

async function openSimLanes(
  setup: SoakSetup,
  images: Extract<SoakImages, { kind: "sim" }>,
  { workers }: LaneOptions,
  signal: AbortSignal,
): Promise<OpenLanes> {
  const [kernelBytes, userBytes] = await Promise.all([readFile(images.kernel), readFile(images.user)]);
  const stop = new SharedArrayBuffer(4);
  signal.addEventListener("abort", () => void Atomics.store(new Int32Array(stop), 0, 1), { once: true });
  const job: SoakThreadJob = {
    setup,
    kernel: await WebAssembly.compile(kernelBytes),
    user: await WebAssembly.compile(userBytes),
    stop,
  };
  const threads = Array.from(
    { length: workers },
    () => new Worker(new URL("./soak-worker.js", import.meta.url), { workerData: job }),
  );
  return {
    kind: "open",
    lanes: threads.map((thread) => (chunk) => ask(thread, chunk)),
    images: {
      "kernel.sim.wasm": sha256Of(kernelBytes),
      "user.sim.wasm": sha256Of(userBytes),
      ...(setup.faults ? { "fault plans": String(FAULT_PLAN_VERSION) } : {}),
    },
    elf: null,
    chunkRuns: CHUNK_SEEDS,
    close: async () => void (await Promise.all(threads.map((thread) => thread.terminate()))),
  };
}

function ask(thread: Worker, chunk: Chunk): Promise<ChunkResult> {
  return new Promise((resolve, reject) => {
    const ended = (): void => reject(new Error("a soak's thread ended without a word"));
    thread.once("error", reject);
    thread.once("exit", ended);
    thread.once("message", (result: ChunkResult) => {
      thread.off("error", reject);
      thread.off("exit", ended);
      resolve(result);
    });
    thread.postMessage(chunk, []);
  });
}

async function openVirtLanes(
  setup: SoakSetup,
  images: Extract<SoakImages, { kind: "virt" }>,
  { workers, timeoutMilliseconds }: LaneOptions,
  signal: AbortSignal,
): Promise<OpenLanes> {
  const lane: SoakLane = async (chunk) => {
    const boot = await images.boot(chunk.from);
    return bootResult(chunk.from, await watch(setup, boot, timeoutMilliseconds, signal));
  };
  return {
    kind: "open",
    lanes: Array.from({ length: workers }, () => lane),
    images: { "hartbeat.elf": sha256Of(await readFile(images.elf)) },
    elf: images.elf,
    chunkRuns: 1,
    close: async () => undefined,
  };
}

interface WatchedBoot {
  readonly verdict: ReturnType<ReturnType<typeof judgeFor>["conclude"]>;
  readonly console: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
}

/** Reads a boot to its end, or until it is stopped or takes too long. */
export async function watch(
  setup: SoakSetup,
  run: MachineRun,
  timeoutMilliseconds: number,
  signal: AbortSignal,
): Promise<WatchedBoot> {
  const judge = judgeFor(setup);
  const console: string[] = [];
  let timedOut = false;
  const stop = (): void => run.stop();
  // In short turns: a soak that was itself stopped for an hour (SIGSTOP, a laptop's lid) must not count that hour.
  const turn = Math.min(TURN_MILLISECONDS, timeoutMilliseconds);
  let turnsLeft = Math.ceil(timeoutMilliseconds / turn);
  const timer = setInterval(() => {
    turnsLeft -= 1;
    if (turnsLeft > 0) return;
    timedOut = true;
    run.stop();
  }, turn);
  signal.addEventListener("abort", stop);
  if (signal.aborted) run.stop();
  try {
    for await (const text of run.lines) {
      console.push(text);
      judge.feed(text);
    }
    const outcome = await run.outcome;
    const ending = timedOut ? { kind: "timed-out" as const, after: `${timeoutMilliseconds / 1000}s` } : outcome;
    return { verdict: judge.conclude(ending), console, counts: judge.counts() };
  } finally {
    run.stop();
    clearInterval(timer);
    signal.removeEventListener("abort", stop);
  }
}

/** A boot that was stopped from outside has not been run. */
function bootResult(number: number, { verdict, console, counts }: WatchedBoot): ChunkResult {
  const done = { from: number, to: number + 1 };
  switch (verdict.kind) {
    case "passed":
      return { done, tally: { runs: 1, passed: 1, failed: 0, counts }, failures: [] };
    case "failed": {
      const failure: SoakFailure = { number, reasons: verdict.reasons, console, plan: null };
      return { done, tally: { runs: 1, passed: 0, failed: 1, counts }, failures: [failure] };
    }
    case "inconclusive":
      return { done: { from: number, to: number }, tally: EMPTY_TALLY, failures: [] };
    default:
      return verdict satisfies never;
  }
}
