// Machine: N harts over one linear memory, one of which moves at a time, as far as its caller asks.
//
// What can happen next is a list of choices; nothing happens by itself, and a machine has no clock, no randomness and
// no input but the choices applied to it.
// Owner: whoever made it. Not reentrant: listeners must not call back.
// Invariant: applying an advance n times is the same as applying it once with count n.
// Partners: execution.ts makes a hart move; runner.ts applies choices until the end.

import { TrapCause } from "../../abi/traps.ts";
import { type Choice, Recording, type Schedule } from "./choice.ts";
import { Clock } from "./clock.ts";
import { Console } from "./console-device.ts";
import { Courier, type Delivery } from "./courier.ts";
import { Execution } from "./execution.ts";
import { Firmware } from "./firmware.ts";
import { Hart, type KernelEntry } from "./hart.ts";
import type { MachineEnd, MachineImage, MachineListener, MachineParts } from "./machine-parts.ts";
import type { CheckedOptions } from "./options.ts";

const ELAPSE: Choice = { kind: "elapse" };

export class Machine {
  private parts: MachineParts;
  private readonly execution: Execution;
  private readonly recording = new Recording();
  /** What is sent while a hart runs may arrive before its steps are used up: it stops there. */
  private readonly onAdd = (delivery: Delivery): void => {
    this.execution?.shorten(this.clock.stepsTo(delivery.due));
  };

  constructor(
    image: MachineImage,
    private options: CheckedOptions,
    private readonly listener: MachineListener = {},
  ) {
    this.parts = partsFor(options, listener, this.onAdd);
    this.execution = new Execution(image, this.parts, options, listener);
    this.switchOn();
  }

  get harts(): readonly Hart[] {
    return this.parts.harts;
  }

  get clock(): Clock {
    return this.parts.clock;
  }

  /** Becomes the machine that the constructor makes of the same image and these options, at a fraction of the cost. */
  reset(options: CheckedOptions): void {
    this.options = options;
    this.parts = partsFor(options, this.listener, this.onAdd);
    this.recording.replace([]);
    this.execution.reset(this.parts, options);
    this.switchOn();
  }

  /** How the run ended; undefined while it goes on. */
  get end(): MachineEnd | undefined {
    return this.execution.end;
  }

  /** Everything that can happen next, harts in order. Empty after the end, or when nothing ever can. */
  choices(): Choice[] {
    if (this.end !== undefined) return [];
    const choices: Choice[] = [];
    for (const hart of this.harts) {
      if (hart.canAdvance) choices.push(hart.choices.advance);
      if (hart.canInterrupt(this.clock)) choices.push(hart.choices.interrupt);
    }
    const mayElapse = choices.length === 0 || this.options.time === "frozen";
    if (mayElapse && this.nextDeadline() < Infinity) choices.push(ELAPSE);
    if (this.options.offerSpurious) {
      for (const hart of this.harts) {
        if (hart.started && !hart.softPending) choices.push(hart.choices.spurious);
      }
    }
    return choices;
  }

  /**
   * Makes a choice happen: an advance up to `count` steps, or until the hart can go no further, or, with
   * `untilInterrupt`, until it could take an interrupt. Answers the number of steps made (0 for what takes no step).
   * The choice must be one of `choices()`; a spurious S_SOFT may come any time.
   */
  apply(choice: Choice, count = 1, untilInterrupt = false): number {
    if (this.end !== undefined) throw new Error("the machine is switched off");
    const before = this.clock.steps;
    switch (choice.kind) {
      case "advance":
        this.advance(this.hartAt(choice.hart), count, untilInterrupt);
        break;
      case "interrupt":
        this.interrupt(this.hartAt(choice.hart));
        break;
      case "spurious":
        this.hartAt(choice.hart).softPending = true;
        break;
      case "elapse":
        this.clock.jump(this.nextDeadline());
        this.deliver();
        break;
      default:
        choice satisfies never;
    }
    const steps = this.clock.steps - before;
    this.recording.add(choice, choice.kind === "advance" ? steps : 1);
    return steps;
  }

  /**
   * Makes a hart call an export of the kernel instead of what it would do: for scenarios that begin in the middle.
   * When the call returns, the hart stops and `returned` holds what came back.
   */
  call(hart: number, cpu: number, entry: KernelEntry): void {
    const found = this.hartAt(hart);
    found.cpu = cpu;
    found.enterKernel(entry);
    found.scenario = true;
  }

  /** Every choice applied so far: replayed on a new machine with the same options, it gives the same run. */
  recorded(): Schedule {
    return this.recording.schedule();
  }

  private switchOn(): void {
    const boot = this.hartAt(this.options.bootIndex);
    boot.cpu = 0;
    boot.enterKernel({ name: "boot", values: [boot.id] });
  }

  /** In stretches that end where something arrives, so that how the steps are divided changes nothing. */
  private advance(hart: Hart, count: number, untilInterrupt: boolean): void {
    const { clock, courier } = this.parts;
    const goal = clock.steps + count;
    do {
      const stretch = Math.max(1, Math.min(goal - clock.steps, clock.stepsTo(courier.nextDue)));
      this.execution.advance(hart, stretch, untilInterrupt);
      this.deliver();
    } while (clock.steps < goal && this.end === undefined && mayGoOn(hart, untilInterrupt, clock));
  }

  /** Hands over what has arrived. A hart that is stopped, or has not begun, hears nothing, as with OpenSBI. */
  private deliver(): void {
    const { clock, courier } = this.parts;
    for (let next = courier.take(clock.fractions); next !== undefined; next = courier.take(clock.fractions)) {
      const hart = this.hartAt(next.hart);
      if (next.kind === "start") hart.begin();
      else if (!hart.started) continue;
      else if (next.kind === "soft") hart.softPending = true;
      else hart.deadline = Math.min(hart.deadline, clock.fractions);
    }
  }

  private interrupt(hart: Hart): void {
    if (!hart.canInterrupt(this.clock)) throw new Error(`hart ${hart.id} has no interrupt to take`);
    // The privileged specification (4.1.3) takes software interrupts before timer interrupts.
    const cause = hart.softPending ? TrapCause.SoftInterrupt : TrapCause.TimerInterrupt;
    hart.enterKernel({ name: "trap", values: [cause, 0n, 0, 0n, 0n, 0n] });
  }

  /** The earliest deadline that is still to come, in fractions; Infinity when no timer is set. */
  private nextDeadline(): number {
    let earliest = this.parts.courier.nextDue;
    for (const hart of this.harts) {
      if (hart.started && hart.deadline > this.clock.fractions) earliest = Math.min(earliest, hart.deadline);
    }
    return earliest;
  }

  private hartAt(index: number): Hart {
    const hart = this.harts[index];
    if (hart === undefined) throw new Error(`there is no hart at index ${index}`);
    return hart;
  }
}

/** Whether an advance that has not made all of its steps can make more. */
function mayGoOn(hart: Hart, untilInterrupt: boolean, clock: Clock): boolean {
  return hart.canAdvance && !(untilInterrupt && hart.canInterrupt(clock));
}

function partsFor(
  options: CheckedOptions,
  listener: MachineListener,
  onAdd: (delivery: Delivery) => void,
): MachineParts {
  const { hartIds, faults, time } = options;
  const poisonOf = (id: number) => faults.poisonedPointers?.find((fault) => fault.hart === id)?.value;
  const harts = hartIds.map((id, index) => new Hart(index, id, poisonOf(id)));
  const clock = new Clock(hartIds.length, time === "stepped");
  const courier = new Courier(onAdd);
  const firmware = new Firmware(harts, options, clock, courier);
  const console = new Console(listener.line ?? (() => undefined), faults.consoleBytes);
  for (const { hart, kind, ticks } of faults.storms ?? []) {
    courier.add({ due: clock.after(ticks), hart: hartIds.indexOf(hart), kind });
  }
  return { harts, clock, firmware, courier, console };
}
