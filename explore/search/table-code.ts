// Table code: the WebAssembly module that finds, makes and claims entries of a table which several workers share.
//
// In JavaScript every atomic operation is a call of the runtime, several times as dear as the instruction.
// Owner: shared-table.ts, which instantiates it once a worker. Invariant: as there. Partners: wasm/code.ts (the assembler).

import { Code, functionBody } from "../../wasm/code.ts";
import { encodeLimits, encodeType } from "../../wasm/encode.ts";
import { I32, Op } from "../../wasm/opcodes.ts";
import { EXTERNAL, SECTION, type Section, moduleOf, named, vector } from "../../wasm/sections.ts";

/** Bytes before the first entry: 64 of them for each worker's results. */
export const TABLE_BASE = 65536;
/** Words of a worker's results: where the entry lies (its word, from the first entry on), whether it is new, what was taken. */
export const FOUND = { slot: 0, fresh: 1, takenBefore: 2 } as const;

/** Atomic instructions on i32, aligned, by their second byte. */
const atomic = (code: Code, instruction: number, offset: number): Code => code.memory(instruction, offset, 2);
const LOAD = Op["i32.atomic.load"];
const STORE = Op["i32.atomic.store"];
const ADD = Op["i32.atomic.rmw.add"];
const OR = Op["i32.atomic.rmw.or"];
const CMPXCHG = Op["i32.atomic.rmw.cmpxchg"];

/**
 * `visit(low, high, wanted, results) -> explore` and `hold(slot, by)`, for a table of a power of two of entries in an
 * imported shared memory, "table" "memory".
 */
export function tableCode(entries: number, pages: number): Uint8Array {
  const table = encodeLimits({ initial: pages, maximum: pages, shared: true });
  const exported = (name: string, index: number): number[] => [...named(name), EXTERNAL.function, index];
  const section = (id: number, items: readonly (readonly number[])[]): Section => ({ id, contents: vector(items) });
  return moduleOf([
    section(SECTION.type, [
      encodeType({ params: [I32, I32, I32, I32], results: [I32] }),
      encodeType({ params: [I32, I32], results: [] }),
    ]),
    section(SECTION.import, [[...named("table", "memory"), EXTERNAL.memory, ...table]]),
    section(SECTION.function, [[0], [1]]),
    section(SECTION.export, [exported("visit", 0), exported("hold", 1)]),
    section(SECTION.code, [functionBody([I32, I32, I32, I32], visit(entries)), functionBody([], hold())]),
  ]);
}

function visit(entries: number): readonly number[] {
  const [low, high, wanted, results, index, at, there, taken] = [0, 1, 2, 3, 4, 5, 6, 7];
  const slot = (code: Code): Code => code.get(at).plus(-TABLE_BASE).i32(2).shrU();
  const code = new Code().get(low).get(high).i32(7).shrU().op(Op["i32.xor"]).set(index).loop();
  code
    .get(index)
    .i32(entries - 1)
    .and()
    .i32(4)
    .shl()
    .plus(TABLE_BASE)
    .tee(at)
    .load32()
    .tee(there)
    .eqz()
    .if();
  atomic(code.get(at).i32(0).get(low), CMPXCHG, 0).tee(there).eqz().if();
  // The entry is ours alone until its high word is there.
  code.get(at).get(wanted).store32(8).get(at).get(wanted).i32(0).ne().store32(12);
  atomic(code.get(at).get(high), STORE, 4);
  slot(code.get(results))
    .store32(4 * FOUND.slot)
    .get(results)
    .i32(1)
    .store32(4 * FOUND.fresh);
  code
    .get(results)
    .i32(0)
    .store32(4 * FOUND.takenBefore)
    .get(wanted)
    .return()
    .end()
    .end();
  code.get(there).get(low).eq().if();
  code.get(at).load32(4).tee(there).eqz().if().loop();
  atomic(code.get(at), LOAD, 4).tee(there).eqz().brIf(0).end().end();
  code.get(there).get(high).eq().if();
  // Choices are only added, so what looks taken is taken.
  code.get(at).load32(8).tee(taken).i32(-1).op(Op["i32.xor"]).get(wanted).and().if();
  atomic(code.get(at).get(wanted), OR, 8).set(taken).end();
  slot(code.get(results))
    .store32(4 * FOUND.slot)
    .get(results)
    .i32(0)
    .store32(4 * FOUND.fresh);
  code
    .get(results)
    .get(taken)
    .store32(4 * FOUND.takenBefore);
  code.get(wanted).get(taken).i32(-1).op(Op["i32.xor"]).and().return().end().end();
  code.get(index).plus(1).set(index).br(0).end().unreachable();
  return code.end().bytes;
}

/** Who holds an entry open: its fourth word, see cycle-detection.ts. */
function hold(): readonly number[] {
  const code = new Code().get(0).i32(2).shl().plus(TABLE_BASE).get(1);
  return atomic(code, ADD, 12).op(Op.drop).end().bytes;
}
