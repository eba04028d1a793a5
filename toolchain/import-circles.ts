// Import circles: files that import one another, directly or through others, types included.
//
// Owner: none, a pure function of the graph. Strongly connected components, Tarjan, SIAM Journal on Computing 1 (1972).
// Pairs with: dep-gate.ts, which makes the graph and prints what is found.

/** The imports of each file; what is no key of the graph is not followed. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>;

/** One shortest circle for each set of files that reach one another, as the files on it; the first in the alphabet begins. */
export function findCircles(graph: ImportGraph): string[][] {
  const components = stronglyConnected(graph);
  return components
    .filter(([file = "", ...others]) => others.length > 0 || graph.get(file)?.includes(file))
    .map((files) => shortestCircle(graph, new Set(files)))
    .toSorted(([a = ""], [b = ""]) => (a < b ? -1 : 1));
}

function stronglyConnected(graph: ImportGraph): string[][] {
  const order = new Map<string, number>();
  const open: string[] = [];
  const components: string[][] = [];
  const visit = (file: string): number => {
    const mine = order.size;
    order.set(file, mine);
    let low = mine;
    open.push(file);
    for (const next of graph.get(file) ?? []) {
      if (!graph.has(next)) continue;
      if (!order.has(next)) low = Math.min(low, visit(next));
      else if (open.includes(next)) low = Math.min(low, order.get(next) ?? mine);
    }
    if (low === mine) components.push(open.splice(open.indexOf(file)));
    return low;
  };
  for (const file of graph.keys()) if (!order.has(file)) visit(file);
  return components;
}

/** Breadth first, from the first file back to itself. */
function shortestCircle(graph: ImportGraph, within: ReadonlySet<string>): string[] {
  const [start = ""] = [...within].toSorted();
  const paths = [[start]];
  const seen = new Set<string>();
  for (const path of paths)
    for (const next of graph.get(path.at(-1) ?? "") ?? []) {
      if (next === start) return path;
      if (!within.has(next) || seen.has(next)) continue;
      seen.add(next);
      paths.push([...path, next]);
    }
  return [...within];
}
