// Pause insertion: puts the calls of `sim` into a module's functions: pauses, checks of addresses, announcements.
//
// It works on Binaryen's flat form, in which an operation with an effect stands alone in a statement and its operands
// are variables or constants, so that what is put before the statement comes right before the operation.
// Owner: pausable.ts, which flattens the module before and runs Asyncify after.
// Partners: sites.ts, whose table is filled here.

import binaryen from "binaryen";
import { Block, Drop, Function, If, LocalSet, Loop } from "./binaryen-tree.ts";
import { ACCESS_ATOMIC, ACCESS_WRITE, PAGE_BYTES, PAUSES_LEFT_EXPORT, type Site, type SiteKind } from "./sites.ts";

type Expression = binaryen.ExpressionRef;

export interface InsertionOptions {
  /** Announce each access, plain or atomic, with `sim.access(site, address, flags)`; flags as in sites.ts. */
  readonly memoryAccesses: boolean;
  /** What a loop head does; undefined: it only guards against a loop without end. See pausable.ts. */
  readonly loops: "pause" | "countdown" | undefined;
  /** Imports that unwind by themselves: nothing is called before them. */
  readonly pausingImports: readonly string[];
  /** Pages of memory that are the program's own. */
  readonly ownPages: number;
}

/** The import that can unwind. */
export const PAUSE = "sim.pause";
const ACCESS = "sim.access";
const OUTSIDE = "sim.outside";
const STUCK = "sim.stuck";

/** Turns of loops that a module may make between two pauses: far more than any bounded kernel needs. */
const TURNS_MAX = 50_000_000;
const TURNS_LEFT = "sim:turns-left";
/** Until the machine sets it, a loop of a module that counts down does not pause. */
const PAUSES_LEFT_MAX = 0x7fffffff;

/** What is touched by one operation: a static offset from a pointer, and how. */
interface Access {
  readonly pointer: Expression;
  readonly offset: number;
  readonly bytes: number;
  readonly flags: number;
}

export class PauseInsertion {
  /** Filled by `insert`, in the order of the numbers. */
  readonly sites: Site[] = [];
  private readonly importOf = new Map<string, string>();
  private readonly memoryBytes: number;
  private functionName = "";

  constructor(
    private readonly module: binaryen.Module,
    private readonly options: InsertionOptions,
  ) {
    this.memoryBytes = options.ownPages * PAGE_BYTES;
  }

  /** Changes every function of the flattened module, and declares what the inserted code uses. */
  insert(): void {
    const { module } = this;
    this.rewriteFunctions();
    const { i32, none } = binaryen;
    module.addFunctionImport(PAUSE, "sim", "pause", i32, none);
    module.addFunctionImport(STUCK, "sim", "stuck", i32, none);
    module.addFunctionImport(OUTSIDE, "sim", "outside", binaryen.createType([i32, i32]), none);
    if (this.options.memoryAccesses) {
      module.addFunctionImport(ACCESS, "sim", "access", binaryen.createType([i32, i32, i32]), none);
    }
    module.addGlobal(TURNS_LEFT, i32, true, module.i32.const(TURNS_MAX));
    if (this.options.loops === "countdown") {
      module.addGlobal(PAUSES_LEFT_EXPORT, i32, true, module.i32.const(PAUSES_LEFT_MAX));
      module.addGlobalExport(PAUSES_LEFT_EXPORT, PAUSES_LEFT_EXPORT);
    }
  }

  private rewriteFunctions(): void {
    const { module } = this;
    const functions = Array.from({ length: module.getNumFunctions() }, (_, index) => module.getFunctionByIndex(index));
    for (const func of functions) {
      const { name, module: from, base } = binaryen.getFunctionInfo(func);
      if (from !== null && base !== null && from !== "") this.importOf.set(name, `${from}.${base}`);
    }
    for (const func of functions) {
      const { name, body } = binaryen.getFunctionInfo(func);
      if (body === 0 || this.importOf.has(name)) continue;
      this.functionName = name;
      Function.setBody(func, this.rewrite(body));
    }
  }

  /** A flat statement's replacement. Flat: no operand of an operation is itself an operation that has an effect. */
  private rewrite(statement: Expression): Expression {
    switch (binaryen.getExpressionId(statement)) {
      case binaryen.BlockId:
        for (let index = 0; index < Block.getNumChildren(statement); index += 1) {
          Block.setChildAt(statement, index, this.rewrite(Block.getChildAt(statement, index)));
        }
        return statement;
      case binaryen.IfId: {
        If.setIfTrue(statement, this.rewrite(If.getIfTrue(statement)));
        const otherwise = If.getIfFalse(statement);
        if (otherwise !== 0) If.setIfFalse(statement, this.rewrite(otherwise));
        return statement;
      }
      case binaryen.LoopId: {
        const body = this.rewrite(Loop.getBody(statement));
        Loop.setBody(statement, this.inOrder(this.atLoopHead(), body));
        return statement;
      }
      case binaryen.LocalSetId: {
        const { value } = binaryen.getExpressionInfo(statement) as binaryen.LocalSetInfo;
        return this.announced(statement, value, (changed) => LocalSet.setValue(statement, changed));
      }
      case binaryen.DropId: {
        const { value } = binaryen.getExpressionInfo(statement) as binaryen.DropInfo;
        return this.announced(statement, value, (changed) => Drop.setValue(statement, changed));
      }
      default:
        return this.announced(statement, statement, () => undefined);
    }
  }

  /** The statement, after what must happen before the one operation within it. */
  private announced(statement: Expression, operation: Expression, replace: (by: Expression) => void): Expression {
    const { module } = this;
    switch (binaryen.getExpressionId(operation)) {
      case binaryen.LoadId: {
        const load = binaryen.getExpressionInfo(operation) as binaryen.LoadInfo;
        const access = accessOf(load, load.isAtomic ? ACCESS_ATOMIC : 0);
        return this.inOrder(this.beforeAccess(load.isAtomic ? "atomic-load" : "load", access), statement);
      }
      case binaryen.StoreId: {
        const store = binaryen.getExpressionInfo(operation) as binaryen.StoreInfo;
        const access = accessOf(store, ACCESS_WRITE | (store.isAtomic ? ACCESS_ATOMIC : 0));
        return this.inOrder(this.beforeAccess(store.isAtomic ? "atomic-store" : "store", access), statement);
      }
      case binaryen.AtomicRMWId: {
        const rmw = binaryen.getExpressionInfo(operation) as binaryen.AtomicRMWInfo;
        return this.inOrder(this.beforeAccess("atomic-rmw", accessOf(rmw, ACCESS_WRITE | ACCESS_ATOMIC)), statement);
      }
      case binaryen.AtomicCmpxchgId: {
        const swap = binaryen.getExpressionInfo(operation) as binaryen.AtomicCmpxchgInfo;
        const access = accessOf(swap, ACCESS_WRITE | ACCESS_ATOMIC);
        return this.inOrder(this.beforeAccess("atomic-cmpxchg", access), statement);
      }
      case binaryen.AtomicFenceId:
        return this.inOrder(this.pause("fence", ""), statement);
      case binaryen.CallId: {
        const callee = this.importOf.get((binaryen.getExpressionInfo(operation) as binaryen.CallInfo).target);
        if (callee === undefined || this.options.pausingImports.includes(callee)) return statement;
        return this.inOrder(this.pause("call", callee), statement);
      }
      case binaryen.MemoryCopyId: {
        const { dest, source, size } = binaryen.getExpressionInfo(operation) as binaryen.MemoryCopyInfo;
        this.refuseBulkAnnouncement();
        return this.inOrder([this.checkRange(source, size, 0), this.checkRange(dest, size, ACCESS_WRITE)], statement);
      }
      case binaryen.MemoryFillId:
      case binaryen.MemoryInitId: {
        const { dest, size } = binaryen.getExpressionInfo(operation) as
          binaryen.MemoryFillInfo | binaryen.MemoryInitInfo;
        this.refuseBulkAnnouncement();
        return this.inOrder([this.checkRange(dest, size, ACCESS_WRITE)], statement);
      }
      case binaryen.MemorySizeId:
        replace(module.i32.const(this.options.ownPages));
        return statement;
      case binaryen.MemoryGrowId:
        return refuse(`it grows its memory in ${this.functionName}`);
      case binaryen.AtomicWaitId:
      case binaryen.AtomicNotifyId:
        return refuse(`it waits or notifies in ${this.functionName}: harts wait for interrupts instead`);
      default:
        return statement;
    }
  }

  private beforeAccess(kind: SiteKind, access: Access): Expression[] {
    const { module } = this;
    const atomic = (access.flags & ACCESS_ATOMIC) !== 0;
    const before: Expression[] = [];
    if (atomic) before.push(...this.pause(kind, String(access.bytes)));
    before.push(...this.checkAccess(access));
    if (this.options.memoryAccesses) {
      const site = atomic ? this.sites.length - 1 : this.addSite(kind, String(access.bytes));
      before.push(
        module.call(
          ACCESS,
          [module.i32.const(site), this.addressOf(access), module.i32.const(access.flags | access.bytes)],
          binaryen.none,
        ),
      );
    }
    return before;
  }

  private checkAccess(access: Access): Expression[] {
    const { module } = this;
    const last = this.memoryBytes - access.offset - access.bytes;
    const pointer = binaryen.getExpressionInfo(access.pointer);
    if (pointer.id === binaryen.ConstId) {
      const value = (pointer as binaryen.ConstInfo).value as number;
      if (value >>> 0 <= last) return [];
    }
    const beyond =
      last < 0
        ? module.i32.const(1)
        : module.i32.gt_u(module.copyExpression(access.pointer), module.i32.const(last | 0));
    return [module.if(beyond, this.leave(this.addressOf(access), access.flags))];
  }

  /** Bulk operations check their whole range first, as WebAssembly does. */
  private checkRange(start: Expression, size: Expression, flags: number): Expression {
    const { module } = this;
    const end = module.i64.add(
      module.i64.extend_u(module.copyExpression(start)),
      module.i64.extend_u(module.copyExpression(size)),
    );
    const beyond = module.i64.gt_u(end, module.i64.const(BigInt(this.memoryBytes)));
    return module.if(beyond, this.leave(module.copyExpression(start), flags));
  }

  private leave(address: Expression, flags: number): Expression {
    const { module } = this;
    const call = module.call(OUTSIDE, [address, module.i32.const(flags)], binaryen.none);
    return module.block(null, [call, module.unreachable()]);
  }

  private addressOf(access: Access): Expression {
    const { module } = this;
    return module.i32.add(module.copyExpression(access.pointer), module.i32.const(access.offset | 0));
  }

  /** A pause also winds the loop guard up again. */
  private pause(kind: SiteKind, detail: string): Expression[] {
    const { module } = this;
    return [
      module.call(PAUSE, [module.i32.const(this.addSite(kind, detail))], binaryen.none),
      module.global.set(TURNS_LEFT, module.i32.const(TURNS_MAX)),
    ];
  }

  private atLoopHead(): Expression[] {
    const { module } = this;
    if (this.options.loops === "pause") return this.pause("loop", "");
    if (this.options.loops === "countdown") return this.countdown();
    const left = () => module.global.get(TURNS_LEFT, binaryen.i32);
    const stuck = module.call(STUCK, [module.i32.const(this.addSite("loop", ""))], binaryen.none);
    return [
      module.global.set(TURNS_LEFT, module.i32.sub(left(), module.i32.const(1))),
      module.if(module.i32.lt_s(left(), module.i32.const(0)), module.block(null, [stuck, module.unreachable()])),
    ];
  }

  /** One loop head less to pass; the last one pauses. */
  private countdown(): Expression[] {
    const { module } = this;
    const left = () => module.global.get(PAUSES_LEFT_EXPORT, binaryen.i32);
    const pause = module.call(PAUSE, [module.i32.const(this.addSite("loop", ""))], binaryen.none);
    return [
      module.global.set(PAUSES_LEFT_EXPORT, module.i32.sub(left(), module.i32.const(1))),
      module.if(module.i32.le_s(left(), module.i32.const(0)), pause),
    ];
  }

  private addSite(kind: SiteKind, detail: string): number {
    this.sites.push({ function: this.functionName, kind, detail });
    return this.sites.length - 1;
  }

  private inOrder(before: readonly Expression[], statement: Expression): Expression {
    return before.length === 0 ? statement : this.module.block(null, [...before, statement]);
  }

  /** Race checks need every access; a range of unknown size cannot be announced as one. */
  private refuseBulkAnnouncement(): void {
    if (this.options.memoryAccesses) refuse(`it copies or fills memory in bulk in ${this.functionName}`);
  }
}

function accessOf(info: { ptr: Expression; offset: number; bytes: number }, flags: number): Access {
  return { pointer: info.ptr, offset: info.offset, bytes: info.bytes, flags };
}

export function refuse(reason: string): never {
  throw new Error(`cannot make this module pausable: ${reason}`);
}
