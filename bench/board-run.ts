// Board run: runs a benchmark's image on QEMU and reads what it prints.
//
// Invariants: with -icount one run gives the same counts as the next; a run that does not get to its end, and a count
// that stands for another outcome than expected, are faults and never numbers.
// Pairs with: bench/native/bench.c, resched-chains.c and programs.c, which print the lines.
import { closeSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { observedImage, ObserverMemory } from "../machines/virt/observer-memory.ts";
import { type QemuOptions, startQemu } from "../machines/virt/qemu.ts";
import type { TraceEvent } from "../trace/event.ts";

/** `BENCH operation=enqueue depth=1 kernel=26 twin=26 same=1`: its fields. */
export type Reading = ReadonlyMap<string, string>;

export type BoardOutcome =
  /** events: of a board that was observed, else none. */
  | { kind: "read"; readings: Reading[]; events: readonly TraceEvent[] }
  /** message: one line. */
  | { kind: "missing-tool"; message: string }
  | { kind: "failed"; message: string };

const TIMEOUT_MS = 60_000;

type BoardOptions = Pick<QemuOptions, "elf" | "harts" | "aclint" | "memoryMebibytes" | "shared">;

/** Runs the image with -icount until it has printed everything. */
export async function readBoard(options: BoardOptions): Promise<BoardOutcome> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const started = await startQemu({ ...options, icount: true, signal });
  if (started.kind === "missing-qemu") return { kind: "missing-tool", message: started.message };
  if (started.kind !== "started") return { kind: "failed", message: started.message };
  const readings: Reading[] = [];
  let complete = false;
  for await (const line of started.run.lines) {
    if (line.startsWith("PANIC: ")) {
      await started.run.stop();
      return { kind: "failed", message: `the benchmark's image ended with ${line}` };
    }
    const reading = parseReading(line);
    if (reading === undefined) continue;
    // The last user task prints it; nothing then ends the run but us.
    complete = reading.has("end");
    if (complete) break;
    readings.push(reading);
  }
  await started.run.stop();
  const fault = faultOf(readings, complete);
  return fault === undefined ? { kind: "read", readings, events: [] } : { kind: "failed", message: fault };
}

/** The same with its harts observed (machines/virt/observer.c). */
export async function readObservedBoard({ elf, harts }: Pick<QemuOptions, "elf" | "harts">): Promise<BoardOutcome> {
  const memory = new ObserverMemory(harts);
  const image = observedImage(await readFile(elf));
  try {
    const shared = { memory: memory.file, image };
    const outcome = await readBoard({ elf, harts, memoryMebibytes: memory.mebibytes, shared });
    memory.close();
    return outcome.kind === "read" ? { ...outcome, events: [...memory.events()] } : outcome;
  } finally {
    memory.close();
    closeSync(image);
  }
}

/** The fields of a line of the benchmark, which may stand behind a task's name; undefined for any other line. */
export function parseReading(line: string): Reading | undefined {
  const fields = /^(?:\[\d+\] )?BENCH (.+)$/.exec(line)?.[1];
  if (fields === undefined) return undefined;
  return new Map(fields.split(" ").map((field) => [field.split("=")[0] ?? "", field.split("=")[1] ?? ""]));
}

/** What keeps the readings from being believed, in one line. */
export function faultOf(readings: readonly Reading[], complete: boolean): string | undefined {
  if (!complete) return "the benchmark's image did not get to its end";
  for (const reading of readings) {
    const formatted = [...reading].map(([name, value]) => `${name}=${value}`).join(" ");
    if (reading.get("kernel") === "-1") return `an operation had another outcome than expected: ${formatted}`;
    if (reading.get("same") === "0" || reading.get("twin") === "-1")
      return `kernel and twin left different memory behind: ${formatted}; bench/native/twin.c must follow the kernel`;
  }
  return undefined;
}

/** A field as a number; an absent one is a fault of ours. */
export function numberIn(reading: Reading, name: string): number {
  const value = reading.get(name);
  if (value === undefined || !/^-?\d+$/.test(value)) throw new Error(`no number ${name} in a line of the benchmark`);
  return Number(value);
}
