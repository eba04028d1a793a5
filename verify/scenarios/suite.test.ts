import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { explore } from "../../explore/index.ts";
import { buildArtifacts } from "../../toolchain/build.ts";
import { harness } from "./harness-build.ts";
import type { Parts } from "./parts.ts";
import { targetOf } from "./parts.ts";
import { runScenario } from "./run.ts";
import type { Scenario } from "./scenario.ts";
import { threadsOf } from "./scenario.ts";
import { scenarios, select } from "./suite.ts";

// A scenario of four million states, on a machine that others load as well.
vi.setConfig({ testTimeout: 900_000 });

let parts: Parts;
beforeAll(async () => {
  const built = await buildArtifacts();
  if (built.kind !== "built") throw new Error(built.lines.join("\n"));
  parts = { kernel: new Uint8Array(await readFile(built.artifacts.kernel)), harness: await harness() };
});

const fast = scenarios.filter(({ fast: threads }) => threads !== undefined);
const formatted = (scenario: Scenario): string =>
  (threadsOf(scenario, "fast") ?? []).map(({ function: name, args }) => `${name}(${(args ?? []).join()})`).join(" ");

describe("the shipped kernel, every interleaving", () => {
  for (const scenario of fast)
    test(`scenario ${scenario.name}: ${scenario.about} holds (harts=${scenario.harts}: ${formatted(scenario)})`, async () => {
      const result = await runScenario(scenario, "fast", parts);
      if (result.kind === "violated")
        expect.fail(`${result.message}\nschedule ${JSON.stringify(result.counterexample.schedule)}`);
      if (result.kind === "incomplete") expect.fail(`stopped: ${result.reason}`);
      expect(result.certificate.clauses).toEqual(scenario.clauses);
      expect(result.certificate.kernel.bytes).toBe(parts.kernel.length);
    });
});

describe("what is left out of the state", () => {
  for (const name of ["kill-queued", "wake-twice", "exit-and-reap"])
    test(`ghosts: ${name} with and without its evidence and counters in the state: the same verdict, and no fewer states without ghosts`, async () => {
      const selection = select([name]);
      if (selection.kind !== "selected" || selection.scenarios[0] === undefined) throw new Error("no such scenario");
      const target = targetOf(selection.scenarios[0], "fast", parts);
      const { ghosts, ...whole } = target;
      expect(ghosts?.length).toBeGreaterThan(0);
      const without = await explore(target);
      const within = await explore(whole);
      expect(without.verdict).toEqual({ kind: "passed" });
      expect(within.verdict).toEqual({ kind: "passed" });
      expect(within.states).toBeGreaterThanOrEqual(without.states);
    });

  test("ghosts: other counters and event numbers at the start: the same states are reached", async () => {
    const selection = select(["wake-twice"]);
    if (selection.kind !== "selected" || selection.scenarios[0] === undefined) throw new Error("no such scenario");
    const target = targetOf(selection.scenarios[0], "fast", parts);
    const plain = await explore(target, { collectFinals: true });
    const littered = await explore({ ...target, init: "wakeAgainstSleepTwiceLittered" }, { collectFinals: true });
    expect(littered.verdict).toEqual({ kind: "passed" });
    expect(littered.states).toBe(plain.states);
    expect(littered.finals).toEqual(plain.finals);
  });
});

test("suite: an unknown name: one line that lists the scenarios", () => {
  const selection = select(["no-such"]);
  expect(selection).toMatchObject({ kind: "unknown" });
  expect(selection.kind === "unknown" && selection.message).toMatch(
    /^there is no scenario "no-such"; there are owner-thieves, /,
  );
});
