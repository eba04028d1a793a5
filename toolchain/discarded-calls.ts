// Discarded calls: the calls in a module whose result reaches a drop, also through a choice or a block.
//
// Owner: one walk a function. It reads debug builds, in which a statement `f();` is still a call and a drop.
// Pairs with: must-use-gate.ts, which states which results may be dropped.
import type { Instruction } from "../wasm/module.ts";
import { Op } from "../wasm/opcodes.ts";
import { countsIn } from "../wasm/stack.ts";
import { type ArtifactModule, blockResult, type DefinedFunction } from "./artifact-module.ts";

export interface DiscardedCall {
  callee: string;
  /** The function that discards. */
  caller: DefinedFunction;
  /** Byte offset of the call, and of the drop. */
  at: number;
  droppedAt: number;
}

/** The calls that a value may have come from; most values come from none. */
type Origins = DiscardedCall[];

interface Frame {
  height: number;
  hasResult: boolean;
  /** Of the values that branches and arms carry out. */
  carried: Origins;
}

export function discardedCalls(module: ArtifactModule): DiscardedCall[] {
  return module.functions.flatMap((fn) => (fn.kind === "defined" ? new DropWalk(module, fn).discarded() : []));
}

class DropWalk {
  private readonly stack: Origins[] = [];
  private readonly frames: Frame[];
  private readonly found: DiscardedCall[] = [];

  constructor(
    private readonly module: ArtifactModule,
    private readonly fn: DefinedFunction,
  ) {
    this.frames = [{ height: 0, hasResult: fn.type.results.length > 0, carried: [] }];
  }

  discarded(): DiscardedCall[] {
    for (const one of this.fn.body) this.step(one);
    return this.found;
  }

  /** In code that is never reached the stack may be short. */
  private pop(): Origins {
    const floor = this.frames.at(-1)?.height ?? 0;
    return this.stack.length > floor ? (this.stack.pop() ?? []) : [];
  }

  private pops(count: number): void {
    for (let i = 0; i < count; i++) this.pop();
  }

  private carry(frame: Frame | undefined, value: Origins): void {
    if (frame?.hasResult === true) frame.carried.push(...value);
  }

  private step(one: Instruction): void {
    switch (one.op) {
      case Op.drop:
        return void this.found.push(...this.pop().map((origin) => ({ ...origin, droppedAt: one.start })));
      case Op.call:
        return this.call(one);
      case Op.select: {
        this.pop();
        return void this.stack.push([...this.pop(), ...this.pop()]);
      }
      case Op.if:
        this.pop();
        return this.enter(one);
      case Op.block:
      case Op.loop:
        return this.enter(one);
      case Op.else:
      case Op.end:
        return this.leave(one.op);
      case Op.br_if: {
        this.pop();
        const target = this.frames.at(-1 - one.a);
        if (target?.hasResult === true) this.carry(target, this.stack.at(-1) ?? []);
        return;
      }
      case Op.br: {
        const target = this.frames.at(-1 - one.a);
        if (target?.hasResult === true) this.carry(target, this.pop());
        return this.dead();
      }
      case Op.br_table:
      case Op.return:
      case Op.unreachable:
        return this.dead();
      default:
        return this.other(one);
    }
  }

  private other(one: Instruction): void {
    const { takes, gives } = countsIn(this.module.wasm, one);
    this.pops(takes);
    for (let i = 0; i < gives; i++) this.stack.push([]);
  }

  private call(one: Instruction): void {
    const callee = this.module.functions[one.a];
    if (callee === undefined) return;
    this.pops(callee.type.params.length);
    if (callee.type.results.length > 0)
      this.stack.push([{ callee: callee.name, caller: this.fn, at: one.start, droppedAt: one.start }]);
  }

  private enter(one: Instruction): void {
    this.frames.push({ height: this.stack.length, hasResult: blockResult(one) !== null, carried: [] });
  }

  private leave(op: number): void {
    const frame = this.frames.at(-1);
    if (frame === undefined) return;
    if (frame.hasResult) this.carry(frame, this.pop());
    this.stack.length = frame.height;
    if (op === Op.else) return;
    this.frames.pop();
    if (frame.hasResult) this.stack.push(frame.carried);
  }

  /** What follows is never reached, up to the end of the construct. */
  private dead(): void {
    this.stack.length = this.frames.at(-1)?.height ?? 0;
  }
}
