// Engine benchmark: transitions a second of CPU time, states merged and hashed, and where the time goes.
//
// Run after a build: node dist/explore/engine.bench.js [THREADS ROUNDS]. Time is the process's CPU time, so a busy machine does not
// count; the first search warms the compiler up and is not reported.

import { compileAssemblyScript } from "./fixtures/compile.ts";
import { prepare } from "./target.ts";
import { StateTable } from "./state-table.ts";
import { DepthFirst } from "./depth-first.ts";
import { CONTROL } from "./layout.ts";
import { certain } from "./certain.ts";

const [threads, rounds] = [Number(process.argv[2] ?? 4), Number(process.argv[3] ?? 7)];
const SOURCE = `
// A ticket lock around a plain counter, and two atomic counters of each thread's own.
export function worker(me: i32): void {
  for (let i = 0; i < ${rounds}; i++) {
    const mine = atomic.add<i32>(0, 1);
    while (atomic.load<i32>(8) != mine) {}
    store<i32>(16, load<i32>(16) + 1);
    atomic.store<i32>(8, mine + 1);
    atomic.add<i32>(64 + me * 8, 1);
    atomic.add<i32>(64 + me * 8, 1);
  }
}`;

const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};
const millions = (value: number): string => (value / 1e6).toFixed(2);

const { wasm } = await compileAssemblyScript(SOURCE);
for (const races of [true, false])
  for (const sleepSets of [true, false]) {
    const { newProgram } = prepare({
      wasm,
      threads: Array.from({ length: threads }, (_, me) => ({ function: "worker", args: [me] })),
      races,
    });
    const program = newProgram();
    const begin = (): number[] => {
      program.restart();
      const prefix = Array.from({ length: threads }, (_, thread) => thread);
      for (const choice of prefix) program.apply(choice);
      return prefix;
    };
    for (let round = 0; round < 20; round++) {
      const prefix = begin();
      const search = new DepthFirst(program, new StateTable(2 ** 30), {
        sleepSets,
        mergeStates: true,
        transitionsMax: Infinity,
      });
      const before = cpuSeconds();
      const outcome = search.run(prefix);
      const seconds = cpuSeconds() - before;
      if (outcome.kind === "restart") round = -1;
      if (round < 1) continue;
      // The same number of steps, each taken back, without a table: execution, hashing within it, and undoing.
      begin();
      const stepsBefore = cpuSeconds();
      const { mark } = program;
      for (let step = 0; step < search.counts.transitions; step++) program.applyFrom(mark, step % threads, 0);
      const stepping = cpuSeconds() - stepsBefore;
      const { states, transitions } = search.counts;
      const each = (value: number): string => `${Math.round((value / transitions) * 1e9)} ns`;
      console.log(
        `races ${races ? "on " : "off"}  sleep sets ${sleepSets ? "on " : "off"}  ${states} states  ${transitions} transitions  ${millions(transitions / seconds)} M/s  each ${each(seconds)}: step, hash and undo ${each(stepping)}, table and search ${each(seconds - stepping)}; log ${certain(program.i32[CONTROL.logTop >> 2]) - program.root} bytes`,
      );
      break;
    }
  }
