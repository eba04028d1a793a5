// Execution: makes one hart move, through the kernel's code and the programs', and notices how a run ends.
//
// A step ends at a pause of the kernel, at a loop head, system call or fault of a program, where the kernel returns,
// and where the run ends. A hart unwinds only when its steps are used up.
// Owner: machine.ts, which decides which hart moves and how far.
// Invariant: between two calls of `advance` no code is on the engine's stack; what stands in the middle lies in memory.
// Partners: resumable-instance.ts, space.ts, which hold the code; machine-calls.ts, which the kernel calls meanwhile.

import { IDLE_SPACE, SPACES_MAX } from "../../abi/layout.ts";
import { PANIC_PREFIX } from "../../abi/markers.ts";
import { PowerOff } from "../../abi/results.ts";
import { buildDeviceTree } from "./device-tree-blob.ts";
import { type Hart, type KernelEntry, NO_SITE } from "./hart.ts";
import { type CallSurroundings, MachineCalls } from "./machine-calls.ts";
import type { MachineEnd, MachineImage, MachineListener, MachineParts } from "./machine-parts.ts";
import type { CheckedOptions } from "./options.ts";
import { Observer } from "./observer.ts";
import { type Argument, memoryFor, RegionOverflow, Resumable } from "./resumable-instance.ts";
import { PowerOffSignal, StuckSignal, throwOutside, throwStuck, ViolationSignal, describeTrap } from "./signal.ts";
import { Space } from "./space.ts";
import { UserImage } from "./user-image.ts";

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** What the counter of a program's loop heads holds; a longer stretch is run in several. */
const STEPS_IN_USER_MODE_MAX = 0x7fff_ffff;

export class Execution {
  /** How the run ended; undefined while it goes on. */
  end: MachineEnd | undefined;
  readonly spaces: readonly Space[];
  readonly kernel: Resumable;
  private readonly users: UserImage;
  /** The kernel's own bytes: a view. */
  readonly kernelBytes: Uint8Array;
  private regionBytes = 0;
  private readonly surroundings: Mutable<CallSurroundings>;
  private readonly observer: Observer | undefined;
  private current: Hart | undefined;
  private stepsLeft = 0;
  private untilInterrupt = false;

  constructor(
    private readonly image: MachineImage,
    private parts: MachineParts,
    options: CheckedOptions,
    listener: MachineListener,
  ) {
    const { kernel } = image;
    const users = new UserImage([...(image.user === undefined ? [] : [image.user]), ...(image.programs ?? [])]);
    this.users = users;
    this.spaces =
      users.programCount === 0 ? [] : Array.from({ length: SPACES_MAX }, (_, number) => new Space(users, number));
    const memory = memoryFor(kernel);
    this.kernelBytes = new Uint8Array(memory.buffer, 0, kernel.ownBytes);
    for (const space of this.spaces) space.userWords = options.userWords;
    const { observation } = listener;
    if (observation !== undefined)
      this.observer = new Observer(this.kernelBytes, () => this.parts.clock.ticks(), observation);
    this.surroundings = this.surroundingsFor(options);
    this.kernel = new Resumable(kernel.module, this.imports(memory, listener), memory);
    this.divideRegions();
  }

  /** As if made new for other parts and options; the instances of the image are used again. */
  reset(parts: MachineParts, options: CheckedOptions): void {
    this.parts = parts;
    this.end = undefined;
    Object.assign(this.surroundings, parts, {
      ticksPerSecond: options.ticksPerSecond,
      deviceTree: buildDeviceTree(options),
      taskTable: options.taskTable,
    });
    this.kernel.reset(this.image.kernel.ownBytes);
    this.users.reset();
    this.observer?.reset();
    for (const space of this.spaces) {
      space.clear();
      space.userWords = options.userWords;
    }
    this.divideRegions();
  }

  /** The steps of a hart go on until `count` are made, it waits for an interrupt, or the run has ended. */
  advance(hart: Hart, count: number, untilInterrupt: boolean): void {
    if (!hart.canAdvance) throw new Error(`hart ${hart.id} cannot advance`);
    this.stepsLeft = count;
    this.untilInterrupt = untilInterrupt;
    this.current = hart;
    while (this.stepsLeft > 0 && this.end === undefined && hart.canAdvance) {
      if (hart.mode.kind === "kernel") this.advanceKernel(hart, hart.mode.entry);
      else if (hart.mode.kind === "user") this.advanceUser(hart, hart.mode.space);
      if (untilInterrupt && hart.canInterrupt(this.parts.clock)) break;
    }
    this.current = undefined;
  }

  /** The hart that runs now stops after so many more steps, if it would not stop before. */
  shorten(steps: number): void {
    this.stepsLeft = Math.min(this.stepsLeft, steps);
  }

  private advanceKernel(hart: Hart, entry: KernelEntry): void {
    const region = this.regionOf(hart);
    const paused = hart.site !== NO_SITE;
    hart.site = NO_SITE;
    if (!paused && entry.name === "trap") this.observer?.enter(hart.cpu, entry.values);
    try {
      const outcome = paused
        ? this.kernel.resume(region, entry.name, entry.values)
        : this.kernel.enter(region, this.regionBytes, entry.name, entry.values);
      if (outcome.kind !== "returned") return;
      this.observer?.leave(hart.cpu);
      this.leaveKernel(hart, outcome.value);
    } catch (thrown) {
      this.countStep();
      this.end = this.endBy(hart, thrown);
      this.observer?.finish(this.parts.harts.filter((one) => one.started).map(({ cpu }) => cpu));
    }
  }

  /** The kernel returned: the hart enters a space, waits for an interrupt, or has done its part of a scenario. */
  private leaveKernel(hart: Hart, value: Argument | undefined): void {
    const space = Number(value);
    if (hart.scenario) {
      hart.returned = value;
      hart.mode = { kind: "stopped" };
    } else if (space === IDLE_SPACE) {
      hart.mode = { kind: "idle" };
    } else {
      const phase = this.spaces[space]?.phase ?? "empty";
      if (phase === "empty") throw new ViolationSignal("space-not-prepared", space);
      const elsewhere = this.parts.harts.some((one) => one.mode.kind === "user" && one.mode.space === space);
      if (elsewhere) throw new ViolationSignal("space-runs-elsewhere", space);
      hart.mode = { kind: "user", space };
    }
    this.countStep();
  }

  private advanceUser(hart: Hart, space: number): void {
    const entered = this.spaces[space];
    if (entered === undefined) throw new Error(`hart ${hart.id} is in a space that does not exist`);
    const outcome = entered.advance(this.stepsInUserMode(hart));
    this.countSteps(entered.passed);
    if (outcome.kind === "paused") return;
    this.countStep();
    const { cause, value, call, a0, a1, a2 } = outcome.trap;
    hart.enterKernel({ name: "trap", values: [cause, value, call, a0, a1, a2] });
  }

  /** What the run has come to when the kernel's call ended by throwing: a power-off, a trap or a limit. */
  private endBy(hart: Hart, thrown: unknown): MachineEnd {
    if (thrown instanceof PowerOffSignal) {
      // A console with a hole must not be taken for that of a passed run.
      const isWhole = this.parts.console.flush() || thrown.result !== PowerOff.Passed;
      return { kind: "powered-off", result: isWhole ? thrown.result : PowerOff.Failed };
    }
    if (thrown instanceof StuckSignal) {
      const where = this.image.kernel.sites[thrown.site]?.function ?? "the kernel";
      return { kind: "hung", reason: `cpu ${hart.cpu} turns in a loop of ${where} without end` };
    }
    if (thrown instanceof RegionOverflow) {
      return { kind: "crashed", reason: `${thrown.message} (${this.regionBytes} bytes)` };
    }
    const trap = describeTrap(thrown);
    if (trap === undefined) throw thrown;
    const line = `${PANIC_PREFIX}cpu=${hart.cpu} reason=${trap.reason} detail=0x${trap.detail.toString(16)}`;
    this.parts.console.write(line);
    this.parts.console.flush();
    return { kind: "powered-off", result: PowerOff.Panic };
  }

  private divideRegions(): void {
    const { memoryBytes, ownBytes } = this.image.kernel;
    this.regionBytes = Math.floor((memoryBytes - ownBytes) / this.parts.harts.length) & ~15;
  }

  private surroundingsFor(options: CheckedOptions): CallSurroundings {
    return {
      ...this.parts,
      current: () => this.running(),
      kernelBytes: this.kernelBytes,
      ticksPerSecond: options.ticksPerSecond,
      deviceTree: buildDeviceTree(options),
      taskTable: options.taskTable,
      spaces: this.spaces,
      programCount: this.users.programCount,
      observer: this.observer,
    };
  }

  private running(): Hart {
    if (this.current === undefined) throw new Error("the kernel calls the machine while no hart runs");
    return this.current;
  }

  private imports(memory: WebAssembly.Memory, { access: watch }: MachineListener): WebAssembly.Imports {
    const calls = new MachineCalls(this.surroundings);
    const sim = {
      pause: (site: number) => this.passKernelPause(site),
      outside: throwOutside,
      stuck: throwStuck,
      access: (site: number, address: number, flags: number) =>
        watch?.(this.running().index, site, address >>> 0, flags),
    };
    return { env: { memory }, machine: calls.imports(), sim };
  }

  /** A pause in the kernel: the hart goes through, unless its steps are used up. */
  private passKernelPause(site: number): void {
    if (this.kernel.arrive() || this.current === undefined) return;
    this.countStep();
    if (this.stepsLeft > 0) return;
    this.current.site = site;
    this.kernel.leave();
  }

  /** After how many loop heads the hart leaves the program: known before, since nothing but its own steps happens meanwhile. */
  private stepsInUserMode(hart: Hart): number {
    const uninterrupted = this.untilInterrupt ? hart.stepsToInterrupt(this.parts.clock) : Infinity;
    return Math.max(1, Math.min(this.stepsLeft, uninterrupted, STEPS_IN_USER_MODE_MAX));
  }

  private countStep(): void {
    this.countSteps(1);
  }

  private countSteps(steps: number): void {
    this.stepsLeft -= steps;
    this.parts.clock.step(steps);
  }

  private regionOf(hart: Hart): number {
    return this.image.kernel.ownBytes + hart.index * this.regionBytes;
  }
}
