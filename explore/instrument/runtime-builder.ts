// Runtime builder: the list of helper functions under construction, and the phrases that several of them use.
//
// Owner: runtime-functions.ts makes one for each module. Pairs with: runtime-memory.ts, runtime-access.ts, runtime-wait.ts,
// runtime-step.ts, which write into it.

import { Op } from "../../wasm/opcodes.ts";
import type { Body, Code } from "../../wasm/code.ts";
import type { FunctionType } from "../../wasm/module.ts";
import type { ValueType } from "../../wasm/opcodes.ts";
import type { EngineGlobal, Helper, RuntimeContext } from "./runtime-names.ts";
import { CONTROL, LOG_ENTRY_BYTES } from "./engine-layout.ts";
import type { Layout } from "./engine-layout.ts";

export interface HelperFunction extends Body {
  readonly type: FunctionType;
}

export class RuntimeBuilder {
  readonly helpers = new Map<Helper, HelperFunction>();
  readonly context: RuntimeContext;
  readonly layout: Layout;
  /** Index of the global that holds the current thread's block. */
  readonly block: number;

  constructor(context: RuntimeContext) {
    this.context = context;
    this.layout = context.layout;
    this.block = context.global("block");
  }

  readonly helper = (name: Helper): number => this.context.helper(name);
  readonly global = (name: EngineGlobal): number => this.context.global(name);
  readonly define = (
    name: Helper,
    params: ValueType[],
    results: ValueType[],
    locals: ValueType[],
    code: Code,
  ): void => {
    this.helpers.set(name, { type: { params, results }, locals, code: code.end().bytes });
  };
}

const K1 = 0x9e3779b97f4a7c15n;
const K2 = 0xbf58476d1ce4e5b9n;
const K3 = 0x94d049bb133111ebn;

/** Pushes a 32-bit word of the control page. */
export const word = (code: Code, address: number): Code => code.i32(0).load32(address);

/** x = mix of (place, word): splitmix64's finisher. */
export const mixInto = (code: Code, place: number, value: number, x: number): Code =>
  code
    .get(value)
    .get(place)
    .op(Op["i64.extend_i32_u"])
    .i64(K1)
    .op(Op["i64.mul"], Op["i64.xor"])
    .tee(x)
    .get(x)
    .i64(32n)
    .op(Op["i64.shr_u"], Op["i64.xor"])
    .i64(K2)
    .op(Op["i64.mul"])
    .tee(x)
    .get(x)
    .i64(29n)
    .op(Op["i64.shr_u"], Op["i64.xor"])
    .i64(K3)
    .op(Op["i64.mul"])
    .tee(x)
    .get(x)
    .i64(32n)
    .op(Op["i64.shr_u"], Op["i64.xor"]);
/** Appends (address, its word) to the log; p is a free i32 local, old holds the word. */
export const pushLog = (code: Code, address: number, old: number, p: number): Code =>
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

/** Marks a page of user memory as one with access summaries; `page` pushes its number. */
export function markSummarized(code: Code, { summarized }: Layout, page: () => Code): Code {
  if (summarized !== undefined) page().i32(1).memory(Op["i32.store8"], summarized);
  return code;
}

/** Records why the step fails, and traps. */
export const fault = (code: Code, kind: number): Code => code.i32(0).i32(kind).store32(CONTROL.fault).unreachable();

/** The fingerprint is user memory's sum and the threads' parts; reports whether the step touched what a check reads. */
export const sumUp = (code: Code, touched: number): Code =>
  code
    .i32(0)
    .i32(0)
    .load64(CONTROL.memorySum)
    .i32(0)
    .load64(CONTROL.threadSum)
    .op(Op["i64.add"])
    .store64(CONTROL.fingerprint)
    .i32(0)
    .globalGet(touched)
    .store32(CONTROL.touched);
