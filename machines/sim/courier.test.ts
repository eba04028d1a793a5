// The courier alone, and on a machine: arrivals are on time, whatever the steps before them are divided into.
import { beforeAll, describe, expect, it } from "vitest";
import { Courier } from "./courier.ts";
import { BUSY_KERNEL, BUSY_USER, kernelFrom, userFrom } from "./fixture.test-support.ts";
import { Machine } from "./machine.ts";
import type { MachineImage } from "./machine-parts.ts";
import { stateOf } from "./machine-state.test-support.ts";
import { checkOptions, type Faults } from "./options.ts";
import { pausableModule } from "./resumable-instance.ts";
import { Runner } from "./runner.ts";
import { ScheduledStrategy, SeededStrategy } from "./strategy.ts";

let image: MachineImage;

beforeAll(async () => {
  image = { kernel: pausableModule(await kernelFrom(BUSY_KERNEL)), user: pausableModule(await userFrom(BUSY_USER)) };
});

const FAULTS: Faults = {
  lateSends: [1, 2, 3].map((nth) => ({ nth, ticks: 7 * nth })),
  lateStarts: [{ hart: 2, ticks: 90 }],
  storms: [3, 3, 40, 41, 90].flatMap((ticks) => [
    { hart: 1, kind: "soft" as const, ticks },
    { hart: 0, kind: "timer" as const, ticks },
  ]),
};

function machineWith(faults: Faults) {
  const check = checkOptions({ harts: 3, faults });
  if (check.kind === "refused") throw new Error(check.reason);
  const lines: string[] = [];
  const machine = new Machine(image, check.options, { line: (line) => lines.push(line) });
  return { machine, lines, options: check.options };
}

describe("courier", () => {
  it("courier: added out of order: taken in the order of arrival, each once and not before its time", () => {
    const courier = new Courier();
    for (const [hart, due] of [30, 10, 20, 10].entries()) courier.add({ due, hart, kind: "soft" });
    expect(courier.take(9)).toBeUndefined();
    const taken = [1, 2, 3, 4, 5].map(() => courier.take(30)?.hart);
    expect(taken).toEqual([1, 3, 2, 0, undefined]);
  });

  it("machine: with late, stormy and delayed arrivals: recorded and replayed, step by step too, it is the same run", () => {
    const first = machineWith(FAULTS);
    const end = new Runner(first.machine, new SeededStrategy(7), first.options).run(100_000);
    expect(end.kind).toBe("ended");
    const schedule = first.machine.recorded();
    const whole = machineWith(FAULTS);
    new Runner(whole.machine, new ScheduledStrategy(schedule), whole.options).run(100_000);
    const single = machineWith(FAULTS);
    for (const { choice, count } of schedule) {
      for (let left = count; left > 0; left -= 1) single.machine.apply(choice);
    }
    for (const { machine, lines } of [whole, single]) {
      expect(lines).toEqual(first.lines);
      expect(stateOf(machine)).toEqual(stateOf(first.machine));
    }
  });
});
