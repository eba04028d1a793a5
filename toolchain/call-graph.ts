// Call graph: who calls whom in an artifact, and the cycles that are there.
//
// Owner: none, pure functions. Calls through tables are not in it; the artifact gate refuses those first.
// Pairs with: artifact-gate.ts (recursion), stack-depth.ts (the deepest path).
import { Op } from "../wasm/opcodes.ts";
import type { ArtifactModule } from "./artifact-module.ts";

/** Callees by function index; imports call nobody. */
export function callGraph(module: ArtifactModule): ReadonlySet<number>[] {
  return module.functions.map((fn) => {
    if (fn.kind === "imported") return new Set<number>();
    return new Set(fn.body.filter((one) => one.op === Op.call).map((one) => one.a));
  });
}

/** One cycle through each function that can come to call itself, as function indices; shortest cycles first. */
export function callCycles(graph: ReadonlySet<number>[]): number[][] {
  const cycles: number[][] = [];
  const reported = new Set<number>();
  for (const start of graph.keys()) {
    const path = reported.has(start) ? null : wayBack(graph, start);
    if (path === null) continue;
    for (const one of path) reported.add(one);
    cycles.push(path);
  }
  return cycles.toSorted((a, b) => a.length - b.length);
}

/** The shortest path from a function back to itself, without the repeated end; null when there is none. */
function wayBack(graph: ReadonlySet<number>[], start: number): number[] | null {
  const reachedFrom = new Map<number, number>();
  let frontier = [start];
  while (frontier.length > 0) {
    const next: number[] = [];
    for (const caller of frontier)
      for (const callee of graph[caller] ?? []) {
        if (callee === start) return trace(reachedFrom, start, caller);
        if (reachedFrom.has(callee)) continue;
        reachedFrom.set(callee, caller);
        next.push(callee);
      }
    frontier = next;
  }
  return null;
}

function trace(reachedFrom: ReadonlyMap<number, number>, start: number, last: number): number[] {
  const path = [last];
  for (let at = last; at !== start;) {
    const before = reachedFrom.get(at);
    if (before === undefined) throw new Error("a path that does not begin at its start");
    path.unshift(before);
    at = before;
  }
  return path;
}
