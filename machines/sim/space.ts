// Space: one user address space: a program in its own memory, run until it makes a system call, faults or is left.
//
// Each space is an instance of its module of its own, and so is its memory: nothing a program does can reach another's,
// unless the module has a shared memory. Then the space has a region of it for its unwound stack.
// Owner: the hart that is in user mode with this space; the kernel may touch it between.
// Invariant: at most one hart is in user mode with a space (machine.ts checks it on each entry).
// Partners: user-image.ts, which has the modules; machine.ts, which runs it; machine-calls.ts, which prepares it and copies from it.

import { Syscall } from "../../abi/syscalls.ts";
import { TrapCause } from "../../abi/traps.ts";
import { SPACES_MAX } from "../../abi/layout.ts";
import { ACCESS_WRITE, ENTRY_RUN } from "../../toolchain/sites.ts";
import type { UserWord } from "./options.ts";
import { type Argument, type CallOutcome, memoryFor, RegionOverflow, Resumable } from "./resumable-instance.ts";
import { OutsideSignal, throwOutside, throwStuck, describeTrap } from "./signal.ts";
import { exportsRun, type UserImage, type UserModule } from "./user-image.ts";

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

/** What runs in a space: an instance of a module, and the part of its memory that its unwound stack takes. */
interface Occupant {
  readonly module: UserModule;
  readonly instance: Resumable;
  readonly region: number;
  readonly regionBytes: number;
  readonly entry: string;
}

export class Space {
  phase: SpacePhase = "empty";
  private values: readonly Argument[] = [];
  /** What the pending system call answers. As on virt, its first argument unless the kernel sets another. */
  private answer = 0n;
  /** What its program returned. */
  private exitCode = 0n;
  private fault = TrapCause.IllegalInstruction;
  private faultAddress = 0n;
  private trap: UserTrap | undefined;
  private occupant: Occupant | undefined;
  /** By module: an instance is used again. */
  private readonly occupants = new Map<UserModule, Occupant>();
  /** Loop heads and atomic accesses that the last `advance` allowed. */
  private pauses = 0;

  /** Stored into the program's memory before it begins. */
  userWords: readonly UserWord[] = [];

  /** number: of this space among all. */
  constructor(
    private readonly image: UserImage,
    private readonly number: number,
  ) {}

  /** False where the image has no such program. */
  prepare(program: number, argument: bigint): boolean {
    const module = this.image.moduleOf(program);
    if (module === undefined) return false;
    this.occupant = this.occupantOf(module);
    const { instance, entry } = this.occupant;
    instance.reset(module.shared?.isPrepared === true ? 0 : module.image.ownBytes);
    if (module.shared !== undefined) module.shared.isPrepared = true;
    const words = new Int32Array(instance.memory.buffer);
    for (const { address, value } of this.userWords) words[address >>> 2] = value;
    this.values = entry === ENTRY_RUN ? [argument] : [program - module.first, argument];
    this.phase = "fresh";
    this.answer = 0n;
    return true;
  }

  private occupantOf(module: UserModule): Occupant {
    const known = this.occupants.get(module);
    if (known !== undefined) return known;
    const { image, shared } = module;
    const regionBytes =
      Math.floor((image.memoryBytes - image.ownBytes) / (shared === undefined ? 1 : SPACES_MAX)) & ~15;
    const occupant: Occupant = {
      module,
      instance: shared === undefined ? this.instantiate(module, memoryFor(image)) : this.join(module, shared.memory),
      region: image.ownBytes + (shared === undefined ? 0 : this.number * regionBytes),
      regionBytes,
      entry: exportsRun(image) ? ENTRY_RUN : "start",
    };
    this.occupants.set(module, occupant);
    return occupant;
  }

  /** One more instance over a memory that others use: what instantiation writes into it is undone. */
  private join(module: UserModule, memory: WebAssembly.Memory): Resumable {
    const own = new Uint8Array(memory.buffer, 0, module.image.ownBytes);
    const before = own.slice();
    const instance = this.instantiate(module, memory);
    own.set(before);
    return instance;
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
    if (this.occupant === undefined || bytes < 0) return undefined;
    const { instance, module } = this.occupant;
    if (address < 0n || address + BigInt(bytes) > BigInt(module.image.ownBytes)) return undefined;
    return new Uint8Array(instance.memory.buffer, Number(address), bytes);
  }

  /** Loop heads and atomic accesses that the program passed in the last `advance`. */
  get passed(): number {
    return this.pauses - Math.max(0, this.occupant?.instance.pausesLeft ?? 0);
  }

  /** Runs the program until it has passed so many loop heads and atomic accesses, makes a system call or faults. */
  advance(pauses: number): SpaceOutcome {
    if (this.occupant === undefined) throw new Error("an empty space cannot run");
    const { instance, region, regionBytes, entry } = this.occupant;
    this.pauses = pauses;
    instance.pausesLeft = pauses;
    this.trap = undefined;
    try {
      switch (this.phase) {
        case "fresh":
          return this.after(instance.enter(region, regionBytes, entry, this.values));
        case "paused":
        case "calling":
          return this.after(instance.resume(region, entry, this.values));
        case "ended":
          return this.end(this.exitCode);
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

  private after(outcome: CallOutcome): SpaceOutcome {
    if (outcome.kind === "returned") return this.end(BigInt(outcome.value ?? 0));
    if (this.trap !== undefined) {
      this.phase = "calling";
      this.answer = this.trap.a0;
      return { kind: "trap", trap: this.trap };
    }
    this.phase = "paused";
    return { kind: "paused" };
  }

  private end(code: bigint): SpaceOutcome {
    this.phase = "ended";
    this.exitCode = code;
    const trap = { cause: TrapCause.SystemCall, value: 0n, call: Syscall.Exit, a0: code, a1: 0n, a2: 0n };
    return { kind: "trap", trap };
  }

  private instantiate({ image }: UserModule, memory: WebAssembly.Memory): Resumable {
    const call = (number: number, a0: bigint, a1: bigint, a2: bigint): bigint => {
      if (instance.arrive()) return this.answer;
      this.trap = { cause: TrapCause.SystemCall, value: 0n, call: number, a0, a1, a2 };
      instance.leave();
      return 0n;
    };
    const pause = (site: number): void => {
      if (instance.arrive()) return;
      // A loop head has counted itself; before an atomic access it is done here, so that harts take turns between them.
      if (image.sites[site]?.kind !== "loop" && --instance.pausesLeft > 0) return;
      instance.leave();
    };
    const sim = { pause, outside: throwOutside, stuck: throwStuck, access: ignoreAccess };
    const instance = new Resumable(image.module, { env: { memory }, os: { call }, sim }, memory);
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

/** Nobody looks at the accesses of user programs. */
function ignoreAccess(): void {}
