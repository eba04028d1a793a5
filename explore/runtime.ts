// Runtime: the helper functions that every instrumented module carries, written in wasm by hand.
//
// Owner: instrument.ts appends them to the module. They own the control page, the thread blocks, the shadow and the log.
// Invariant: a word of user memory or of a thread's block changes only through `put` or `putUser`, which log the old
// word and keep the sums; so undoing the log restores memory and sums together.
// Pairs with: layout.ts (addresses), resumable.ts and rewrite.ts (call these), program.ts (calls the exported ones).

import { Code } from "./wasm/code.ts";
import type { ValueType } from "./wasm/opcodes.ts";
import { I32, I64 } from "./wasm/opcodes.ts";
import type { FunctionType } from "./wasm/module.ts";
import type { Layout } from "./layout.ts";
import {
  ACCESS,
  BLOCK,
  BLOCK_BYTES,
  CONTENDED,
  CONTROL,
  FAULT,
  GHOST,
  LOG_ENTRY_BYTES,
  SHADOW_BYTES,
  STATUS,
  TRACE_ENTRY_BYTES,
  WATCHED_MAX,
} from "./layout.ts";

/** Mutable globals of the instrumented module, by their place after the module's own. */
export const ENGINE_GLOBALS = [
  "block",
  "thread",
  "top",
  "calleeFrame",
  "callStatus",
  "fuel",
  "pauseStatus",
  "noting",
] as const;
export type EngineGlobal = (typeof ENGINE_GLOBALS)[number];

export const HELPERS = [
  "mix",
  "put",
  "putUser",
  "rawLog",
  "store1",
  "store2",
  "store4",
  "store8",
  "noteWho",
  "noteWord",
  "contended",
  "notePlain",
  "atomicAccess",
  "pend",
  "wait",
  "notify",
  "setGlobal",
  "setStackPointer",
  "clearFrame",
  "outOfFuel",
  "tooDeep",
  "copy",
  "fill",
  "grow",
  "trace",
  "finish",
  "step",
  "expire",
  "undo",
  "advance",
  "restore",
  "prepare",
] as const;
export type Helper = (typeof HELPERS)[number];
export const EXPORTED: readonly Helper[] = [
  "step",
  "advance",
  "expire",
  "undo",
  "restore",
  "prepare",
  "finish",
  "putUser",
  "setGlobal",
];

export interface HelperFunction {
  readonly type: FunctionType;
  readonly locals: readonly ValueType[];
  readonly code: readonly number[];
}

export interface RuntimeContext {
  readonly layout: Layout;
  readonly helper: (name: Helper) => number;
  readonly global: (name: EngineGlobal) => number;
  /** Type index of (i32) -> i32 and of () -> i32, and the table of resume and begin functions. */
  readonly resumeType: number;
  readonly beginType: number;
  readonly table: number;
  /** Table index of the first begin function. */
  readonly firstBegin: number;
  readonly zeroDead: boolean;
  readonly quietInStep: boolean;
  /** Is there a word that is no part of the state? */
  readonly ghosts: boolean;
  readonly plainInStep: boolean;
  readonly countSteps: boolean;
}

const K1 = 0x9e3779b97f4a7c15n;
const K2 = 0xbf58476d1ce4e5b9n;
const K3 = 0x94d049bb133111ebn;

export function runtimeHelpers(context: RuntimeContext): Map<Helper, HelperFunction> {
  const { layout, helper, global } = context;
  const helpers = new Map<Helper, HelperFunction>();
  const define = (name: Helper, params: ValueType[], results: ValueType[], locals: ValueType[], code: Code): void => {
    helpers.set(name, { type: { params, results }, locals, code: code.end().bytes });
  };
  const word = (code: Code, address: number): Code => code.i32(0).load32(address);
  const T = global("block");

  /** x = mix of (place, word): splitmix64's finisher. */
  const mixInto = (code: Code, place: number, value: number, x: number): Code =>
    code
      .get(value)
      .get(place)
      .op(0xad)
      .i64(K1)
      .op(0x7e, 0x85)
      .tee(x)
      .get(x)
      .i64(32n)
      .op(0x88, 0x85)
      .i64(K2)
      .op(0x7e)
      .tee(x)
      .get(x)
      .i64(29n)
      .op(0x88, 0x85)
      .i64(K3)
      .op(0x7e)
      .tee(x)
      .get(x)
      .i64(32n)
      .op(0x88, 0x85);
  define("mix", [I32, I64], [I64], [I64], mixInto(new Code(), 0, 1, 2));

  /** Appends (address, its word) to the log; p is a free i32 local, old holds the word. */
  const pushLog = (code: Code, address: number, old: number, p: number): Code =>
    code
      .i32(0)
      .load32(CONTROL.logTop)
      .tee(p)
      .get(address)
      .store32()
      .get(p)
      .get(old)
      .store64(8)
      .i32(0)
      .get(p)
      .i32(LOG_ENTRY_BYTES)
      .add()
      .store32(CONTROL.logTop);

  // put(address, word): a word of the current thread's block.
  {
    const code = new Code().get(0).load64().tee(2).get(1).op(0x51).if().return().end();
    pushLog(code, 0, 2, 3).get(0).get(1).store64();
    code.get(0).globalGet(T).sub().set(3);
    code.globalGet(T).globalGet(T).load64(BLOCK.sum);
    mixInto(code, 3, 1, 4).op(0x7c);
    mixInto(code, 3, 2, 4).op(0x7d).store64(BLOCK.sum);
    define("put", [I32, I64], [], [I64, I32, I64], code);
  }
  // putUser(address, word): an aligned word of user memory (or of the control page's hashed part).
  {
    const code = new Code().get(0).load64().tee(2).get(1).op(0x51).if().return().end();
    pushLog(code, 0, 2, 3).get(0).get(1).store64();
    code.i32(0).i32(0).load64(CONTROL.memorySum);
    mixInto(code, 0, 1, 4).op(0x7c);
    mixInto(code, 0, 2, 4).op(0x7d).store64(CONTROL.memorySum);
    define("putUser", [I32, I64], [], [I64, I32, I64], code);
  }
  {
    const code = new Code().get(0).load64().set(1);
    define("rawLog", [I32], [], [I64, I32], pushLog(code, 0, 1, 2));
  }
  // storeN(address, value, offset): offset holds the base of user memory already.
  for (const [name, width, opcode] of [
    ["store1", 1, 0x3c],
    ["store2", 2, 0x3d],
    ["store4", 4, 0x3e],
    ["store8", 8, 0x37],
  ] as const) {
    const [address, value, offset, old, now, p, x, at] = [0, 1, 2, 3, 4, 5, 6, 7];
    const code = new Code().get(address).get(offset).add().tee(address).get(offset).ltU().if().unreachable().end();
    if (width > 1) {
      // An access that crosses a word is made byte by byte.
      code
        .get(address)
        .i32(7)
        .and()
        .i32(8 - width)
        .gtU()
        .if();
      for (let i = 0; i < width; i++)
        code
          .get(address)
          .get(value)
          .i64(BigInt(8 * i))
          .op(0x88)
          .i32(i)
          .call(helper("store1"));
      code.return().end();
    }
    code.get(address).i32(-8).and().tee(at).load64().set(old);
    code.get(address).get(value).memory(opcode);
    code.get(at).load64().tee(now).get(old).op(0x51).if().return().end();
    pushLog(code, at, old, p);
    if (context.ghosts) {
      code
        .get(at)
        .plus(-layout.userBase)
        .i32(3)
        .shrU()
        .i32(SHADOW_BYTES)
        .op(0x6c)
        .load64(layout.shadow + 8);
      code.i64(0n).op(0x53).if().return().end();
    }
    code.i32(0).i32(0).load64(CONTROL.memorySum);
    mixInto(code, at, now, x).op(0x7c);
    mixInto(code, at, old, x).op(0x7d).store64(CONTROL.memorySum);
    define(name, [I32, I64, I32], [], [I64, I64, I32, I64, I32], code);
  }

  const fault = (code: Code, kind: number): Code => code.i32(0).i32(kind).store32(CONTROL.fault).unreachable();

  /** How many threads are among who touched a word: the union of the four lanes. */
  const threadsAmong = (code: Code, who: number, mask: bigint): Code =>
    code
      .get(who)
      .get(who)
      .i64(16n)
      .op(0x88, 0x84)
      .get(who)
      .i64(32n)
      .op(0x88, 0x84)
      .get(who)
      .i64(48n)
      .op(0x88, 0x84)
      .i64(mask)
      .op(0x83, 0x7b);
  // noteWho(shadow, lane): this thread touches the word whose shadow that is. Lanes as in noteWord.
  {
    const [shadow, lane, who, watched] = [0, 1, 2, 3];
    const code = new Code().get(shadow).get(shadow).load64(8);
    code.i64(1n).get(lane).i32(4).shl().globalGet(global("thread")).add().op(0xad, 0x86, 0x84).tee(who).store64(8);
    if (context.quietInStep) {
      // A word becomes contended when two threads touch it and somebody writes; what was explored took it for quiet.
      code.get(who).i64(CONTENDED).op(0x83, 0x50);
      code
        .get(who)
        .i64(0xffff0000ffff0000n & ~GHOST)
        .op(0x83, 0x50, 0x45)
        .and();
      threadsAmong(code, who, 0x7fffn).i64(1n).op(0x56).and().if();
      code.get(shadow).get(who).i64(CONTENDED).op(0x84).tee(who).store64(8);
      code.i32(0).i32(1).store32(CONTROL.watchedNew).end();
    }
    code.get(shadow).load32().set(watched);
    // A word becomes watched when two threads touch it, one of them plainly, and somebody writes.
    code.get(watched).eqz().if();
    code.get(who).i64(0xffffffffn).op(0x83, 0x50, 0x45);
    code.get(who).i64(0xffff0000ffff0000n).op(0x83, 0x50, 0x45).and();
    threadsAmong(code, who, 0xffffn).i64(1n).op(0x56).and().if();
    word(code, CONTROL.watched).i32(WATCHED_MAX).geU().if().i32(0).i32(1).store32(CONTROL.watchedFull);
    code.else().get(shadow);
    word(code, CONTROL.watched).plus(1).tee(watched).store32();
    code.i32(0).get(watched).store32(CONTROL.watched).i32(0).i32(1).store32(CONTROL.watchedNew).end();
    code.end().end();
    define("noteWho", [I32, I32], [], [I64, I32], code);
  }
  // contended(address, offset, lane) -> is this atomic access one that other threads can notice?
  if (context.quietInStep) {
    const [address, offset, lane, shadow, who] = [0, 1, 2, 3, 4];
    const answer = (code: Code, value: number): Code => code.if().i32(value).return().end();
    const code = answer(new Code().globalGet(global("thread")).i32(layout.threads).geU(), 0);
    answer(code.get(address).get(offset).add().tee(address).get(offset).ltU(), 1);
    code.get(address).plus(-layout.userBase).i32(3).shrU().tee(address);
    answer(code.i32((layout.userPages * 65536) / 8).geU(), 1);
    code.get(address).i32(SHADOW_BYTES).op(0x6c).plus(layout.shadow).tee(shadow).load64(8).tee(who);
    answer(code.i64(0n).op(0x53), 0);
    code.get(who).get(lane).i32(4).shl().globalGet(global("thread")).add().op(0xad, 0x88, 0xa7).i32(1).and().eqz().if();
    code.get(shadow).get(lane).call(helper("noteWho")).get(shadow).load64(8).set(who).end();
    code.get(who).i64(CONTENDED).op(0x83, 0x50).eqz();
    define("contended", [I32, I32, I32], [I32], [I32, I64], code);
  } else define("contended", [I32, I32, I32], [I32], [], new Code().i32(1));
  // noteWord(index, bytes, lane): lane 0 plain read, 1 plain write, 2 atomic read, 3 atomic write.
  {
    const [index, bytes, lane, shadow, who, watched, other, theirs] = [0, 1, 2, 3, 4, 5, 6, 7];
    const at = 8;
    const code = new Code();
    code
      .get(index)
      .i32((layout.userPages * 65536) / 8)
      .geU()
      .if()
      .return()
      .end();
    code.get(index).i32(SHADOW_BYTES).op(0x6c).plus(layout.shadow).tee(shadow).load64(8).set(who);
    if (context.ghosts) code.get(who).i64(0n).op(0x53).if().return().end();
    code.get(who).get(lane).i32(4).shl().globalGet(global("thread")).add().op(0xad, 0x88, 0xa7).i32(1).and().eqz().if();
    code.get(shadow).get(lane).call(helper("noteWho")).end();
    code.get(shadow).load32().tee(watched).eqz().if().return().end();
    // Does it meet another thread's open footprint?
    code.loop();
    code.get(other).globalGet(global("thread")).ne().if();
    code
      .get(other)
      .i32(BLOCK_BYTES)
      .op(0x6c)
      .get(watched)
      .i32(1)
      .shl()
      .add()
      .memory(0x2f, layout.blocks + layout.footprint - 2)
      .set(theirs);
    code.get(theirs).i32(8).shrU();
    code.get(theirs).i32(0).get(lane).i32(1).and().op(0x1b).or().get(bytes).and().if();
    code.i32(0).get(index).i32(3).shl().store32(CONTROL.faultAddress).i32(0).get(other).store32(CONTROL.faultOther);
    fault(code, FAULT.race).end().end();
    code.get(other).plus(1).tee(other).i32(layout.threads).ltU().brIf(0).end();
    code.get(lane).i32(1).gtU().if().return().end();
    // Add to our own.
    code.get(bytes).get(lane).i32(3).shl().shl().set(bytes);
    code
      .globalGet(T)
      .get(watched)
      .i32(1)
      .shl()
      .add()
      .plus(layout.footprint - 2)
      .set(at);
    code.get(at).i32(-8).and().get(at).i32(-8).and().load64();
    code.get(bytes).op(0xad).get(at).i32(7).and().i32(3).shl().op(0xad, 0x86, 0x84).call(helper("put"));
    define("noteWord", [I32, I32, I32], [], [I32, I64, I32, I32, I32, I32], code);
  }
  // notePlain(address, offset, width << 1 | write) -> address
  {
    const [address, offset, shape, at, mask] = [0, 1, 2, 3, 4];
    const code = new Code().globalGet(global("noting")).eqz().if().get(address).return().end();
    code.get(address).get(offset).add().plus(-layout.userBase).set(at);
    code.i32(1).get(shape).i32(1).shrU().shl().plus(-1).get(at).i32(7).and().shl().set(mask);
    code.get(at).i32(3).shrU().get(mask).i32(255).and().get(shape).i32(1).and().call(helper("noteWord"));
    code.get(mask).i32(8).shrU().tee(mask).if();
    code.get(at).i32(3).shrU().plus(1).get(mask).get(shape).i32(1).and().call(helper("noteWord")).end();
    code.get(address);
    define("notePlain", [I32, I32, I32], [I32], [I32, I32], code);
  }
  // atomicAccess(address, offset, width, write): alignment, one width a location, races with plain accesses.
  {
    const [address, offset, width, write, shadow, range, pattern] = [0, 1, 2, 3, 4, 5, 6];
    const code = new Code().get(address).get(offset).add().tee(address).get(offset).ltU().if().unreachable().end();
    code.get(address).plus(-layout.userBase).set(address);
    code.i32(0).get(address).store32(CONTROL.faultAddress);
    code.get(address).get(width).plus(-1).and().if();
    fault(code, FAULT.unaligned).end();
    code.globalGet(global("noting")).eqz().if().return().end();
    code
      .get(address)
      .i32(layout.userPages * 65536)
      .geU()
      .if()
      .return()
      .end();
    code.get(address).i32(3).shrU().i32(SHADOW_BYTES).op(0x6c).plus(layout.shadow).set(shadow);
    code
      .i64(1n)
      .get(width)
      .i32(2)
      .shl()
      .op(0xad, 0x86)
      .i64(1n)
      .op(0x7d)
      .get(address)
      .i32(7)
      .and()
      .i32(2)
      .shl()
      .op(0xad, 0x86, 0xa7)
      .set(range);
    code.i32(0x11111111).i32(32).get(width).op(0x67).sub().op(0x6c).get(range).and().set(pattern);
    code.get(shadow).load32(4).get(range).and().get(pattern).ne().if();
    code.get(shadow).load32(4).get(range).and().if();
    fault(code, FAULT.mixedWidth).end();
    code.get(shadow).get(shadow).load32(4).get(pattern).or().store32(4).end();
    code
      .get(address)
      .i32(3)
      .shrU()
      .i32(1)
      .get(width)
      .shl()
      .plus(-1)
      .get(address)
      .i32(7)
      .and()
      .shl()
      .get(write)
      .i32(2)
      .or()
      .call(helper("noteWord"));
    define("atomicAccess", [I32, I32, I32, I32], [], [I32, I32, I32], code);
  }
  // pend(address, offset, site << 8 | kind): what the thread will access next. Atomics conflict when their addresses are
  // equal, because one width a location is enforced; plain accesses as pause points are compared by words.
  {
    const code = new Code().globalGet(T).plus(BLOCK.pendingAddress).get(0).get(1).add().plus(-layout.userBase);
    if (!context.plainInStep) code.i32(-8).and();
    code.op(0xad).get(2).op(0xad).i64(32n).op(0x86, 0x84).call(helper("put"));
    define("pend", [I32, I32, I32], [], [], code);
  }

  /** Runs `body` for each thread that waits at the address in local `ea`; `block` then holds its block. */
  const eachWaiter = (code: Code, t: number, block: number, ea: number, body: () => void): void => {
    code.i32(0).set(t).loop();
    code.get(t).i32(BLOCK_BYTES).op(0x6c).plus(layout.blocks).tee(block).load32(BLOCK.status).i32(STATUS.waiting).geU();
    code
      .get(block)
      .load32(BLOCK.wait + 4)
      .get(ea)
      .eq()
      .and()
      .if();
    body();
    code.end().get(t).plus(1).tee(t).i32(layout.threads).ltU().brIf(0).end();
  };
  // wait(address, expected, timeout, offset, width) -> 1 not equal, -1 now sleeping
  {
    const [address, expected, timeout, offset, width, t, block, rank, ea] = [0, 1, 2, 3, 4, 5, 6, 7, 8];
    const code = new Code().get(address).get(offset).get(width).i32(0).call(helper("atomicAccess"));
    code.get(address).get(offset).add().set(ea);
    code
      .get(width)
      .i32(8)
      .eq()
      .op(0x04, I64)
      .get(ea)
      .load64()
      .op(0x05)
      .get(ea)
      .memory(0x35)
      .end()
      .get(expected)
      .op(0x52)
      .if();
    code.i32(1).return().end();
    eachWaiter(code, t, block, ea, () => code.get(rank).plus(1).set(rank));
    code
      .i32(STATUS.waiting)
      .i32(STATUS.waitingTimed)
      .get(timeout)
      .i64(0n)
      .op(0x53)
      .op(0x1b)
      .globalSet(global("pauseStatus"));
    code
      .globalGet(T)
      .plus(BLOCK.wait)
      .get(rank)
      .op(0xad)
      .get(ea)
      .op(0xad)
      .i64(32n)
      .op(0x86, 0x84)
      .call(helper("put"))
      .i32(-1);
    define("wait", [I32, I64, I64, I32, I32], [I32], [I32, I32, I32, I32], code);
  }
  /** Writes a word of another thread's block. */
  const putOther = (code: Code, block: number, offset: number, value: () => void, saved: number): void => {
    code.globalGet(T).set(saved).get(block).globalSet(T).get(block).call(helper("rawLog"));
    code.get(block).plus(offset);
    value();
    code.call(helper("put")).get(saved).globalSet(T);
  };
  /** Status word of a block with another status and the same top. */
  const readied = (code: Code, block: number): void => {
    code.get(block).load64(BLOCK.status).i64(-4294967296n).op(0x83).i64(BigInt(STATUS.ready)).op(0x84);
  };
  // notify(address, count, offset) -> woken
  {
    const [address, count, offset, t, block, ea, woken, saved] = [0, 1, 2, 3, 4, 5, 6, 7];
    const code = new Code().get(address).get(offset).add().tee(ea).plus(-layout.userBase).i32(3).and().if();
    fault(code, FAULT.unaligned).end();
    eachWaiter(code, t, block, ea, () => {
      code.get(block).load32(BLOCK.wait).get(count).ltU().if();
      putOther(code, block, BLOCK.status, () => readied(code, block), saved);
      putOther(code, block, BLOCK.wait, () => code.i64(0n), saved);
      putOther(code, block, BLOCK.pendingAddress, () => code.i64(0n), saved);
      code.get(woken).plus(1).set(woken).else();
      putOther(code, block, BLOCK.wait, () => code.get(block).load64(BLOCK.wait).get(count).op(0xad, 0x7d), saved);
      code.end();
    });
    code.get(woken);
    define("notify", [I32, I32, I32], [I32], [I32, I32, I32, I32, I32], code);
  }
  // expire(thread): the time-out of its wait comes.
  {
    const [thread, t, block, ea, saved, mine] = [0, 1, 2, 3, 4, 5];
    const code = new Code()
      .get(thread)
      .i32(BLOCK_BYTES)
      .op(0x6c)
      .plus(layout.blocks)
      .tee(mine)
      .load32(BLOCK.wait + 4)
      .set(ea);
    eachWaiter(code, t, block, ea, () => {
      code.get(block).load32(BLOCK.wait).get(mine).load32(BLOCK.wait).gtU().if();
      putOther(code, block, BLOCK.wait, () => code.get(block).load64(BLOCK.wait).i64(1n).op(0x7d), saved);
      code.end();
    });
    putOther(code, mine, BLOCK.status, () => readied(code, mine), saved);
    putOther(code, mine, BLOCK.wait, () => code.i64(2n), saved);
    putOther(code, mine, BLOCK.pendingAddress, () => code.i64(0n), saved);
    code.call(helper("finish"));
    define("expire", [I32], [], [I32, I32, I32, I32, I32], code);
  }
  // setGlobal(value, offset in the block)
  define("setGlobal", [I64, I32], [], [], new Code().globalGet(T).get(1).add().get(0).call(helper("put")));
  // setStackPointer: as setGlobal; what a rising pointer releases becomes zero.
  {
    const [value, offset, at] = [0, 1, 2];
    const code = new Code().globalGet(T).get(offset).add().load32().set(at);
    code.get(value).get(offset).call(helper("setGlobal"));
    if (context.zeroDead) {
      code.get(at).plus(7).i32(-8).and().set(at).loop().get(at).plus(7).get(value).op(0xa7).ltU().if();
      code.get(at).plus(layout.userBase).i64(0n).call(helper("putUser")).get(at).plus(8).set(at).br(1).end().end();
    }
    define("setStackPointer", [I64, I32], [], [I32], code);
  }
  // clearFrame(frame, bytes)
  {
    const [frame, end] = [0, 1];
    const code = new Code().get(frame).get(end).add().set(end).loop();
    code.get(frame).i64(0n).call(helper("put")).get(frame).plus(8).tee(frame).get(end).ltU().brIf(0).end();
    define("clearFrame", [I32, I32], [], [], code);
  }
  define("outOfFuel", [], [], [], fault(new Code(), FAULT.plainLoop));
  define("tooDeep", [], [], [], fault(new Code(), FAULT.stackDepth));
  // copy(destination, source, length), fill(destination, byte, length): user addresses.
  {
    const [to, from, length, i] = [0, 1, 2, 3];
    const base = layout.userBase;
    const move = (code: Code, width: number, load: number): void => {
      code
        .get(from)
        .get(i)
        .add()
        .i32(base)
        .i32(width << 1)
        .call(helper("notePlain"));
      code
        .op(0x1a)
        .get(to)
        .get(i)
        .add()
        .i32(base)
        .i32((width << 1) | 1)
        .call(helper("notePlain"))
        .op(0x1a);
      code.get(to).get(i).add().get(from).get(i).add().memory(load, base).i32(base);
      code.call(helper(width === 8 ? "store8" : "store1"));
    };
    const code = new Code().get(to).get(from).gtU().get(to).get(from).get(length).add().ltU().and().if();
    code.get(length).set(i).loop().get(i).if().get(i).plus(-1).set(i);
    move(code, 1, 0x31);
    code.br(1).end().end().return().end();
    code.loop().get(i).plus(8).get(length).op(0x4d).if();
    move(code, 8, 0x29);
    code.get(i).plus(8).set(i).br(1).end().end();
    code.loop().get(i).get(length).ltU().if();
    move(code, 1, 0x31);
    code.get(i).plus(1).set(i).br(1).end().end();
    define("copy", [I32, I32, I32], [], [I32], code);

    const filled = new Code().loop().get(i).get(length).ltU().if();
    filled.get(to).get(i).add().i32(base).i32(3).call(helper("notePlain")).op(0x1a);
    filled.get(to).get(i).add().get(from).op(0xad).i32(base).call(helper("store1"));
    filled.get(i).plus(1).set(i).br(1).end().end();
    define("fill", [I32, I32, I32], [], [I32], filled);
  }
  // grow(pages) -> pages before, or -1
  {
    const code = new Code();
    word(code, CONTROL.pages)
      .tee(1)
      .get(0)
      .add()
      .i32(layout.userPages)
      .gtU()
      .get(0)
      .i32(65536)
      .gtU()
      .or()
      .if()
      .i32(-1)
      .return()
      .end();
    code.i32(CONTROL.pages).get(1).get(0).add().op(0xad).call(helper("putUser")).get(1);
    define("grow", [I32], [I32], [I32], code);
  }
  // trace(site, address, word): traced builds only.
  {
    const code = new Code();
    word(code, CONTROL.traceTop).tee(3).get(0).store32().get(3).get(1).store32(4).get(3).get(2).store64(8);
    code
      .get(3)
      .plus(TRACE_ENTRY_BYTES)
      .tee(3)
      .i32(layout.scratchEnd)
      .ltU()
      .if()
      .i32(0)
      .get(3)
      .store32(CONTROL.traceTop)
      .end();
    define("trace", [I32, I32, I64], [], [I32], code);
  }
  // finish(): fingerprint and masks of the state as it is.
  {
    const [t, block, status, sum] = [0, 1, 2, 3];
    const [enabled, timed, finished] = [4, 5, 6];
    const code = new Code().i32(0).load64(CONTROL.memorySum).set(sum).loop();
    code.get(t).i32(BLOCK_BYTES).op(0x6c).plus(layout.blocks).set(block);
    code
      .get(sum)
      .get(t)
      .i32(2)
      .shl()
      .load32(CONTROL.classes)
      .get(block)
      .load64(BLOCK.sum)
      .call(helper("mix"))
      .op(0x7c)
      .set(sum);
    const mark = (mask: number): Code => code.get(mask).i32(1).get(t).shl().or().set(mask);
    code.get(block).load32(BLOCK.status).tee(status).i32(STATUS.finished).ltU().if();
    mark(enabled).else().get(status).i32(STATUS.finished).eq().if();
    mark(finished).else().get(status).i32(STATUS.waitingTimed).eq().if();
    mark(timed).end().end().end();
    code.get(t).plus(1).tee(t).i32(layout.threads).ltU().brIf(0).end();
    code.i32(0).get(sum).store64(CONTROL.fingerprint);
    code.i32(0).get(enabled).store32(CONTROL.enabled).i32(0).get(timed).store32(CONTROL.timed);
    code.i32(0).get(finished).store32(CONTROL.finished);
    define("finish", [], [], [I32, I32, I32, I64, I32, I32, I32], code);
  }
  // step(thread): its pending access and all plain code up to the next one. Traps when the step is a violation.
  {
    const [thread, result, i, sumBefore, memoryBefore] = [0, 1, 2, 3, 4];
    const code = new Code().get(thread).globalSet(global("thread"));
    code.get(thread).i32(BLOCK_BYTES).op(0x6c).plus(layout.blocks).globalSet(T);
    word(code, CONTROL.noting).get(thread).i32(layout.threads).ltU().and().globalSet(global("noting"));
    code.i32(CONTROL.memorySum).call(helper("rawLog")).globalGet(T).call(helper("rawLog"));
    word(code, CONTROL.plainLoopMax).globalSet(global("fuel")).i32(STATUS.ready).globalSet(global("pauseStatus"));
    if (context.countSteps)
      code.globalGet(T).load64(BLOCK.sum).set(sumBefore).i32(0).load64(CONTROL.memorySum).set(memoryBefore);
    // A step begins with an atomic access: it closes the footprint.
    code.globalGet(T).load32(BLOCK.pendingSite).i32(15).and().i32(ACCESS.plainRead).ltU();
    word(code, CONTROL.watched)
      .i32(0)
      .ne()
      .and()
      .if()
      .loop()
      .globalGet(T)
      .get(i)
      .add()
      .plus(layout.footprint)
      .i64(0n)
      .call(helper("put"));
    code.get(i).plus(8).tee(i);
    word(code, CONTROL.watched).i32(1).shl().ltU().brIf(0).end().end();
    code.globalGet(T).load32(BLOCK.status).eqz().if();
    code
      .globalGet(T)
      .load32(BLOCK.entry)
      .plus(context.firstBegin)
      .callIndirect(context.beginType, context.table)
      .set(result);
    code.else().globalGet(T).load32(BLOCK.top).globalGet(T).add().globalSet(global("top"));
    code
      .loop()
      .globalGet(global("top"))
      .globalGet(global("top"))
      .plus(-8)
      .load32()
      .callIndirect(context.resumeType, context.table)
      .tee(result)
      .eqz()
      .if();
    code.globalGet(global("top")).globalGet(T).plus(layout.frames).ne().brIf(1).end().end().end();
    code.globalGet(T).plus(BLOCK.status);
    code
      .get(result)
      .op(0x04, I64)
      .globalGet(global("pauseStatus"))
      .op(0xad)
      .globalGet(global("top"))
      .globalGet(T)
      .sub()
      .op(0xad)
      .i64(32n)
      .op(0x86, 0x84);
    code.op(0x05).globalGet(T).plus(BLOCK.pendingAddress).i64(0n).call(helper("put"));
    code.i64(BigInt(STATUS.finished)).end().call(helper("put"));
    if (context.countSteps) {
      // A re-read that changes nothing is waiting, not a step.
      code
        .globalGet(T)
        .load64(BLOCK.sum)
        .get(sumBefore)
        .op(0x52)
        .i32(0)
        .load64(CONTROL.memorySum)
        .get(memoryBefore)
        .op(0x52)
        .or()
        .if();
      code.globalGet(T).plus(BLOCK.steps).globalGet(T).load64(BLOCK.steps).i64(1n).op(0x7c).call(helper("put")).end();
    }
    code.call(helper("finish"));
    define("step", [I32], [], [I32, I32, I64, I64], code);
  }
  // undo(mark): writes the old words back, newest first.
  {
    const [mark, p] = [0, 1];
    const code = word(new Code(), CONTROL.logTop).set(p).block().loop().get(p).get(mark).op(0x4d).brIf(1);
    code.get(p).plus(-LOG_ENTRY_BYTES).tee(p).load32().get(p).load64(8).store64().br(0).end().end();
    code.i32(0).get(mark).store32(CONTROL.logTop);
    define("undo", [I32], [], [I32], code);
  }
  // advance(mark, thread) -> threads whose pending access commutes with this thread's. Undoes to the mark, then steps.
  {
    const [mark, thread, t, pending, mine, result, at] = [0, 1, 2, 3, 4, 5, 6];
    const place = (code: Code, index: number): Code => code.get(index).i32(BLOCK_BYTES).op(0x6c).plus(layout.blocks);
    const kind = (code: Code, local: number): Code => code.get(local).load32(BLOCK.pendingSite).i32(15).and();
    const code = new Code().get(mark).call(helper("undo"));
    place(code, thread).tee(mine).load32(BLOCK.pendingAddress).set(pending).loop();
    place(code, t).tee(at).load32(BLOCK.pendingAddress).get(pending).ne();
    kind(code, at).eqz().or();
    kind(code, mine).eqz().or();
    kind(code, at).i32(ACCESS.read).eq();
    kind(code, mine).i32(ACCESS.read).eq().and().or();
    kind(code, at).i32(ACCESS.plainRead).eq();
    kind(code, mine).i32(ACCESS.plainRead).eq().and().or();
    code.get(t).shl().get(result).or().set(result);
    code.get(t).plus(1).tee(t).i32(layout.threads).ltU().brIf(0).end();
    code.get(thread).call(helper("step")).get(result);
    define("advance", [I32, I32], [I32], [I32, I32, I32, I32, I32], code);
  }
  // restore(from, end): applies a snapshot's (address, word) entries.
  {
    const [from, end, at] = [0, 1, 2];
    const code = new Code()
      .loop()
      .get(from)
      .get(end)
      .ltU()
      .if()
      .get(from)
      .load32()
      .tee(at)
      .load64()
      .get(from)
      .load64(8)
      .op(0x52)
      .if();
    code.get(at).call(helper("rawLog")).get(at).get(from).load64(8).store64().end();
    code.get(from).plus(LOG_ENTRY_BYTES).set(from).br(1).end().end();
    define("restore", [I32, I32], [], [I32], code);
  }
  // prepare(thread, entry): the thread will begin that entry at its next step.
  {
    const code = new Code().get(0).i32(BLOCK_BYTES).op(0x6c).plus(layout.blocks).tee(2).globalSet(T);
    code.get(2).call(helper("rawLog")).get(2).plus(BLOCK.status).i64(0n).call(helper("put"));
    code.get(2).get(1).store32(BLOCK.entry);
    define("prepare", [I32, I32], [], [I32], code);
  }
  return helpers;
}
