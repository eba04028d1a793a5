// Entries: the functions that begin a thread, a set-up function or a check, with its arguments.
//
// Owner: none; instrument.ts appends what these return. Pairs with: explore/runtime/step.ts (calls them), index-plan.ts (indices).

import { type Body, Code } from "../../wasm/code.ts";
import { UnsupportedModule } from "../../wasm/module.ts";
import { readNames } from "../../wasm/names.ts";
import { I32, I64 } from "../../wasm/opcodes.ts";
import type { IndexPlan } from "./index-plan.ts";
import type { Entry, InstrumentOptions } from "./instrument-options.ts";
import type { Layout } from "./engine-layout.ts";
import { CONTROL } from "./engine-layout.ts";

/** One entry a thread, the main one included: its block is set up. */
export function threadLocalsEntries({ threads, threadLocals }: InstrumentOptions, layout: Layout): Entry[] {
  if (!threadLocals) return [];
  return Array.from({ length: threads + 1 }, (_, thread) => ({
    functionIndex: threadLocals.initFunction,
    args: [BigInt(layout.threadLocals(thread))],
  }));
}

/** `begin() -> 0 done | 1 paused`. copy: what a check runs in the place of the entry's function. */
export function beginFunction(entry: Entry, copy: number | undefined, plan: IndexPlan, { frames }: Layout): Body {
  const isRun = plan.pausing.has(entry.functionIndex) && copy === undefined;
  const type = plan.typeOf(entry.functionIndex);
  const code = new Code();
  for (const [i, param] of type.params.entries()) {
    const value = entry.args[i] ?? 0n;
    if (param === I32) code.i32(Number(BigInt.asIntN(32, value)));
    else if (param === I64) code.i64(value);
    else
      throw new UnsupportedModule(
        `${readNames(plan.module).functionName(entry.functionIndex)} takes a float; entries take integers`,
      );
  }
  if (isRun) code.globalGet(plan.global("block")).plus(frames).i32(0).call(plan.runOf(entry.functionIndex));
  else {
    const locals = type.results.map((_, i) => i);
    code.call(copy ?? entry.functionIndex);
    for (const i of locals.toReversed()) code.set(i);
    for (const [i, result] of type.results.entries())
      code
        .i32(0)
        .get(i)
        .toWord(result)
        .store64(CONTROL.results + 8 * i);
    code.i32(0);
  }
  return { locals: isRun ? [] : type.results, code: code.end().bytes };
}
