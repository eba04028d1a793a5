// Abstract machine: what one thread's step makes of a state of an abstract program under interpretation.
//
// A step is the access that the thread stands before and the operations up to its next access, plain ones included: every
// access is a step of its own, and nothing is left out. Shares no code with the explorer.
// Owner: interpret.ts. Invariant: a state and its threads are never changed once they were handed out; a step copies.
// Pairs with: lower.ts (operations), interpreter-state.ts, memory-access.ts, interpret.ts (all interleavings).

import type { AbstractProgram, Signature } from "./ast.ts";
import { copyThread, type Frame, type State, type Thread, top, wake, Wrong } from "./interpreter-state.ts";
import type { Access, FlatFunction, Operation } from "./lower.ts";
import { isAccess, MemoryAccess, type OnAtomic } from "./memory-access.ts";
import { binary } from "./values.ts";

const OPERATIONS_MAX = 100_000;

const sameTypes = (a: readonly string[], b: readonly string[]): boolean => a.join() === b.join();
const sameSignature = (a: Signature, b: Signature): boolean =>
  sameTypes(a.params, b.params) && sameTypes(a.results, b.results);

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
    wake(next, index, 2n);
    return next;
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
    const operation = this.operationAt(top(thread));
    if (!isAccess(operation)) throw new Error(`${operation.do} is no access`);
    return new MemoryAccess(this.program, this.pagesMax, this.onAtomic, state, index, thread).make(operation);
  }
}
