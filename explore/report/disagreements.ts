// Disagreements: where a thread acts on a value that another thread has changed since it was read.
//
// A read goes stale when another thread writes something else to its address. It matters when its thread then writes
// what others see, waits, fails or ends without having looked again; reading on is no act.
// Owner: none, pure: found in the recorded steps alone, so a replay finds the same.
// Not seen: whether the program really depends on the value, and addresses that overlap without being equal.
// Pairs with: replay.ts (records), render.ts (marks the acts).

import type { AccessRecord, StepRecord } from "./counterexample.ts";

export interface Disagreement {
  readonly thread: number;
  readonly address: number;
  /** What the thread read, as hexadecimal text, in which step (counted from 1), and where its source is. */
  readonly believed: string;
  readonly readIn: number;
  readonly readAt: string | undefined;
  /** Who wrote last before the act, what, and in which step. */
  readonly writer: number;
  readonly actual: string;
  readonly writtenIn: number;
  /** The step in which the thread acts on what it read. */
  readonly actsIn: number;
  /**
   * How: `overwrites` the unseen value, takes a value that went and came `back` for one that stayed, `waits` on at the end,
   * or another act.
   */
  readonly how: "overwrites" | "back" | "waits" | "acts";
}

interface Belief {
  readonly value: string;
  readonly readIn: number;
  readonly readAt: string | undefined;
  /** What others wrote since; undefined: nothing that differs. */
  written: { readonly writer: number; readonly value: string; readonly step: number } | undefined;
  isReported: boolean;
}

/** What the violation names of threads: whose last step fails, and who waits for ever. */
export interface Blamed {
  readonly failing?: readonly number[];
  readonly waiting?: readonly number[];
}

/** In the order of the acts. */
export function findDisagreements(steps: readonly StepRecord[], blamed: Blamed = {}): Disagreement[] {
  const shared = sharedAddresses(steps);
  const beliefs = new Map<number, Map<number, Belief>>();
  const found: Disagreement[] = [];
  const lastStepOf = new Map(steps.map(({ thread }, index) => [thread, index]));
  for (const [index, { thread, accesses }] of steps.entries()) {
    const own = beliefs.get(thread) ?? new Map<number, Belief>();
    beliefs.set(thread, own);
    const mark = (address: number, belief: Belief, how: Disagreement["how"]): void =>
      record(found, thread, address, belief, index + 1, how);
    const act = (except: number): void => {
      for (const [address, belief] of own)
        if (address !== except && belief.written?.value !== belief.value) mark(address, belief, "acts");
    };
    for (const access of accesses) {
      if (!shared.has(access.address)) continue;
      const belief = own.get(access.address);
      const waits = access.operation.includes("wait");
      if (access.wrote !== undefined || waits) act(access.address);
      if (belief?.written !== undefined) {
        if (access.read === undefined && access.wrote !== undefined) mark(access.address, belief, "overwrites");
        else if (access.wrote !== undefined && belief.written.value === belief.value)
          mark(access.address, belief, "back");
      }
      const value = access.wrote ?? access.read;
      // What a thread wrote it knows as well as what it read.
      if (value !== undefined)
        own.set(access.address, {
          value,
          readIn: index + 1,
          readAt: access.source,
          written: undefined,
          isReported: false,
        });
      if (access.wrote !== undefined) spread(beliefs, thread, access, index + 1);
    }
    if (blamed.failing?.includes(thread) && lastStepOf.get(thread) === index) act(Number.NaN);
  }
  for (const thread of blamed.waiting ?? [])
    for (const [address, belief] of beliefs.get(thread) ?? [])
      if (belief.written?.value !== belief.value) record(found, thread, address, belief, steps.length, "waits");
  return found;
}

/** Records a belief that others have overturned, once. */
function record(
  found: Disagreement[],
  thread: number,
  address: number,
  belief: Belief,
  actsIn: number,
  how: Disagreement["how"],
): void {
  if (belief.written === undefined || belief.isReported) return;
  belief.isReported = true;
  const { value: believed, readIn, readAt } = belief;
  const { writer, value: actual, step: writtenIn } = belief.written;
  found.push({ thread, address, believed, readIn, readAt, writer, actual, writtenIn, actsIn, how });
}

/** Others that have read or written this address believe something else now. */
function spread(
  beliefs: ReadonlyMap<number, ReadonlyMap<number, Belief>>,
  writer: number,
  access: AccessRecord,
  step: number,
): void {
  for (const [thread, theirs] of beliefs) {
    const belief = theirs.get(access.address);
    if (thread === writer || belief === undefined || access.wrote === undefined) continue;
    if (belief.written !== undefined || access.wrote !== belief.value)
      belief.written = { writer, value: access.wrote, step };
  }
}

/** Addresses that two threads touch, one of them writing. */
function sharedAddresses(steps: readonly StepRecord[]): Set<number> {
  const touched = new Map<number, { readonly threads: Set<number>; written: boolean }>();
  for (const { thread, accesses } of steps)
    for (const { address, wrote } of accesses) {
      const entry = touched.get(address) ?? { threads: new Set<number>(), written: false };
      touched.set(address, entry);
      entry.threads.add(thread);
      entry.written ||= wrote !== undefined;
    }
  return new Set([...touched].filter(([, { threads, written }]) => written && threads.size > 1).map(([at]) => at));
}
