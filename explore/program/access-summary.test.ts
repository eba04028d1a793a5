import { expect, test } from "vitest";
import { compileAssemblyScript } from "../fixtures/compile.ts";
import { prepare } from "./prepared-target.ts";

/** Each thread is stepped in a program of its own, so that no program sees both. */
async function apart(first: string, second: string, invariant = "") {
  const { wasm } = await compileAssemblyScript(`
    export function first(): void { atomic.add<i32>(0, 1); ${first} atomic.add<i32>(0, 1); }
    export function second(): void { atomic.add<i32>(0, 1); ${second} atomic.add<i32>(0, 1); }
    ${invariant}`);
  const threads = [{ function: "first" }, { function: "second" }];
  const { newProgram } = prepare({ wasm, threads, ...(invariant ? { invariant: "invariant" } : {}) });
  return [0, 1].map((thread) => {
    const program = newProgram();
    // Both know that the counter is shared; of the rest each sees its own thread only.
    program.words.trackRaces([-1]);
    for (let step = 0; step < 2; step++) expect(program.apply(thread)).toBeUndefined();
    return program;
  });
}

test.each([
  ["a plain write and a plain read", "store<i32>(8, 1);", "store<i32>(16, load<i32>(8));", [1, -2]],
  ["two atomic writes, invisible in each", "atomic.store<i32>(8, 1);", "atomic.store<i32>(8, 2);", [-2]],
])("access summary: %s of two programs: known together, once", async (_, first, second, raceTracked) => {
  const [one, other] = await apart(first, second);
  if (!one || !other) throw new Error("two programs");
  expect([...one.words.raceTrackedWords(), ...other.words.raceTrackedWords()]).toEqual([-1, -1]);
  expect(one.words.learn(one.words.accessSummary())).toBe(false);
  expect(one.words.learn(other.words.accessSummary())).toBe(true);
  expect(one.words.raceTrackedWords()).toEqual(expect.arrayContaining(raceTracked));
  expect(one.words.learn(other.words.accessSummary())).toBe(false);
});

test("access summary: two widths in two programs: a search that knows of one finds the other", async () => {
  const [one, other] = await apart("atomic.store<i32>(8, 1);", "atomic.store<i64>(8, 1);");
  if (!one || !other) throw new Error("two programs");
  expect(one.words.learn(other.words.accessSummary())).toBe(true);
  one.restart();
  expect([one.apply(1), one.apply(1), one.apply(1)]).toContainEqual(expect.objectContaining({ kind: "mixed-width" }));
});

test("access summary: reads of one word, and writes of each its own: nothing to know", async () => {
  const [one, other] = await apart(
    "atomic.store<i32>(8, 1); load<i32>(24);",
    "atomic.store<i32>(16, 1); load<i32>(24);",
  );
  if (!one || !other) throw new Error("two programs");
  expect(one.words.learn(other.words.accessSummary())).toBe(false);
});

test("access summary: one program writes invisibly what a check reads in the other: contended", async () => {
  const invariant = "export function invariant(): i32 { return load<i32>(8) == 9 ? 1 : 0; }";
  const [one, other] = await apart("atomic.store<i32>(8, 1);", "", invariant);
  if (!one || !other) throw new Error("two programs");
  expect(one.words.learn(other.words.accessSummary())).toBe(false);
  expect(other.judge()).toBeUndefined();
  expect(one.words.learn(other.words.accessSummary())).toBe(true);
  expect(one.words.raceTrackedWords()).toContain(-2);
});
