import { pathToFileURL } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { bundleWorker } from "../fixtures/worker-bundle.ts";
import { compileAssemblyScript } from "../fixtures/compile.ts";
import type { OpenCounts } from "./cycle-detection.ts";
import { CycleDetection, mayCycle } from "./cycle-detection.ts";
import { Random } from "./random-walk.ts";
import { searchTogether } from "./search-together.ts";
import { Session } from "./session.ts";

/** A table of so many states, by number; slots are four words apart. */
function tableOf(states: number): OpenCounts {
  const words = new Int32Array(new SharedArrayBuffer(states * 16));
  return { words, hold: (slot, by) => void Atomics.add(words, slot + 3, by) };
}
const at = (state: number): number => state * 4;

describe("cycle detection", () => {
  test("cycle detection: a state that two workers hold open: closed when both have gone", () => {
    const table = tableOf(2);
    const [one, other] = [new CycleDetection(table), new CycleDetection(table)];
    for (const each of [one, other]) each.open(0, at(0), false);
    one.close(0);
    expect(table.words[at(0) + 3]).toBe(1);
    other.close(0);
    expect(table.words[at(0) + 3]).toBe(0);
    expect(mayCycle(table.words, [one.waiting, other.waiting])).toBe(false);
  });

  test("cycle detection: a way that meets what another has open: waits, and closes after it", () => {
    const table = tableOf(3);
    const [one, other] = [new CycleDetection(table), new CycleDetection(table)];
    other.open(0, at(2), false);
    one.open(0, at(0), false);
    one.open(1, at(1), false);
    one.meet(1, at(2));
    one.close(1);
    one.close(0);
    expect(one.waiting).toHaveLength(2);
    other.close(0);
    expect(one.waiting).toHaveLength(0);
    expect(mayCycle(table.words, [one.waiting, other.waiting])).toBe(false);
  });

  test("cycle detection: two ways that meet each other's first states: a cycle", () => {
    const table = tableOf(4);
    const [one, other] = [new CycleDetection(table), new CycleDetection(table)];
    one.open(0, at(0), false);
    other.open(0, at(1), false);
    one.meet(0, at(1));
    other.meet(0, at(0));
    one.close(0);
    other.close(0);
    expect(mayCycle(table.words, [one.waiting, other.waiting])).toBe(true);
  });

  test("cycle detection: a work item that is given away: its state is open until who takes it closes it", () => {
    const table = tableOf(2);
    const [giver, taker] = [new CycleDetection(table), new CycleDetection(table)];
    giver.open(0, at(0), false);
    giver.hold(0, 1);
    giver.close(0);
    expect(table.words[at(0) + 3]).toBe(1);
    taker.open(0, at(0), true);
    taker.close(0);
    expect(table.words[at(0) + 3]).toBe(0);
  });

  test("cycle detection: graphs and workers by chance: a cycle is reported where there is one, and only there", () => {
    const seed = 20_261_122;
    const random = new Random(seed);
    let cyclic = 0;
    for (let round = 0; round < 400; round++) {
      const states = 2 + random.below(12);
      const isDag = random.below(2) === 0;
      const successors = Array.from({ length: states }, (_, state) => {
        const few = Array.from({ length: random.below(4) }, () => random.below(states));
        return isDag ? few.filter((next) => next > state) : few.filter((next) => next !== state);
      });
      const expected = reachesItself(successors);
      cyclic += expected ? 1 : 0;
      expect(searchByTurns(successors, random), `seed ${seed}, round ${round}`).toBe(expected);
    }
    expect(cyclic).toBeGreaterThan(50);
    expect(cyclic).toBeLessThan(350);
  });
});

/** Is there a cycle among what the first state leads to? */
function reachesItself(successors: readonly (readonly number[])[]): boolean {
  const colour = new Map<number, "open" | "closed">();
  const visit = (state: number): boolean => {
    if (colour.has(state)) return colour.get(state) === "open";
    colour.set(state, "open");
    const found = (successors[state] ?? []).some(visit);
    colour.set(state, "closed");
    return found;
  };
  return visit(0);
}

/** Three depth-first searches over one table, which take turns by chance and give choices away. */
function searchByTurns(successors: readonly (readonly number[])[], random: Random): boolean {
  const table = tableOf(successors.length);
  const seen = new Set<number>();
  const workItems: { readonly from: number; readonly to: number }[] = [];
  const workers = Array.from({ length: 3 }, () => ({
    cycleDetection: new CycleDetection(table),
    way: [] as { readonly state: number; todo: number[] }[],
  }));
  const enter = ({ cycleDetection, way }: (typeof workers)[number], state: number): void => {
    const todo = seen.has(state) ? [] : [...(successors[state] ?? [])];
    seen.add(state);
    if (todo.length === 0) {
      if (way.length > 0) cycleDetection.meet(way.length - 1, at(state));
      return;
    }
    cycleDetection.open(way.length, at(state), false);
    way.push({ state, todo });
  };
  const [first] = workers;
  if (first) enter(first, 0);
  while (workItems.length > 0 || workers.some(({ way }) => way.length > 0)) {
    const worker = workers[random.below(workers.length)];
    if (!worker) continue;
    const { cycleDetection, way } = worker;
    const level = way.at(-1);
    if (!level) {
      const item = workItems.pop();
      if (!item) continue;
      cycleDetection.open(0, at(item.from), true);
      way.push({ state: item.from, todo: [item.to] });
    } else if (level.todo.length === 0) {
      way.pop();
      cycleDetection.close(way.length);
    } else if (random.below(4) === 0) {
      cycleDetection.hold(way.length - 1, 1);
      workItems.push({ from: level.state, to: level.todo.pop() ?? 0 });
    } else enter(worker, level.todo.pop() ?? 0);
  }
  return mayCycle(
    table.words,
    workers.map(({ cycleDetection }) => cycleDetection.waiting),
  );
}

describe("several workers and cycles", () => {
  let workerModule: URL;
  beforeAll(async () => {
    workerModule = pathToFileURL(await bundleWorker());
  });

  test("workers: no cycle among the states: none is reported; one: reported", async () => {
    const { wasm } = await compileAssemblyScript(`
      export function counts(): void { for (let i = 0; i < 20; i++) { atomic.add<i32>(0, 1); atomic.add<i32>(8, 1); } }
      export function awaits(): void { while (atomic.load<i32>(0) < 20) {} }`);
    for (const [last, isCyclic] of [
      ["counts", false],
      ["awaits", true],
    ] as const) {
      const target = { wasm, threads: ["counts", "counts", last].map((name) => ({ function: name })) };
      const options = { workers: 2, workerModule, memoryMax: 2 ** 24 };
      const session = new Session({ ...target, reductions: { symmetry: false } }, options, { sha256: "", bytes: 0 });
      expect(await searchTogether(session, 2), last).toEqual({ kind: "exhausted", cycles: isCyclic, cut: false });
    }
  });
});
