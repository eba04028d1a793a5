// Components: finds livelocks, the sets of states that cannot be left and in which not everybody finishes.
//
// Tarjan's algorithm (SIAM J. Computing 1, 1972) over the full state graph, depth first with undo. No sleep sets: every
// edge counts. A component without an edge out of it and without an end state is a livelock.
// Owner: one run. Invariant: the third word of a state in the table is its index + 2 while its component is open, then 1.
// A pass that stops is a value, of which the table's states are a part; it goes on where it was.
// Pairs with: depth-first.ts (the first pass), livelock.ts (runs this one if that saw a cycle), resume.ts (saves it).

import type { Program } from "../program/program.ts";
import type { StateTable } from "./state-table.ts";
import type { SearchCounts } from "./depth-first.ts";
import { assertDefined } from "../../wasm/assert-defined.ts";

/** Where a pass stopped: its open levels, from the root on. */
export interface PassStack {
  readonly indices: number;
  readonly counts: SearchCounts;
  /** The choice taken at each level but the last. */
  readonly taken: readonly number[];
  readonly todo: readonly number[];
  readonly lowest: readonly number[];
  /** Is there a way out of the component, or an end in it? */
  readonly leaves: readonly boolean[];
}

export type ComponentsOutcome =
  | { readonly kind: "none" }
  /** A schedule into it, and the fingerprints of its states (at most 65,536 of them) as "high:low". */
  | {
      readonly kind: "livelock";
      readonly schedule: readonly number[];
      readonly states: ReadonlySet<string>;
      readonly size: number;
    }
  | {
      readonly kind: "stopped";
      readonly reason: "memory" | "depth" | "interrupted" | "transitions";
      readonly stack: PassStack;
    };

export interface ComponentsOptions {
  readonly transitionsMax: number;
  /** Called now and then; false stops the pass. */
  readonly onProgress: (counts: SearchCounts, depth: number, frontier: number) => boolean;
}

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
const OPEN_FROM = 2;
const MARK = 2;
const SHOWN_MAX = 65536;
const PROGRESS_EVERY = 1 << 16;

/** Searches from the state that `prefix`, applied already, leads to. `stack`: goes on with what stopped there. */
export function findLivelock(
  program: Program,
  table: StateTable,
  prefix: readonly number[],
  options: ComponentsOptions,
  stack?: PassStack,
): ComponentsOutcome {
  const pass = new Pass(program, table, prefix, options);
  if (stack) pass.putBack(stack);
  else pass.begin();
  return pass.run();
}

class Pass {
  private readonly program: Program;
  private readonly table: StateTable;
  private readonly prefix: readonly number[];
  private readonly options: ComponentsOptions;
  private readonly levels: Level[] = [];
  private open = new Fingerprints();
  private indices = 0;
  private counts: SearchCounts = { states: 0, transitions: 0, depthMax: 0 };

  constructor(program: Program, table: StateTable, prefix: readonly number[], options: ComponentsOptions) {
    this.program = program;
    this.table = table;
    this.prefix = prefix;
    this.options = options;
  }

  begin(): void {
    this.table.visit(this.program.low, this.program.high, 0);
    this.enter();
  }

  putBack(stack: PassStack): void {
    const { program, table } = this;
    this.indices = stack.indices;
    this.counts = { ...stack.counts };
    this.open = Fingerprints.openIn(table);
    for (const [depth, todo] of stack.todo.entries()) {
      const { mark, low, high } = program;
      const index = assertDefined(table.words[table.find(low, high) + MARK]) - OPEN_FROM;
      const taken = stack.taken[depth] ?? -1;
      const [lowest, leaves] = [assertDefined(stack.lowest[depth]), assertDefined(stack.leaves[depth])];
      this.levels.push({ mark, todo, taken, index, lowest, leaves, low, high });
      if (taken >= 0) program.apply(taken);
    }
  }

  run(): ComponentsOutcome {
    const { program, table, options, levels, counts } = this;
    const transitionsMax = counts.transitions + options.transitionsMax;
    // A look at once: who is asked to stop already does not begin.
    let nextProgress = counts.transitions;
    for (let level = levels.at(-1); level; level = levels.at(-1)) {
      if (level.todo === 0) {
        levels.pop();
        const livelock = this.leave(level);
        if (livelock) return livelock;
        continue;
      }
      if (table.isFull && !table.grow()) return this.stopped("memory");
      if (program.logIsFull) return this.stopped("depth");
      if (counts.transitions >= transitionsMax) return this.stopped("transitions");
      if (counts.transitions >= nextProgress) {
        nextProgress = counts.transitions + PROGRESS_EVERY;
        if (!options.onProgress(counts, levels.length, this.frontier())) return this.stopped("interrupted");
      }
      this.step(level);
    }
    return { kind: "none" };
  }

  private enter(): void {
    const { program, levels, counts, indices: index } = this;
    const { mark, low, high, enabled } = program;
    this.table.words[this.table.slot + MARK] = index + OPEN_FROM;
    this.open.push(low, high);
    levels.push({ mark, todo: enabled, taken: -1, index, lowest: index, leaves: enabled === 0, low, high });
    this.indices++;
    counts.states++;
    counts.depthMax = Math.max(counts.depthMax, levels.length);
  }

  private step(level: Level): void {
    const { program, table } = this;
    const bit = level.todo & -level.todo;
    level.todo ^= bit;
    level.taken = 31 - Math.clz32(bit);
    this.counts.transitions++;
    if (program.applyFrom(level.mark, level.taken, 0)) {
      // A violation that the first pass reported, or would have: not a livelock's business.
      level.leaves = true;
      return;
    }
    table.visit(program.low, program.high, 0);
    if (table.fresh) {
      this.enter();
      return;
    }
    const mark = assertDefined(table.words[table.slot + MARK]);
    if (mark === CLOSED) level.leaves = true;
    else level.lowest = Math.min(level.lowest, mark - OPEN_FROM);
  }

  /** Everything below a level is done: where its component began, that is complete, too. */
  private leave(level: Level): ComponentsOutcome | undefined {
    const { table, levels, open } = this;
    const parent = levels.at(-1);
    if (level.lowest < level.index) {
      assertDefined(parent).lowest = Math.min(assertDefined(parent).lowest, level.lowest);
      assertDefined(parent).leaves ||= level.leaves;
      return undefined;
    }
    const states = new Set<string>();
    let size = 0;
    for (let closed = false; !closed; size++) {
      const [low, high] = open.pop();
      if (!level.leaves && states.size < SHOWN_MAX) states.add(`${high}:${low}`);
      table.words[table.find(low, high) + MARK] = CLOSED;
      closed = low === level.low && high === level.high;
    }
    if (level.leaves) {
      if (parent) parent.leaves = true;
      return undefined;
    }
    return { kind: "livelock", schedule: [...this.prefix, ...levels.map(({ taken }) => taken)], states, size };
  }

  private frontier(): number {
    let choices = 0;
    for (const { todo } of this.levels) for (let rest = todo; rest !== 0; rest &= rest - 1) choices++;
    return choices;
  }

  private stopped(reason: "memory" | "depth" | "interrupted" | "transitions"): ComponentsOutcome {
    const { levels, indices, counts } = this;
    const stack: PassStack = {
      indices,
      counts,
      taken: levels.slice(0, -1).map(({ taken }) => taken),
      todo: levels.map(({ todo }) => todo),
      lowest: levels.map(({ lowest }) => lowest),
      leaves: levels.map(({ leaves }) => leaves),
    };
    return { kind: "stopped", reason, stack };
  }
}

/** Fingerprints of the states whose component is open, in the order of their indices: 8 bytes each. */
class Fingerprints {
  private words = new Int32Array(1 << 12);
  private length = 0;

  static openIn(table: StateTable): Fingerprints {
    const { words } = table;
    const isOpen = (slot: number): boolean => assertDefined(words[slot + MARK]) >= OPEN_FROM;
    let count = 0;
    for (let slot = 0; slot < words.length; slot += 4) if (isOpen(slot)) count++;
    const slots = new Int32Array(count);
    for (let slot = 0, to = 0; slot < words.length; slot += 4) if (isOpen(slot)) slots[to++] = slot;
    slots.sort((a, b) => assertDefined(words[a + MARK]) - assertDefined(words[b + MARK]));
    const open = new Fingerprints();
    for (const slot of slots) open.push(assertDefined(words[slot]), assertDefined(words[slot + 1]));
    return open;
  }

  push(low: number, high: number): void {
    if (this.length === this.words.length) {
      const words = new Int32Array(this.length * 2);
      words.set(this.words);
      this.words = words;
    }
    this.words[this.length++] = low;
    this.words[this.length++] = high;
  }

  pop(): readonly [low: number, high: number] {
    const high = assertDefined(this.words[--this.length]);
    return [assertDefined(this.words[--this.length]), high];
  }
}
