// Hart: one hart's registers and mode, as far as the kernel can see them.
//
// Owner: machine.ts and execution.ts move the mode; machine-calls.ts and firmware.ts set the other fields on the kernel's behalf.
// Invariant: `site` is the place at which the hart's kernel call is paused, or NO_SITE when it is not.

import { HART_BASE, HART_STRIDE } from "../../abi/layout.ts";
import type { Choice } from "./choice.ts";
import type { Clock } from "./clock.ts";
import type { Argument } from "./resumable-instance.ts";

/** A call of a kernel export: what the hart executes, or is about to. */
export interface KernelEntry {
  readonly name: string;
  readonly values: readonly Argument[];
}

export type HartMode =
  | { readonly kind: "stopped" }
  /** Started, as the firmware reports, but it never arrives. */
  | { readonly kind: "starting" }
  | { readonly kind: "kernel"; readonly entry: KernelEntry }
  | { readonly kind: "user"; readonly space: number }
  | { readonly kind: "idle" };

export const NO_SITE = -1;

export class Hart {
  mode: HartMode = { kind: "stopped" };
  site = NO_SITE;
  /** The CPU index under which it was started; also the trap stack that it is on. -1 before. */
  cpu = -1;
  /** The `tp` register. */
  pointer = 0n;
  softPending = false;
  /** When its timer interrupt comes, in the clock's fractions; Infinity for never. */
  deadline = Infinity;
  /** Its kernel call was made by a scenario: when it returns, the hart stops. */
  scenario = false;
  /** What a scenario's call returned. */
  returned: Argument | undefined;

  /** Its possible next moves: made once, since choices are listed more often than anything else is done. */
  readonly choices: Readonly<Record<"advance" | "interrupt" | "spurious", Choice>>;

  constructor(
    readonly index: number,
    readonly id: number,
    /** A fault: enters the kernel with this in `tp`. */
    private readonly poison: bigint | undefined,
  ) {
    this.choices = {
      advance: { kind: "advance", hart: index },
      interrupt: { kind: "interrupt", hart: index },
      spurious: { kind: "spurious", hart: index },
    };
  }

  /** The hart will execute this call of the kernel from its beginning. */
  enterKernel(entry: KernelEntry): void {
    this.mode = { kind: "kernel", entry };
    this.site = NO_SITE;
    this.pointer = this.poison ?? BigInt(HART_BASE + this.cpu * HART_STRIDE);
  }

  /** It was started: its first entry of the kernel. */
  begin(): void {
    this.enterKernel({ name: "bootSecondary", values: [this.cpu] });
  }

  /** It has code to run: the kernel's or a program's. */
  get canAdvance(): boolean {
    return this.mode.kind === "kernel" || this.mode.kind === "user";
  }

  /** An interrupt is pending, and the hart is where it takes interrupts. */
  canInterrupt(clock: Clock): boolean {
    if (this.mode.kind !== "user" && this.mode.kind !== "idle") return false;
    return this.softPending || this.deadline <= clock.fractions;
  }

  /** Steps that it can make before an interrupt could be taken; Infinity when none is on its way. */
  stepsToInterrupt(clock: Clock): number {
    return this.softPending ? 0 : clock.stepsTo(this.deadline);
  }

  get started(): boolean {
    return this.mode.kind !== "stopped" && this.mode.kind !== "starting";
  }
}
