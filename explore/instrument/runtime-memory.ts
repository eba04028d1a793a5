// Runtime, memory: words that are stored, logged, summed and taken back.
//
// Owner: every store of the instrumented module. Invariant: a word of user memory or of a thread's block changes only
// through `put` or `putUser` and the stores, which log the old word and keep the sums; so undoing the log restores both.
// Pairs with: runtime-builder.ts, program.ts (undo, restore).

import { Code } from "../../wasm/code.ts";
import { I32, I64, Op } from "../../wasm/opcodes.ts";
import type { RuntimeBuilder } from "./runtime-builder.ts";
import { mixInto, pushLog, word } from "./runtime-builder.ts";
import { BLOCK, CHECKED_BYTES, CONTROL, LOG_ENTRY_BYTES, PAUSES_AFTER, SHADOW_BYTES } from "./engine-layout.ts";

/** Stores, the undo log, globals, frames, bulk memory. */
export function memoryHelpers(builder: RuntimeBuilder): void {
  const { context, layout, helper, global, define, block: T } = builder;
  /**
   * Has a check read the word at `at`, and does a change of it end the step? A load that begins in the word before may reach
   * into it, so the bytes of both count.
   */
  const touch = (code: Code, at: number): void => {
    code.globalGet(global("touched")).get(at).plus(-layout.userBase).i32(3).shrU().i32(1).shl();
    code
      .load32(layout.checked - CHECKED_BYTES)
      .or()
      .globalSet(global("touched"));
  };
  define("mix", [I32, I64], [I64], [I64], mixInto(new Code(), 0, 1, 2));

  // put(address, word): a word of the current thread's block.
  {
    const code = new Code().get(0).load64().tee(2).get(1).op(Op["i64.eq"]).if().return().end();
    pushLog(code, 0, 2, 3).get(0).get(1).store64();
    code.get(0).globalGet(T).sub().set(3);
    code.globalGet(T).globalGet(T).load64(BLOCK.sum);
    mixInto(code, 3, 1, 4).op(Op["i64.add"]);
    mixInto(code, 3, 2, 4).op(Op["i64.sub"]).store64(BLOCK.sum);
    define("put", [I32, I64], [], [I64, I32, I64], code);
  }
  // putUser(address, word): an aligned word of user memory (or of the control page's hashed part).
  {
    const code = new Code().get(0).load64().tee(2).get(1).op(Op["i64.eq"]).if().return().end();
    pushLog(code, 0, 2, 3).get(0).get(1).store64();
    code.get(0).i32(layout.userBase).ltU().if().i32(PAUSES_AFTER).globalSet(global("touched")).else();
    touch(code, 0);
    code.end().i32(0).i32(0).load64(CONTROL.memorySum);
    mixInto(code, 0, 1, 4).op(Op["i64.add"]);
    mixInto(code, 0, 2, 4).op(Op["i64.sub"]).store64(CONTROL.memorySum);
    define("putUser", [I32, I64], [], [I64, I32, I64], code);
  }
  {
    const code = new Code().get(0).load64().set(1);
    define("rawLog", [I32], [], [I64, I32], pushLog(code, 0, 1, 2));
  }
  // storeN(address, value, offset): offset holds the base of user memory already.
  for (const [name, width, opcode] of [
    ["store1", 1, Op["i64.store8"]],
    ["store2", 2, Op["i64.store16"]],
    ["store4", 4, Op["i64.store32"]],
    ["store8", 8, Op["i64.store"]],
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
          .op(Op["i64.shr_u"])
          .i32(i)
          .call(helper("store1"));
      code.return().end();
    }
    code.get(address).i32(-8).and().tee(at).load64().set(old);
    code.get(address).get(value).memory(opcode);
    code.get(at).load64().tee(now).get(old).op(Op["i64.eq"]).if().return().end();
    pushLog(code, at, old, p);
    touch(code, at);
    if (context.ghosts) {
      code
        .get(at)
        .plus(-layout.userBase)
        .i32(3)
        .shrU()
        .i32(SHADOW_BYTES)
        .op(Op["i32.mul"])
        .load64(layout.shadow + 8);
      code.i64(0n).op(Op["i64.lt_s"]).if().return().end();
    }
    code.i32(0).i32(0).load64(CONTROL.memorySum);
    mixInto(code, at, now, x).op(Op["i64.add"]);
    mixInto(code, at, old, x).op(Op["i64.sub"]).store64(CONTROL.memorySum);
    define(name, [I32, I64, I32], [], [I64, I64, I32, I64, I32], code);
  }

  // setGlobal(value, offset in the block)
  define("setGlobal", [I64, I32], [], [], new Code().globalGet(T).get(1).add().get(0).call(helper("put")));
  // setStackPointer: as setGlobal; what a rising pointer releases becomes zero.
  {
    const [value, offset, at] = [0, 1, 2];
    const code = new Code().globalGet(T).get(offset).add().load32().set(at);
    code.get(value).get(offset).call(helper("setGlobal"));
    if (context.zeroDead) {
      code.get(at).plus(7).i32(-8).and().set(at).loop().get(at).plus(7).get(value).op(Op["i32.wrap_i64"]).ltU().if();
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
        .call(helper("recordPlainAccess"));
      code
        .op(Op.drop)
        .get(to)
        .get(i)
        .add()
        .i32(base)
        .i32((width << 1) | 1)
        .call(helper("recordPlainAccess"))
        .op(Op.drop);
      code.get(to).get(i).add().get(from).get(i).add().memory(load, base).i32(base);
      code.call(helper(width === 8 ? "store8" : "store1"));
    };
    const code = new Code().get(to).get(length).call(helper("inRange")).get(from).get(length).call(helper("inRange"));
    code.get(to).get(from).gtU().get(to).get(from).get(length).add().ltU().and().if();
    code.get(length).set(i).loop().get(i).if().get(i).plus(-1).set(i);
    move(code, 1, Op["i64.load8_u"]);
    code.br(1).end().end().return().end();
    code.loop().get(i).plus(8).get(length).op(Op["i32.le_u"]).if();
    move(code, 8, Op["i64.load"]);
    code.get(i).plus(8).set(i).br(1).end().end();
    code.loop().get(i).get(length).ltU().if();
    move(code, 1, Op["i64.load8_u"]);
    code.get(i).plus(1).set(i).br(1).end().end();
    define("copy", [I32, I32, I32], [], [I32], code);

    const filled = new Code().get(to).get(length).call(helper("inRange")).loop().get(i).get(length).ltU().if();
    filled.get(to).get(i).add().i32(base).i32(3).call(helper("recordPlainAccess")).op(Op.drop);
    filled.get(to).get(i).add().get(from).op(Op["i64.extend_i32_u"]).i32(base).call(helper("store1"));
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
      .i32(layout.modulePages)
      .gtU()
      .get(0)
      .i32(65536)
      .gtU()
      .or()
      .if()
      .i32(-1)
      .return()
      .end();
    code.i32(CONTROL.pages).get(1).get(0).add().op(Op["i64.extend_i32_u"]).call(helper("putUser")).get(1);
    define("grow", [I32], [I32], [I32], code);
  }
  // undo(mark): writes the old words back, newest first.
  {
    const [mark, p] = [0, 1];
    const code = word(new Code(), CONTROL.logTop).set(p).block().loop().get(p).get(mark).op(Op["i32.le_u"]).brIf(1);
    code.get(p).plus(-LOG_ENTRY_BYTES).tee(p).load32().get(p).load64(8).store64().br(0).end().end();
    code.i32(0).get(mark).store32(CONTROL.logTop);
    define("undo", [I32], [], [I32], code);
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
      .op(Op["i64.ne"])
      .if();
    code.get(at).call(helper("rawLog")).get(at).get(from).load64(8).store64().end();
    code.get(from).plus(LOG_ENTRY_BYTES).set(from).br(1).end().end();
    define("restore", [I32, I32], [], [I32], code);
  }
}
