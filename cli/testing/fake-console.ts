// Fake console: a console given as lines behind the interface of open-machine.ts, for tests of the command line.

import type { MachineRun, RunOutcome } from "../../machines/machine-run.ts";
import type { OpenMachine } from "../open-machine.ts";
import type { MachineSpec } from "../machine-options.ts";

export interface FakeRun {
  readonly lines: readonly string[];
  /** How the run ends after its last line; "never": it hangs until it is stopped. */
  readonly ending: RunOutcome | "never";
}

/** Machines whose runs are what `play` answers for the machine; `specs` lists what was booted. */
export function fakeMachines(
  play: (spec: MachineSpec, boot: number) => FakeRun,
  kernel: string | null = null,
): {
  readonly open: OpenMachine;
  readonly specs: MachineSpec[];
} {
  const specs: MachineSpec[] = [];
  const open: OpenMachine = async () => ({
    kind: "open",
    kernel,
    start: (spec) => {
      specs.push(spec);
      return fakeRun(play(spec, specs.length));
    },
  });
  return { open, specs };
}

function fakeRun({ lines, ending }: FakeRun): MachineRun {
  let stop: () => void = () => undefined;
  const stopped = new Promise<RunOutcome>((resolve) => {
    stop = () => resolve({ kind: "stopped" });
  });
  const outcome = ending === "never" ? stopped : Promise.resolve(ending);
  return {
    lines: (async function* () {
      yield* lines;
      await outcome;
    })(),
    outcome,
    stop: () => stop(),
  };
}
