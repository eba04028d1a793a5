// Machine bench: a machine whose harts have all started, and the probes that tests call on them.
//
// Pairs with: fixture.test-support.ts, which has the probes.

import { kernelFrom, PROBE_KERNEL, PROBE_USER, userFrom } from "./fixture.test-support.ts";
import { Machine } from "./machine.ts";
import type { MachineImage } from "./machine-parts.ts";
import { checkOptions, type CheckedOptions, type SimOptions } from "./options.ts";
import { type Argument, pausableModule } from "./resumable-instance.ts";

export async function probeImage(): Promise<MachineImage> {
  return {
    kernel: pausableModule(await kernelFrom(PROBE_KERNEL)),
    user: pausableModule(await userFrom(PROBE_USER)),
  };
}

export function checked(options: SimOptions): CheckedOptions {
  const check = checkOptions(options);
  if (check.kind === "refused") throw new Error(check.reason);
  return check.options;
}

/** A machine whose harts have all started and wait: probes are called on them. */
export class Bench {
  readonly lines: string[] = [];
  readonly machine: Machine;

  constructor(image: MachineImage, options: SimOptions) {
    this.machine = new Machine(image, checked(options), { line: (line) => this.lines.push(line) });
  }

  /** Calls an export on a hart, lets it go on as far as it can, and answers what it returned. */
  ask(name: string, values: Argument[] = [], hart = 0): Argument | undefined {
    this.begin(name, values, hart);
    this.machine.apply({ kind: "advance", hart }, 1_000_000);
    return this.machine.harts[hart]?.returned;
  }

  begin(name: string, values: Argument[] = [], hart = 0): void {
    this.machine.call(hart, hart, { name, values });
  }

  step(hart: number, count = 1): number {
    return this.machine.apply({ kind: "advance", hart }, count);
  }

  mode(hart: number): string | undefined {
    return this.machine.harts[hart]?.mode.kind;
  }

  /** Calls an export on a hart as if it were `trap`: what it returns is the space to enter, or -1. */
  leaveThrough(name: string, values: Argument[] = [], hart = 0): void {
    const found = this.machine.harts[hart];
    if (found === undefined) throw new Error("no such hart");
    found.cpu = hart;
    found.scenario = false;
    found.enterKernel({ name, values });
    while (found.mode.kind === "kernel" && this.machine.end === undefined) this.step(hart);
  }

  enterSpace(hart: number, space: number): void {
    this.leaveThrough("enter", [space], hart);
  }

  /** The trap that the hart is about to take into the kernel. */
  trap(hart: number): readonly Argument[] {
    const mode = this.machine.harts[hart]?.mode;
    if (mode?.kind !== "kernel" || mode.entry.name !== "trap") throw new Error(`hart ${hart} takes no trap`);
    return mode.entry.values;
  }
}
