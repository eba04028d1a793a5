// Counterexample: a failing schedule as a plain value that can be saved, replayed and shown.
//
// Owner: counterexample-search.ts makes it, replay.ts and render.ts read it. Invariant: it names everything needed but the module's
// bytes, of which it has the hash; JSON.stringify of it is the file format, version 1.

import type { Target } from "../program/target.ts";
import type { Violation } from "../program/violation.ts";

export const COUNTEREXAMPLE_FORMAT = "hartbeat-counterexample";
/** Version 1 differs in one name: `raceTracked` was "watched". It is still read. */
export const COUNTEREXAMPLE_VERSION = 2;

/** What one access looked like; values as hexadecimal text. */
export interface AccessRecord {
  readonly function: string;
  readonly operation: string;
  readonly address: number;
  readonly atomic: boolean;
  /** Offset of the instruction in the module. */
  readonly at: number;
  /** Loads: what was read. Read-modify-write: what was there. Stores: absent. */
  readonly read?: string;
  /** Stores: what was written. Read-modify-write: what it became (absent when a compare failed). */
  readonly wrote?: string;
  /** "file:line", where the module has it. */
  readonly source?: string;
}

export interface StepRecord {
  /** t steps thread t; 16 + t expires thread t's wait. */
  readonly choice: number;
  readonly thread: number;
  readonly accesses: readonly AccessRecord[];
  /** Further accesses of the step, beyond those that are kept. */
  readonly omitted: number;
}

export interface Counterexample {
  readonly format: typeof COUNTEREXAMPLE_FORMAT;
  readonly version: typeof COUNTEREXAMPLE_VERSION;
  readonly artifact: { readonly sha256: string; readonly bytes: number };
  /** The target without the module's bytes. */
  readonly target: Omit<Target, "wasm">;
  readonly threadNames: readonly string[];
  readonly violation: Violation;
  /** Whether no schedule of this failure is shorter. */
  readonly shortest: boolean;
  /** Words of memory that footprints were kept for; part of the state. */
  readonly raceTracked: readonly number[];
  readonly schedule: readonly number[];
  readonly steps: readonly StepRecord[];
}

/** SHA-256 of the module, in hexadecimal. */
export async function hashOf(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes as BufferSource);
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export type ParsedCounterexample =
  { readonly kind: "ok"; readonly counterexample: Counterexample } | { readonly kind: "bad"; readonly reason: string };

/** Reads a saved counterexample; a refusal is one line with what is wrong. */
export function parseCounterexample(text: string): ParsedCounterexample {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: "bad", reason: "the file is not JSON" };
  }
  if (typeof value !== "object" || value === null || !("format" in value) || value.format !== COUNTEREXAMPLE_FORMAT)
    return { kind: "bad", reason: "the file is not a counterexample of this program" };
  const candidate = currentForm(value);
  if (candidate.version !== COUNTEREXAMPLE_VERSION)
    return {
      kind: "bad",
      reason: `the file has version ${String(candidate.version)}; this program reads versions 1 and ${COUNTEREXAMPLE_VERSION}`,
    };
  if (
    !Array.isArray(candidate.schedule) ||
    !Array.isArray(candidate.steps) ||
    !candidate.target ||
    !candidate.violation ||
    !candidate.artifact
  )
    return { kind: "bad", reason: "the file is incomplete" };
  return { kind: "ok", counterexample: candidate as Counterexample };
}

/** A file of version 1 as one of today's version; others as they are. */
function currentForm(value: object): Partial<Counterexample> {
  if (!("version" in value) || value.version !== 1 || !("watched" in value)) return value;
  const { watched, ...rest } = value;
  return { ...rest, version: COUNTEREXAMPLE_VERSION, raceTracked: watched as readonly number[] };
}
