// The tool on the shipped kernel: mutants that must be killed, recognised or reported, and a small seeded sample.

import { beforeAll, describe, expect, test } from "vitest";
import type { Artifact } from "./artifact.ts";
import type { Baseline } from "./baseline.ts";
import { blocksOf } from "./blocks.ts";
import { catalogueOf, choose, isCore, mutate } from "./catalogue.ts";
import { coverageOf, readUncovered, uncoveredLines } from "./coverage.ts";
import { Equivalence } from "./equivalence.ts";
import type { Mutant } from "./mutant.ts";
import { KINDS, functionsOf } from "./mutant.ts";
import { shippedArtifact } from "./shipped.ts";
import { splice } from "./splice.ts";
import { Op } from "../../wasm/opcodes.ts";
import { ProbedSubject, Subject, type Surroundings } from "./subject.ts";
import { type Explanation, readSurvivors, staleEntries, unusedEntries } from "./survivors.ts";
import { renderTable, tally } from "./mutant-table.ts";
import { Trials } from "./mutant-trial.ts";
import { NEEDS_PAUSES, unitChecks } from "./unit-checks.ts";
import { FUEL, SIM_PROBE, withProbes } from "./weave.ts";

let artifact: Artifact;
let surroundings: Surroundings;
let catalogue: readonly Mutant[];
beforeAll(async () => {
  const shipped = await shippedArtifact();
  if (shipped.kind === "refused") throw new Error(shipped.lines.join("\n"));
  ({ artifact, surroundings } = shipped);
  catalogue = catalogueOf(artifact);
});

/** A baseline in which the unit checks of some titles reach every block. */
function baselineOf(isMeant: (name: string) => boolean): Baseline {
  const blocks = [...blocksOf(artifact).list.keys()];
  const checks = unitChecks("unit")
    .filter(({ name }) => isMeant(name))
    .map(({ name, stage }, cost) => ({ name, stage, cost, transitions: 0, blocks }));
  return { key: "test", checks, leftOut: [] };
}

const trialsOf = (isMeant: (name: string) => boolean): Trials =>
  new Trials(artifact, surroundings, baselineOf(isMeant), { tier: "fast", until: "unit", equivalence: false });

/** The first mutant of a kind in a function. */
function mutantIn(functionName: string, kind: string): Mutant {
  const found = catalogue.find((mutant) => functionsOf(mutant).includes(functionName) && mutant.kind === kind);
  if (found === undefined) throw new Error(`no ${kind} in ${functionName}`);
  return found;
}

describe("catalogue", () => {
  test("mutants: made twice: the same ids in the same order, each once", () => {
    const ids = catalogue.map(({ id }) => id);
    expect(catalogueOf(artifact).map(({ id }) => id)).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("mutants: a place that was inlined: one mutant that changes every copy; by copy, one each", () => {
    const copies = catalogueOf(artifact, "copy");
    expect(copies.every((mutant) => mutant.copies.length === 1)).toBe(true);
    const placesOf = (mutants: readonly Mutant[]): string[] =>
      mutants.flatMap(({ kind, copies: all }) => all.map(({ functionIndex, at }) => `${functionIndex} ${at} ${kind}`));
    expect(placesOf(catalogue).toSorted()).toEqual(placesOf(copies).toSorted());
    const inlined = catalogue.filter((mutant) => mutant.copies.length > 1);
    expect(inlined.some((mutant) => functionsOf(mutant).length > 1)).toBe(true);
    for (const mutant of inlined.slice(0, 50)) {
      const together = mutate(artifact, mutant);
      for (const copy of mutant.copies)
        expect(Buffer.compare(mutate(artifact, { copies: [copy] }), together), mutant.id).not.toBe(0);
    }
  });

  test("mutants: every kind: at least one of it in the kernel", () => {
    const kinds = new Set(catalogue.map(({ kind }) => kind));
    expect(KINDS.filter((kind) => !kinds.has(kind))).toEqual([]);
  });

  test("mutants: a sample of 400: each validates and differs from the artifact", () => {
    const chosen = choose(catalogue, { files: [], kinds: [], sample: 400, seed: 7 });
    if (chosen.kind !== "chosen") throw new Error(chosen.message);
    expect(chosen.mutants).toHaveLength(400);
    for (const mutant of chosen.mutants) {
      const wasm = mutate(artifact, mutant);
      expect(WebAssembly.validate(wasm as BufferSource), mutant.id).toBe(true);
      expect(Buffer.compare(wasm, artifact.wasm), mutant.id).not.toBe(0);
    }
  });

  test("choice: the same seed: the same sample; another seed, another; an unknown file: one line", () => {
    const sample = (seed: number): string[] => {
      const chosen = choose(catalogue, { files: ["mailbox.ts"], kinds: [], sample: 20, seed });
      return chosen.kind === "chosen" ? chosen.mutants.map(({ id }) => id) : [];
    };
    expect(sample(1)).toEqual(sample(1));
    expect(sample(1)).not.toEqual(sample(2));
    expect(choose(catalogue, { files: ["nothing"], kinds: [], sample: 1, seed: 1 })).toMatchObject({
      kind: "unknown",
      message: expect.stringMatching(/^no mutant lies in kernel\/nothing.ts; there are some in /),
    });
  });

  test("splice: no patch: the artifact, byte for byte", () => {
    for (const func of artifact.functions)
      expect(Buffer.compare(splice(artifact, [{ func, patches: [], locals: [] }]), artifact.wasm)).toBe(0);
  });
});

describe("trials", () => {
  test("trial: a compare-exchange taken for granted, in pick: killed by a unit check, by name", async () => {
    const outcome = await trialsOf(() => true).run(mutantIn("scheduler/pick", "branch-negated"));
    expect(outcome).toMatchObject({ kind: "killed", stage: "unit", by: expect.stringMatching(/^[A-Z]\d /) });
  });

  test("trial: the checks that kill it removed: survives, and the tally reports it", async () => {
    const mutant = mutantIn("run-queue/enqueue", "answer-plus");
    const outcome = await trialsOf((name) => name.startsWith("C1 ")).run(mutant);
    expect(outcome.kind).toBe("survived");
    const { unexplained, isGoalReached, rows } = tally([{ mutant, outcome }], []);
    expect(isGoalReached).toBe(false);
    expect(unexplained).toEqual([{ mutant, outcome }]);
    expect(renderTable(rows)).toContain("kernel/run-queue.ts");
    const explained = tally([{ mutant, outcome }], [entryFor(mutant)]);
    expect(explained).toMatchObject({ isGoalReached: true, unexplained: [] });
    expect((await trialsOf(() => true).run(mutant)).kind).toBe("killed");
  });

  test("trial: an eighth of the fuel: the unmutated kernel still passes", async () => {
    const subject = new Subject(artifact.wasm, surroundings, FUEL >> 3);
    let passed = 0;
    for (const check of unitChecks("unit").filter(({ name }) => /^(Q[25]|S1|I7) /.test(name))) {
      const outcome = await check.run(subject);
      // Those that pause a hart in the middle of a call come in a later stage.
      if (outcome.kind === "broken" && outcome.reason === NEEDS_PAUSES) continue;
      expect(outcome, check.name).toEqual({ kind: "passed" });
      passed += 1;
    }
    expect(passed).toBeGreaterThan(3);
  });

  test("trial: hardly any fuel: a check of the unmutated kernel is stopped, and nothing is killed", async () => {
    const subject = new Subject(artifact.wasm, surroundings, 3);
    const [check] = unitChecks("unit").filter(({ name }) => name.startsWith("Q1 run queue"));
    expect(await check?.run(subject)).toMatchObject({ kind: "unbounded" });
  });

  test("equivalence: a value computed and dropped: the same; a known mutant: not the same", async () => {
    const equivalence = await Equivalence.of(artifact.wasm);
    const func = artifact.functions.find(({ name }) => name === "scheduler/pick");
    const first = func?.body[0];
    if (func === undefined || first === undefined) throw new Error("pick is gone");
    const idle = [{ from: first.start, end: first.start, bytes: [Op["i32.const"], 1, Op.drop] }];
    expect(equivalence.isEquivalent(splice(artifact, [{ func, patches: idle, locals: [] }]))).toBe(true);
    expect(equivalence.isEquivalent(mutate(artifact, mutantIn("scheduler/pick", "branch-negated")))).toBe(false);
  });

  test("sample: 30 mutants of the core, unit checks alone (seed 1): none undecided, a quarter killed", async () => {
    const core = catalogue.filter(({ file }) => isCore(file));
    const chosen = choose(core, { files: [], kinds: [], sample: 30, seed: 1 });
    if (chosen.kind !== "chosen") throw new Error(chosen.message);
    // The random walk alone takes as long as all others.
    const passing: string[] = [];
    const subject = new Subject(artifact.wasm, surroundings);
    for (const check of unitChecks("unit").filter(({ name }) => !name.includes("random operations")))
      if ((await check.run(subject)).kind === "passed") passing.push(check.name);
    const trials = trialsOf((name) => passing.includes(name));
    const tried = [];
    for (const mutant of chosen.mutants) tried.push({ mutant, outcome: await trials.run(mutant) });
    const kinds = tried.map(({ outcome }) => outcome.kind);
    expect(kinds.filter((kind) => kind === "undecided" || kind === "invalid")).toEqual([]);
    expect(kinds.filter((kind) => kind === "killed").length).toBeGreaterThanOrEqual(8);
  });
});

function entryFor({ file, text, kind, ordinal }: Mutant): Explanation {
  return { file, text, kind, ordinal, reason: "for this test" };
}

describe("survivors", () => {
  test("survivors.json: the shipped kernel: no entry is stale", async () => {
    expect(staleEntries(await readSurvivors(), catalogue)).toEqual([]);
  });

  test("survivors: an entry of no mutant: stale; of a killed one: unused; of one not tried: neither", () => {
    const mutant = mutantIn("scheduler/pick", "branch-negated");
    const entry = entryFor(mutant);
    expect(staleEntries([{ ...entry, text: "gone" }], catalogue)).toHaveLength(1);
    expect(staleEntries([entry], catalogue)).toEqual([]);
    const killed = { kind: "killed", stage: "unit", by: "Q1", reason: "" } as const;
    expect(unusedEntries([entry], catalogue, () => killed)).toHaveLength(1);
    expect(unusedEntries([entry], catalogue, () => ({ kind: "survived", checks: 1 }))).toEqual([]);
    expect(unusedEntries([entry], catalogue, () => undefined)).toEqual([]);
  });
});

describe("coverage", () => {
  test("coverage: one unit check with probes: reaches its function, and what it does not reach is listed", async () => {
    const { list, blockAfter } = blocksOf(artifact);
    const entered = new Set<number>();
    const forSim = withProbes(artifact.wasm, blockAfter, SIM_PROBE);
    const subject = new ProbedSubject(withProbes(artifact.wasm, blockAfter), surroundings, forSim, (block) => {
      entered.add(block);
    });
    const [check] = unitChecks("unit").filter(({ name }) => name.startsWith("Q6 yield: two of one class"));
    expect(await check?.run(subject)).toEqual({ kind: "passed" });
    const nameOf = (block: number): string | undefined => artifact.functions[list[block]?.functionIndex ?? -1]?.name;
    const reached = new Set([...entered].map(nameOf));
    expect(reached).toContain("scheduler/yieldCurrent");
    expect(reached).not.toContain("device-tree/readTree");
    const one = { name: "one", stage: "unit", cost: 1, transitions: 0, blocks: [...entered] } as const;
    const coverage = coverageOf(artifact, { key: "test", checks: [one], leftOut: [] });
    const tree = coverage.find(({ file }) => file === "kernel/device-tree.ts");
    expect(tree?.lines.reached).toBe(0);
    expect(tree?.uncovered.length).toBe(tree?.lines.of);
    const entry = { file: "kernel/device-tree.ts", text: "no such line", reason: "for this test" };
    expect(uncoveredLines(artifact, coverage, [entry]).stale).toHaveLength(1);
  });

  test("uncovered.json: its entries: lines that the sources have", async () => {
    const { functions, lineText } = artifact;
    const places = functions.flatMap((func) => func.places);
    for (const { file, text } of await readUncovered())
      expect(
        places.some((place) => place.file === file && lineText(file, place.line) === text),
        text,
      ).toBe(true);
  });
});
