// Components: finds livelocks, the sets of states that cannot be left and in which not everybody finishes.
//
// Tarjan's algorithm over the full state graph (no sleep sets: every edge counts), depth first with undo. A component
// without an edge out of it and without an end state is a livelock.
// Owner: one run. Invariant: the table's mark of a state is its index + 2 while its component is open, then 1.
// Pairs with: depth-first.ts (the first pass), explore.ts (runs this one if that saw a cycle).

import type { Program } from "./program.ts";
import type { StateTable } from "./state-table.ts";
import type { SearchCounts } from "./depth-first.ts";
import { certain } from "./certain.ts";

export type ComponentsOutcome =
  | { readonly kind: "none" }
  /** A schedule into it, and the fingerprints of its states (at most 65,536 of them) as "high:low". */
  | {
      readonly kind: "livelock";
      readonly schedule: readonly number[];
      readonly states: ReadonlySet<string>;
      readonly size: number;
    }
  | { readonly kind: "stopped"; readonly reason: "memory" | "depth" | "interrupted" };

interface Level {
  mark: number;
  todo: number;
  taken: number;
  index: number;
  lowest: number;
  leaves: boolean;
  low: number;
  high: number;
}

const CLOSED = 1;
const SHOWN_MAX = 65536;

export function findLivelock(
  program: Program,
  table: StateTable,
  prefix: readonly number[],
  counts: SearchCounts,
  onProgress: (counts: SearchCounts) => boolean,
): ComponentsOutcome {
  const levels: Level[] = [];
  // Fingerprints of states whose component is open, in the order of their indices.
  const open: number[] = [];
  let indices = 0;

  const enter = (): void => {
    const { low, high, enabled } = program;
    table.words[table.slot + 3] = indices + 2;
    open.push(low, high);
    levels.push({
      mark: program.mark,
      todo: enabled,
      taken: -1,
      index: indices,
      lowest: indices,
      leaves: enabled === 0,
      low,
      high,
    });
    indices++;
    counts.states++;
    counts.depthMax = Math.max(counts.depthMax, levels.length);
  };

  table.visit(program.low, program.high, 1);
  enter();
  while (levels.length > 0) {
    const level = certain(levels.at(-1));
    if (level.todo === 0) {
      levels.pop();
      const parent = levels.at(-1);
      if (level.lowest < level.index) {
        certain(parent).lowest = Math.min(certain(parent).lowest, level.lowest);
        certain(parent).leaves ||= level.leaves;
        continue;
      }
      const states = new Set<string>();
      let size = 0;
      for (let closed = false; !closed; size++) {
        const high = certain(open.pop());
        const low = certain(open.pop());
        if (!level.leaves && states.size < SHOWN_MAX) states.add(`${high}:${low}`);
        table.words[table.find(low, high) + 3] = CLOSED;
        closed = low === level.low && high === level.high;
      }
      if (!level.leaves)
        return { kind: "livelock", schedule: [...prefix, ...levels.map(({ taken }) => taken)], states, size };
      if (parent) parent.leaves = true;
      continue;
    }
    const bit = level.todo & -level.todo;
    level.todo ^= bit;
    level.taken = 31 - Math.clz32(bit);
    if (program.applyFrom(level.mark, level.taken, 0)) {
      // A violation that the first pass reported, or would have: not a livelock's business.
      level.leaves = true;
      continue;
    }
    counts.transitions++;
    table.visit(program.low, program.high, 1);
    if (table.fresh) {
      if (table.isFull && !table.grow()) return { kind: "stopped", reason: "memory" };
      table.slot = table.find(program.low, program.high);
      enter();
    } else {
      const mark = certain(table.words[table.slot + 3]);
      if (mark === CLOSED) level.leaves = true;
      else level.lowest = Math.min(level.lowest, mark - 2);
    }
    if (program.logIsFull) return { kind: "stopped", reason: "depth" };
    if (counts.transitions % 65536 === 0 && !onProgress(counts)) return { kind: "stopped", reason: "interrupted" };
  }
  return { kind: "none" };
}
