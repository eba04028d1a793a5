// Runtime, accesses: what is checked and recorded about each access of a thread.
//
// Owner: the shadow and the open footprints. Invariant: the shadow only grows within a search; footprints are state.
// Pairs with: runtime-builder.ts, rewrite.ts and resumable.ts (call these), program.ts (reads faults).

import { Code } from "../../wasm/code.ts";
import { I32, I64, Op } from "../../wasm/opcodes.ts";
import type { RuntimeBuilder } from "./runtime-builder.ts";
import { fault, markSummarized, word } from "./runtime-builder.ts";
import { isNewTo } from "./runtime-invisible.ts";
import { ACCESS, BLOCK, BLOCK_BYTES, CONTROL, FAULT, SHADOW_BYTES, TRACE_ENTRY_BYTES } from "./engine-layout.ts";

/** Races, widths, alignment, the pending access, bounds, the trace. */
export function accessHelpers(builder: RuntimeBuilder): void {
  const { context, layout, helper, global, define, block: T } = builder;
  // recordWord(index, bytes, lane): lane 0 plain read, 1 plain write, 2 atomic read, 3 atomic write.
  {
    const [index, bytes, lane, shadow, who, raceTracked, other, theirs] = [0, 1, 2, 3, 4, 5, 6, 7];
    const at = 8;
    const code = new Code();
    code
      .get(index)
      .i32((layout.userPages * 65536) / 8)
      .geU()
      .if()
      .return()
      .end();
    code.get(index).i32(SHADOW_BYTES).op(Op["i32.mul"]).plus(layout.shadow).tee(shadow).load64(8).set(who);
    if (context.ghosts) code.get(who).i64(0n).op(Op["i64.lt_s"]).if().return().end();
    isNewTo(builder, code, who, lane).if().get(shadow).get(lane).call(helper("recordAccessor")).end();
    code.get(shadow).load32().set(raceTracked);
    code.get(raceTracked).eqz().if().return().end();
    // Does it meet another thread's open footprint?
    code.loop();
    code.get(other).globalGet(global("thread")).ne().if();
    code
      .get(other)
      .i32(BLOCK_BYTES)
      .op(Op["i32.mul"])
      .get(raceTracked)
      .i32(1)
      .shl()
      .add()
      .memory(Op["i32.load16_u"], layout.blocks + layout.footprint - 2)
      .set(theirs);
    code.get(theirs).i32(8).shrU();
    code.get(theirs).i32(0).get(lane).i32(1).and().op(Op.select).or().get(bytes).and().if();
    code.i32(0).get(index).i32(3).shl().store32(CONTROL.faultAddress).i32(0).get(other).store32(CONTROL.faultOther);
    fault(code, FAULT.race).end().end();
    code.get(other).plus(1).tee(other).i32(layout.threads).ltU().brIf(0).end();
    code.get(lane).i32(1).gtU().if().return().end();
    // Add to our own.
    code.get(bytes).get(lane).i32(3).shl().shl().set(bytes);
    code
      .globalGet(T)
      .get(raceTracked)
      .i32(1)
      .shl()
      .add()
      .plus(layout.footprint - 2)
      .set(at);
    code.get(at).i32(-8).and().get(at).i32(-8).and().load64();
    code
      .get(bytes)
      .op(Op["i64.extend_i32_u"])
      .get(at)
      .i32(7)
      .and()
      .i32(3)
      .shl()
      .op(Op["i64.extend_i32_u"], Op["i64.shl"], Op["i64.or"])
      .call(helper("put"));
    define("recordWord", [I32, I32, I32], [], [I32, I64, I32, I32, I32, I32], code);
  }
  // recordPlainAccess(address, offset, width << 1 | write) -> address
  {
    const [address, offset, shape, at, mask] = [0, 1, 2, 3, 4];
    const code = new Code().globalGet(global("raceTracking")).eqz().if().get(address).return().end();
    code.get(address).get(offset).add().plus(-layout.userBase).set(at);
    code.i32(1).get(shape).i32(1).shrU().shl().plus(-1).get(at).i32(7).and().shl().set(mask);
    code.get(at).i32(3).shrU().get(mask).i32(255).and().get(shape).i32(1).and().call(helper("recordWord"));
    code.get(mask).i32(8).shrU().tee(mask).if();
    code.get(at).i32(3).shrU().plus(1).get(mask).get(shape).i32(1).and().call(helper("recordWord")).end();
    code.get(address);
    define("recordPlainAccess", [I32, I32, I32], [I32], [I32, I32], code);
  }
  // atomicAccess(address, offset, width, write): alignment, one width a location, races with plain accesses.
  {
    const [address, offset, width, write, shadow, range, pattern] = [0, 1, 2, 3, 4, 5, 6];
    const code = new Code().get(address).get(offset).add().tee(address).get(offset).ltU().if().unreachable().end();
    code.get(address).plus(-layout.userBase).set(address);
    code.i32(0).get(address).store32(CONTROL.faultAddress);
    code.get(address).get(width).plus(-1).and().if();
    fault(code, FAULT.unaligned).end();
    code.globalGet(global("raceTracking")).eqz().if().return().end();
    code
      .get(address)
      .i32(layout.userPages * 65536)
      .geU()
      .if()
      .return()
      .end();
    code.get(address).i32(3).shrU().i32(SHADOW_BYTES).op(Op["i32.mul"]).plus(layout.shadow).set(shadow);
    code
      .i64(1n)
      .get(width)
      .i32(2)
      .shl()
      .op(Op["i64.extend_i32_u"], Op["i64.shl"])
      .i64(1n)
      .op(Op["i64.sub"])
      .get(address)
      .i32(7)
      .and()
      .i32(2)
      .shl()
      .op(Op["i64.extend_i32_u"], Op["i64.shl"], Op["i32.wrap_i64"])
      .set(range);
    code.i32(0x11111111).i32(32).get(width).op(Op["i32.clz"]).sub().op(Op["i32.mul"]).get(range).and().set(pattern);
    code.get(shadow).load32(4).get(range).and().get(pattern).ne().if();
    code.get(shadow).load32(4).get(range).and().if();
    fault(code, FAULT.mixedWidth).end();
    code.get(shadow).get(shadow).load32(4).get(pattern).or().store32(4);
    markSummarized(code, layout, () => code.get(address).i32(16).shrU()).end();
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
      .call(helper("recordWord"));
    define("atomicAccess", [I32, I32, I32, I32], [], [I32, I32, I32], code);
  }
  // pend(address, offset, what): what the thread will access next; `what` is the word behind the address in the block.
  {
    const [address, offset, what] = [0, 1, 2];
    const code = new Code().get(address).get(offset).add().plus(-layout.userBase).set(address);
    if (!context.plainInStep) {
      // A plain access that begins in one word and ends in the next.
      code.get(what).i32(15).and().i32(ACCESS.plainRead).geU();
      code.get(address).i32(7).and().i32(1).get(what).i32(4).shrU().i32(3).and().shl().add().i32(8).gtU().and();
      code.if().get(what).i32(ACCESS.bulk).or().set(what).end();
    }
    code.globalGet(T).plus(BLOCK.pendingAddress).get(address);
    code
      .op(Op["i64.extend_i32_u"])
      .get(what)
      .op(Op["i64.extend_i32_u"])
      .i64(32n)
      .op(Op["i64.shl"], Op["i64.or"])
      .call(helper("put"));
    define("pend", [I32, I32, I32], [], [], code);
  }

  // inBounds(address, offset, bytes) -> address: traps past the memory's size, which grows. What lies behind the pages that
  // the module may have (stacks, thread-local variables) is there from the start.
  {
    const [address, offset, bytes, from] = [0, 1, 2, 3];
    const code = new Code()
      .get(address)
      .op(Op["i64.extend_i32_u"])
      .get(offset)
      .op(Op["i64.extend_i32_u"], Op["i64.add"])
      .tee(from)
      .get(bytes)
      .op(Op["i64.extend_i32_u"], Op["i64.add"]);
    code.i32(0).load64(CONTROL.pages).i64(16n).op(Op["i64.shl"], Op["i64.gt_u"]);
    code
      .get(from)
      .i64(BigInt(layout.modulePages) << 16n)
      .op(Op["i64.lt_u"])
      .and();
    code.if().unreachable().end().get(address);
    define("inBounds", [I32, I32, I32], [I32], [I64], code);
  }
  // inRange(address, bytes): the same for bulk accesses, which trap before they begin, even where they are empty.
  {
    const [address, bytes, end] = [0, 1, 2];
    const code = new Code()
      .get(address)
      .op(Op["i64.extend_i32_u"])
      .get(bytes)
      .op(Op["i64.extend_i32_u"], Op["i64.add"])
      .tee(end);
    code
      .i64(BigInt(layout.userPages) << 16n)
      .op(Op["i64.gt_u"])
      .if()
      .unreachable()
      .end();
    if (context.grows) code.get(address).i32(0).get(bytes).call(helper("inBounds")).op(Op.drop);
    define("inRange", [I32, I32], [], [I64], code);
  }

  define("outOfFuel", [], [], [], fault(new Code(), FAULT.plainLoop));
  define("tooDeep", [], [], [], fault(new Code(), FAULT.stackDepth));
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
}
