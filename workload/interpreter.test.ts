import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import {
  WorkloadEnd,
  WorkloadEventKind,
  WorkloadHeader,
  WorkloadPhaseRow,
  WorkloadTaskRow,
} from "../abi/workload-table.ts";
import { type PausableModule, pausableModule } from "../machines/sim/resumable-instance.ts";
import { makePausable } from "../toolchain/pausable.ts";
import { buildWorkloadProgram } from "../toolchain/workload-image.ts";
import { compileWorkload, type PhaseTable } from "./phase-table.ts";
import { formatProblem } from "./problem.ts";
import { orderlyWorkload, tangledWorkload } from "./testing/random-workload.ts";
import { ThreadMachine } from "./testing/thread-machine.ts";
import { WorkloadModel } from "./testing/workload-model.ts";
import { readWorkload } from "./workload-reader.ts";

/** A tick is a microsecond. */
const TICKS_PER_SECOND = 1_000_000;
const TABLES = 40;

let interpreter: PausableModule;

beforeAll(async () => {
  const outcome = await buildWorkloadProgram();
  if (outcome.kind === "refused") throw new Error(outcome.lines.join("\n"));
  const wasm = await readFile(outcome.program.wasm);
  interpreter = pausableModule(
    new WebAssembly.Module(makePausable(wasm, { loops: "pause" }) as Uint8Array<ArrayBuffer>),
  );
});

function tableOf(text: string): PhaseTable {
  const reading = readWorkload(text);
  if (reading.kind === "refused") throw new Error(`${reading.problems.map(formatProblem).join("\n")}\n${text}`);
  const outcome = compileWorkload(reading.workload, { ticksPerSecond: TICKS_PER_SECOND, cpus: 1 });
  if (outcome.kind === "refused") throw new Error(outcome.problems.map(formatProblem).join("\n"));
  return outcome.table;
}

function fieldsOf(line: string | undefined): Record<string, number> {
  const pairs = (line ?? "").split(" ").slice(1);
  return Object.fromEntries(pairs.map((pair) => [pair.split("=")[0] ?? "", Number(pair.split("=")[1])]));
}

describe("interpreter and model", () => {
  test(`workload: ${TABLES} random tables, switching only where a task blocks: the model's events in the model's order`, () => {
    let events = 0;
    const ends = new Set<number | undefined>();
    for (let seed = 1; seed <= TABLES; seed++) {
      const table = tableOf(tangledWorkload(seed));
      const run = new ThreadMachine(interpreter, table, { order: "fifo", seed }).run();
      const model = new WorkloadModel(table).run();
      expect(run.trace, `seed ${seed}`).toEqual(model.trace);
      expect(run.lines, `seed ${seed}`).toEqual(model.lines);
      events += run.trace.length;
      for (const line of run.lines) ends.add(fieldsOf(line)["end"]);
    }
    // Not a comparison of nothing.
    expect(events).toBeGreaterThan(100 * TABLES);
    expect(ends).toContain(WorkloadEnd.Done);
    expect(ends).toContain(WorkloadEnd.Duration);
  });

  test("workload: the model runs another table than the interpreter: the difference is seen", () => {
    const differs = (seed: number): boolean => {
      const table = tableOf(tangledWorkload(seed));
      const words = table.words.map((word) => (word === WorkloadEventKind.Broadcast ? WorkloadEventKind.Signal : word));
      const run = new ThreadMachine(interpreter, table, { order: "fifo", seed }).run();
      return new WorkloadModel({ ...table, words }).run().trace.join() !== run.trace.join();
    };
    expect([1, 2, 3, 4, 5, 6, 7, 8].some(differs)).toBe(true);
  });
});

/** What is done wrong on purpose. */
interface Fault {
  /** The words that are run, in the place of the table's. */
  readonly words?: readonly number[];
  readonly lostWake?: number;
}

/** Tasks and loops that did not come to their end; two rows of one mutex at the same time. */
function problemsOf(table: PhaseTable, seed: number, fault: Fault = {}): string[] {
  const problems = new Set<string>();
  const holders = mutexesAt(table);
  const { words = table.words, ...options } = fault;
  const machine = new ThreadMachine(
    interpreter,
    { ...table, words },
    { order: "random", seed, ...options },
    (eventOf) => {
      const owners = new Map<number, number>();
      for (let row = 0; row < table.rows.length; row++) {
        for (const mutex of holders.get(eventOf(row)) ?? []) {
          const other = owners.get(mutex);
          if (other !== undefined) problems.add(`rows ${other} and ${row} are both inside mutex ${mutex}`);
          owners.set(mutex, row);
        }
      }
    },
  );
  const run = machine.run();
  run.lines.forEach((line, row) => {
    const { end, loops } = fieldsOf(line);
    const expected = table.words[WorkloadHeader.Words + row * WorkloadTaskRow.Words + WorkloadTaskRow.Loop];
    if (end !== WorkloadEnd.Done || loops !== expected) problems.add(`row ${row}: ${line}`);
  });
  if (run.lines.length !== table.rows.length) problems.add("a task printed no line");
  return [...problems];
}

/** The mutexes that are held while an event is performed that is neither a lock nor an unlock. */
function mutexesAt({ words, rows }: PhaseTable): Map<number, number[]> {
  const word = (place: number): number => words[place] ?? 0;
  const held = new Map<number, number[]>();
  rows.forEach((_, row) => {
    const task = WorkloadHeader.Words + row * WorkloadTaskRow.Words;
    for (let index = 0; index < word(task + WorkloadTaskRow.PhaseCount); index++) {
      const phase = word(task + WorkloadTaskRow.Phases) + index * WorkloadPhaseRow.Words;
      const now = new Set<number>();
      for (let event = 0; event < word(phase + WorkloadPhaseRow.EventCount); event++) {
        const place = word(phase + WorkloadPhaseRow.Events) + 3 * event;
        const kind = word(place);
        if (kind === WorkloadEventKind.Unlock) now.delete(word(place + 1));
        else if (kind === WorkloadEventKind.Lock) now.add(word(place + 1));
        else held.set(place, [...now]);
      }
    }
  });
  return held;
}

describe("interpreter and every order of steps", () => {
  test("workload: orderly random tables, preempted anywhere, wakes refused now and then: all loops, mutexes hold", () => {
    for (let seed = 1; seed <= 25; seed++) {
      expect(problemsOf(tableOf(orderlyWorkload(seed)), seed), `seed ${seed}`).toEqual([]);
    }
  });

  test("workload: one wake is lost: some run does not come to its end, and that is seen", () => {
    const seeds = Array.from({ length: 12 }, (_, index) => index + 1);
    expect(seeds.some((seed) => problemsOf(tableOf(orderlyWorkload(seed)), seed, { lostWake: 2 }).length > 0)).toBe(
      true,
    );
  });

  test("workload: locks are left out: two tasks inside one mutex are seen", () => {
    const text = `{"tasks": {"a": {"instance": 2, "loop": 3, "lock": "m", "run": 200, "unlock": "m"}}}`;
    const table = tableOf(text);
    expect(problemsOf(table, 1)).toEqual([]);
    const words = table.words.map((word) => (word === WorkloadEventKind.Lock ? WorkloadEventKind.Yield : word));
    expect(problemsOf(table, 1, { words })).toEqual(["rows 0 and 1 are both inside mutex 0"]);
  });
});

describe("time", () => {
  test.each([10, 1000, 50_000])("run: alone for %i microseconds: takes its time, to a chunk", (micros) => {
    const table = tableOf(`{"global": {"duration": 2}, "tasks": {"a": {"loop": 1, "run": ${micros}}}}`);
    const { ticks } = new ThreadMachine(interpreter, table, { order: "random", seed: 1 }).run();
    expect(Number(ticks)).toBeGreaterThanOrEqual(micros);
    expect(Number(ticks)).toBeLessThan(micros + 300);
  });

  test("run: two tasks that preempt each other: each uses its own CPU time, preemptions do not count", () => {
    const text = (run: string): string =>
      `{"global": {"duration": 2}, "tasks": {"a": {"instance": 2, "loop": 1, "${run}": 40000}}}`;
    const cpu = new ThreadMachine(interpreter, tableOf(text("run")), {
      order: "random",
      seed: 5,
      sliceSteps: 1000,
    }).run();
    const wall = new ThreadMachine(interpreter, tableOf(text("runtime")), {
      order: "random",
      seed: 5,
      sliceSteps: 1000,
    }).run();
    for (const turns of cpu.turns) expect(turns).toBeGreaterThan(38_000);
    expect(Number(wall.ticks)).toBeLessThan(44_000);
  });

  test.each([
    ["relative", 1, 12_500],
    ["absolute", 4, 10_000],
  ])("timer: %s, one run longer than three periods: late periods are counted", (mode, late, ticks) => {
    const timer = `"timer": {"ref": "unique", "period": 1000, "mode": "${mode}"}`;
    const phases = `"p": {"loop": 3, "sleep": 300, ${timer}}, "q": {"sleep": 3500, ${timer}}, "r": {"loop": 6, "sleep": 300, ${timer}}`;
    const table = tableOf(`{"global": {"duration": 1}, "tasks": {"a": {"loop": 1, "phases": {${phases}}}}}`);
    const run = new ThreadMachine(interpreter, table, { order: "fifo", seed: 1 }).run();
    expect(run.lines).toEqual([`workload row=0 end=0 loops=1 phases=10 late=${late}`]);
    expect(Number(run.ticks)).toBe(ticks);
  });
});
