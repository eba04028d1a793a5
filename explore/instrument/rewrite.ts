// Rewrite: the replacement of one instruction that touches memory or a mutable global, wherever it stands.
//
// Owner: instrument.ts makes the context. Invariant: a replacement takes and leaves what the instruction did.
// Pairs with: runtime-functions.ts (the helpers called), resumable.ts and instrument.ts (the walkers).

import type { Code } from "../../wasm/code.ts";
import type { Instruction, WasmModule } from "../../wasm/module.ts";
import type { ValueType } from "../../wasm/opcodes.ts";
import { I32, Op, accessBytes, effectOf, isPlainLoad, isPlainStore } from "../../wasm/opcodes.ts";
import type { EngineGlobal, Helper } from "./runtime-names.ts";
import type { Layout } from "./engine-layout.ts";
import { BLOCK, CONTROL } from "./engine-layout.ts";
import { assertDefined } from "../../wasm/assert-defined.ts";

/** One place in the module where memory is accessed. */
export interface Site {
  readonly functionIndex: number;
  /** Offset of the instruction in the file. */
  readonly at: number;
  readonly op: number;
}

export interface RewriteContext {
  readonly module: WasmModule;
  readonly layout: Layout;
  readonly helper: (name: Helper) => number;
  readonly global: (name: EngineGlobal) => number;
  /** Index of the shadow stack's pointer among the globals. */
  readonly stackPointer: number | undefined;
  readonly races: boolean;
  /** Can the memory grow? Then accesses are held against its size. */
  readonly grows: boolean;
  readonly traced: boolean;
  /** In the copies that checks run no access is judged; where the invariant reads is marked. */
  readonly inCheck: "none" | "invariant" | "final";
  readonly sites: Site[];
  /** Functions that fill from a segment, by segment. */
  readonly segmentInit: (segment: number) => number;
  /** Where in a thread's block it is recorded that the thread's instance has dropped a segment. */
  readonly segmentDropped: (segment: number) => number;
}

/** Scratch locals of the function that is being rewritten (traced builds use them). */
export type Temporary = (type: ValueType, purpose: "value" | "address") => number;

export function addSite(context: RewriteContext, functionIndex: number, instruction: Instruction): number {
  context.sites.push({ functionIndex, at: instruction.start, op: instruction.op });
  return context.sites.length - 1;
}

/** Counts one iteration of a plain loop; stands behind `loop`. */
export function burnFuel(code: Code, context: RewriteContext): void {
  const fuel = context.global("fuel");
  code.globalGet(fuel).eqz().if().call(context.helper("outOfFuel")).end();
  code.globalGet(fuel).plus(-1).globalSet(fuel);
}

/** Marks a page of user memory as one with access summaries; `page` pushes its number. */
function markSummarized({ summarized }: Layout, page: () => Code): void {
  if (summarized !== undefined) page().i32(1).memory(Op["i32.store8"], summarized);
}

const STORE_HELPER: Record<number, Helper> = { 1: "store1", 2: "store2", 4: "store4", 8: "store8" };

/** The helper that stores a width. */
export function storeHelper(width: number): Helper {
  return assertDefined(STORE_HELPER[width]);
}

function rewriteLoad(
  code: Code,
  instruction: Instruction,
  context: RewriteContext,
  functionIndex: number,
  temporary: Temporary,
): void {
  const width = accessBytes(instruction.op);
  const offset = instruction.b + context.layout.userBase;
  if (context.grows) code.i32(instruction.b).i32(width).call(context.helper("inBounds"));
  if (context.inCheck === "invariant") {
    // The load first: where it traps there is nothing to mark.
    const address = temporary(I32, "address");
    code.tee(address).memory(instruction.op, offset).get(address).plus(instruction.b).i32(3).shrU().i32(1).shl().i32(1);
    code.memory(Op["i32.store8"], context.layout.checked);
    markSummarized(context.layout, () => code.get(address).plus(instruction.b).i32(16).shrU());
    return;
  }
  const recordAccess = (): void => {
    if (context.races && context.inCheck === "none")
      code
        .i32(offset)
        .i32(width << 1)
        .call(context.helper("recordPlainAccess"));
  };
  if (!context.traced) {
    recordAccess();
    code.memory(instruction.op, offset);
    return;
  }
  // Recorded before it is judged, so that the record of a race shows it.
  const site = addSite(context, functionIndex, instruction);
  const address = temporary(I32, "address");
  const type = assertDefined(assertDefined(effectOf(instruction.op)).gives[0]);
  const value = temporary(type, "value");
  code.tee(address).memory(instruction.op, offset).set(value);
  code.i32(site).get(address).plus(instruction.b).get(value).toWord(type).call(context.helper("trace")).get(address);
  recordAccess();
  code.op(Op.drop).get(value);
}

function rewriteStore(
  code: Code,
  instruction: Instruction,
  context: RewriteContext,
  functionIndex: number,
  temporary: Temporary,
): void {
  const width = accessBytes(instruction.op);
  const offset = instruction.b + context.layout.userBase;
  const type = assertDefined(assertDefined(effectOf(instruction.op)).takes[1]);
  if (context.grows || (context.inCheck === "none" && (context.races || context.traced))) {
    const value = temporary(type, "value");
    const address = temporary(I32, "address");
    code.set(value).set(address);
    if (context.traced) {
      const site = addSite(context, functionIndex, instruction);
      code.i32(site).get(address).plus(instruction.b).get(value).toWord(type).call(context.helper("trace"));
    }
    code.get(address);
    if (context.grows) code.i32(instruction.b).i32(width).call(context.helper("inBounds"));
    if (context.races && context.inCheck === "none")
      code
        .i32(offset)
        .i32((width << 1) | 1)
        .call(context.helper("recordPlainAccess"));
    code.get(value);
  }
  code
    .toWord(type)
    .i32(offset)
    .call(context.helper(storeHelper(width)));
}

/** Appends what replaces a plain instruction; most are copied as they are. */
export function rewritePlain(
  code: Code,
  instruction: Instruction,
  context: RewriteContext,
  functionIndex: number,
  temporary: Temporary,
): void {
  const { op, a } = instruction;
  const { module, helper } = context;
  if (isPlainLoad(op)) rewriteLoad(code, instruction, context, functionIndex, temporary);
  else if (isPlainStore(op)) rewriteStore(code, instruction, context, functionIndex, temporary);
  else if (op === Op["global.get"] && assertDefined(module.globals[a]).mutable)
    code.globalGet(context.global("block")).loadWord(assertDefined(module.globals[a]).type, BLOCK.globals + 8 * a);
  else if (op === Op["global.set"])
    code
      .toWord(assertDefined(module.globals[a]).type)
      .i32(BLOCK.globals + 8 * a)
      .call(helper(a === context.stackPointer ? "setStackPointer" : "setGlobal"));
  else if (op === Op["memory.size"]) code.i32(0).load32(CONTROL.pages);
  else if (op === Op["memory.grow"]) code.call(helper("grow"));
  else if (op === Op["memory.init"]) code.call(context.segmentInit(a));
  else if (op === Op["memory.copy"]) code.call(helper("copy"));
  else if (op === Op["memory.fill"]) code.call(helper("fill"));
  else if (op === Op["data.drop"]) code.i64(1n).i32(context.segmentDropped(a)).call(helper("setGlobal"));
  else if (op === Op["atomic.fence"]) return;
  else code.raw(module.bytes.subarray(instruction.start, instruction.end));
}
