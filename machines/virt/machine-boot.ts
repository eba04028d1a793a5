// Machine boot: one run of an image on QEMU's board, in the form that every machine's runs have.
//
// Invariants: nothing is thrown; what keeps the board from starting is the run's outcome, with its one line.
// Partners: machines/machine-run.ts; qemu.ts; cli/ and proof/, which read the run.

import { closeSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { MachineRun, RunOutcome } from "../machine-run.ts";
import { checkElf } from "./elf.ts";
import { observedImage, ObserverMemory } from "./observer-memory.ts";
import { type QemuExit, type QemuOptions, type QemuStart, startQemu } from "./qemu.ts";

export interface VirtOptions extends Omit<QemuOptions, "signal" | "shared"> {
  /** Observes the kernel: the run has events. */
  observe?: boolean;
}

/** Milliseconds between two looks at the harts' rings, which take longer to go round. */
const POLL_MS = 4;

/** Starts the board; the run begins at once. */
export function bootVirt({ observe = false, ...options }: VirtOptions): MachineRun {
  const stop = new AbortController();
  const board = { ...options, signal: stop.signal };
  const end = { stop: () => stop.abort() };
  if (!observe) {
    const started = startQemu(board);
    return { lines: linesOf(started), outcome: outcomeOf(started), ...end };
  }
  const memory = openMemory(options.harts);
  if (typeof memory === "string") return { lines: linesOf(null), outcome: crashed(memory), ...end };
  const started = startObserved(board, memory);
  const poll = setInterval(() => memory.poll(), POLL_MS);
  const outcome = outcomeOf(started).finally(() => {
    clearInterval(poll);
    memory.close();
  });
  return { lines: linesOf(started), outcome, ...end, events: () => memory.events() };
}

function crashed(reason: string): Promise<RunOutcome> {
  return Promise.resolve({ kind: "crashed", reason });
}

/** What keeps the file from being made, in one line. */
function openMemory(harts: number): ObserverMemory | string {
  try {
    return new ObserverMemory(harts);
  } catch (error) {
    return `no file for the board's memory (${reasonOf(error)}); mend it with: a TMPDIR that has space`;
  }
}

async function startObserved(options: QemuOptions, memory: ObserverMemory): Promise<QemuStart> {
  const fault = await checkElf(options.elf);
  if (fault !== undefined) return { kind: "bad-image", message: fault };
  let image: number;
  try {
    image = observedImage(await readFile(options.elf));
  } catch (error) {
    return { kind: "bad-image", message: `${options.elf}: it cannot be observed, ${reasonOf(error)}` };
  }
  const shared = { memory: memory.file, image };
  try {
    return await startQemu({ ...options, memoryMebibytes: memory.mebibytes, shared });
  } finally {
    closeSync(image);
  }
}

function reasonOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? (error instanceof Error ? error.message : String(error));
}

async function* linesOf(started: Promise<QemuStart> | null): AsyncGenerator<string> {
  const start = await started;
  if (start?.kind === "started") yield* start.run.lines;
}

async function outcomeOf(started: Promise<QemuStart>): Promise<RunOutcome> {
  const start = await started;
  if (start.kind !== "started") return { kind: "crashed", reason: start.message };
  return toOutcome(await start.run.exit);
}

function toOutcome(exit: QemuExit): RunOutcome {
  switch (exit.kind) {
    case "powered-off":
    case "stopped":
      return exit;
    case "broken":
      return { kind: "crashed", reason: exit.message };
    default:
      return exit satisfies never;
  }
}
