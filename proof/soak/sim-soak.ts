// Sim soak: runs of one setup on the embedded machine, one seed after the other on one machine that is reset.
//
// Invariant: what a seed comes to does not depend on the seeds before it.
// Partners: machines/sim; judge.ts; cli/soak-worker.ts, which runs one of these in a thread.

import { faultPlanFor, planLabel } from "../../machines/sim/fault-plan.ts";
import { Machine } from "../../machines/sim/machine.ts";
import type { MachineImage } from "../../machines/sim/machine-parts.ts";
import { checkOptions, type CheckedOptions, type SimOptions } from "../../machines/sim/options.ts";
import { Runner } from "../../machines/sim/runner.ts";
import { constantOf } from "../../machines/sim/user-image.ts";
import { SeededStrategy } from "../../machines/sim/strategy.ts";
import type { Ending } from "../gate.ts";
import type { Verdict } from "../verdict.ts";
import type { Chunk, ChunkResult, SoakSetup, SoakFailure } from "./soak-setup.ts";
import { judgeFor } from "./judge.ts";
import { addTallies, EMPTY_TALLY, type Tally } from "./tally.ts";

/** Steps after which a run counts as hung; the default tasks take about 120,000. */
const STEPS_MAX = 50_000_000;

export interface SoakRun {
  readonly verdict: Verdict;
  readonly console: readonly string[];
  readonly plan: string | null;
  readonly counts: Readonly<Record<string, number>>;
}

/** In the slot of user/fuzzer.ts. */
const SEED_OFFSET = 12;
/** Calls that each of the first tasks makes. */
const FUZZER_CALLS = 100;

export class SimSoak {
  private slot: number | undefined;
  private lines: string[] = [];
  private machine: Machine | undefined;

  constructor(
    private readonly image: MachineImage,
    private readonly setup: SoakSetup,
    private readonly stepsMax = STEPS_MAX,
  ) {}

  /** Runs seeds from the chunk's first on, until its end or until `mayGoOn` answers false between two of them. */
  runChunk(chunk: Chunk, mayGoOn: () => boolean): ChunkResult {
    let tally: Tally = EMPTY_TALLY;
    const failures: SoakFailure[] = [];
    let seed = chunk.from;
    for (; seed < chunk.to && (seed === chunk.from || mayGoOn()); seed += 1) {
      const { verdict, console, plan, counts } = this.run(seed);
      const passed = verdict.kind === "passed" ? 1 : 0;
      tally = addTallies(tally, { runs: 1, passed, failed: 1 - passed, counts });
      if (verdict.kind === "failed") failures.push({ number: seed, reasons: verdict.reasons, console, plan });
    }
    return { done: { from: chunk.from, to: seed }, tally, failures };
  }

  run(seed: number): SoakRun {
    const { harts, ipi, faults } = this.setup;
    const shape = { harts, sswi: ipi === "sswi", ...this.seedWords(seed) };
    const plan = faults ? faultPlanFor(seed, shape) : null;
    const options = checked(plan?.options ?? shape);
    const judge = judgeFor(this.setup, plan?.expects);
    this.lines = [];
    const machine = this.machineFor(options);
    const ending = endOf(new Runner(machine, new SeededStrategy(seed), options), this.stepsMax);
    for (const line of this.lines) judge.feed(line);
    const counts = {
      ...judge.counts(),
      ...Object.fromEntries((plan?.kinds ?? []).map((kind) => [`runs with ${kind}`, 1])),
    };
    const label = plan === null ? null : planLabel(plan);
    return { verdict: judge.conclude(ending), console: this.lines, plan: label, counts };
  }

  /** Where the fuzzers find their seed; nothing for other programs. */
  private seedWords(seed: number): Pick<SimOptions, "userWords"> {
    if (this.setup.programs !== "calls" || this.image.user === undefined) return {};
    const slot = (this.slot ??= constantOf(this.image.user, "seedAddress"));
    const values = [seed | 0, FUZZER_CALLS];
    return { userWords: values.map((value, index) => ({ address: slot + SEED_OFFSET + 4 * index, value })) };
  }

  private machineFor(options: CheckedOptions): Machine {
    if (this.machine === undefined) {
      this.machine = new Machine(this.image, options, { line: (line) => this.lines.push(line) });
    } else {
      this.machine.reset(options);
    }
    return this.machine;
  }
}

function endOf(runner: Runner, stepsMax: number): Ending {
  const outcome = runner.run(stepsMax);
  if (outcome.kind === "ended") return outcome.end;
  return { kind: "hung", reason: `the run was not over after ${stepsMax} steps` };
}

function checked(options: SimOptions): CheckedOptions {
  const check = checkOptions(options);
  if (check.kind === "refused") throw new Error(check.reason);
  return check.options;
}
