import { expect, test } from "vitest";
import { example } from "./fixtures/example.ts";
import { prepare } from "./target.ts";

test("program: words to keep footprints of, found in another order than their addresses: all told, in that order", async () => {
  const { wasm } = await example("faults/counter");
  const program = prepare({ wasm, threads: [{ function: "torn" }, { function: "torn" }] }).newProgram();
  program.watch([40, 7, 21, -1 - 30, -1 - 5]);
  expect(program.watchedWords()).toEqual([40, 7, 21, -1 - 5, -1 - 30]);
});

test("program: two searches that each saw one thread touch a word: contended, or to be watched, once both are known", async () => {
  const { wasm } = await example("faults/counter");
  const program = prepare({ wasm, threads: [{ function: "torn" }, { function: "torn" }] }).newProgram();
  const plain = { read: (thread: number) => [1 << thread, 0], write: (thread: number) => [1 << (16 + thread), 0] };
  const atomic = { read: (thread: number) => [0, 1 << thread], write: (thread: number) => [0, 1 << (16 + thread)] };
  program.touch([50, ...atomic.write(0), 51, ...atomic.read(0), 52, ...plain.write(0), 53, ...atomic.write(0)]);
  expect(program.unnoticedWords(true)).toEqual([]);
  program.touch([50, ...atomic.read(1), 51, ...atomic.read(1), 52, ...plain.read(1), 53, ...atomic.write(0)]);
  expect(program.unnoticedWords(true)).toEqual([-1 - 50, -1 - 52, 52]);
  expect(program.unnoticedWords(false)).toEqual([52]);
  program.watch([...program.watchedWords(), ...program.unnoticedWords(true)]);
  expect(program.unnoticedWords(true)).toEqual([]);
});
