// Runtime, invisible accesses: who touched a word, and so whether an atomic access to it can be noticed by anybody else.
//
// A word is contended once two threads touch it and one of them writes, or one writes what a check reads. Until then atomic accesses to it are no pause
// points; when one becomes contended, what was explored took it for invisible, and the search begins again.
// Owner: the threads' bits in the shadow. Invariant: bits are only added. Pairs with: runtime-access.ts, resumable.ts.

import { Code } from "../../wasm/code.ts";
import { I32, I64, Op } from "../../wasm/opcodes.ts";
import type { RuntimeBuilder } from "./runtime-builder.ts";
import { markSummarized, word } from "./runtime-builder.ts";
import {
  CONTENDED,
  CONTROL,
  GHOST,
  LOG_ENTRY_BYTES,
  PAUSES_AFTER,
  SHADOW_BYTES,
  RACE_TRACKED_MAX,
} from "./engine-layout.ts";

/** Invisible accesses that one step may make; a pause more is never wrong. */
export const INVISIBLE_MAX = 512;

/** How many threads are among who touched a word: the union of the four lanes. */
const threadsAmong = (code: Code, who: number, mask: bigint): Code =>
  code
    .get(who)
    .get(who)
    .i64(16n)
    .op(Op["i64.shr_u"], Op["i64.or"])
    .get(who)
    .i64(32n)
    .op(Op["i64.shr_u"], Op["i64.or"])
    .get(who)
    .i64(48n)
    .op(Op["i64.shr_u"], Op["i64.or"])
    .i64(mask)
    .op(Op["i64.and"], Op["i64.popcnt"]);

/** Is this thread's bit of the lane absent? */
export const isNewTo = (builder: RuntimeBuilder, code: Code, who: number, lane: number): Code =>
  code
    .get(who)
    .get(lane)
    .i32(4)
    .shl()
    .globalGet(builder.global("thread"))
    .add()
    .op(Op["i64.extend_i32_u"], Op["i64.shr_u"], Op["i32.wrap_i64"])
    .i32(1)
    .and()
    .eqz();

export function invisibleHelpers(builder: RuntimeBuilder): void {
  const { context, layout, helper, global, define } = builder;
  // recordAccessor(shadow, lane): this thread touches the word whose shadow that is. Lanes as in recordWord.
  {
    const [shadow, lane, who, raceTracked] = [0, 1, 2, 3];
    const code = new Code();
    markSummarized(code, layout, () => code.get(shadow).plus(-layout.shadow).i32(17).shrU());
    code.get(shadow).get(shadow).load64(8);
    code
      .i64(1n)
      .get(lane)
      .i32(4)
      .shl()
      .globalGet(global("thread"))
      .add()
      .op(Op["i64.extend_i32_u"], Op["i64.shl"], Op["i64.or"])
      .tee(who)
      .store64(8);
    if (context.coalesceInvisible) {
      code.get(who).i64(CONTENDED).op(Op["i64.and"], Op["i64.eqz"]);
      code
        .get(who)
        .i64(0xffff0000ffff0000n & ~GHOST)
        .op(Op["i64.and"], Op["i64.eqz"], Op["i32.eqz"])
        .and();
      threadsAmong(code, who, 0x7fffn).i64(1n).op(Op["i64.gt_u"]).and().if();
      code.get(shadow).get(who).i64(CONTENDED).op(Op["i64.or"]).tee(who).store64(8);
      code.i32(0).i32(1).store32(CONTROL.raceTrackedNew).end();
    }
    // A word becomes race-tracked when two threads touch it, one of them plainly, and somebody writes.
    code.get(shadow).load32().tee(raceTracked).eqz().if();
    code.get(who).i64(0xffffffffn).op(Op["i64.and"], Op["i64.eqz"], Op["i32.eqz"]);
    code.get(who).i64(0xffff0000ffff0000n).op(Op["i64.and"], Op["i64.eqz"], Op["i32.eqz"]).and();
    threadsAmong(code, who, 0xffffn).i64(1n).op(Op["i64.gt_u"]).and().if();
    word(code, CONTROL.raceTracked).i32(RACE_TRACKED_MAX).geU().if().i32(0).i32(1).store32(CONTROL.raceTrackedFull);
    code.else().get(shadow);
    word(code, CONTROL.raceTracked).plus(1).tee(raceTracked).store32();
    code.i32(0).get(raceTracked).store32(CONTROL.raceTracked).i32(0).i32(1).store32(CONTROL.raceTrackedNew).end();
    code.end().end();
    define("recordAccessor", [I32, I32], [], [I64, I32], code);
  }
  // hide(): the step goes on behind an invisible access. A check may want to see the words that it has changed so far: whether one
  // does is looked up later.
  {
    const [at, p, end] = [0, 1, 2];
    const code = word(new Code().globalGet(global("stepLog")).set(p), CONTROL.logTop)
      .tee(end)
      .globalSet(global("stepLog"));
    code.block().loop().get(p).get(end).geU().brIf(1);
    code.get(p).load32().plus(-layout.userBase).i32(3).shrU().tee(at);
    code
      .i32((layout.userPages * 65536) / 8)
      .ltU()
      .if()
      .get(at)
      .i32(1)
      .memory(Op["i32.store8"], layout.invisibly);
    markSummarized(code, layout, () => code.get(at).i32(13).shrU()).end();
    code.get(p).plus(LOG_ENTRY_BYTES).set(p).br(0).end().end();
    define("hide", [], [], [I32, I32, I32], code);
  }
  // contended(address, offset, lane) -> can other threads notice this atomic access?
  if (context.coalesceInvisible) {
    const [address, offset, lane, shadow, who] = [0, 1, 2, 3, 4];
    const answer = (code: Code, value: number): Code => code.if().i32(value).return().end();
    const code = answer(new Code().globalGet(global("thread")).i32(layout.threads).geU(), 0);
    answer(code.get(address).get(offset).add().tee(address).get(offset).ltU(), 1);
    code.get(address).plus(-layout.userBase).i32(3).shrU().tee(address);
    answer(code.i32((layout.userPages * 65536) / 8).geU(), 1);
    code.get(address).i32(SHADOW_BYTES).op(Op["i32.mul"]).plus(layout.shadow).tee(shadow).load64(8).tee(who);
    answer(code.i64(0n).op(Op["i64.lt_s"]), 0);
    isNewTo(builder, code, who, lane).if();
    code.get(shadow).get(lane).call(helper("recordAccessor")).get(shadow).load64(8).set(who).end();
    answer(code.get(who).i64(CONTENDED).op(Op["i64.and"], Op["i64.eqz"]).eqz(), 1);
    // A check may want to see what the step has made of memory so far, and it alone.
    answer(code.globalGet(global("touched")).i32(PAUSES_AFTER).and(), 1);
    // A thread that waits for what another has not written yet must not wait within one step.
    answer(code.globalGet(global("invisible")).eqz(), 1);
    code.globalGet(global("invisible")).plus(-1).globalSet(global("invisible"));
    code.call(helper("hide"));
    // A check may want to see every value of the word: whether one does is looked up later.
    code.get(lane).i32(3).eq().if().get(address).i32(1).memory(Op["i32.store8"], layout.invisibly);
    markSummarized(code, layout, () => code.get(address).i32(13).shrU())
      .end()
      .i32(0);
    define("contended", [I32, I32, I32], [I32], [I32, I64], code);
  } else define("contended", [I32, I32, I32], [I32], [], new Code().i32(1));
}
