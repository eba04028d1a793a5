import { beforeAll, expect, test } from "vitest";
import { shippedParts } from "./suite-run.ts";
import { kernel } from "../breaks/break.ts";
import { brokenKernel } from "../breaks/patch.ts";
import { measureOperations } from "./operation-costs.ts";
import type { Parts } from "./parts.ts";
import { runScenario } from "./run.ts";
import { select } from "./suite.ts";

let parts: Parts;
beforeAll(async () => {
  const outcome = await shippedParts();
  if (outcome.kind !== "ready") throw new Error(outcome.lines.join("\n"));
  parts = outcome.parts;
});

function scenarioOf(name: string) {
  const selection = select([name]);
  if (selection.kind !== "selected" || selection.scenarios[0] === undefined) throw new Error(`no scenario ${name}`);
  return selection.scenarios[0];
}

async function costsOf(name: string, of = parts): Promise<ReadonlyMap<string, number>> {
  const measured = await measureOperations(scenarioOf(name), of);
  if (measured.kind !== "measured") throw new Error(JSON.stringify(measured));
  return new Map(measured.costs.map(({ operation, accesses }) => [operation, accesses]));
}

test("operation costs: bare operations and traps: each by its name, and the set-up does not count", async () => {
  const stealing = await costsOf("owner-thieves");
  expect([...stealing.keys()].toSorted()).toEqual(["enqueue", "pick", "steal"]);
  const sleeping = await costsOf("wake-against-sleep");
  expect([...sleeping.keys()].toSorted()).toEqual(["trap Exit", "trap SleepUntil", "trap SoftInterrupt", "trap Wake"]);
});

test("operation costs: two accesses more on the way to a take: the steal, and it alone, costs two more", async () => {
  const more = kernel(
    "scheduler",
    "  if (!exchanged64(ring, state, after)) return StealOutcome.Contended;\n  const task",
    "  if (load64(ring) == -1 || load64(ring) == -1) return StealOutcome.Contended;\n  if (!exchanged64(ring, state, after)) return StealOutcome.Contended;\n  const task",
  );
  const before = await costsOf("no-victim");
  const after = await costsOf("no-victim", { ...parts, kernel: (await brokenKernel([more])).wasm });
  expect(after.get("stealFrom")).toBe((before.get("stealFrom") ?? 0) + 2);
  expect([...after].filter(([name]) => name !== "stealFrom")).toEqual(
    [...before].filter(([name]) => name !== "stealFrom"),
  );
});

test("operation costs: planted fault: a thief that tries until it works: unbounded, with the loop", async () => {
  const retry = kernel(
    "scheduler",
    "  if (!exchanged64(ring, state, after)) return StealOutcome.Contended;\n  const task",
    "  while (!exchanged64(ring, state, after)) {}\n  const task",
  );
  const { wasm } = await brokenKernel([retry]);
  const found = await measureOperations(scenarioOf("owner-thieves"), { ...parts, kernel: wasm });
  expect(found).toMatchObject({ kind: "unbounded", operation: "steal" });
  expect(found.kind === "unbounded" && found.at).toMatch(/exchanged64|steal|take/i);
});

test("operation costs: only where asked for, and then in the certificate; the exploration itself stays what it was", async () => {
  const [without, within] = [
    await runScenario(scenarioOf("no-victim"), "fast", parts),
    await runScenario(scenarioOf("no-victim"), "fast", parts, { operations: true }),
  ];
  if (without.kind !== "passed" || within.kind !== "passed") throw new Error("it does not pass");
  expect(without.certificate.operations).toBeNull();
  expect(within.certificate.operations).toMatchObject({ kind: "measured", tier: "fast" });
  expect(within.certificate.states).toBe(without.certificate.states);
});
