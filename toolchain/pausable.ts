// Pausable: rewrites a module so that whoever runs it can stop it before each atomic access and each call of an
// import, leave it, and come back later.
//
// Before every such place the module calls `sim.pause(site)`; Binaryen's Asyncify lets that one import unwind the
// stack into linear memory and rewind it. Everything else keeps its meaning, with two changes that no program can
// notice: the memory is not shared, since one thread runs all harts (so a web page needs no cross-origin isolation),
// and it is larger by pages that hold the unwound stacks. The program must not see those pages, so each access is
// checked against the old size and calls `sim.outside(address, flags)` when it lies beyond. A loop that turns without
// end and without a pause would hold the machine for ever: it calls `sim.stuck(site)`.
//
// Invariant: between two pauses a hart makes at most one atomic access or import call, right after the first pause.
// Partners: sites.ts, which names the places; machines/sim/coroutine.ts, which pauses and resumes.

import binaryen from "binaryen";
import { Block, Drop, Function, If, LocalSet, Loop } from "./binaryen-tree.ts";
import { readMemoryImport, replaceMemoryImport } from "./memory-import.ts";
import { ACCESS_ATOMIC, ACCESS_WRITE, GLOBAL_EXPORT_PREFIX, PAGE_BYTES, SITES_SECTION } from "./sites.ts";
import { encodeTable, type Site, type SiteKind } from "./sites.ts";

type Expression = binaryen.ExpressionRef;

export interface PausableOptions {
  /** Announce each access, plain or atomic, with `sim.access(site, address, flags)`; flags as in sites.ts. */
  readonly memoryAccesses?: boolean;
  /** Pause at the head of each loop too, so that code without calls can be preempted. */
  readonly loops?: boolean;
  /** Imports that unwind by themselves: nothing is called before them. `os.call`, the system call, unless given. */
  readonly pausingImports?: readonly string[];
  /** Pages of 64 KiB added above the module's own, for unwound stacks. */
  readonly extraPages?: number;
}

const EXTRA_PAGES_DEFAULT = 8;
const PAUSING_IMPORTS_DEFAULT = ["os.call"];

const { Atomics, BulkMemory, BulkMemoryOpt, MutableGlobals, SignExt } = binaryen.Features;
/** What the artifacts use, and what exporting globals takes; more features let Binaryen write more kinds of code. */
const FEATURES = Atomics | BulkMemory | BulkMemoryOpt | MutableGlobals | SignExt;

const PAUSE = "sim.pause";
const ACCESS = "sim.access";
const OUTSIDE = "sim.outside";
const STUCK = "sim.stuck";

/** Turns of loops that a module may make between two pauses: far more than any bounded kernel needs. */
const TURNS_MAX = 50_000_000;
const TURNS_LEFT = "sim:turns-left";

/**
 * The pausable form of a module with one imported memory of fixed size. It imports `sim.pause(site: i32)`,
 * `sim.outside(address: i32, flags: i32)`, `sim.stuck(site: i32)` and, where asked,
 * `sim.access(site: i32, address: i32, flags: i32)`; it exports Asyncify's four functions beside its own.
 * Throws an Error with a message of one line for a module that cannot be made pausable.
 */
export function makePausable(wasm: Uint8Array, options: PausableOptions = {}): Uint8Array {
  const limits = readMemoryImport(wasm);
  if (limits === undefined) refuse("it imports no memory");
  if (limits.maximumPages !== limits.initialPages) refuse("its memory can grow: initial and maximum size differ");
  const pages = limits.initialPages + (options.extraPages ?? EXTRA_PAGES_DEFAULT);
  const enlarged = replaceMemoryImport(wasm, { initialPages: pages, maximumPages: pages, shared: false });
  const module = binaryen.readBinary(enlarged);
  try {
    return new Rewriting(module, limits.initialPages, pages, options).emit();
  } finally {
    module.dispose();
  }
}

/** What is touched by one operation: a static offset from a pointer, and how. */
interface Access {
  readonly pointer: Expression;
  readonly offset: number;
  readonly bytes: number;
  readonly flags: number;
}

class Rewriting {
  private readonly sites: Site[] = [];
  private readonly importOf = new Map<string, string>();
  private readonly memoryBytes: number;
  private readonly pausingImports: readonly string[];
  private functionName = "";

  constructor(
    private readonly module: binaryen.Module,
    private readonly ownPages: number,
    private readonly pages: number,
    private readonly options: PausableOptions,
  ) {
    this.memoryBytes = ownPages * PAGE_BYTES;
    this.pausingImports = options.pausingImports ?? PAUSING_IMPORTS_DEFAULT;
    module.setFeatures(module.getFeatures() | FEATURES);
  }

  emit(): Uint8Array {
    const { module } = this;
    module.runPasses(["flatten"]);
    this.exportGlobals();
    this.rewriteFunctions();
    module.addFunctionImport(PAUSE, "sim", "pause", binaryen.i32, binaryen.none);
    module.addFunctionImport(STUCK, "sim", "stuck", binaryen.i32, binaryen.none);
    const pair = binaryen.createType([binaryen.i32, binaryen.i32]);
    module.addFunctionImport(OUTSIDE, "sim", "outside", pair, binaryen.none);
    if (this.options.memoryAccesses === true) {
      const parameters = binaryen.createType([binaryen.i32, binaryen.i32, binaryen.i32]);
      module.addFunctionImport(ACCESS, "sim", "access", parameters, binaryen.none);
    }
    module.addGlobal(TURNS_LEFT, binaryen.i32, true, module.i32.const(TURNS_MAX));
    module.addCustomSection(
      SITES_SECTION,
      encodeTable({ pages: this.pages, ownPages: this.ownPages, sites: this.sites }),
    );
    return withSettings([PAUSE, ...this.pausingImports], () => {
      module.runPasses(["asyncify"]);
      module.optimize();
      if (module.validate() === 0) throw new Error("the pausable module is not valid: this is a bug of pausable.ts");
      return module.emitBinary();
    });
  }

  /** Exports what a capture must keep besides the memory. */
  private exportGlobals(): void {
    const { module } = this;
    for (let index = 0; index < module.getNumGlobals(); index += 1) {
      const info = binaryen.getGlobalInfo(module.getGlobalByIndex(index));
      if (info.mutable && info.base === null) module.addGlobalExport(info.name, GLOBAL_EXPORT_PREFIX + index);
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
        if (callee === undefined || this.pausingImports.includes(callee)) return statement;
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
        replace(module.i32.const(this.ownPages));
        return statement;
      case binaryen.MemoryGrowId:
        return refuse(`it grows its memory in ${this.functionName}`);
      case binaryen.AtomicWaitId:
      case binaryen.AtomicNotifyId:
        return refuse(`it waits or notifies in ${this.functionName}: harts wait for interrupts instead`);
      case binaryen.SIMDLoadId:
      case binaryen.SIMDLoadStoreLaneId:
        return refuse(`it uses vector accesses in ${this.functionName}`);
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
    if (this.options.memoryAccesses === true) {
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
    if (this.options.loops === true) return this.pause("loop", "");
    const left = () => module.global.get(TURNS_LEFT, binaryen.i32);
    const stuck = module.call(STUCK, [module.i32.const(this.addSite("loop", ""))], binaryen.none);
    return [
      module.global.set(TURNS_LEFT, module.i32.sub(left(), module.i32.const(1))),
      module.if(module.i32.lt_s(left(), module.i32.const(0)), module.block(null, [stuck, module.unreachable()])),
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
    if (this.options.memoryAccesses === true) refuse(`it copies or fills memory in bulk in ${this.functionName}`);
  }
}

function accessOf(info: { ptr: Expression; offset: number; bytes: number }, flags: number): Access {
  return { pointer: info.ptr, offset: info.offset, bytes: info.bytes, flags };
}

/** Binaryen's settings are global to the process: they are set here and put back. */
function withSettings<Result>(pausing: readonly string[], work: () => Result): Result {
  const debugInfo = binaryen.getDebugInfo();
  const optimizeLevel = binaryen.getOptimizeLevel();
  const shrinkLevel = binaryen.getShrinkLevel();
  binaryen.setDebugInfo(true);
  binaryen.setOptimizeLevel(2);
  binaryen.setShrinkLevel(0);
  binaryen.setPassArgument("asyncify-imports", pausing.join(","));
  binaryen.setPassArgument("asyncify-ignore-indirect", "1");
  try {
    return work();
  } finally {
    binaryen.clearPassArguments();
    binaryen.setDebugInfo(debugInfo);
    binaryen.setOptimizeLevel(optimizeLevel);
    binaryen.setShrinkLevel(shrinkLevel);
  }
}

function refuse(reason: string): never {
  throw new Error(`cannot make this module pausable: ${reason}`);
}
