// Machine: one state of an abstract program under interpretation, and what one thread's step makes of it.
//
// A step is the access that the thread stands before and the operations up to its next access, plain ones included: every
// access is a step of its own, and nothing is left out. Shares no code with the explorer.
// Owner: interpret.ts. Invariant: a state and its threads are never changed once they were handed out; a step copies.
// Pairs with: lower.ts (operations), memory-image.ts (bytes), interpret.ts (all interleavings).

import type { Access, FlatFunction, Operation } from "./lower.ts";
import type { MemoryImage } from "./memory-image.ts";
import { binary, modified } from "./values.ts";
import type { AbstractProgram, Signature } from "./ast.ts";

/** What goes wrong in a step. */
export class Wrong extends Error {
  readonly kind: "trap" | "assertion" | "unaligned";
  constructor(kind: Wrong["kind"]) {
    super(kind);
    this.kind = kind;
  }
}

export interface Frame {
  readonly callee: number;
  at: number;
  readonly locals: bigint[];
  stack: bigint[];
}

export type Status = "starting" | "ready" | "waiting" | "waiting-timed" | "woken" | "finished";

export interface Thread {
  status: Status;
  frames: Frame[];
  globals: bigint[];
  /** A bit for each segment that this instance has dropped. */
  dropped: number;
  waitsAt: number;
  /** The thread as text; made once. */
  text: string | undefined;
}

export interface State {
  readonly memory: MemoryImage;
  pages: number;
  readonly threads: Thread[];
  /** Who waits, first come first. */
  queue: number[];
}

const OPERATIONS_MAX = 100_000;
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

const isAccess = (operation: Operation): operation is Access => ACCESSES.has(operation.do);

export function copyThread(thread: Thread): Thread {
  return {
    ...thread,
    frames: thread.frames.map(({ callee, at, locals, stack }) => ({
      callee,
      at,
      locals: [...locals],
      stack: [...stack],
    })),
    globals: [...thread.globals],
    text: undefined,
  };
}

const top = ({ frames }: Thread): Frame => {
  const frame = frames.at(-1);
  if (!frame) throw new Error("the thread has no frame");
  return frame;
};

const sameTypes = (a: readonly string[], b: readonly string[]): boolean => a.join() === b.join();
const sameSignature = (a: Signature, b: Signature): boolean =>
  sameTypes(a.params, b.params) && sameTypes(a.results, b.results);

/** An atomic access that was made. */
export type OnAtomic = (address: number, width: number) => void;

export class Machine {
  readonly functions: readonly FlatFunction[];
  private readonly program: AbstractProgram;
  private readonly onAtomic: OnAtomic;
  private readonly pagesMax: number;

  constructor(program: AbstractProgram, functions: readonly FlatFunction[], pagesMax: number, onAtomic: OnAtomic) {
    this.program = program;
    this.functions = functions;
    this.pagesMax = pagesMax;
    this.onAtomic = onAtomic;
  }

  frameOf(callee: number, args: readonly bigint[]): Frame {
    const { localCount } = this.functionOf(callee);
    const locals = Array.from({ length: localCount }, (_, index) => args[index] ?? 0n);
    return { callee, at: 0, locals, stack: [] };
  }

  private functionOf(callee: number): FlatFunction {
    const found = this.functions[callee];
    if (!found) throw new Error(`there is no function ${callee}`);
    return found;
  }

  private operationAt({ callee, at }: Frame): Operation {
    const found = this.functionOf(callee).code[at];
    if (!found) throw new Error("the code ends without a return");
    return found;
  }

  /** The access that a thread stands before; its operands are the stack's top. */
  pending(thread: Thread): { readonly access: Access; readonly stack: readonly bigint[] } | undefined {
    if (thread.status !== "ready") return undefined;
    const frame = top(thread);
    const access = this.operationAt(frame);
    return isAccess(access) ? { access, stack: frame.stack } : undefined;
  }

  /** The state after a thread's step. Throws Wrong where the step goes wrong. */
  step(state: State, index: number): State {
    const next: State = { ...state, memory: state.memory.copy(), threads: [...state.threads], queue: [...state.queue] };
    const before = next.threads[index];
    if (!before) throw new Error(`there is no thread ${index}`);
    const thread = copyThread(before);
    next.threads[index] = thread;
    const begins = thread.status !== "ready";
    thread.status = "ready";
    if (!begins && !this.access(next, index, thread)) return next;
    this.runOn(thread);
    return next;
  }

  /** The state after the time-out of a thread's wait. */
  expire(state: State, index: number): State {
    const next: State = { ...state, memory: state.memory, threads: [...state.threads], queue: [...state.queue] };
    this.wake(next, index, 2n);
    return next;
  }

  private wake(state: State, index: number, result: bigint): void {
    const before = state.threads[index];
    if (!before) throw new Error(`there is no thread ${index}`);
    const thread = copyThread(before);
    thread.status = "woken";
    top(thread).stack.push(result);
    state.threads[index] = thread;
    state.queue = state.queue.filter((other) => other !== index);
  }

  /** A function from its call to its end, alone; its results. Accesses are made at once. */
  runAlone(state: State, instance: Thread, callee: number, args: readonly bigint[]): bigint[] {
    const caller: Frame = { callee: -1, at: 0, locals: [], stack: [] };
    instance.status = "ready";
    instance.frames = [caller, this.frameOf(callee, args)];
    for (let count = 0; instance.frames.length > 1; count++) {
      if (count > OPERATIONS_MAX) throw new Error("a function that runs alone does not end");
      if (isAccess(this.operationAt(top(instance)))) {
        if (!this.access(state, -1, instance)) throw new Error("a function that runs alone waits");
      } else this.pure(instance);
    }
    return caller.stack;
  }

  private runOn(thread: Thread): void {
    for (let count = 0; thread.frames.length > 0; count++) {
      if (count > OPERATIONS_MAX) throw new Error("a step does not end");
      if (isAccess(this.operationAt(top(thread)))) return;
      this.pure(thread);
    }
    thread.status = "finished";
  }

  private pure(thread: Thread): void {
    const frame = top(thread);
    const { stack, locals } = frame;
    const operation = this.operationAt(frame);
    frame.at++;
    const pop = (): bigint => {
      const value = stack.pop();
      if (value === undefined) throw new Error("the operand stack is empty");
      return value;
    };
    switch (operation.do) {
      case "constant":
        stack.push(operation.value);
        return;
      case "local":
        stack.push(locals[operation.index] ?? 0n);
        return;
      case "set":
        locals[operation.index] = pop();
        return;
      case "tee":
        locals[operation.index] = stack.at(-1) ?? 0n;
        return;
      case "global":
        stack.push(thread.globals[operation.index] ?? 0n);
        return;
      case "set-global":
        thread.globals[operation.index] = pop();
        return;
      case "eqz":
        stack.push(pop() === 0n ? 1n : 0n);
        return;
      case "wrap":
        stack.push(BigInt.asUintN(operation.bits, pop()));
        return;
      case "binary": {
        const right = pop();
        stack.push(binary(operation.type, operation.operation, pop(), right));
        return;
      }
      case "pop":
        pop();
        return;
      case "select": {
        const condition = pop();
        const no = pop();
        const yes = pop();
        stack.push(condition === 0n ? no : yes);
        return;
      }
      case "trap":
        throw new Wrong("trap");
      case "abort":
        throw new Wrong("assertion");
      case "drop-segment":
        thread.dropped |= 1 << operation.segment;
        return;
      default:
        return this.flow(thread, frame, operation, pop);
    }
  }

  private flow(thread: Thread, frame: Frame, operation: Operation, pop: () => bigint): void {
    const { stack } = frame;
    switch (operation.do) {
      case "jump":
      case "jump-if":
      case "jump-unless":
        if (operation.do !== "jump" && (pop() !== 0n) !== (operation.do === "jump-if")) return;
        stack.length = Math.min(stack.length, operation.height);
        frame.at = operation.to;
        return;
      case "jump-table": {
        const index = pop();
        const last = operation.to.length - 1;
        frame.at = operation.to[index < BigInt(last) ? Number(index) : last] ?? -1;
        return;
      }
      case "call":
        return this.call(thread, frame, operation.callee);
      case "indirect": {
        const slot = Number(pop());
        const callee = this.program.table[slot];
        if (callee === undefined) throw new Wrong("trap");
        if (!sameSignature(this.functionOf(callee).signature, operation.signature)) throw new Wrong("trap");
        return this.call(thread, frame, callee);
      }
      case "return": {
        const { results } = this.functionOf(frame.callee);
        const values = stack.slice(stack.length - results);
        thread.frames.pop();
        thread.frames.at(-1)?.stack.push(...values);
        return;
      }
      default:
        throw new Error(`${operation.do} is no operation without an access`);
    }
  }

  private call(thread: Thread, frame: Frame, callee: number): void {
    const { params } = this.functionOf(callee);
    const args = frame.stack.splice(frame.stack.length - params, params);
    thread.frames.push(this.frameOf(callee, args));
  }

  /** Makes the access that the thread stands before. False: it waits now. */
  private access(state: State, index: number, thread: Thread): boolean {
    const frame = top(thread);
    const { stack } = frame;
    const operation = this.operationAt(frame);
    if (!isAccess(operation)) throw new Error(`${operation.do} is no access`);
    const pop = (): bigint => stack.pop() ?? 0n;
    const { memory } = state;
    const atomic = (address: number, width: number): void => {
      if (address % width !== 0) throw new Wrong("unaligned");
      if (!memory.isInside(address, width, state.pages)) throw new Wrong("trap");
      if (index >= 0) this.onAtomic(address, width);
    };
    const inside = (address: number, bytes: number): void => {
      if (!memory.isInside(address, bytes, state.pages)) throw new Wrong("trap");
    };
    switch (operation.do) {
      case "load": {
        const address = Number(pop()) + operation.offset;
        inside(address, operation.width);
        const value = memory.read(address, operation.width);
        const signed = operation.signed ? BigInt.asIntN(8 * operation.width, value) : value;
        stack.push(BigInt.asUintN(operation.type === "i32" || operation.type === "f32" ? 32 : 64, signed));
        break;
      }
      case "store":
      case "atomic-store": {
        const value = pop();
        const address = Number(pop()) + operation.offset;
        if (operation.do === "store") inside(address, operation.width);
        else atomic(address, operation.width);
        memory.write(address, operation.width, value);
        break;
      }
      case "atomic-load": {
        const address = Number(pop()) + operation.offset;
        atomic(address, operation.width);
        stack.push(memory.read(address, operation.width));
        break;
      }
      case "rmw": {
        const operand = pop();
        const address = Number(pop()) + operation.offset;
        atomic(address, operation.width);
        const old = memory.read(address, operation.width);
        memory.write(address, operation.width, modified(operation.action, old, operand));
        stack.push(old);
        break;
      }
      case "cmpxchg": {
        const replacement = pop();
        const expected = pop();
        const address = Number(pop()) + operation.offset;
        atomic(address, operation.width);
        const old = memory.read(address, operation.width);
        if (old === BigInt.asUintN(8 * operation.width, expected)) memory.write(address, operation.width, replacement);
        stack.push(old);
        break;
      }
      case "wait": {
        const expected = pop();
        const address = Number(pop()) + operation.offset;
        atomic(address, operation.width);
        frame.at++;
        if (memory.read(address, operation.width) !== expected) {
          stack.push(1n);
          return true;
        }
        thread.status = operation.timeout < 0n ? "waiting" : "waiting-timed";
        thread.waitsAt = address;
        state.queue.push(index);
        return false;
      }
      case "notify": {
        const count = Number(pop());
        const address = Number(pop()) + operation.offset;
        if (address % 4 !== 0) throw new Wrong("unaligned");
        inside(address, 4);
        const woken = state.queue.filter((other) => state.threads[other]?.waitsAt === address).slice(0, count);
        for (const other of woken) this.wake(state, other, 0n);
        stack.push(BigInt(woken.length));
        break;
      }
      case "size":
        stack.push(BigInt(state.pages));
        break;
      case "grow": {
        const pages = Number(pop());
        const fits = state.pages + pages <= this.pagesMax;
        stack.push(fits ? BigInt(state.pages) : 0xffffffffn);
        if (fits) state.pages += pages;
        break;
      }
      case "fill": {
        const [length, byte, to] = [Number(pop()), pop(), Number(pop())];
        inside(to, length);
        for (let i = 0; i < length; i++) memory.write(to + i, 1, byte);
        break;
      }
      case "copy": {
        const [length, from, to] = [Number(pop()), Number(pop()), Number(pop())];
        inside(from, length);
        inside(to, length);
        const bytes = Array.from({ length }, (_, i) => memory.read(from + i, 1));
        for (const [i, byte] of bytes.entries()) memory.write(to + i, 1, byte);
        break;
      }
      case "init": {
        const [length, from, to] = [Number(pop()), Number(pop()), Number(pop())];
        const segment = this.program.segments[operation.segment];
        const isThere = segment?.at === undefined && ((thread.dropped >> operation.segment) & 1) === 0;
        const bytes = (isThere && segment?.bytes) || [];
        if (from + length > bytes.length) throw new Wrong("trap");
        inside(to, length);
        for (let i = 0; i < length; i++) memory.write(to + i, 1, BigInt(bytes[from + i] ?? 0));
        break;
      }
      default:
        operation satisfies never;
    }
    frame.at++;
    return true;
  }
}
