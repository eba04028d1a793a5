// Breadth first: the shortest schedule to a violation, by levels over snapshots.
//
// Owner: one run. Invariants: a state is captured once, at its least distance from the root; the table, the tree and the
// snapshots of two levels take at most the bytes allowed, together.
// Pairs with: counterexample-search.ts, which calls it when a violation is known to exist; state-table.ts.

import type { Program } from "../program/program.ts";
import type { SearchCounts } from "./depth-first.ts";
import { CONTROL } from "../instrument/engine-layout.ts";
import { StateTable } from "./state-table.ts";
import type { Violation } from "../program/violation.ts";
import { assertDefined } from "../../wasm/assert-defined.ts";

export type BreadthFirstOutcome =
  | { readonly kind: "found"; readonly violation: Violation | undefined; readonly schedule: readonly number[] }
  | { readonly kind: "none" | "restart" | "too-large" | "interrupted" };

export interface BreadthFirstOptions {
  /** For all that the search keeps. */
  readonly bytesMax: number;
  /** Besides violations of steps and states: is this the state looked for? */
  readonly isTarget?: (low: number, high: number) => boolean;
  /** Called once a state, with what is left of its level and known of the next; false stops the search. */
  readonly onProgress?: (counts: SearchCounts, depth: number, frontier: number) => boolean;
  /** Does a violation count? Default: any does that is no bound. */
  readonly counts?: (violation: Violation) => boolean;
}

/** Searches from the state that `prefix`, applied already, leads to. */
export function shortest(
  program: Program,
  prefix: readonly number[],
  options: BreadthFirstOptions,
): BreadthFirstOutcome {
  const table = new StateTable(options.bytesMax / 2);
  const tree = new Tree();
  const matters = options.counts ?? ((violation: Violation) => violation.kind !== "plain-loop");
  table.visit(program.low, program.high, 1);
  let frontier: { readonly node: number; readonly snapshot: Int32Array }[] = [{ node: 0, snapshot: program.capture() }];
  let snapshotBytes = 0;
  const counts: SearchCounts = { states: 1, transitions: 0, depthMax: prefix.length };
  while (frontier.length > 0) {
    counts.depthMax++;
    const next: typeof frontier = [];
    let nextBytes = 0;
    for (const [at, { node, snapshot }] of frontier.entries()) {
      if (options.onProgress?.(counts, counts.depthMax, frontier.length - at + next.length) === false)
        return { kind: "interrupted" };
      program.restore(snapshot);
      const { mark } = program;
      for (let rest = program.enabled; rest !== 0; rest &= rest - 1) {
        const choice = 31 - Math.clz32(rest & -rest);
        const schedule = (): readonly number[] => [...prefix, ...tree.pathTo(node), choice];
        const violation = program.applyFrom(mark, choice, 0);
        counts.transitions++;
        if (violation) {
          if (matters(violation)) return { kind: "found", violation, schedule: schedule() };
          continue;
        }
        if (program.i32[CONTROL.raceTrackedNew >> 2] !== 0) return { kind: "restart" };
        table.visit(program.low, program.high, 1);
        if (!table.fresh) continue;
        counts.states++;
        const bad = program.judge();
        if (bad && matters(bad)) return { kind: "found", violation: bad, schedule: schedule() };
        if (options.isTarget?.(program.low, program.high))
          return { kind: "found", violation: undefined, schedule: schedule() };
        const captured = program.capture();
        nextBytes += captured.byteLength + SNAPSHOT_OVERHEAD_BYTES;
        next.push({ node: tree.add(node, choice), snapshot: captured });
        if (table.isFull && !table.grow()) return { kind: "too-large" };
        const bytes = table.words.byteLength + tree.bytes + snapshotBytes + nextBytes;
        if (bytes > options.bytesMax) return { kind: "too-large" };
      }
    }
    frontier = next;
    snapshotBytes = nextBytes;
  }
  return { kind: "none" };
}

/** What an array and its entry in a level take besides the words. */
const SNAPSHOT_OVERHEAD_BYTES = 200;

/** How each state was reached first: from which, by which choice. Node 0 is the root. */
class Tree {
  private parents = new Int32Array(1 << 10);
  private choices = new Uint8Array(1 << 10);
  private nodes = 1;

  get bytes(): number {
    return this.parents.byteLength + this.choices.byteLength;
  }

  add(parent: number, choice: number): number {
    if (this.nodes === this.parents.length) {
      const [parents, choices] = [new Int32Array(this.nodes * 2), new Uint8Array(this.nodes * 2)];
      parents.set(this.parents);
      choices.set(this.choices);
      this.parents = parents;
      this.choices = choices;
    }
    this.parents[this.nodes] = parent;
    this.choices[this.nodes] = choice;
    return this.nodes++;
  }

  /** The choices from the root to a node. */
  pathTo(node: number): number[] {
    const path: number[] = [];
    for (let at = node; at > 0; at = assertDefined(this.parents[at])) path.push(assertDefined(this.choices[at]));
    return path.toReversed();
  }
}
