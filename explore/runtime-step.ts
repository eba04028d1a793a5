// Runtime, steps: one transition of one thread, and what the search wants to know of the state it leads to.
//
// Owner: the control page's fingerprint and masks. Pairs with: helper-book.ts, program.ts (calls these).

import { Code } from "./wasm/code.ts";
import { I32, I64 } from "./wasm/opcodes.ts";
import type { HelperBook } from "./helper-book.ts";
import { word } from "./helper-book.ts";
import { ACCESS, BLOCK, BLOCK_BYTES, CONTROL, STATUS } from "./layout.ts";
import { QUIET_MAX } from "./runtime-quiet.ts";

/** finish, step, advance, prepare. */
export function stepHelpers(book: HelperBook): void {
  const { context, layout, helper, global, define, block: T } = book;
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
    word(code, CONTROL.plainLoopMax)
      .globalSet(global("fuel"))
      .i32(QUIET_MAX)
      .globalSet(global("quiet"))
      .i32(STATUS.ready)
      .globalSet(global("pauseStatus"));
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
  // prepare(thread, entry): the thread will begin that entry at its next step.
  {
    const code = new Code().get(0).i32(BLOCK_BYTES).op(0x6c).plus(layout.blocks).tee(2).globalSet(T);
    code.get(2).call(helper("rawLog")).get(2).plus(BLOCK.status).i64(0n).call(helper("put"));
    code.get(2).get(1).store32(BLOCK.entry);
    define("prepare", [I32, I32], [], [I32], code);
  }
}
