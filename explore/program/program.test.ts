import { expect, test } from "vitest";
import { example } from "../fixtures/example.ts";
import { prepare } from "./prepared-target.ts";

test("program: words to keep footprints of, found in another order than their addresses: all reported, in that order", async () => {
  const { wasm } = await example("faults/counter");
  const program = prepare({ wasm, threads: [{ function: "torn" }, { function: "torn" }] }).newProgram();
  program.words.trackRaces([40, 7, 21, -1 - 30, -1 - 5]);
  expect(program.words.raceTrackedWords()).toEqual([40, 7, 21, -1 - 5, -1 - 30]);
});
