// Breadth first: the shortest schedule to a violation, by levels over snapshots.
//
// Owner: one run. Invariant: a state is captured once, at its least distance from the root.
// Pairs with: explore.ts, which calls it when a violation is known to exist; state-table.ts.

import type { Program } from "./program.ts";
import { CONTROL } from "./layout.ts";
import { StateTable } from "./state-table.ts";
import type { Violation } from "./violation.ts";
import { certain } from "./certain.ts";

export type BreadthFirstOutcome =
  | { readonly kind: "found"; readonly violation: Violation | undefined; readonly schedule: readonly number[] }
  | { readonly kind: "none" | "restart" | "too-large" | "interrupted" };

export interface BreadthFirstOptions {
  /** Bound on the words that snapshots of two levels take together. */
  readonly snapshotWordsMax: number;
  readonly bytesMax: number;
  /** Besides violations of steps and states: is this the state looked for? */
  readonly isTarget?: (low: number, high: number) => boolean;
  /** Called once a state; false stops the search. */
  readonly onProgress?: (states: number, depth: number) => boolean;
  /** Does a violation count? Default: any does. */
  readonly counts?: (violation: Violation) => boolean;
}

/** Searches from the state that `prefix`, applied already, leads to. */
export function shortest(
  program: Program,
  prefix: readonly number[],
  options: BreadthFirstOptions,
): BreadthFirstOutcome {
  const table = new StateTable(options.bytesMax);
  const parents: number[] = [-1];
  const choices: number[] = [-1];
  const pathTo = (node: number, last: number): number[] => {
    const path = [last];
    for (let at = node; at > 0; at = certain(parents[at])) path.push(certain(choices[at]));
    return [...prefix, ...path.toReversed()];
  };
  const matters = options.counts ?? (() => true);
  table.visit(program.low, program.high, 1);
  let frontier: { readonly node: number; readonly snapshot: Int32Array }[] = [{ node: 0, snapshot: program.capture() }];
  let words = 0;
  let depth = prefix.length;
  while (frontier.length > 0) {
    depth++;
    const next: typeof frontier = [];
    let nextWords = 0;
    for (const { node, snapshot } of frontier) {
      if (options.onProgress?.(table.states, depth) === false) return { kind: "interrupted" };
      program.restore(snapshot);
      const { mark } = program;
      for (let rest = program.enabled; rest !== 0; rest &= rest - 1) {
        const choice = 31 - Math.clz32(rest & -rest);
        const violation = program.applyFrom(mark, choice, 0);
        if (violation) {
          if (matters(violation)) return { kind: "found", violation, schedule: pathTo(node, choice) };
          continue;
        }
        if (program.i32[CONTROL.watchedNew >> 2] !== 0) return { kind: "restart" };
        table.visit(program.low, program.high, 1);
        if (!table.fresh) continue;
        const bad = program.judge();
        if (bad && matters(bad)) return { kind: "found", violation: bad, schedule: pathTo(node, choice) };
        if (options.isTarget?.(program.low, program.high))
          return { kind: "found", violation: undefined, schedule: pathTo(node, choice) };
        const captured = program.capture();
        nextWords += captured.length;
        parents.push(node);
        choices.push(choice);
        next.push({ node: parents.length - 1, snapshot: captured });
        if (words + nextWords > options.snapshotWordsMax || (table.isFull && !table.grow()))
          return { kind: "too-large" };
      }
    }
    frontier = next;
    words = nextWords;
  }
  return { kind: "none" };
}
