// Machine calls: kernel/machine.ts as the embedded machine supplies it, one method a declaration there.
//
// Each call acts on the hart that runs the kernel at the moment. None pauses by itself: the module pauses before it.
// Partners: kernel/machine.ts, which documents each call; firmware.ts, clock.ts, space.ts, which do the work.

import { CONSOLE_SLOTS, LINE_LENGTH_MAX } from "../../abi/layout.ts";
import { MachineError } from "../../abi/results.ts";
import type { Clock } from "./clock.ts";
import type { Console } from "./console-device.ts";
import type { Firmware } from "./firmware.ts";
import type { Hart } from "./hart.ts";
import type { Observer } from "./observer.ts";
import { PowerOffSignal, ViolationSignal } from "./signal.ts";
import type { Space } from "./space.ts";

/** What the calls act on. */
export interface CallSurroundings {
  /** The hart whose kernel code runs now. */
  readonly current: () => Hart;
  /** The kernel's own bytes, without the stack regions above. */
  readonly kernelBytes: Uint8Array;
  readonly clock: Clock;
  readonly ticksPerSecond: number;
  readonly firmware: Firmware;
  readonly deviceTree: Uint8Array;
  /** Word for word what taskWord answers: abi/task-table.ts. */
  readonly taskTable: readonly number[];
  readonly console: Console;
  readonly spaces: readonly Space[];
  readonly programCount: number;
  readonly observer: Observer | undefined;
}

/** Where the trap stacks are taken to lie, in units of one: any number serves, 0 would hide a missing subtraction. */
const STACK_SLOT_FIRST = 0x1000;

export class MachineCalls {
  /** `on` is read at each call: a machine that is reset changes it. */
  constructor(private readonly on: CallSurroundings) {}

  /** The list as a module's imports. */
  imports(): Record<string, (...values: never[]) => number | bigint | void> {
    const { on } = this;
    return {
      hartPointer: () => on.current().pointer,
      setHartPointer: (value: bigint) => {
        on.current().pointer = value;
      },
      stackSlot: () => STACK_SLOT_FIRST + on.current().cpu,
      stackSlotFirst: () => STACK_SLOT_FIRST,
      hartStateOf: (hart: number) => on.firmware.hartStateOf(hart),
      startHart: (hart: number, cpu: number) => on.firmware.startHart(hart, cpu),
      sendIpi: (doorbell: number) => {
        on.observer?.look(on.current().cpu);
        return on.firmware.sendIpi(doorbell);
      },
      raiseSoft: () => {
        on.current().softPending = true;
      },
      clearSoft: () => {
        on.current().softPending = false;
      },
      selectIpi: (path: number, address: bigint) => on.firmware.selectIpi(path, address),
      timeTicks: () => on.clock.ticks(),
      ticksPerSecond: () => on.ticksPerSecond,
      setTimer: (deadlineTicks: bigint) => {
        on.current().deadline = on.clock.deadline(deadlineTicks);
      },
      deviceTreeBytes: () => on.deviceTree.length,
      deviceTreeWord: (offset: number) => this.deviceTreeWord(offset),
      taskWord: (index: number) => on.taskTable[index] ?? 0,
      prepareSpace: (space: number, program: number, argument: bigint) => this.prepareSpace(space, program, argument),
      programCount: () => on.programCount,
      setReturn: (space: number, value: bigint) => this.setReturn(space, value),
      copyFromUser: (space: number, userAddress: bigint, kernelAddress: number, lengthBytes: number) =>
        this.copyFromUser(space, userAddress, kernelAddress, lengthBytes),
      writeLine: (address: number, lengthBytes: number) => this.writeLine(address, lengthBytes),
      offerLine: (address: number, lengthBytes: number) => on.console.offer(this.lineAt(address, lengthBytes)),
      drainConsole: () => on.console.takeTurn(),
      consoleRoom: () => on.console.room(),
      powerOff: (result: number) => {
        throw new PowerOffSignal(result);
      },
    };
  }

  private deviceTreeWord(offset: number): number {
    const { deviceTree: tree } = this.on;
    if (offset < 0 || offset % 4 !== 0 || offset + 4 > tree.length) return 0;
    const [high = 0, second = 0, third = 0, low = 0] = [
      tree[offset],
      tree[offset + 1],
      tree[offset + 2],
      tree[offset + 3],
    ];
    return (high << 24) | (second << 16) | (third << 8) | low;
  }

  private prepareSpace(space: number, program: number, argument: bigint): MachineError {
    this.on.observer?.look(this.on.current().cpu);
    const found = this.on.spaces[space];
    return found?.prepare(program, argument) === true ? MachineError.Ok : MachineError.InvalidParameter;
  }

  private setReturn(space: number, value: bigint): void {
    const answered = this.on.spaces[space]?.setAnswer(value) ?? false;
    if (!answered) throw new ViolationSignal("answer-without-system-call", space);
    this.on.observer?.answered(this.on.current().cpu, space, value);
  }

  private copyFromUser(space: number, userAddress: bigint, kernelAddress: number, lengthBytes: number): MachineError {
    const bytes = this.on.spaces[space]?.read(userAddress, lengthBytes);
    if (bytes === undefined) return MachineError.InvalidAddress;
    this.kernelRange(kernelAddress, lengthBytes).set(bytes);
    return MachineError.Ok;
  }

  private writeLine(address: number, lengthBytes: number): void {
    const fits = this.on.console.write(this.lineAt(address, lengthBytes));
    if (!fits) throw new ViolationSignal("console-full", CONSOLE_SLOTS);
  }

  private lineAt(address: number, lengthBytes: number): string {
    if (lengthBytes > LINE_LENGTH_MAX) throw new ViolationSignal("line-too-long", lengthBytes);
    // `apply` and no spread: a spread asks the array for an iterator, which costs more than the rest of the call.
    return String.fromCharCode.apply(null, this.kernelRange(address, lengthBytes) as unknown as number[]);
  }

  private kernelRange(address: number, bytes: number): Uint8Array {
    const start = address >>> 0;
    if (bytes < 0 || start + bytes > this.on.kernelBytes.length) {
      throw new ViolationSignal("access-out-of-bounds", start);
    }
    return this.on.kernelBytes.subarray(start, start + bytes);
  }
}
