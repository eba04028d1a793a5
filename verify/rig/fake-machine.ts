// Fake machine: kernel/machine.ts for tests, which decide by hand which hart runs; every call is written down.
//
// Hart ids, doorbell numbers and CPU numbers all differ and the first stack slot is not 0, so that a mix-up shows.
// Owner: the rig that made it.
// Partners: rig.ts, which switches harts; kernel/machine.ts, whose list this supplies in full.

import { CONSOLE_SLOTS } from "../../abi/layout.ts";
import { LineOutcome, MachineError, type PowerOff } from "../../abi/results.ts";
import { hartAddress } from "./kernel-map.ts";
import { Refutation } from "./refutation.ts";

export const STACK_SLOT_FIRST = 0x40;
/** Hart id of CPU n is n more. */
export const HART_ID_FIRST = 10;
/** Doorbell number of CPU n is n less: in the other order. */
export const DOORBELL_LAST = 300;

/** What one hart has of its own. */
export interface FakeHart {
  readonly cpu: number;
  readonly hartId: number;
  readonly doorbell: number;
  /** The `tp` register. */
  pointer: bigint;
  slot: number;
  softPending: boolean;
  deadline: bigint;
}

export type MachineCall =
  /** cpu: the CPU addressed, or -1. */
  | { readonly kind: "ipi"; readonly by: number; readonly cpu: number; readonly answer: number }
  | { readonly kind: "timer"; readonly by: number; readonly deadline: bigint }
  | { readonly kind: "answer"; readonly by: number; readonly space: number; readonly value: bigint }
  | {
      readonly kind: "prepare";
      readonly by: number;
      readonly space: number;
      readonly program: number;
      readonly argument: bigint;
    }
  | { readonly kind: "start"; readonly by: number; readonly hartId: number; readonly cpu: number }
  | { readonly kind: "clear-soft"; readonly by: number }
  | { readonly kind: "drain"; readonly by: number }
  | { readonly kind: "line"; readonly by: number; readonly text: string };

/** Thrown through the kernel by powerOff: no check asks for that, so the kernel has given up. */
export class PoweredOff extends Refutation {
  constructor(readonly result: PowerOff) {
    super(`the kernel powered off with result ${result}`);
  }
}

export class FakeMachine {
  readonly harts: readonly FakeHart[];
  readonly calls: MachineCall[] = [];
  /** The CPU whose hart runs kernel code now. */
  running = 0;
  timeTicks = 1_000_000n;
  /** What sendIpi answers for a hart id; an Ok raises S_SOFT there. */
  sendAnswer: (hartId: number) => number = () => MachineError.Ok;
  /** What taskWord answers, by index. */
  taskTable: readonly number[] = [];
  prepareAnswer = MachineError.Ok as number;
  /** The byte at an address of any user space; undefined: no address is the user's own. */
  userByte: ((address: bigint) => number) | undefined;
  /** What every user has in its memory; undefined: an address that is not its own. */
  userText: string | undefined;
  /** What offerLine answers. */
  lineAnswer = LineOutcome.Accepted as number;
  consoleRoom = CONSOLE_SLOTS as number;
  private readonly memory: () => Uint8Array;

  constructor(cpus: number, memory: () => Uint8Array) {
    this.memory = memory;
    this.harts = Array.from({ length: cpus }, (_, cpu) => ({
      cpu,
      hartId: HART_ID_FIRST + cpu,
      doorbell: DOORBELL_LAST - cpu,
      pointer: BigInt(hartAddress(cpu)),
      slot: STACK_SLOT_FIRST + cpu,
      softPending: false,
      deadline: 0n,
    }));
  }

  get hart(): FakeHart {
    return this.hartOf(this.running);
  }

  hartOf(cpu: number): FakeHart {
    const hart = this.harts[cpu];
    if (hart === undefined) throw new Error(`this machine has no cpu ${cpu}`);
    return hart;
  }

  /** CPUs that were rung with success, in order. */
  rungCpus(): number[] {
    return this.calls.flatMap((call) => (call.kind === "ipi" && call.answer === MachineError.Ok ? [call.cpu] : []));
  }

  imports(): WebAssembly.ModuleImports {
    return {
      hartPointer: () => this.hart.pointer,
      setHartPointer: (value: bigint) => void (this.hart.pointer = value),
      stackSlot: () => this.hart.slot,
      stackSlotFirst: () => STACK_SLOT_FIRST,
      hartStateOf: () => 1,
      startHart: (hartId: number, cpu: number) => {
        this.calls.push({ kind: "start", by: this.running, hartId, cpu });
        return MachineError.Ok;
      },
      sendIpi: (doorbell: number) => this.sendIpi(doorbell),
      raiseSoft: () => void (this.hart.softPending = true),
      clearSoft: () => {
        this.hart.softPending = false;
        this.calls.push({ kind: "clear-soft", by: this.running });
      },
      selectIpi: () => MachineError.Ok,
      timeTicks: () => this.timeTicks,
      ticksPerSecond: () => 10_000_000,
      setTimer: (deadline: bigint) => {
        this.hart.deadline = deadline;
        this.calls.push({ kind: "timer", by: this.running, deadline });
      },
      deviceTreeBytes: () => 0,
      deviceTreeWord: () => 0,
      prepareSpace: (space: number, program: number, argument: bigint) => {
        this.calls.push({ kind: "prepare", by: this.running, space, program, argument });
        return this.prepareAnswer;
      },
      taskWord: (index: number) => this.taskTable[index] ?? 0,
      programCount: () => 9,
      setReturn: (space: number, value: bigint) =>
        void this.calls.push({ kind: "answer", by: this.running, space, value }),
      copyFromUser: (_space: number, from: bigint, to: number, bytes: number) => {
        const { userByte, userText } = this;
        if (userByte === undefined && userText === undefined) return MachineError.InvalidAddress;
        for (let at = 0; at < bytes; at++)
          this.memory()[to + at] =
            userByte === undefined ? (userText?.charCodeAt(at) ?? 0) : userByte(from + BigInt(at));
        return MachineError.Ok;
      },
      writeLine: (address: number, bytes: number) => {
        // A copy, since text cannot be decoded from memory that is shared.
        const text = String.fromCharCode(...this.memory().slice(address, address + bytes));
        this.calls.push({ kind: "line", by: this.running, text });
      },
      offerLine: (address: number, bytes: number) => {
        const text = String.fromCharCode(...this.memory().slice(address, address + bytes));
        if (this.lineAnswer === LineOutcome.Accepted) this.calls.push({ kind: "line", by: this.running, text });
        return this.lineAnswer;
      },
      drainConsole: () => void this.calls.push({ kind: "drain", by: this.running }),
      consoleRoom: () => this.consoleRoom,
      powerOff: (result: number) => {
        throw new PoweredOff(result);
      },
    };
  }

  private sendIpi(doorbell: number): number {
    const target = this.harts.find((hart) => hart.doorbell === doorbell);
    const answer = target === undefined ? MachineError.InvalidParameter : this.sendAnswer(target.hartId);
    if (target !== undefined && answer === MachineError.Ok) target.softPending = true;
    this.calls.push({ kind: "ipi", by: this.running, cpu: target?.cpu ?? -1, answer });
    return answer;
  }
}
