// Runtime, waiting: memory.atomic.wait and notify, first in, first out, and time-outs.
//
// Owner: the wait word of each thread's block: rank and address while it sleeps, then what its wait returns.
// Pairs with: runtime-builder.ts, resumable.ts (falls asleep and wakes), runtime-step.ts.

import { Code } from "../../wasm/code.ts";
import { I32, I64, Op } from "../../wasm/opcodes.ts";
import type { RuntimeBuilder } from "./runtime-builder.ts";
import { fault, sumUp } from "./runtime-builder.ts";
import { BLOCK, BLOCK_BYTES, FAULT, STATUS } from "./engine-layout.ts";

/** wait, notify, expire. */
export function waitHelpers(builder: RuntimeBuilder): void {
  const { layout, helper, global, define, block: T } = builder;
  /** Runs `body` for each thread that waits at the address in local `ea`; `block` then holds its block. */
  const eachWaiter = (code: Code, t: number, block: number, ea: number, body: () => void): void => {
    code.i32(0).set(t).loop();
    code
      .get(t)
      .i32(BLOCK_BYTES)
      .op(Op["i32.mul"])
      .plus(layout.blocks)
      .tee(block)
      .load32(BLOCK.status)
      .i32(STATUS.waiting)
      .geU();
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
      .op(Op.if, I64)
      .get(ea)
      .load64()
      .op(Op.else)
      .get(ea)
      .memory(Op["i64.load32_u"])
      .end()
      .get(expected)
      .op(Op["i64.ne"])
      .if();
    code.i32(1).return().end();
    eachWaiter(code, t, block, ea, () => code.get(rank).plus(1).set(rank));
    code
      .i32(STATUS.waiting)
      .i32(STATUS.waitingTimed)
      .get(timeout)
      .i64(0n)
      .op(Op["i64.lt_s"])
      .op(Op.select)
      .globalSet(global("pauseStatus"));
    code
      .globalGet(T)
      .plus(BLOCK.wait)
      .get(rank)
      .op(Op["i64.extend_i32_u"])
      .get(ea)
      .op(Op["i64.extend_i32_u"])
      .i64(32n)
      .op(Op["i64.shl"], Op["i64.or"])
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
    code.get(block).load64(BLOCK.status).i64(-4294967296n).op(Op["i64.and"]).i64(BigInt(STATUS.ready)).op(Op["i64.or"]);
  };
  // notify(address, count, offset) -> woken
  {
    const [address, count, offset, t, block, ea, woken, saved] = [0, 1, 2, 3, 4, 5, 6, 7];
    const code = new Code().get(address).get(offset).add().tee(ea).get(offset).ltU().if().unreachable().end();
    code.get(ea).plus(-layout.userBase).i32(3).and().if();
    fault(code, FAULT.unaligned).end();
    // Out of bounds it traps, though it reads nothing.
    code.get(ea).load32().op(Op.drop);
    eachWaiter(code, t, block, ea, () => {
      code.get(block).load32(BLOCK.wait).get(count).ltU().if();
      putOther(code, block, BLOCK.status, () => readied(code, block), saved);
      putOther(code, block, BLOCK.wait, () => code.i64(0n), saved);
      putOther(code, block, BLOCK.pendingAddress, () => code.i64(0n), saved);
      code.get(woken).plus(1).set(woken).else();
      putOther(
        code,
        block,
        BLOCK.wait,
        () => code.get(block).load64(BLOCK.wait).get(count).op(Op["i64.extend_i32_u"], Op["i64.sub"]),
        saved,
      );
      code.end().get(t).call(helper("settle"));
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
      .op(Op["i32.mul"])
      .plus(layout.blocks)
      .tee(mine)
      .load32(BLOCK.wait + 4)
      .set(ea);
    eachWaiter(code, t, block, ea, () => {
      code.get(block).load32(BLOCK.wait).get(mine).load32(BLOCK.wait).gtU().if();
      putOther(code, block, BLOCK.wait, () => code.get(block).load64(BLOCK.wait).i64(1n).op(Op["i64.sub"]), saved);
      code.get(t).call(helper("settle")).end();
    });
    putOther(code, mine, BLOCK.status, () => readied(code, mine), saved);
    putOther(code, mine, BLOCK.wait, () => code.i64(2n), saved);
    putOther(code, mine, BLOCK.pendingAddress, () => code.i64(0n), saved);
    code.get(thread).call(helper("settle")).i32(0).globalSet(global("touched"));
    define("expire", [I32], [], [I32, I32, I32, I32, I32], sumUp(code, global("touched")));
  }
}
