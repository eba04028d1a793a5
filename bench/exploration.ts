// Exploration: transitions a second in the kernel's scenarios, what they go into, and what a second core adds.
//
// Rates are of the search alone, on warm code, each scenario in its larger bounds up to a number of transitions. Where the
// time goes is sampled in a run of its own. Owner: none. Invariant: a search that ends early has come to its end; one that
// finds a fault fails the measurement.
// Pairs with: explore/, kernel/scenarios/.

import { Session } from "node:inspector";
import type { Instrumented } from "../explore/instrument.ts";
import type { Program } from "../explore/program.ts";
import { DepthFirst } from "../explore/depth-first.ts";
import { explore } from "../explore/index.ts";
import { StateTable } from "../explore/state-table.ts";
import { prepare } from "../explore/target.ts";
import { shippedParts } from "../kernel/scenarios/campaign.ts";
import type { Parts } from "../kernel/scenarios/run.ts";
import { targetOf } from "../kernel/scenarios/run.ts";
import type { Scenario } from "../kernel/scenarios/scenario.ts";
import { scenarios } from "../kernel/scenarios/suite.ts";
import type { GroupOutcome } from "./result.ts";

/** Transitions of one measured search at most, and what a scenario must have to be measured. */
const TRANSITIONS_MAX = 2_000_000;
const TRANSITIONS_LEAST = 500_000;
const RUNS = 3;
const TABLE_BYTES_MAX = 2 ** 30;
const SAMPLE_MICROSECONDS = 250;
/** Explored whole, with one worker and with two in turn. */
const SHARED = ["two-refused", "failed-send-of-two"];
const RATE_LEAST = 1_500_000;
const GAIN_LEAST = 1.7;

const PARTS = ["execution", "hashing", "restoring", "races", "invariant", "table"] as const;
type Part = (typeof PARTS)[number];

/** What each of the engine's functions is for; the others run the explored module or step it. */
const PART_OF: Readonly<Record<string, Part>> = {
  mix: "hashing",
  put: "hashing",
  putUser: "hashing",
  rawLog: "hashing",
  store1: "hashing",
  store2: "hashing",
  store4: "hashing",
  store8: "hashing",
  setGlobal: "hashing",
  clearFrame: "hashing",
  settle: "hashing",
  undo: "restoring",
  restore: "restoring",
  noteWho: "races",
  noteWord: "races",
  notePlain: "races",
  atomicAccess: "races",
  contended: "races",
  pend: "races",
  invariant: "invariant",
  final: "invariant",
  check: "invariant",
};

interface Rate {
  readonly states: number;
  readonly transitions: number;
  readonly perSecond: number;
  readonly shares: Readonly<Record<Part, number>>;
}

export async function measureExploration(): Promise<GroupOutcome> {
  const built = await shippedParts();
  if (built.kind === "refused") return { kind: "failed", message: built.lines[0] ?? "the build failed" };
  const figures: Record<string, number> = {};
  const rows: string[][] = [];
  const rates: number[] = [];
  for (const scenario of scenarios) {
    const rate = await rateOf(scenario, built.parts);
    if (typeof rate === "string") return { kind: "failed", message: `${scenario.name}: ${rate}` };
    if (rate.transitions < TRANSITIONS_LEAST) continue;
    rates.push(rate.perSecond);
    figures[`exploration.${scenario.name}.transitions-a-second`] = rate.perSecond;
    rows.push([
      scenario.name,
      rate.transitions.toLocaleString("en"),
      (rate.perSecond / 1e6).toFixed(2),
      ...PARTS.map((part) => `${Math.round(100 * rate.shares[part])} %`),
      rate.perSecond >= RATE_LEAST ? "met" : "missed",
    ]);
  }
  figures["exploration.median.transitions-a-second"] = median(rates);
  rows.push(["median", "", (median(rates) / 1e6).toFixed(2), ...PARTS.map(() => ""), ""]);
  const shared = await gains(built.parts, figures);
  if (typeof shared === "string") return { kind: "failed", message: shared };
  return {
    kind: "measured",
    result: {
      sections: [
        {
          title: "Exploration, one core",
          note: `Millions of transitions a second in the kernel's scenarios, up to ${TRANSITIONS_MAX.toLocaleString("en")} transitions, the best of ${RUNS} runs; target ${RATE_LEAST / 1e6}.`,
          header: ["scenario", "transitions", "M/s", ...PARTS, "target"],
          rows,
        },
        {
          title: "Exploration, two cores",
          note: `One search by two workers over one table, beside one worker, whole scenarios; the median of ${RUNS} pairs; target ${GAIN_LEAST}.`,
          header: ["scenario", "transitions", "one M/s", "two M/s", "gain", "target"],
          rows: shared,
        },
      ],
      figures,
    },
  };
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** One scenario on one core; a string says what went wrong. */
async function rateOf(scenario: Scenario, parts: Parts): Promise<Rate | string> {
  const target = targetOf(scenario, scenario.full ? "full" : "fast", parts);
  const { instrumented, newProgram } = prepare(target);
  const program = newProgram();
  const search = (): { states: number; transitions: number; seconds: number } | string => {
    for (;;) {
      program.restart();
      const prefix = target.threads.map((_, thread) => thread);
      for (const thread of prefix) program.apply(thread);
      program.contendChecked();
      const run = new DepthFirst(program, new StateTable(TABLE_BYTES_MAX), {
        sleepSets: true,
        mergeStates: true,
        transitionsMax: TRANSITIONS_MAX,
      });
      const from = performance.now();
      const outcome = run.run(prefix);
      const seconds = (performance.now() - from) / 1000;
      if (outcome.kind === "violated") return `found ${outcome.violation.kind}`;
      if (outcome.kind !== "restart") return { ...run.counts, seconds };
    }
  };
  let best: Rate | undefined;
  // The first run finds what is contended and warms the code.
  for (let run = 0; run <= RUNS; run++) {
    const result = search();
    if (typeof result === "string") return result;
    const { states, transitions, seconds } = result;
    if (transitions < TRANSITIONS_LEAST) return { states, transitions, perSecond: 0, shares: NO_SHARES };
    const perSecond = transitions / seconds;
    if (run > 0 && perSecond > (best?.perSecond ?? 0)) best = { states, transitions, perSecond, shares: NO_SHARES };
  }
  if (best === undefined) return "no run was made";
  return { ...best, shares: await sharesOf(instrumented, program, search) };
}

const NO_SHARES: Rate["shares"] = { execution: 0, hashing: 0, restoring: 0, races: 0, invariant: 0, table: 0 };

/** Shares of the time that V8's sampler sees in a run. */
async function sharesOf(instrumented: Instrumented, program: Program, run: () => unknown): Promise<Rate["shares"]> {
  const session = new Session();
  session.connect();
  const ask = (method: string, params: object = {}): Promise<unknown> =>
    new Promise((resolve, reject) => {
      session.post(method, params, (error, result) => (error ? reject(error) : resolve(result)));
    });
  try {
    await ask("Profiler.enable");
    await ask("Profiler.setSamplingInterval", { interval: SAMPLE_MICROSECONDS });
    await ask("Profiler.start");
    run();
    const { profile } = (await ask("Profiler.stop")) as { profile: CpuProfile };
    const counts: Record<Part, number> = { ...NO_SHARES };
    const parts = new Map(profile.nodes.map((node) => [node.id, partOf(node.callFrame.functionName, instrumented)]));
    let samples = 0;
    for (const sample of profile.samples) {
      const part = parts.get(sample);
      if (part === undefined) continue;
      counts[part]++;
      samples++;
    }
    const share = (part: Part): number => counts[part] / Math.max(1, samples);
    return {
      execution: share("execution"),
      hashing: share("hashing"),
      restoring: share("restoring"),
      races: share("races"),
      invariant: share("invariant"),
      table: share("table"),
    };
  } finally {
    session.disconnect();
    program.restart();
  }
}

interface CpuProfile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: { readonly functionName: string } }[];
  readonly samples: readonly number[];
}

/** Wasm functions appear by their numbers. What is JavaScript is the table, the search, and entering the steps. */
function partOf(name: string, instrumented: Instrumented): Part | undefined {
  const wasm = /^wasm-function\[(\d+)\]$/.exec(name);
  if (wasm) return PART_OF[instrumented.roleOf(Number(wasm[1]))] ?? "execution";
  return name === "(program)" || name === "(idle)" || name === "(root)" ? undefined : "table";
}

/** Rows of the comparison of two workers with one. */
async function gains(parts: Parts, figures: Record<string, number>): Promise<string[][] | string> {
  const rows: string[][] = [];
  for (const name of SHARED) {
    const scenario = scenarios.find((one) => one.name === name);
    if (scenario === undefined) return `there is no scenario ${name}`;
    const target = targetOf(scenario, scenario.full ? "full" : "fast", parts);
    const single: number[] = [];
    const double: number[] = [];
    const ratios: number[] = [];
    let transitions = 0;
    for (let pair = 0; pair < RUNS; pair++) {
      const [one, two] = [await explore(target), await explore(target, { workers: 2 })];
      for (const { verdict } of [one, two]) if (verdict.kind !== "passed") return `${name}: ${verdict.kind}`;
      ({ transitions } = one);
      single.push(one.transitionsPerSecond);
      double.push(two.transitionsPerSecond);
      ratios.push(two.transitionsPerSecond / one.transitionsPerSecond);
    }
    figures[`exploration.${name}.two-workers-gain`] = median(ratios);
    rows.push([
      name,
      transitions.toLocaleString("en"),
      (median(single) / 1e6).toFixed(2),
      (median(double) / 1e6).toFixed(2),
      median(ratios).toFixed(2),
      median(ratios) >= GAIN_LEAST ? "met" : "missed",
    ]);
  }
  return rows;
}
