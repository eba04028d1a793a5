import { describe, expect, it } from "vitest";
import { CPUS_MAX } from "../../abi/layout.ts";
import { faultPlanFor, planLabel } from "./fault-plan.ts";
import { checkOptions } from "./options.ts";

const SEEDS = Array.from({ length: 2000 }, (_, seed) => seed);

describe("fault plan", () => {
  it("fault plan: one seed twice: one plan; neighbouring seeds: other plans", () => {
    const labels = SEEDS.map((seed) => planLabel(faultPlanFor(seed, { harts: 4 })));
    expect(SEEDS.map((seed) => planLabel(faultPlanFor(seed, { harts: 4 })))).toEqual(labels);
    expect(new Set(labels).size).toBeGreaterThan(SEEDS.length / 2);
  });

  it.each([1, 2, 3, 8, CPUS_MAX])("fault plan: any seed: a machine takes it (harts=%i)", (harts) => {
    for (const seed of SEEDS)
      expect(checkOptions(faultPlanFor(seed, { harts }).options).kind, `${seed}`).toBe("accepted");
  });

  it("fault plan: many seeds: every kind of fault and every expectation is met, most runs must pass", () => {
    const plans = SEEDS.map((seed) => faultPlanFor(seed, { harts: CPUS_MAX }));
    expect([...new Set(plans.flatMap(({ kinds }) => kinds))].toSorted()).toEqual([
      "S_SOFT storms",
      "doubled sends",
      "hart ids with gaps",
      "late harts",
      "late sends",
      "missing hart",
      "more harts than CPUs",
      "no HSM",
      "refused hart",
      "refused sends",
      "slow console",
      "timer storms",
    ]);
    const count = (expects: string): number => plans.filter((plan) => plan.expects === expects).length;
    expect(count("stops")).toBeGreaterThan(20);
    expect(count("passes-or-names-the-send")).toBeGreaterThan(100);
    expect(count("leaves-harts-out")).toBeGreaterThan(100);
    expect(count("passes")).toBeGreaterThan(SEEDS.length / 2);
  });
});
