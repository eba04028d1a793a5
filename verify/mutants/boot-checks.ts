// Boot checks: whole boots on the embedded machine, judged by the gate.
//
// Owner: whoever asked. Invariant: a boot that does not end within its steps is `unbounded`; no clock is looked at.
// Pairs with: machines/sim, proof/gate.ts.

import { PowerOff } from "../../abi/results.ts";
import { Machine } from "../../machines/sim/machine.ts";
import { type SimOptions, checkOptions } from "../../machines/sim/options.ts";
import { pausableModule } from "../../machines/sim/resumable-instance.ts";
import { Runner } from "../../machines/sim/runner.ts";
import { SeededStrategy } from "../../machines/sim/strategy.ts";
import { Gate } from "../../proof/gate.ts";
import { type Check, type CheckOutcome, PASSED, firstLine } from "./check.ts";
import { ProbedSubject, type Subject } from "./subject.ts";

interface Boot {
  readonly name: string;
  readonly options: SimOptions;
  readonly seed: number;
  /** How the run has to end: by the gate, or with the kernel's own report that it failed. */
  readonly due: "gate" | "failed";
}

/** Ten times what the longest of these takes. */
const STEPS_MAX = 4_000_000;
const SLICE_STEPS = 200_000;

const boots: readonly Boot[] = [
  ...[1, 2, 4].flatMap((harts) =>
    [1, 2].map((seed): Boot => ({ name: `boot of ${harts}, seed ${seed}`, options: { harts }, seed, due: "gate" })),
  ),
  { name: "boot of 2 by SSWI", options: { harts: 2, sswi: true }, seed: 3, due: "gate" },
  {
    name: "boot of 4 with other hart ids",
    options: { harts: 4, hartIds: [7, 3, 12, 1], bootHart: 12 },
    seed: 4,
    due: "gate",
  },
  {
    name: "boot with a hart that never starts",
    options: { harts: 2, faults: { neverStarts: [1] } },
    seed: 1,
    due: "failed",
  },
  {
    name: "boot with a start that is refused",
    options: { harts: 2, faults: { startErrors: [{ hart: 1, error: -1 }] } },
    seed: 1,
    due: "failed",
  },
  { name: "boot without IPIs", options: { harts: 2, faults: { failedSends: [{ hart: 1 }] } }, seed: 1, due: "failed" },
];

export function bootChecks(): Check[] {
  return boots.map((boot) => ({ name: boot.name, stage: "sim", run: (subject) => runBoot(boot, subject) }));
}

async function runBoot({ options, seed, due }: Boot, subject: Subject): Promise<CheckOutcome> {
  const checked = checkOptions(options);
  if (checked.kind === "refused") return { kind: "broken", reason: checked.reason };
  const gate = new Gate({
    machine: "sim",
    harts: options.harts,
    ipi: options.sswi ? "aclint-sswi" : "firmware",
    untilMarker: false,
  });
  try {
    const image = { kernel: pausableModule(subject.pausable), user: pausableModule(subject.image.userModule) };
    const listener = {
      line: (text: string) => void gate.feed(text),
      ...(subject instanceof ProbedSubject ? { access: subject.access } : {}),
    };
    const machine = new Machine(image, checked.options, listener);
    const runner = new Runner(machine, new SeededStrategy(seed), checked.options);
    while (machine.clock.steps < STEPS_MAX) {
      const slice = runner.run(SLICE_STEPS);
      if (slice.kind !== "ended") continue;
      const { end } = slice;
      if (due === "failed")
        return end.kind === "powered-off" && end.result === PowerOff.Failed
          ? PASSED
          : { kind: "failed", reason: "the boot does not end as failed" };
      const verdict = gate.conclude(end);
      return verdict.kind === "passed" ? PASSED : { kind: "failed", reason: firstLine(JSON.stringify(verdict)) };
    }
    return { kind: "unbounded", reason: `the run was not over after ${STEPS_MAX} steps` };
  } catch (thrown) {
    return { kind: "broken", reason: firstLine(thrown) };
  }
}
