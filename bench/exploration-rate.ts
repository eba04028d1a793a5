// Exploration rate: transitions a second in the kernel's scenarios, what they go into, and what a second core adds.
//
// Rates are of the search alone, on warm code, each scenario in its larger bounds up to a number of transitions. Where the
// time goes is sampled in a run of its own. Owner: none. Invariant: a search that ends early has come to its end; one that
// finds a fault fails the measurement.
// Pairs with: explore/, verify/scenarios/.

import { Session } from "node:inspector";
import type { Instrumented } from "../explore/instrument/instrument-options.ts";
import type { Program } from "../explore/program/program.ts";
import type { Target } from "../explore/index.ts";
import { DepthFirst } from "../explore/search/depth-first.ts";
import { explore } from "../explore/index.ts";
import { StateTable } from "../explore/search/state-table.ts";
import { prepare } from "../explore/program/prepared-target.ts";
import { shippedParts } from "../verify/scenarios/suite-run.ts";
import type { Parts } from "../verify/scenarios/parts.ts";
import { targetOf } from "../verify/scenarios/parts.ts";
import type { Scenario } from "../verify/scenarios/scenario.ts";
import { scenarios } from "../verify/scenarios/suite.ts";
import type { BenchSize, GroupOutcome } from "./result.ts";

interface Extent {
  /** Transitions of one measured search at most, and what a scenario must have to be measured. */
  readonly transitionsMax: number;
  readonly transitionsLeast: number;
  readonly runs: number;
  readonly tableBytes: number;
  /** How many scenarios are measured, from the first on. */
  readonly scenariosMax: number;
  /** Explored whole, with one worker and with two in turn, with the smallest table that the states fit: see explore/README.md. */
  readonly shared: readonly string[];
}

const TABLE_BYTES_MAX = 2 ** 30;
const EXTENTS: Readonly<Record<BenchSize, Extent>> = {
  whole: {
    transitionsMax: 2_000_000,
    transitionsLeast: 500_000,
    runs: 3,
    tableBytes: TABLE_BYTES_MAX,
    scenariosMax: scenarios.length,
    shared: ["two-refused", "failed-send-of-two"],
  },
  smallest: {
    transitionsMax: 2000,
    transitionsLeast: 1000,
    runs: 1,
    tableBytes: 2 ** 22,
    scenariosMax: 8,
    shared: ["no-victim"],
  },
};
const SAMPLE_MICROSECONDS = 250;
const SHARED_TABLE_BYTES_LEAST = 2 ** 27;
const RATE_LEAST = 1_500_000;
const GAIN_LEAST = 1.7;

const PARTS = ["execution", "hashing", "restoring", "races", "invariant", "table"] as const;
type Part = (typeof PARTS)[number];

/** What each of the runtime's functions is for; the others run the explored module or step it. */
export const PART_OF: Readonly<Record<string, Part>> = {
  put: "hashing",
  putUser: "hashing",
  store1: "hashing",
  store2: "hashing",
  store4: "hashing",
  store8: "hashing",
  changeBytes: "hashing",
  setGlobal: "hashing",
  clearFrame: "hashing",
  settle: "hashing",
  undo: "restoring",
  restore: "restoring",
  recordAccessor: "races",
  recordWord: "races",
  recordRaceTracked: "races",
  recordPlainAccess: "races",
  atomicAccess: "races",
  contended: "races",
  pend: "races",
  invariant: "invariant",
  final: "invariant",
  check: "invariant",
};

export async function measureExploration(size: BenchSize): Promise<GroupOutcome> {
  const extent = EXTENTS[size];
  const built = await shippedParts();
  if (built.kind === "refused") return { kind: "failed", message: built.lines[0] ?? "the build failed" };
  const figures: Record<string, number> = {};
  const rows: string[][] = [];
  const rates: number[] = [];
  // Round by round over all scenarios: a busy moment of the machine then spoils one run of each, not all runs of one.
  const searches = scenarios.slice(0, extent.scenariosMax).map((scenario) => new Search(scenario, built.parts, extent));
  for (let round = 0; round < extent.runs; round++)
    for (const search of searches) {
      const fault = search.measure();
      if (fault !== undefined) return { kind: "failed", message: `${search.name}: ${fault}` };
    }
  for (const search of searches) {
    const { name, transitions, perSecond } = search;
    if (transitions < extent.transitionsLeast) continue;
    const shares = await search.shares();
    rates.push(perSecond);
    figures[`exploration.${name}.transitions-a-second`] = perSecond;
    rows.push([
      name,
      transitions.toLocaleString("en"),
      (perSecond / 1e6).toFixed(2),
      ...PARTS.map((part) => `${Math.round(100 * shares[part])} %`),
      perSecond >= RATE_LEAST ? "met" : "missed",
    ]);
  }
  figures["exploration.median.transitions-a-second"] = median(rates);
  rows.push(["median", "", (median(rates) / 1e6).toFixed(2), ...PARTS.map(() => ""), ""]);
  const shared = await gains(built.parts, figures, extent);
  if (typeof shared === "string") return { kind: "failed", message: shared };
  return {
    kind: "measured",
    result: {
      sections: [
        {
          title: "Exploration, one core",
          note: `Millions of transitions a second in the kernel's scenarios, up to ${extent.transitionsMax.toLocaleString("en")} transitions, the best of ${extent.runs} runs; target ${RATE_LEAST / 1e6}.`,
          header: ["scenario", "transitions", "M/s", ...PARTS, "target"],
          rows,
        },
        {
          title: "Exploration, two cores",
          note: `One search by two workers over one table, beside one worker, whole scenarios; the median of ${extent.runs} pairs; target ${GAIN_LEAST}.`,
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

/** One scenario on one core, again and again. */
class Search {
  readonly name: string;
  transitions = 0;
  /** Of the best run. */
  perSecond = 0;
  private readonly target: Target;
  private readonly instrumented: Instrumented;
  private readonly program: Program;
  private isWarm = false;

  constructor(
    scenario: Scenario,
    parts: Parts,
    private readonly extent: Extent,
  ) {
    this.name = scenario.name;
    this.target = targetOf(scenario, scenario.full ? "full" : "fast", parts);
    const { instrumented, newProgram } = prepare(this.target);
    this.instrumented = instrumented;
    this.program = newProgram();
  }

  /** One run more, or what it found. */
  measure(): string | undefined {
    // The first run finds what is contended and warms the code.
    for (let run = this.isWarm ? 1 : 0; run < 2; run++) {
      const from = performance.now();
      const fault = this.run();
      if (fault !== undefined) return fault;
      const perSecond = this.transitions / ((performance.now() - from) / 1000);
      if (run > 0) this.perSecond = Math.max(this.perSecond, perSecond);
      if (this.transitions < this.extent.transitionsLeast) break;
    }
    this.isWarm = true;
    return undefined;
  }

  private run(): string | undefined {
    const { program, target } = this;
    for (;;) {
      program.restart();
      const prefix = target.threads.map((_, thread) => thread);
      for (const thread of prefix) program.apply(thread);
      program.words.contendChecked();
      const search = new DepthFirst(program, new StateTable(this.extent.tableBytes), {
        sleepSets: true,
        mergeStates: true,
        transitionsMax: this.extent.transitionsMax,
      });
      const outcome = search.run(prefix);
      this.transitions = search.counts.transitions;
      if (outcome.kind === "violated") return `found ${outcome.violation.kind}`;
      if (outcome.kind !== "restart") return undefined;
    }
  }

  /** Shares of the time that V8's sampler sees in a run. */
  async shares(): Promise<Readonly<Record<Part, number>>> {
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
      this.run();
      const { profile } = (await ask("Profiler.stop")) as { profile: CpuProfile };
      const counts = { execution: 0, hashing: 0, restoring: 0, races: 0, invariant: 0, table: 0 };
      const partOfNode = new Map(
        profile.nodes.map(({ id, callFrame }) => [id, partOf(callFrame.functionName, this.instrumented)]),
      );
      let samples = 0;
      for (const sample of profile.samples) {
        const part = partOfNode.get(sample);
        if (part === undefined) continue;
        counts[part]++;
        samples++;
      }
      for (const part of PARTS) counts[part] /= Math.max(1, samples);
      return counts;
    } finally {
      session.disconnect();
    }
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

interface Pairs {
  readonly transitions: number;
  /** Transitions a second: with one worker, with two, and the second by the first, pair by pair. */
  readonly single: readonly number[];
  readonly double: readonly number[];
  readonly ratios: readonly number[];
}

/** Pairs of whole searches; one line for what is no pass, undefined where some search filled its table. */
async function pairsOf(target: Target, memoryMax: number, runs: number): Promise<Pairs | string | undefined> {
  const single: number[] = [];
  const double: number[] = [];
  let transitions = 0;
  for (let pair = 0; pair < runs; pair++) {
    const [one, two] = [await explore(target, { memoryMax }), await explore(target, { memoryMax, workers: 2 })];
    for (const { verdict } of [one, two]) {
      if (verdict.kind === "incomplete" && verdict.reason === "memory") return undefined;
      if (verdict.kind === "incomplete") return `incomplete (${verdict.reason})`;
      if (verdict.kind === "violated") return verdict.kind;
    }
    ({ transitions } = one);
    single.push(one.transitionsPerSecond);
    double.push(two.transitionsPerSecond);
  }
  return { transitions, single, double, ratios: double.map((two, pair) => two / (single[pair] ?? two)) };
}

/** The same with the smallest table, in powers of two, that no search of any pair fills. */
async function pairsThatFit(target: Target, runs: number): Promise<Pairs | string> {
  for (let bytes = SHARED_TABLE_BYTES_LEAST; bytes <= TABLE_BYTES_MAX; bytes *= 2) {
    const pairs = await pairsOf(target, bytes, runs);
    if (pairs !== undefined) return pairs;
  }
  return `its states do not fit ${TABLE_BYTES_MAX} bytes`;
}

/** Rows of the comparison of two workers with one. */
async function gains(parts: Parts, figures: Record<string, number>, extent: Extent): Promise<string[][] | string> {
  const rows: string[][] = [];
  for (const name of extent.shared) {
    const scenario = scenarios.find((one) => one.name === name);
    if (scenario === undefined) return `there is no scenario ${name}`;
    const target = targetOf(scenario, scenario.full ? "full" : "fast", parts);
    const pairs = await pairsThatFit(target, extent.runs);
    if (typeof pairs === "string") return `${name}: ${pairs}`;
    const gain = median(pairs.ratios);
    figures[`exploration.${name}.two-workers-gain`] = gain;
    rows.push([
      name,
      pairs.transitions.toLocaleString("en"),
      (median(pairs.single) / 1e6).toFixed(2),
      (median(pairs.double) / 1e6).toFixed(2),
      gain.toFixed(2),
      gain >= GAIN_LEAST ? "met" : "missed",
    ]);
  }
  return rows;
}
