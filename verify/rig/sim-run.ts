// Sim run: a kernel booted on the embedded machine, and its console taken apart as far as these tests look at it.
//
// Partners: machines/sim/machine-boot.ts. The proof has its own reading of the console, which must not depend on this one.

import { bootSim } from "../../machines/sim/machine-boot.ts";
import type { SimOptions } from "../../machines/sim/options.ts";
import type { RunOutcome } from "../../machines/machine-run.ts";
import type { KernelImage } from "./kernel-image.ts";

export type Fields = ReadonlyMap<string, string>;

export interface SimRun {
  readonly lines: readonly string[];
  readonly outcome: RunOutcome;
  /** The summary's lines; those of harts by CPU. */
  readonly tasks: readonly Fields[];
  readonly harts: readonly Fields[];
  readonly requests: readonly Fields[];
  /** `KSELFTEST:` lines without FAIL, in order. */
  readonly markers: readonly string[];
  /** The reasons of `KSELFTEST: FAIL` lines. */
  readonly failures: readonly string[];
}

/** Steps after which a run of these tests counts as hung; an ordinary one takes a tenth. */
const STEPS_MAX = 20_000_000;

export async function bootOnSim(
  kernel: KernelImage,
  options: SimOptions & { readonly seed?: number },
): Promise<SimRun> {
  const run = bootSim({
    stepsMax: STEPS_MAX,
    seed: 1,
    ...options,
    kernel: kernel.pausable.module,
    user: kernel.userModule,
  });
  const lines: string[] = [];
  for await (const line of run.lines) lines.push(line);
  const starting = (prefix: string): string[] =>
    lines.flatMap((line) => (line.startsWith(prefix) ? [line.slice(prefix.length)] : []));
  const failures = starting("KSELFTEST: FAIL ");
  return {
    lines,
    outcome: await run.outcome,
    tasks: starting("TASK: ").map(readFields),
    harts: starting("HART: ")
      .map(readFields)
      .toSorted((left, right) => Number(left.get("cpu")) - Number(right.get("cpu"))),
    requests: starting("RESCHED: ").map(readFields),
    markers: starting("KSELFTEST: ").filter((line) => !line.startsWith("FAIL ")),
    failures,
  };
}

/** `name=value name=value …`. */
function readFields(text: string): Fields {
  return new Map(
    text.split(" ").map((word) => {
      const at = word.indexOf("=");
      return [word.slice(0, at), word.slice(at + 1)];
    }),
  );
}

/** One field of each line. */
export function fieldOf(lines: readonly Fields[], name: string): (string | undefined)[] {
  return lines.map((fields) => fields.get(name));
}
