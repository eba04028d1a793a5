import { expect, test } from "vitest";
import { type SourceKind, applySourceMutant, mutantsOf } from "./source-mutants.ts";

const kindsOf = (file: string, text: string): [SourceKind, number][] =>
  mutantsOf(file, text).map(({ kind, line }) => [kind, line]);

const C = `int f(int a) {
  int b = 1; // a declaration stays
  g(a); // a comment with g(b);
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  if (a == b) return 2;
  /* h(a); */
  return b;
}
`;

test("source mutants: C: statements, fences and comparisons; neither declarations nor comments", () => {
  expect(kindsOf("f.c", C)).toEqual([
    ["statement-dropped", 3],
    ["fence-dropped", 4],
    ["statement-dropped", 5],
    ["comparison-negated", 5],
  ]);
});

const ASSEMBLY = `.globl f
f:
  fence rw, rw // order
  beqz a0, 1f
  ld a0, 0(a0)
1:
  ret
`;

test("source mutants: assembly: instructions, fences and branches; neither labels nor directives", () => {
  expect(kindsOf("f.S", ASSEMBLY)).toEqual([
    ["fence-dropped", 3],
    ["instruction-dropped", 4],
    ["branch-negated", 4],
    ["instruction-dropped", 5],
    ["instruction-dropped", 7],
  ]);
});

test("source mutants: applied: one line differs, and the others keep their numbers", () => {
  for (const [file, text] of [
    ["f.c", C],
    ["f.S", ASSEMBLY],
  ] as const)
    for (const mutant of mutantsOf(file, text)) {
      const [before, after] = [text.split("\n"), applySourceMutant(text, mutant).split("\n")];
      expect(after).toHaveLength(before.length);
      expect(after.flatMap((line, index) => (line === before[index] ? [] : [index + 1]))).toEqual([mutant.line]);
    }
  const negated = mutantsOf("f.S", ASSEMBLY).find(({ kind }) => kind === "branch-negated");
  expect(negated?.replacement.trim()).toMatch(/^bnez a0, 1f/);
});
