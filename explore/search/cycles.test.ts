import { expect, test } from "vitest";
import { compileAssemblyScript } from "../fixtures/compile.ts";
import { DepthFirst } from "./depth-first.ts";
import { Random } from "./random-walk.ts";
import { StateTable } from "./state-table.ts";
import { prepare } from "../program/prepared-target.ts";

const THREADS = ["first", "second", "third"];
const PROGRAMS = 40;

/** Up to five operations on three words; some wait until a word has changed, and write while they wait. */
function threadOf(name: string, random: Random): string {
  const word = (): number => 8 * random.below(3);
  const value = (): number => random.below(3);
  const load = (): string => `atomic.load<i32>(${word()}) == ${value()}`;
  const store = (): string => `atomic.store<i32>(${word()}, ${value()});`;
  const operations = [
    () => `atomic.add<i32>(${word()}, 1);`,
    store,
    () => `atomic.load<i32>(${word()});`,
    () => `atomic.xchg<i32>(${word()}, ${value()});`,
    () => `if (${load()}) ${store()}`,
    () => `while (${load()}) { ${store()} }`,
    () => `while (${load()}) { ${store()} ${store()} }`,
  ];
  const body = Array.from({ length: 2 + random.below(4) }, () => operations[random.below(operations.length)]?.() ?? "");
  return `export function ${name}(): void { ${body.join(" ")} }`;
}

test("cycles: programs by chance, with and without sleep sets and invisible accesses: all report whether there is a cycle", async () => {
  const seed = 20_261_122;
  const random = new Random(seed);
  let cyclic = 0;
  for (let index = 0; index < PROGRAMS; index++) {
    const source = THREADS.map((name) => threadOf(name, random)).join("\n");
    const { wasm } = await compileAssemblyScript(source);
    const reported = new Map<string, unknown>();
    for (const sleepSets of [false, true])
      for (const coalesceInvisible of [false, true]) {
        const threads = THREADS.map((name) => ({ function: name }));
        const program = prepare({ wasm, threads, reductions: { symmetry: false, coalesceInvisible } }).newProgram();
        for (let isDone = false; !isDone;) {
          program.restart();
          for (const thread of THREADS.keys()) program.apply(thread);
          const options = { sleepSets, mergeStates: true, transitionsMax: 1_000_000 };
          const outcome = new DepthFirst(program, new StateTable(2 ** 26), options).run([...THREADS.keys()]);
          isDone = outcome.kind !== "restart";
          reported.set(
            `sleep sets ${sleepSets}, invisible ${coalesceInvisible}`,
            outcome.kind === "exhausted" && outcome.cycles,
          );
          if (isDone) expect(outcome.kind, source).toBe("exhausted");
        }
      }
    expect(
      new Set(reported.values()).size,
      `seed ${seed}, program ${index}: ${JSON.stringify([...reported])}\n${source}`,
    ).toBe(1);
    if ([...reported.values()][0] === true) cyclic++;
  }
  expect(cyclic).toBeGreaterThan(PROGRAMS / 4);
  expect(cyclic).toBeLessThan(PROGRAMS);
});
