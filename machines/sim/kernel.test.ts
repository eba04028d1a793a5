import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { FAIL_PREFIX, RESULT_FAILED, RESULT_PASSED } from "../../abi/markers.ts";
import { MachineError, PowerOff } from "../../abi/results.ts";
import { buildArtifacts } from "../../toolchain/build.ts";
import { formatSchedule } from "./choice.ts";
import { Machine } from "./machine.ts";
import type { MachineImage } from "./machine-parts.ts";
import { stateOf } from "./machine-state.test-support.ts";
import { checkOptions, type CheckedOptions, type Faults, type SimOptions } from "./options.ts";
import { pausableModule } from "./resumable-instance.ts";
import { Runner, type SliceOutcome } from "./runner.ts";
import { ScheduledStrategy, SeededStrategy, type Strategy } from "./strategy.ts";

let image: MachineImage;

beforeAll(async () => {
  const outcome = await buildArtifacts();
  if (outcome.kind === "refused") throw new Error(`${outcome.step}: ${outcome.lines.join("; ")}`);
  const load = async (path: string) => pausableModule(await WebAssembly.compile(await readFile(path)));
  image = { kernel: await load(outcome.artifacts.kernelSim), user: await load(outcome.artifacts.userSim) };
});

function checked(options: SimOptions): CheckedOptions {
  const check = checkOptions(options);
  if (check.kind === "refused") throw new Error(check.reason);
  return check.options;
}

/** The real kernel on a machine, with what it has written. */
class Run {
  readonly lines: string[] = [];
  readonly machine: Machine;
  private options: CheckedOptions;

  constructor(options: SimOptions) {
    this.options = checked(options);
    this.machine = new Machine(image, this.options, { line: (line) => this.lines.push(line) });
  }

  /** The same machine, reset for other options. */
  again(options: SimOptions): this {
    this.options = checked(options);
    this.machine.reset(this.options);
    this.lines.length = 0;
    return this;
  }

  go(strategy: Strategy, steps = 20_000_000): SliceOutcome {
    return new Runner(this.machine, strategy, this.options).run(steps);
  }
}

const ended = (result: PowerOff) => ({ kind: "ended", end: { kind: "powered-off", result } });

describe("kernel on the embedded machine", () => {
  it.each([1, 2, 3, 8, 64])("kernel: booted with several seeds: passes and powers off (harts=%i)", (harts) => {
    for (let seed = 0; seed < (harts === 64 ? 2 : 6); seed += 1) {
      const run = new Run({ harts });
      expect(run.go(new SeededStrategy(seed)), `seed ${seed}: ${run.lines.at(-1)}`).toEqual(ended(PowerOff.Passed));
      expect(run.lines.at(-1)).toBe(RESULT_PASSED);
    }
  });

  it("kernel: free hart numbering, boot hart in the middle, SSWI: passes", () => {
    const run = new Run({ harts: 3, hartIds: [40, 2, 7], bootHart: 2, sswi: true });
    expect(run.go(new SeededStrategy(1))).toEqual(ended(PowerOff.Passed));
    expect(run.lines[0]).toContain("boot-hart=2");
  });

  it("kernel: one seed twice: byte-identical lines and final state; another seed: another run", () => {
    const [one, two, other] = [5, 5, 6].map((seed) => {
      const run = new Run({ harts: 4 });
      run.go(new SeededStrategy(seed));
      return { text: run.lines.join("\n"), state: stateOf(run.machine) };
    });
    expect(two).toEqual(one);
    expect(other).not.toEqual(one);
  });

  it("kernel: recorded run replayed: the same lines and final state", () => {
    const run = new Run({ harts: 3, offerSpurious: true });
    run.go(new SeededStrategy(8));
    const replay = new Run({ harts: 3 });
    expect(replay.go(new ScheduledStrategy(run.machine.recorded()))).toEqual(ended(PowerOff.Passed));
    expect(replay.lines).toEqual(run.lines);
    expect(stateOf(replay.machine)).toEqual(stateOf(run.machine));
    expect(formatSchedule(replay.machine.recorded())).toBe(formatSchedule(run.machine.recorded()));
  });

  it.each<[string, Faults]>([
    ["no HSM", { noHsm: true }],
    ["a hart that never starts", { neverStarts: [1] }],
    ["a start that fails", { startErrors: [{ hart: 2, error: MachineError.Denied }] }],
    ["sends to a hart that fail", { failedSends: [{ hart: 1 }] }],
  ])("kernel: machine with %s: says so and powers off as failed", (_, faults) => {
    const run = new Run({ harts: 3, faults });
    expect(run.go(new SeededStrategy(2))).toEqual(ended(PowerOff.Failed));
    expect(run.lines.some((line) => line.startsWith(FAIL_PREFIX))).toBe(true);
    expect(run.lines.at(-1)).toBe(RESULT_FAILED);
  });

  it("kernel: spurious S_SOFT at any moment: counted as NoPendingRequest, passes", () => {
    const spuriousSoft = [1, 0, 2, 1].map((hart, index) => ({ hart, step: 2000 + 1500 * index }));
    const run = new Run({ harts: 3, faults: { spuriousSoft } });
    expect(run.go(new SeededStrategy(4))).toEqual(ended(PowerOff.Passed));
  });

  it("kernel: machine reset between runs of other sizes, cut off, with faults: each as on a new machine", () => {
    const runs = [
      { options: { harts: 2 }, steps: 20_000_000 },
      { options: { harts: 8, sswi: true }, steps: 60_000 },
      { options: { harts: 3, faults: { neverStarts: [2] } }, steps: 20_000_000 },
      { options: { harts: 8 }, steps: 20_000_000 },
      { options: { harts: 2 }, steps: 20_000_000 },
    ];
    const used = new Run({ harts: 4 });
    used.go(new SeededStrategy(9), 40_000);
    runs.forEach(({ options, steps }, seed) => {
      const fresh = new Run(options);
      const end = fresh.go(new SeededStrategy(seed), steps);
      expect(used.again(options).go(new SeededStrategy(seed), steps)).toEqual(end);
      expect(used.lines).toEqual(fresh.lines);
      expect(stateOf(used.machine)).toEqual(stateOf(fresh.machine));
    });
  });

  it("kernel: poisoned tp on a hart: every entry falls back to the stack, counted, and it passes", () => {
    const run = new Run({ harts: 2, faults: { poisonedPointers: [{ hart: 1, value: 6666n }] } });
    expect(run.go(new SeededStrategy(4))).toEqual(ended(PowerOff.Passed));
    const fallbacks = run.lines.map((line) => /^HART: cpu=1 .*fallbacks=(\d+)/.exec(line)?.[1]).find(Boolean);
    expect(Number(fallbacks)).toBeGreaterThan(0);
  });
});
