// Wrappers: the functions around those that may pause, those that never do, and memory.init.
//
// Owner: none; instrument.ts appends what these return. Pairs with: resumable.ts (makes `run`), index-plan.ts (indices).

import { type Body, Code } from "../../wasm/code.ts";
import type { DataSegment, FunctionType, WasmFunction } from "../../wasm/module.ts";
import type { ValueType } from "../../wasm/opcodes.ts";
import { F32, F64, I32, I64, Op } from "../../wasm/opcodes.ts";
import { CONTROL } from "./engine-layout.ts";
import type { RewriteContext, Temporary } from "./rewrite.ts";
import { burnFuel, rewritePlain } from "./rewrite.ts";
import type { ResumableContext } from "./resumable-context.ts";

/** A function without pause points: the same structure, its accesses rewritten. `callee`: whom its calls go to. */
export function rewriteNative(
  func: WasmFunction,
  context: RewriteContext,
  callee: (index: number) => number = (index) => index,
): Body {
  const code = new Code();
  const locals = [...func.locals];
  const temporaries = new Map<string, number>();
  const temporary: Temporary = (type, purpose) => {
    const key = `${purpose} ${type}`;
    const known = temporaries.get(key);
    if (known !== undefined) return known;
    const local = func.type.params.length + locals.push(type) - 1;
    temporaries.set(key, local);
    return local;
  };
  for (const instruction of func.body) {
    if (instruction.op === Op.call) code.call(callee(instruction.a));
    else rewritePlain(code, instruction, context, func.index, temporary);
    if (instruction.op === Op.loop) burnFuel(code, context);
  }
  return { locals, code: code.bytes };
}

/** A way into a function that may pause, with its old signature: for calls through the module's table. */
export function oldSignature(func: WasmFunction, { global, runOf }: ResumableContext): Code {
  const code = new Code();
  for (let i = 0; i < func.type.params.length; i++) code.get(i);
  code.globalGet(global("calleeFrame")).i32(0).call(runOf(func.index)).globalSet(global("callStatus"));
  for (const [i, type] of func.type.results.entries()) code.i32(0).loadWord(type, CONTROL.results + 8 * i);
  return code.end();
}

/** Goes on with a function's innermost frame, whose end is the argument: `resume(top) -> 0 done | 1 paused`. */
export function resumeWrapper({ params }: FunctionType, run: number, frameBytes: number): Code {
  const code = new Code();
  const zero: Record<ValueType, () => void> = {
    [I32]: () => code.i32(0),
    [I64]: () => code.i64(0n),
    [F32]: () => code.f32(0n),
    [F64]: () => code.f64(0n),
  };
  for (const type of params) zero[type]();
  code.get(0).plus(-frameBytes).get(0).plus(-4).load32().call(run);
  return code.end();
}

/**
 * memory.init(destination, source, length) of a segment: through a scratch word, for as long as words are left. A segment
 * that was dropped is an empty one, as active segments are from the start.
 */
export function segmentInit(segment: number, { passive, bytes }: DataSegment, context: RewriteContext): Code {
  const { helper, global, layout, races, segmentDropped } = context;
  const code = new Code()
    .get(0)
    .get(2)
    .call(helper("inRange"))
    .get(1)
    .op(Op["i64.extend_i32_u"])
    .get(2)
    .op(Op["i64.extend_i32_u"], Op["i64.add"]);
  code.i64(0n).i64(BigInt(passive ? bytes.length : 0));
  code
    .globalGet(global("block"))
    .load32(segmentDropped(segment))
    .op(Op.select, Op["i64.gt_u"])
    .if()
    .unreachable()
    .end();
  const copy = (width: 1 | 8): void => {
    code.loop().get(2).i32(width).geU().if().i32(CONTROL.scratchWord).get(1).i32(width).memoryInit(segment);
    if (races)
      code
        .get(0)
        .i32(layout.userBase)
        .i32((width << 1) | 1)
        .call(helper("recordPlainAccess"))
        .op(Op.drop);
    code.get(0).i32(0);
    code
      .memory(width === 8 ? Op["i64.load"] : Op["i64.load8_u"], CONTROL.scratchWord)
      .i32(layout.userBase)
      .call(helper(`store${width}`));
    code.get(0).plus(width).set(0).get(1).plus(width).set(1).get(2).plus(-width).set(2).br(1).end().end();
  };
  if (passive) {
    copy(8);
    copy(1);
  }
  return code.end();
}
