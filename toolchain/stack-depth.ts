// Stack depth: the most that a kernel entry can put on a hart's trap stack, added up from gcc's own call graph.
//
// gcc writes, for each C file, a graph of what it emitted: each function with its frame, each call (after inlining,
// splitting and cloning). The deepest path through all files is the worst case, whichever function the assembly
// enters. Refused: a frame whose size is not fixed, a call through a pointer, recursion, a function without a graph.
//
// Owner: none, pure functions over the text of the .ci files (gcc -fcallgraph-info=su).
// Clauses: T4. Pairs with: gcc.ts (the flag), build.ts (the limit), machines/virt (assembly that only switches stacks).

export interface StackLimit {
  /** Bytes of one trap stack. */
  stackBytes: number;
  /** Bytes that must be left: the reserve at the top, the canary below, and room to be wrong. */
  marginBytes: number;
}

export interface StackReport {
  /** Bytes on the deepest path. */
  bytes: number;
  /** The deepest path, outermost first. */
  path: { name: string; bytes: number }[];
  /** One line a refusal; empty when the depth is proven and fits. */
  refusals: string[];
}

/** What gcc wrote for one C file. */
export interface FileGraph {
  /** Contents of the .ci file. */
  text: string;
  /** Assembly may enter its functions; otherwise they count only where another file calls them. */
  entered: boolean;
}

interface GraphNode {
  /** Bytes of the frame; null for a function of which only the name is known. */
  bytes: number | null;
  isFixed: boolean;
  place: string;
  callees: Set<string>;
}

/** libgcc's routines for what rv64imac has no instruction for: leaves, whose frames gcc's headers do not list. */
const LEAF_ROUTINE = /^__(popcount|clz|ctz|bswap)[sd]i2$/;
const LEAF_ROUTINE_BYTES = 32;
/** The name under which gcc lists every call through a pointer. */
const INDIRECT = "__indirect_call";

/** assembly: functions written in assembly, which use no stack. */
export function checkStackDepth(graphs: FileGraph[], assembly: ReadonlySet<string>, limit: StackLimit): StackReport {
  const nodes = new Map<string, GraphNode>();
  const entries = graphs.flatMap(({ text, entered }, i) => {
    const defined = addGraph(nodes, text, i);
    return entered ? defined : [];
  });
  const refusals: string[] = [];
  for (const name of reachable(nodes, entries)) {
    const node = nodes.get(name);
    if (node === undefined) continue;
    if (node.bytes !== null && !node.isFixed)
      refusals.push(`${node.place}: ${plain(name)}: the size of its frame is not fixed`);
    for (const callee of node.callees) {
      const known = (nodes.get(callee)?.bytes ?? null) !== null || LEAF_ROUTINE.test(callee) || assembly.has(callee);
      if (callee === INDIRECT) refusals.push(`${node.place}: ${plain(name)}: a call through a pointer`);
      else if (!known) refusals.push(`${node.place}: ${plain(name)}: calls ${callee}, whose stack use is not known`);
    }
  }
  const walk = new DepthWalk(nodes);
  const deepest = walk.deepest(entries);
  refusals.push(...walk.cycles);
  const path = deepest.map((name) => ({ name: plain(name), bytes: frameBytes(nodes.get(name), name) }));
  const bytes = path.reduce((sum, one) => sum + one.bytes, 0);
  if (bytes + limit.marginBytes > limit.stackBytes) {
    const formatted = path.map((one) => `${one.name} ${one.bytes}`).join(" > ");
    refusals.push(
      `the kernel may use ${bytes} bytes of stack (${formatted}); ${limit.stackBytes} less a margin of ${limit.marginBytes} are there`,
    );
  }
  return { bytes, path, refusals };
}

function frameBytes(node: GraphNode | undefined, name: string): number {
  return node?.bytes ?? (LEAF_ROUTINE.test(name) ? LEAF_ROUTINE_BYTES : 0);
}

/** `kernel.c:leaf` is the static function leaf. */
function plain(title: string): string {
  return title.replace(/^.*[:/]/, "");
}

const NODE = /^node: \{ title: "([^"]+)" label: "([^"]*)"( shape : ellipse)? \}$/gm;
const EDGE = /^edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"/gm;

function reachable(nodes: ReadonlyMap<string, GraphNode>, entries: string[]): ReadonlySet<string> {
  const reached = new Set(entries);
  // A set's iteration also visits what is added on the way.
  for (const name of reached) for (const callee of nodes.get(name)?.callees ?? []) reached.add(callee);
  return reached;
}

/** Adds a file's functions and calls; returns the names of the functions that it defines. Static functions carry their file in the title already; two files of one name stay apart by their number. */
function addGraph(nodes: Map<string, GraphNode>, text: string, file: number): string[] {
  const defined: string[] = [];
  const own = (title: string): string => (title.includes(":") ? `${file}:${title}` : title);
  for (const [, title = "", label = "", external] of text.matchAll(NODE)) {
    const [, place = "", frame = ""] = label.split("\\n");
    const name = own(title);
    const known = nodes.get(name);
    if (external !== undefined) {
      if (known === undefined) nodes.set(name, { bytes: null, isFixed: true, place, callees: new Set() });
      continue;
    }
    const [, bytes = "0", kind = ""] = /^(\d+) bytes \((.*)\)$/.exec(frame) ?? [];
    defined.push(name);
    // "dynamic,bounded" is bounded by nothing that gcc would report.
    nodes.set(name, { bytes: Number(bytes), isFixed: kind === "static", place, callees: known?.callees ?? new Set() });
  }
  for (const [, source = "", target = ""] of text.matchAll(EDGE)) nodes.get(own(source))?.callees.add(own(target));
  return defined;
}

/** The deepest path below each function, computed once; a function met on its own path is recursion. */
class DepthWalk {
  readonly cycles: string[] = [];
  private readonly below = new Map<string, { bytes: number; path: string[] }>();
  private readonly open: string[] = [];

  constructor(private readonly nodes: ReadonlyMap<string, GraphNode>) {}

  deepest(entries: string[]): string[] {
    let best: { bytes: number; path: string[] } = { bytes: 0, path: [] };
    for (const name of entries) {
      const found = this.from(name);
      if (found.bytes > best.bytes) best = found;
    }
    return best.path;
  }

  private from(name: string): { bytes: number; path: string[] } {
    const known = this.below.get(name);
    if (known !== undefined) return known;
    const repeated = this.open.indexOf(name);
    if (repeated >= 0) {
      this.cycles.push(
        `recursion: ${[...this.open.slice(repeated), name].map(plain).join(" calls ")}; its stack has no bound`,
      );
      return { bytes: 0, path: [] };
    }
    const node = this.nodes.get(name);
    this.open.push(name);
    let deepest: { bytes: number; path: string[] } = { bytes: 0, path: [] };
    for (const callee of node?.callees ?? []) {
      const found = this.from(callee);
      if (found.bytes > deepest.bytes) deepest = found;
    }
    this.open.pop();
    const result = { bytes: frameBytes(node, name) + deepest.bytes, path: [name, ...deepest.path] };
    this.below.set(name, result);
    return result;
  }
}
