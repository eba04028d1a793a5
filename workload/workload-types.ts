// Workload types: what a file describes, read and checked.
//
// Partners: workload-reader.ts makes one; phase-table.ts compiles it to words.

import type { Qos } from "../abi/qos.ts";
import type { Problem, Remark } from "./problem.ts";

export type TimerMode = "relative" | "absolute";

/** One action of a task. Times are microseconds. */
export type WorkloadEvent =
  | { readonly kind: "run"; readonly micros: number }
  | { readonly kind: "runtime"; readonly micros: number }
  | { readonly kind: "sleep"; readonly micros: number }
  | { readonly kind: "timer"; readonly timer: string; readonly micros: number; readonly mode: TimerMode }
  | { readonly kind: "suspend"; readonly resource: string }
  | { readonly kind: "resume"; readonly resource: string }
  | { readonly kind: "lock"; readonly mutex: string }
  | { readonly kind: "unlock"; readonly mutex: string }
  | { readonly kind: "wait"; readonly condition: string; readonly mutex: string }
  | { readonly kind: "signal"; readonly condition: string }
  | { readonly kind: "broadcast"; readonly condition: string }
  | { readonly kind: "sync"; readonly condition: string; readonly mutex: string }
  | { readonly kind: "barrier"; readonly barrier: string }
  | { readonly kind: "yield" }
  | { readonly kind: "fork"; readonly task: string };

/** An event with the place where it stands. */
export interface PlacedEvent {
  readonly event: WorkloadEvent;
  readonly line: number;
  readonly key: string;
}

/** -1: for ever. */
export type Loop = number;

export interface Phase {
  readonly loop: Loop;
  readonly events: readonly PlacedEvent[];
}

export interface WorkloadTask {
  readonly name: string;
  readonly line: number;
  /** The path of its key. */
  readonly key: string;
  /** Tasks made at the start; further ones are forked. */
  readonly instances: number;
  readonly loop: Loop;
  readonly phases: readonly Phase[];
  readonly qos: Qos;
  /** CPUs on which its instances begin, in turn; empty: any. */
  readonly cpus: readonly number[];
  /** Where they are listed. */
  readonly cpusLine: number;
  /** Sleep before the first phase. */
  readonly delayMicros: number;
}

export interface Workload {
  readonly tasks: readonly WorkloadTask[];
  /** null: the file sets no end. */
  readonly durationMillis: number | null;
}

export type WorkloadReading =
  | { readonly kind: "read"; readonly workload: Workload; readonly remarks: readonly Remark[] }
  | { readonly kind: "refused"; readonly problems: readonly Problem[] };
