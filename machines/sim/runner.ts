// Runner: drives a machine with a strategy until the run ends, or for a slice of it.
//
// Spurious interrupts that the options put at a certain step are applied here, as choices like any other, so the
// recording of a run replays them too.
// Partners: machine.ts; strategy.ts; machine-boot.ts, which runs slices.

import type { Machine } from "./machine.ts";
import type { MachineEnd } from "./machine-parts.ts";
import type { CheckedOptions } from "./options.ts";
import type { Strategy } from "./strategy.ts";

export type RunEnd = MachineEnd | { readonly kind: "deadlocked"; readonly reason: string };

export type SliceOutcome =
  | { readonly kind: "ended"; readonly end: RunEnd }
  /** The slice's steps are used up. */
  | { readonly kind: "going-on" }
  /** The strategy has no more decisions. */
  | { readonly kind: "exhausted" };

export class Runner {
  private readonly spurious: { readonly hart: number; readonly step: number }[];

  constructor(
    private readonly machine: Machine,
    private readonly strategy: Strategy,
    options: CheckedOptions,
  ) {
    this.spurious = (options.faults.spuriousSoft ?? [])
      .map(({ hart, step }) => ({ hart: options.hartIds.indexOf(hart), step }))
      .toSorted((left, right) => left.step - right.step);
  }

  /** Runs until the end, but for `steps` steps at most (and a decision that takes no step counts as one). */
  run(steps: number): SliceOutcome {
    const { machine } = this;
    for (let left = steps; left > 0;) {
      if (machine.end !== undefined) return { kind: "ended", end: machine.end };
      this.raiseSpurious();
      const choices = machine.choices();
      if (choices.every((choice) => choice.kind === "spurious")) return { kind: "ended", end: this.deadlock() };
      const answer = this.strategy.next(choices);
      switch (answer.kind) {
        case "exhausted":
          return { kind: "exhausted" };
        case "mismatch":
          return { kind: "ended", end: { kind: "crashed", reason: answer.reason } };
        case "decision": {
          const count = Math.min(answer.count, this.stepsToSpurious());
          left -= Math.max(1, machine.apply(answer.choice, count, answer.untilInterrupt));
          break;
        }
        default:
          answer satisfies never;
      }
    }
    return machine.end === undefined ? { kind: "going-on" } : { kind: "ended", end: machine.end };
  }

  private raiseSpurious(): void {
    for (let next = this.spurious[0]; next !== undefined; next = this.spurious[0]) {
      if (next.step > this.machine.clock.steps) return;
      this.spurious.shift();
      this.machine.apply({ kind: "spurious", hart: next.hart });
    }
  }

  private stepsToSpurious(): number {
    const next = this.spurious[0];
    return next === undefined ? Infinity : Math.max(1, next.step - this.machine.clock.steps);
  }

  private deadlock(): RunEnd {
    const standing = this.machine.harts.map((hart) => `hart ${hart.id} ${standingOf(hart.mode.kind)}`);
    return { kind: "deadlocked", reason: `no hart can go on and no timer is set: ${standing.join(", ")}` };
  }
}

function standingOf(mode: Machine["harts"][number]["mode"]["kind"]): string {
  switch (mode) {
    case "stopped":
      return "is stopped";
    case "starting":
      return "never started";
    case "kernel":
      return "is in the kernel";
    case "user":
      return "runs a program";
    case "idle":
      return "is idle";
  }
}
