// Runtime, steps: one transition of one thread, and what the search wants to know of the state it leads to.
//
// Owner: the control page's fingerprint and masks. Pairs with: runtime-builder.ts, program.ts (calls these).

import { Code } from "../../wasm/code.ts";
import { I32, I64, Op } from "../../wasm/opcodes.ts";
import type { RuntimeBuilder } from "./runtime-builder.ts";
import { sumUp, word } from "./runtime-builder.ts";
import { ACCESS, BLOCK, BLOCK_BYTES, CONTROL, SHADOW_BYTES, STATUS } from "./engine-layout.ts";
import { INVISIBLE_MAX } from "./runtime-invisible.ts";

/** settle, finish, step, advance, check, prepare. */
export function stepHelpers(builder: RuntimeBuilder): void {
  const { context, layout, helper, global, define, block: T } = builder;
  // settle(thread): brings the thread's part of the fingerprint and its bits of the masks up to date with its block.
  {
    const [thread, block, part, status, low, high] = [0, 1, 2, 3, 4, 5];
    const code = new Code().get(thread).i32(BLOCK_BYTES).op(Op["i32.mul"]).plus(layout.blocks).set(block);
    code.get(thread).i32(2).shl().load32(CONTROL.classes).get(block).load64(BLOCK.sum).call(helper("mix")).set(part);
    code.i32(CONTROL.threadSum).call(helper("rawLog")).i32(CONTROL.choices).call(helper("rawLog"));
    code.get(block).plus(BLOCK.part).call(helper("rawLog"));
    code
      .i32(0)
      .i32(0)
      .load64(CONTROL.threadSum)
      .get(part)
      .op(Op["i64.add"])
      .get(block)
      .load64(BLOCK.part)
      .op(Op["i64.sub"]);
    code.store64(CONTROL.threadSum).get(block).get(part).store64(BLOCK.part);
    word(code, CONTROL.choices).i32(0x10001).get(thread).shl().i32(-1).op(Op["i32.xor"]).and().set(low);
    word(code, CONTROL.finished).i32(1).get(thread).shl().i32(-1).op(Op["i32.xor"]).and().set(high);
    const mark = (mask: number, from: number): Code => code.get(mask).i32(from).get(thread).shl().or().set(mask);
    code.get(block).load32(BLOCK.status).tee(status).i32(STATUS.finished).ltU().if();
    mark(low, 1).else().get(status).i32(STATUS.finished).eq().if();
    mark(high, 1).else().get(status).i32(STATUS.waitingTimed).eq().if();
    mark(low, 0x10000).end().end().end();
    code.i32(0).get(low).store32(CONTROL.choices).i32(0).get(high).store32(CONTROL.finished);
    define("settle", [I32], [], [I32, I64, I32, I32, I32], code);
  }
  // finish(): as settle, for every thread; and the fingerprint of the state as it is.
  {
    const code = new Code().loop().get(0).call(helper("settle"));
    code.get(0).plus(1).tee(0).i32(layout.threads).ltU().brIf(0).end();
    define("finish", [], [], [I32], sumUp(code, global("touched")));
  }
  // step(thread): its pending access and all plain code up to the next one. Traps when the step is a violation.
  {
    const [thread, result, i, sumBefore, memoryBefore] = [0, 1, 2, 3, 4];
    const code = new Code().get(thread).globalSet(global("thread"));
    code.get(thread).i32(BLOCK_BYTES).op(Op["i32.mul"]).plus(layout.blocks).globalSet(T);
    word(code, CONTROL.raceTracking).get(thread).i32(layout.threads).ltU().and().globalSet(global("raceTracking"));
    word(code, CONTROL.logTop).globalSet(global("stepLog"));
    code.i32(CONTROL.memorySum).call(helper("rawLog")).globalGet(T).call(helper("rawLog"));
    word(code, CONTROL.plainLoopMax)
      .globalSet(global("fuel"))
      .i32(INVISIBLE_MAX)
      .globalSet(global("invisible"))
      .i32(STATUS.ready)
      .globalSet(global("pauseStatus"))
      .i32(0)
      .globalSet(global("touched"));
    if (context.countSteps)
      code.globalGet(T).load64(BLOCK.sum).set(sumBefore).i32(0).load64(CONTROL.memorySum).set(memoryBefore);
    // A step begins with an atomic access: it closes the footprint.
    code.globalGet(T).load32(BLOCK.pendingSite).i32(15).and().i32(ACCESS.plainRead).ltU();
    word(code, CONTROL.raceTracked)
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
    word(code, CONTROL.raceTracked).i32(1).shl().ltU().brIf(0).end().end();
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
      .op(Op.if, I64)
      .globalGet(global("pauseStatus"))
      .op(Op["i64.extend_i32_u"])
      .globalGet(global("top"))
      .globalGet(T)
      .sub()
      .op(Op["i64.extend_i32_u"])
      .i64(32n)
      .op(Op["i64.shl"], Op["i64.or"]);
    code.op(Op.else).globalGet(T).plus(BLOCK.pendingAddress).i64(0n).call(helper("put"));
    code.i64(BigInt(STATUS.finished)).end().call(helper("put"));
    if (context.countSteps) {
      // A re-read that changes nothing is waiting, not a step.
      code
        .globalGet(T)
        .load64(BLOCK.sum)
        .get(sumBefore)
        .op(Op["i64.ne"])
        .i32(0)
        .load64(CONTROL.memorySum)
        .get(memoryBefore)
        .op(Op["i64.ne"])
        .or()
        .if();
      code
        .globalGet(T)
        .plus(BLOCK.steps)
        .globalGet(T)
        .load64(BLOCK.steps)
        .i64(1n)
        .op(Op["i64.add"])
        .call(helper("put"))
        .end();
    }
    // The main thread is no part of the state.
    code.get(thread).i32(layout.threads).ltU().if().get(thread).call(helper("settle"));
    define("step", [I32], [], [I32, I32, I64, I64], sumUp(code, global("touched")).end());
  }
  const place = (code: Code, index: number): Code =>
    code.get(index).i32(BLOCK_BYTES).op(Op["i32.mul"]).plus(layout.blocks);
  const kind = (code: Code, local: number): Code => code.get(local).load32(BLOCK.pendingSite).i32(15).and();
  // meets(theirs, mine) -> does the pending atomic access of block `theirs` conflict with the open footprint of block `mine`?
  {
    const [theirs, mine, address, raceTracked, bytes] = [0, 1, 2, 3, 4];
    const no = (code: Code): Code => code.if().i32(0).return().end();
    const code = new Code();
    no(kind(code, theirs).plus(-ACCESS.read).i32(ACCESS.wait).geU());
    code.get(theirs).load32(BLOCK.pendingAddress).tee(address).i32(3).shrU().tee(raceTracked);
    no(code.i32((layout.userPages * 65536) / 8).geU());
    code.get(raceTracked).i32(SHADOW_BYTES).op(Op["i32.mul"]).plus(layout.shadow).load32().tee(raceTracked);
    no(code.eqz());
    code
      .get(mine)
      .get(raceTracked)
      .i32(1)
      .shl()
      .add()
      .memory(Op["i32.load16_u"], layout.footprint - 2)
      .set(bytes);
    code.get(bytes).i32(8).shrU();
    kind(code.get(bytes).i32(0), theirs).i32(ACCESS.write).eq().op(Op.select).or();
    code.i32(1).i32(1).get(theirs).load32(BLOCK.pendingSite).i32(4).shrU().i32(3).and().shl().shl().plus(-1);
    code.get(address).i32(7).and().shl().and().i32(255).and();
    define("meets", [I32, I32], [I32], [I32, I32, I32], code);
  }
  // advance(mark, thread, among) -> those of the threads `among` whose pending access commutes with this thread's step;
  // both bits of a thread, for its step and for its time-out. Undoes to the mark, then steps.
  // Two steps commute unless: their atomic accesses conflict, or the plain accesses of the one conflict with the atomic
  // access of the other. The step's own plain accesses are known after it. Those of the other are not asked for: it was
  // taken before from here or further up, and then this thread's step met its open footprint, which is a race.
  {
    const [mark, thread, among, t, pending, mine, result, at] = [0, 1, 2, 3, 4, 5, 6, 7];
    const code = new Code().get(mark).call(helper("undo"));
    code.get(among).get(among).i32(16).shrU().or().i32(0xffff).and().tee(among).if();
    place(code, thread).tee(mine).load32(BLOCK.pendingAddress).set(pending).loop();
    place(code.get(among).op(Op["i32.ctz"]).tee(t).op(Op.drop), t)
      .tee(at)
      .load32(BLOCK.pendingAddress)
      .get(pending)
      .op(Op["i32.xor"]);
    // Where races are judged one width a location is enforced; else accesses of one word may overlap.
    code
      .i32(context.races ? -1 : -8)
      .and()
      .eqz()
      .eqz();
    kind(code, at).i32(ACCESS.bulk).ne().and();
    kind(code, mine).i32(ACCESS.bulk).ne().and();
    kind(code, at).eqz().or();
    kind(code, mine).eqz().or();
    kind(code, at).i32(ACCESS.read).eq();
    kind(code, mine).i32(ACCESS.read).eq().and().or();
    kind(code, at).i32(ACCESS.plainRead).eq();
    kind(code, mine).i32(ACCESS.plainRead).eq().and().or();
    code.i32(0x10001).op(Op["i32.mul"]).get(t).shl().get(result).or().set(result);
    code.get(among).get(among).plus(-1).and().tee(among).brIf(0).end().end();
    code.get(thread).call(helper("step"));
    if (context.races) {
      code.get(result).i32(0xffff).and().tee(among).if().loop();
      place(code.get(among).op(Op["i32.ctz"]).tee(t).op(Op.drop), t).get(mine).call(helper("meets")).if();
      code.get(result).i32(0x10001).get(t).shl().i32(-1).op(Op["i32.xor"]).and().set(result).end();
      code.get(among).get(among).plus(-1).and().tee(among).brIf(0).end().end();
    }
    code.get(result);
    define("advance", [I32, I32, I32], [I32], [I32, I32, I32, I32, I32], code);
  }
  // check(entry): runs a check that needs no steps, on the main thread's block; its result. The caller takes it back.
  {
    const code = new Code().i32(layout.threads).globalSet(global("thread"));
    code
      .i32(layout.blocks + layout.threads * BLOCK_BYTES)
      .globalSet(T)
      .i32(0)
      .globalSet(global("raceTracking"));
    code.i32(CONTROL.memorySum).call(helper("rawLog")).globalGet(T).call(helper("rawLog"));
    word(code, CONTROL.plainLoopMax).globalSet(global("fuel"));
    code.get(0).plus(context.firstBegin).callIndirect(context.beginType, context.table).op(Op.drop);
    define("check", [I32], [I32], [], word(code, CONTROL.results));
  }
  // prepare(thread, entry): the thread will begin that entry at its next step.
  {
    const code = new Code().get(0).i32(BLOCK_BYTES).op(Op["i32.mul"]).plus(layout.blocks).tee(2).globalSet(T);
    code.get(2).call(helper("rawLog")).get(2).plus(BLOCK.status).i64(0n).call(helper("put"));
    code.get(2).get(1).store32(BLOCK.entry);
    define("prepare", [I32, I32], [], [I32], code);
  }
}
