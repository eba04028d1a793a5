// Soak state: what a soak has done so far, `.hartbeat/soak/<id>/state.json`, and the runs of it that failed, beside it.
//
// The id follows from the setup and the images, so the same command finds its state and another kernel begins again.
// Invariants: the file is written whole or not at all; a run is in `done` once and in the tally once.
// Partners: soak.ts.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Chunk, ChunkResult, SoakSetup, SoakFailure } from "../proof/soak/soak-setup.ts";
import { addTallies, EMPTY_TALLY, type Tally } from "../proof/soak/tally.ts";
import { writeParts } from "./output-file.ts";

export const SOAK_FORMAT = "hartbeat-soak";
export const SOAK_VERSION = 2;
/** Version 1 differs in the name of the setup alone: "campaign". */
const SOAK_VERSIONS_READ: readonly unknown[] = [1, SOAK_VERSION];

/** A soak that always fails shall not fill the disk: later failures are counted, and named up to the second number. */
const CONSOLES_KEPT_MAX = 50;
const FAILURES_NAMED_MAX = 1000;

export interface KnownFailure {
  readonly number: number;
  readonly reasons: readonly string[];
  /** Where its console lies; null: it was one of too many. */
  readonly folder: string | null;
}

/** SHA-256 of each image by name, and the version of the fault plans where there are any. */
export type ImageHashes = Readonly<Record<string, string>>;

export interface SoakState {
  readonly setup: SoakSetup;
  readonly images: ImageHashes;
  /** In order, with gaps between them. */
  readonly done: readonly Chunk[];
  readonly tally: Tally;
  readonly failures: readonly KnownFailure[];
}

export function soakFolder(setup: SoakSetup, images: ImageHashes): string {
  const id = createHash("sha256")
    .update(JSON.stringify([setup, images]))
    .digest("hex")
    .slice(0, 12);
  return join(".hartbeat", "soak", `${setup.machine}-smp${setup.harts}-${id}`);
}

/** What is known of this soak; what cannot be read is not known. */
export function loadState(setup: SoakSetup, images: ImageHashes): SoakState {
  const empty: SoakState = { setup, images, done: [], tally: EMPTY_TALLY, failures: [] };
  const file = stateFile(soakFolder(setup, images));
  if (!existsSync(file)) return empty;
  try {
    const saved = JSON.parse(readFileSync(file, "utf8")) as Partial<SoakState> & {
      format?: unknown;
      version?: unknown;
    };
    const { done, tally, failures } = saved;
    if (saved.format !== SOAK_FORMAT || !SOAK_VERSIONS_READ.includes(saved.version)) return empty;
    if (!Array.isArray(done) || tally === undefined || !Array.isArray(failures)) return empty;
    return { setup, images, done, tally, failures };
  } catch {
    return empty;
  }
}

export function saveState(state: SoakState): void {
  const text = `${JSON.stringify({ format: SOAK_FORMAT, version: SOAK_VERSION, ...state }, null, 2)}\n`;
  writeParts(stateFile(soakFolder(state.setup, state.images)), [Buffer.from(text)]);
}

export function dropState(setup: SoakSetup, images: ImageHashes): void {
  rmSync(soakFolder(setup, images), { recursive: true, force: true });
}

/** The state after a chunk; keeps the consoles of its failures. `replayOf`: the command that runs a number again. */
export function withResult(state: SoakState, result: ChunkResult, replayOf: (number: number) => string): SoakState {
  const failures = [...state.failures];
  for (const failure of result.failures) {
    if (failures.length >= FAILURES_NAMED_MAX) break;
    const folder = failures.length < CONSOLES_KEPT_MAX ? keepFailure(state, failure, replayOf(failure.number)) : null;
    failures.push({ number: failure.number, reasons: failure.reasons, folder });
  }
  return {
    ...state,
    done: joined([...state.done, result.done]),
    tally: addTallies(state.tally, result.tally),
    failures: failures.toSorted((left, right) => left.number - right.number),
  };
}

/** The next numbers that have not been run, at least one and at most `size`; undefined when [from, to) is done. */
export function nextChunk(taken: readonly Chunk[], from: number, to: number, size: number): Chunk | undefined {
  let start = from;
  let end = to;
  for (const chunk of joined(taken)) {
    if (chunk.from > start) {
      end = Math.min(end, chunk.from);
      break;
    }
    start = Math.max(start, chunk.to);
  }
  return start < to ? { from: start, to: Math.min(end, start + size) } : undefined;
}

/** How many of [from, to) are done. */
export function doneWithin(done: readonly Chunk[], from: number, to: number): number {
  return done.reduce((sum, chunk) => sum + Math.max(0, Math.min(chunk.to, to) - Math.max(chunk.from, from)), 0);
}

/** The same numbers in order, neighbours as one. */
export function joined(chunks: readonly Chunk[]): Chunk[] {
  const result: Chunk[] = [];
  for (const chunk of chunks.filter(({ from, to }) => from < to).toSorted((left, right) => left.from - right.from)) {
    const last = result.at(-1);
    if (last !== undefined && last.to >= chunk.from) {
      result[result.length - 1] = { from: last.from, to: Math.max(last.to, chunk.to) };
    } else {
      result.push(chunk);
    }
  }
  return result;
}

function keepFailure(state: SoakState, failure: SoakFailure, replay: string): string {
  const folder = join(soakFolder(state.setup, state.images), "failures", String(failure.number));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "console.log"), failure.console.map((line) => `${line}\n`).join(""));
  const { setup, images } = state;
  const verdict = { setup, images, number: failure.number, faults: failure.plan, reasons: failure.reasons, replay };
  writeFileSync(join(folder, "verdict.json"), `${JSON.stringify(verdict, null, 2)}\n`);
  return folder;
}

const stateFile = (folder: string): string => join(folder, "state.json");
