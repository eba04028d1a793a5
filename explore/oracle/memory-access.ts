// Memory access: what one access of a thread makes of memory, of the thread and of those that wait.
//
// Owner: abstract-machine.ts, which makes every access by it. Shares no code with the explorer.
// Pairs with: lower.ts (the accesses), memory-image.ts (bytes), interpreter-state.ts.

import type { AbstractProgram } from "./ast.ts";
import { type State, type Thread, top, wake, Wrong } from "./interpreter-state.ts";
import type { Access, Operation } from "./lower.ts";
import { modified } from "./values.ts";

const ACCESSES: ReadonlySet<string> = new Set([
  "load",
  "store",
  "atomic-load",
  "atomic-store",
  "rmw",
  "cmpxchg",
  "wait",
  "notify",
  "size",
  "grow",
  "fill",
  "copy",
  "init",
]);

export const isAccess = (operation: Operation): operation is Access => ACCESSES.has(operation.do);

type WordAccess = Extract<Access, { do: "load" | "store" | "atomic-load" | "atomic-store" | "rmw" | "cmpxchg" }>;
type RangeAccess = Extract<Access, { do: "fill" | "copy" | "init" }>;

/** An atomic access that was made. */
export type OnAtomic = (address: number, width: number) => void;

/** The accesses of one thread in one state; both are changed. index: of the thread, or -1 for a function that runs alone. */
export class MemoryAccess {
  private readonly stack: bigint[];

  constructor(
    private readonly program: AbstractProgram,
    private readonly pagesMax: number,
    private readonly onAtomic: OnAtomic,
    private readonly state: State,
    private readonly index: number,
    private readonly thread: Thread,
  ) {
    this.stack = top(thread).stack;
  }

  /** Makes an access, and moves the thread past it. False: it waits now. */
  make(access: Access): boolean {
    top(this.thread).at++;
    switch (access.do) {
      case "wait":
        return this.wait(access);
      case "notify":
        this.notify(access);
        return true;
      case "size":
        this.stack.push(BigInt(this.state.pages));
        return true;
      case "grow":
        this.grow();
        return true;
      case "fill":
      case "copy":
      case "init":
        this.range(access);
        return true;
      default:
        this.word(access);
        return true;
    }
  }

  private pop(): bigint {
    return this.stack.pop() ?? 0n;
  }

  private popNumber(): number {
    return Number(this.pop());
  }

  /** Traps where the bytes are not all in memory. */
  private inside(address: number, bytes: number): void {
    if (!this.state.memory.isInside(address, bytes, this.state.pages)) throw new Wrong("trap");
  }

  private atomic(address: number, width: number): void {
    if (address % width !== 0) throw new Wrong("unaligned");
    this.inside(address, width);
    if (this.index >= 0) this.onAtomic(address, width);
  }

  private word(access: WordAccess): void {
    const { memory } = this.state;
    const { width } = access;
    switch (access.do) {
      case "load": {
        const address = this.popNumber() + access.offset;
        this.inside(address, width);
        const value = memory.read(address, width);
        const signed = access.signed ? BigInt.asIntN(8 * width, value) : value;
        this.stack.push(BigInt.asUintN(access.type === "i32" || access.type === "f32" ? 32 : 64, signed));
        return;
      }
      case "store":
      case "atomic-store": {
        const value = this.pop();
        const address = this.popNumber() + access.offset;
        if (access.do === "store") this.inside(address, width);
        else this.atomic(address, width);
        memory.write(address, width, value);
        return;
      }
      case "atomic-load": {
        const address = this.popNumber() + access.offset;
        this.atomic(address, width);
        this.stack.push(memory.read(address, width));
        return;
      }
      case "rmw": {
        const operand = this.pop();
        const address = this.popNumber() + access.offset;
        this.atomic(address, width);
        const old = memory.read(address, width);
        memory.write(address, width, modified(access.action, old, operand));
        this.stack.push(old);
        return;
      }
      case "cmpxchg": {
        const replacement = this.pop();
        const expected = this.pop();
        const address = this.popNumber() + access.offset;
        this.atomic(address, width);
        const old = memory.read(address, width);
        if (old === BigInt.asUintN(8 * width, expected)) memory.write(address, width, replacement);
        this.stack.push(old);
        return;
      }
      default:
        access satisfies never;
    }
  }

  private wait(access: Extract<Access, { do: "wait" }>): boolean {
    const expected = this.pop();
    const address = this.popNumber() + access.offset;
    this.atomic(address, access.width);
    if (this.state.memory.read(address, access.width) !== expected) {
      this.stack.push(1n);
      return true;
    }
    this.thread.status = access.timeout < 0n ? "waiting" : "waiting-timed";
    this.thread.waitsAt = address;
    this.state.queue.push(this.index);
    return false;
  }

  private notify(access: Extract<Access, { do: "notify" }>): void {
    const count = this.popNumber();
    const address = this.popNumber() + access.offset;
    if (address % 4 !== 0) throw new Wrong("unaligned");
    this.inside(address, 4);
    const { state } = this;
    const woken = state.queue.filter((other) => state.threads[other]?.waitsAt === address).slice(0, count);
    for (const other of woken) wake(state, other, 0n);
    this.stack.push(BigInt(woken.length));
  }

  private grow(): void {
    const pages = this.popNumber();
    const fits = this.state.pages + pages <= this.pagesMax;
    this.stack.push(fits ? BigInt(this.state.pages) : 0xffffffffn);
    if (fits) this.state.pages += pages;
  }

  private range(access: RangeAccess): void {
    const { memory } = this.state;
    const length = this.popNumber();
    switch (access.do) {
      case "fill": {
        const [byte, to] = [this.pop(), this.popNumber()];
        this.inside(to, length);
        for (let i = 0; i < length; i++) memory.write(to + i, 1, byte);
        return;
      }
      case "copy": {
        const [from, to] = [this.popNumber(), this.popNumber()];
        this.inside(from, length);
        this.inside(to, length);
        const bytes = Array.from({ length }, (_, i) => memory.read(from + i, 1));
        for (const [i, byte] of bytes.entries()) memory.write(to + i, 1, byte);
        return;
      }
      case "init": {
        const [from, to] = [this.popNumber(), this.popNumber()];
        const segment = this.program.segments[access.segment];
        const isThere = segment?.at === undefined && ((this.thread.dropped >> access.segment) & 1) === 0;
        const bytes = (isThere && segment?.bytes) || [];
        if (from + length > bytes.length) throw new Wrong("trap");
        this.inside(to, length);
        for (let i = 0; i < length; i++) memory.write(to + i, 1, BigInt(bytes[from + i] ?? 0));
        return;
      }
      default:
        access satisfies never;
    }
  }
}
