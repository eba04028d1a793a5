// Machine: N harts over one linear memory, one of which moves at a time, as far as it is told to.
//
// A hart stands still between two pauses: before an atomic access or a machine call of the kernel, at a loop head of a
// user program, or between the two modes. What can happen next is a list of choices; nothing happens by itself, and a
// machine has no clock, no randomness and no input but these choices.
// Owner: whoever made it. Not reentrant: listeners must not call back.
// Invariants: applying a choice n times is the same as applying it once with count n; a captured state, restored,
//   behaves as the state did.
// Partners: runner.ts applies choices until the end; snapshot.ts names the parts of a state.

import { IDLE_SPACE, SPACES_MAX } from "../../abi/layout.ts";
import { PANIC_PREFIX } from "../../abi/markers.ts";
import { PowerOff } from "../../abi/results.ts";
import { TrapCause } from "../../abi/traps.ts";
import { type Choice, Recording, type Schedule } from "./choice.ts";
import { Clock } from "./clock.ts";
import { buildDeviceTree } from "./device-tree.ts";
import { Firmware } from "./firmware.ts";
import { Hart, type KernelEntry, NO_SITE } from "./hart.ts";
import { LineLog, type LineListener } from "./line-log.ts";
import { MachineCalls } from "./machine-calls.ts";
import type { CheckedOptions } from "./options.ts";
import { type CallOutcome, memoryFor, type PausableModule, RegionOverflow, Resumable } from "./resumable.ts";
import { PowerOffSignal, StuckSignal, throwOutside, throwStuck, ViolationSignal, wordsOfTrap } from "./signal.ts";
import { hashSnapshot, type Snapshot } from "./snapshot.ts";
import { countPrograms, Space } from "./space.ts";

export interface MachineImage {
  /** kernel.sim.wasm */
  readonly kernel: PausableModule;
  /** user.sim.wasm; without it there are no programs. */
  readonly user?: PausableModule;
}

/** What may be watched of a machine. */
export interface MachineListener {
  readonly line?: LineListener;
  /** A module built with memoryAccesses announces each access: hart index, site, address, flags (sites.ts). */
  readonly access?: (hart: number, site: number, address: number, flags: number) => void;
}

export type MachineEnd =
  | { readonly kind: "powered-off"; readonly result: PowerOff }
  | { readonly kind: "hung"; readonly reason: string }
  | { readonly kind: "crashed"; readonly reason: string };

const ELAPSE: Choice = { kind: "elapse" };
const NO_ARGUMENTS = [0n, 0n, 0n] as const;

export class Machine {
  readonly harts: readonly Hart[];
  readonly clock: Clock;
  /** How the run ended; undefined while it goes on. */
  end: MachineEnd | undefined;
  private readonly kernel: Resumable;
  private readonly kernelBytes: Uint8Array;
  private readonly regionBytes: number;
  private readonly firmware: Firmware;
  private readonly console: LineLog;
  private readonly spaces: readonly Space[];
  private readonly recording = new Recording();
  private current: Hart | undefined;
  private stepsLeft = 0;
  private untilInterrupt = false;

  constructor(
    private readonly image: MachineImage,
    private readonly options: CheckedOptions,
    private readonly listener: MachineListener = {},
  ) {
    const { hartIds, faults } = options;
    const poisonOf = (id: number) => faults.poisonedPointers?.find((fault) => fault.hart === id)?.value;
    this.harts = hartIds.map((id, index) => new Hart(index, id, poisonOf(id)));
    this.clock = new Clock(options.time === "stepped" ? hartIds.length : 1, options.time === "stepped");
    this.firmware = new Firmware(this.harts, options);
    this.console = new LineLog(listener.line ?? (() => undefined));
    const { user } = image;
    const mustLeave = () => this.passUserPause();
    this.spaces = user === undefined ? [] : Array.from({ length: SPACES_MAX }, () => new Space(user, mustLeave));
    const memory = memoryFor(image.kernel);
    this.kernelBytes = new Uint8Array(memory.buffer, 0, image.kernel.ownBytes);
    this.regionBytes = Math.floor((image.kernel.memoryBytes - image.kernel.ownBytes) / hartIds.length) & ~15;
    this.kernel = new Resumable(image.kernel.module, this.kernelImports(memory), memory);
    const boot = this.harts[options.bootIndex];
    if (boot === undefined) throw new Error("unchecked options");
    boot.cpu = 0;
    boot.enterKernel({ name: "boot", values: [boot.id] });
  }

  /** Everything that can happen next, harts in order. Empty after the end, or when nothing ever can. */
  choices(): Choice[] {
    if (this.end !== undefined) return [];
    const choices: Choice[] = [];
    for (const hart of this.harts) {
      if (this.canAdvance(hart)) choices.push(hart.choices.advance);
      if (this.canInterrupt(hart)) choices.push(hart.choices.interrupt);
    }
    const restless = choices.length > 0;
    if ((!restless || this.options.time === "frozen") && this.nextDeadline() < Infinity) {
      choices.push(ELAPSE);
    }
    if (this.options.offerSpurious) {
      for (const hart of this.harts) {
        if (hart.started && !hart.softPending) choices.push(hart.choices.spurious);
      }
    }
    return choices;
  }

  /**
   * Makes a choice happen: an advance up to `count` steps, or until the hart can go no further. Answers the number of
   * steps made (0 for what takes no step). The choice must be one of `choices()`; a spurious S_SOFT may come any time.
   */
  apply(choice: Choice, count = 1, untilInterrupt = false): number {
    if (this.end !== undefined) throw new Error("the machine is switched off");
    const before = this.clock.steps;
    switch (choice.kind) {
      case "advance":
        this.untilInterrupt = untilInterrupt;
        this.advance(this.hartAt(choice.hart), count);
        this.recording.add(choice, this.clock.steps - before);
        break;
      case "interrupt":
        this.interrupt(this.hartAt(choice.hart));
        this.recording.add(choice, 1);
        break;
      case "spurious":
        this.hartAt(choice.hart).softPending = true;
        this.recording.add(choice, 1);
        break;
      case "elapse":
        this.clock.jump(this.nextDeadline());
        this.recording.add(choice, 1);
        break;
    }
    return this.clock.steps - before;
  }

  /**
   * Makes a hart call an export of the kernel instead of what it would do: for scenarios that begin in the middle.
   * When the call returns, the hart stops and `returned` says what came back.
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

  capture(): Snapshot {
    return {
      memory: this.kernelBytes.slice(),
      globals: this.kernel.globalValues(),
      harts: this.harts.map((hart) => ({
        ...hart.capture(),
        frames: hart.site === NO_SITE ? new Uint8Array(0) : this.kernel.frames(this.regionOf(hart)).slice(),
      })),
      spaces: this.spaces.map((space) => (space.phase === "empty" ? undefined : space.capture())),
      clock: this.clock.capture(),
      firmware: this.firmware.capture(),
      lines: this.console.capture(),
      recorded: this.recording.schedule(),
      end: this.end,
    };
  }

  restore(snapshot: Snapshot): void {
    this.kernelBytes.set(snapshot.memory);
    this.kernel.restoreGlobals(snapshot.globals);
    snapshot.harts.forEach(({ frames, ...state }, index) => {
      const hart = this.hartAt(index);
      hart.restore(state);
      this.kernel.restoreFrames(this.regionOf(hart), this.regionBytes, frames);
    });
    snapshot.spaces.forEach((state, index) => {
      const space = this.spaces[index];
      if (state === undefined) space?.clear();
      else space?.restore(state);
    });
    this.clock.restore(snapshot.clock);
    this.firmware.restore(snapshot.firmware);
    this.console.restore(snapshot.lines);
    this.recording.replace(snapshot.recorded);
    this.end = snapshot.end;
  }

  /** 64 bits over everything that decides what the machine does and shows from here on, and what it has shown. */
  hash(): string {
    return hashSnapshot(this.capture());
  }

  /** The steps of a hart go on until `count` are made, it waits for an interrupt, or the run has ended. */
  private advance(hart: Hart, count: number): void {
    if (!this.canAdvance(hart)) throw new Error(`hart ${hart.id} cannot advance`);
    this.stepsLeft = count;
    this.current = hart;
    while (this.stepsLeft > 0 && this.end === undefined && this.canAdvance(hart)) {
      if (hart.mode.kind === "kernel") this.advanceKernel(hart, hart.mode.entry);
      else if (hart.mode.kind === "user") this.advanceUser(hart, hart.mode.space);
      if (this.untilInterrupt && this.canInterrupt(hart)) break;
    }
    this.current = undefined;
  }

  private advanceKernel(hart: Hart, entry: KernelEntry): void {
    const region = this.regionOf(hart);
    const paused = hart.site !== NO_SITE;
    hart.site = NO_SITE;
    let outcome: CallOutcome;
    try {
      outcome = paused
        ? this.kernel.resume(region, entry.name, entry.values)
        : this.kernel.enter(region, this.regionBytes, entry.name, entry.values);
      if (outcome.kind === "returned") this.leaveKernel(hart, outcome.value);
    } catch (thrown) {
      this.stop(hart, thrown);
    }
  }

  /** The kernel returned: the hart enters a space, waits for an interrupt, or has done its part of a scenario. */
  private leaveKernel(hart: Hart, value: number | bigint | undefined): void {
    this.countStep();
    if (hart.scenario) {
      hart.returned = value;
      hart.mode = { kind: "stopped" };
      return;
    }
    const space = Number(value);
    if (space === IDLE_SPACE) {
      hart.mode = { kind: "idle" };
      return;
    }
    const phase = this.spaces[space]?.phase ?? "empty";
    if (phase === "empty") throw new ViolationSignal("space-not-prepared", space);
    const other = this.harts.find((one) => one.mode.kind === "user" && one.mode.space === space);
    if (other !== undefined) throw new ViolationSignal("space-runs-elsewhere", space);
    hart.mode = { kind: "user", space };
  }

  private advanceUser(hart: Hart, space: number): void {
    const outcome = this.spaces[space]?.advance();
    if (outcome === undefined) throw new Error(`hart ${hart.id} is in a space that does not exist`);
    if (outcome.kind === "paused") return;
    this.countStep();
    const { cause, call, a0, a1, a2 } = outcome.trap;
    hart.enterKernel({ name: "trap", values: [cause, 0n, call, a0, a1, a2] });
  }

  private interrupt(hart: Hart): void {
    if (!this.canInterrupt(hart)) throw new Error(`hart ${hart.id} has no interrupt to take`);
    // The privileged specification (4.1.3) takes software interrupts before timer interrupts.
    const cause = hart.softPending ? TrapCause.SoftInterrupt : TrapCause.TimerInterrupt;
    hart.enterKernel({ name: "trap", values: [cause, 0n, 0, ...NO_ARGUMENTS] });
  }

  /** The kernel's call ended by throwing: a power-off, a trap or a limit. */
  private stop(hart: Hart, thrown: unknown): void {
    this.countStep();
    const words = wordsOfTrap(thrown);
    if (thrown instanceof PowerOffSignal) {
      this.end = { kind: "powered-off", result: thrown.result };
    } else if (thrown instanceof StuckSignal) {
      const where = this.image.kernel.sites[thrown.site]?.function ?? "the kernel";
      this.end = { kind: "hung", reason: `cpu ${hart.cpu} turns in a loop of ${where} without end` };
    } else if (thrown instanceof RegionOverflow) {
      this.end = { kind: "crashed", reason: `${thrown.message} (${this.regionBytes} bytes)` };
    } else if (words !== undefined) {
      this.console.write(`${PANIC_PREFIX}cpu=${hart.cpu} reason=${words.reason} detail=0x${words.detail.toString(16)}`);
      this.end = { kind: "powered-off", result: PowerOff.Panic };
    } else {
      throw thrown;
    }
  }

  private canAdvance(hart: Hart): boolean {
    switch (hart.mode.kind) {
      case "kernel":
      case "user":
        return true;
      case "idle":
      case "stopped":
      case "starting":
        return false;
    }
  }

  private canInterrupt(hart: Hart): boolean {
    return (hart.mode.kind === "user" || hart.mode.kind === "idle") && this.pending(hart);
  }

  private pending(hart: Hart): boolean {
    return hart.softPending || hart.deadline <= this.clock.fractions;
  }

  /** The earliest deadline that is still to come, in fractions; Infinity when no timer is set. */
  private nextDeadline(): number {
    let earliest = Infinity;
    for (const hart of this.harts) {
      if (hart.started && hart.deadline > this.clock.fractions) earliest = Math.min(earliest, hart.deadline);
    }
    return earliest;
  }

  private kernelImports(memory: WebAssembly.Memory): WebAssembly.Imports {
    const current = (): Hart => {
      if (this.current === undefined) throw new Error("the kernel calls the machine while no hart runs");
      return this.current;
    };
    const calls = new MachineCalls({
      current,
      kernelBytes: this.kernelBytes,
      clock: this.clock,
      ticksPerSecond: this.options.ticksPerSecond,
      firmware: this.firmware,
      deviceTree: buildDeviceTree(this.options),
      console: this.console,
      spaces: this.spaces,
      programCount: this.image.user === undefined ? 0 : countPrograms(this.image.user),
    });
    const watch = this.listener.access;
    const sim = {
      pause: (site: number) => this.passKernelPause(site),
      outside: throwOutside,
      stuck: throwStuck,
      access: (site: number, address: number, flags: number) => watch?.(current().index, site, address >>> 0, flags),
    };
    return { env: { memory }, machine: calls.imports(), sim };
  }

  /** A pause in the kernel: the hart goes through, unless its steps are used up. */
  private passKernelPause(site: number): void {
    if (this.kernel.arrive()) return;
    const hart = this.current;
    if (hart === undefined) return;
    this.countStep();
    if (this.stepsLeft > 0) return;
    hart.site = site;
    this.kernel.leave();
  }

  private passUserPause(): boolean {
    this.countStep();
    return this.stepsLeft <= 0 || (this.untilInterrupt && this.current !== undefined && this.pending(this.current));
  }

  private countStep(): void {
    this.stepsLeft -= 1;
    this.clock.step();
  }

  private regionOf(hart: Hart): number {
    return this.image.kernel.ownBytes + hart.index * this.regionBytes;
  }

  private hartAt(index: number): Hart {
    const hart = this.harts[index];
    if (hart === undefined) throw new Error(`there is no hart at index ${index}`);
    return hart;
  }
}
