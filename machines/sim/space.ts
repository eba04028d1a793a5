// Space: one user address space: a program in its own memory, run until it makes a system call, faults or is left.
//
// Each space is an instance of the user image of its own: nothing a program does can reach another's memory.
// Owner: the hart that is in user mode with this space; the kernel may touch it between.
// Invariant: at most one hart is in user mode with a space (machine.ts checks it on each entry).
// Partners: machine.ts, which runs it; machine-calls.ts, which prepares it and copies from it.

import { Syscall } from "../../abi/syscalls.ts";
import { TrapCause } from "../../abi/traps.ts";
import { ACCESS_WRITE } from "../../toolchain/sites.ts";
import type { UserWord } from "./options.ts";
import { memoryFor, type PausableModule, RegionOverflow, Resumable } from "./resumable-instance.ts";
import { OutsideSignal, throwOutside, throwStuck, describeTrap } from "./signal.ts";

export type SpacePhase =
  /** Never prepared. */
  | "empty"
  /** Prepared; its program begins at the next entry. */
  | "fresh"
  /** Left at the head of a loop. */
  | "paused"
  /** In a system call that is to be answered. */
  | "calling"
  /** Its program returned. */
  | "ended"
  /** Its program faulted; entered again it faults again. */
  | "faulted";

export interface UserTrap {
  readonly cause: TrapCause;
  /** stval: the address that faulted, or 0. */
  readonly value: bigint;
  readonly call: number;
  readonly a0: bigint;
  readonly a1: bigint;
  readonly a2: bigint;
}

export type SpaceOutcome = { readonly kind: "paused" } | { readonly kind: "trap"; readonly trap: UserTrap };

export class Space {
  phase: SpacePhase = "empty";
  private program = 0;
  private argument = 0n;
  /** What the pending system call answers. As on virt, its first argument unless the kernel sets another. */
  private answer = 0n;
  private fault = TrapCause.IllegalInstruction;
  private faultAddress = 0n;
  private trap: UserTrap | undefined;
  private instance: Resumable | undefined;
  /** Loop heads that the last `advance` allowed. */
  private pauses = 0;

  /** Stored into the program's memory before it begins. */
  userWords: readonly UserWord[] = [];

  constructor(private readonly image: PausableModule) {}

  prepare(program: number, argument: bigint): void {
    if (this.instance === undefined) this.instance = this.instantiate(memoryFor(this.image));
    else this.instance.reset(this.image.ownBytes);
    const words = new Int32Array(this.instance.memory.buffer);
    for (const { address, value } of this.userWords) words[address >>> 2] = value;
    this.program = program;
    this.argument = argument;
    this.phase = "fresh";
    this.answer = 0n;
  }

  /** Back to never prepared; its memory is cleared when it is prepared again. */
  clear(): void {
    this.phase = "empty";
  }

  /** Sets the pending system call's answer; false when the space is in none. */
  setAnswer(value: bigint): boolean {
    if (this.phase !== "calling" && this.phase !== "ended") return false;
    this.answer = value;
    return true;
  }

  /** The bytes [address, address + bytes), or undefined when any is not the program's own. */
  read(address: bigint, bytes: number): Uint8Array | undefined {
    if (this.instance === undefined || bytes < 0) return undefined;
    if (address < 0n || address + BigInt(bytes) > BigInt(this.image.ownBytes)) return undefined;
    return new Uint8Array(this.instance.memory.buffer, Number(address), bytes);
  }

  /** Loop heads that the program passed in the last `advance`. */
  get passed(): number {
    return this.pauses - Math.max(0, this.instance?.pausesLeft ?? 0);
  }

  /** Runs the program until it has passed so many loop heads, makes a system call or faults. */
  advance(pauses: number): SpaceOutcome {
    const instance = this.instance;
    if (instance === undefined) throw new Error("an empty space cannot run");
    this.pauses = pauses;
    instance.pausesLeft = pauses;
    const region = this.image.ownBytes;
    const regionBytes = this.image.memoryBytes - region;
    const values = [this.program, this.argument];
    this.trap = undefined;
    try {
      switch (this.phase) {
        case "fresh":
          return this.after(instance.enter(region, regionBytes, "start", values).kind);
        case "paused":
        case "calling":
          return this.after(instance.resume(region, "start", values).kind);
        case "ended":
          return this.end();
        case "faulted":
          return faulted(this.fault, this.faultAddress);
        case "empty":
          throw new Error("an empty space cannot run");
      }
    } catch (thrown) {
      this.fault = faultOf(thrown);
      this.faultAddress = thrown instanceof OutsideSignal ? addressOnVirt(thrown.address) : 0n;
      this.phase = "faulted";
      return faulted(this.fault, this.faultAddress);
    }
  }

  private after(kind: "paused" | "returned"): SpaceOutcome {
    if (kind === "returned") return this.end();
    if (this.trap !== undefined) {
      this.phase = "calling";
      this.answer = this.trap.a0;
      return { kind: "trap", trap: this.trap };
    }
    this.phase = "paused";
    return { kind: "paused" };
  }

  private end(): SpaceOutcome {
    this.phase = "ended";
    const trap = { cause: TrapCause.SystemCall, value: 0n, call: Syscall.Exit, a0: 0n, a1: 0n, a2: 0n };
    return { kind: "trap", trap };
  }

  private instantiate(memory: WebAssembly.Memory): Resumable {
    const call = (number: number, a0: bigint, a1: bigint, a2: bigint): bigint => {
      if (instance.arrive()) return this.answer;
      this.trap = { cause: TrapCause.SystemCall, value: 0n, call: number, a0, a1, a2 };
      instance.leave();
      return 0n;
    };
    const pause = (): void => {
      if (!instance.arrive()) instance.leave();
    };
    const sim = { pause, outside: throwOutside, stuck: throwStuck, access: ignoreAccess };
    const instance = new Resumable(this.image.module, { env: { memory }, os: { call }, sim }, memory);
    return instance;
  }
}

/** Where virt maps a program's linear memory (machines/virt/address-map.h): programs fault at the same addresses here. */
const USER_MEMORY_BASE = 0x4000_0000;

/** Addresses are sign-extended there, as those of 32 bits are on a hart of 64. */
function addressOnVirt(address: number): bigint {
  return BigInt(USER_MEMORY_BASE + (address | 0));
}

function faulted(cause: TrapCause, value: bigint): SpaceOutcome {
  return { kind: "trap", trap: { cause, value, call: 0, a0: 0n, a1: 0n, a2: 0n } };
}

/** The cause of a fault on a hart that did what the program did; rethrows what is no fault of the program. */
function faultOf(thrown: unknown): TrapCause {
  if (thrown instanceof OutsideSignal) {
    return (thrown.flags & ACCESS_WRITE) === 0 ? TrapCause.LoadPage : TrapCause.StorePage;
  }
  // A program that calls itself too deeply writes below its stack.
  if (thrown instanceof RegionOverflow || thrown instanceof RangeError) return TrapCause.StorePage;
  if (describeTrap(thrown) === undefined) throw thrown;
  return TrapCause.IllegalInstruction;
}

/** Number of programs in a user image, as its own export returns. */
export function countPrograms(image: PausableModule): number {
  return constantOf(image, "programCount");
}

/** What an export of a user image that takes nothing returns. */
export function constantOf(image: PausableModule, name: string): number {
  const memory = memoryFor(image);
  const sim = { pause: refuse, outside: refuse, stuck: refuse, access: ignoreAccess };
  const instance = new Resumable(image.module, { env: { memory }, os: { call: refuse }, sim }, memory);
  const region = image.ownBytes;
  const outcome = instance.enter(region, image.memoryBytes - region, name, []);
  return outcome.kind === "returned" ? Number(outcome.value) : 0;
}

function refuse(): never {
  throw new Error("a constant of a user image must not pause, call or leave its memory");
}

/** User programs share no memory: nobody needs to see their accesses. */
function ignoreAccess(): void {}
