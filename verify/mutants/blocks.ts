// Blocks: the basic blocks of an artifact, numbered, with the source lines that they stand for.
//
// A block ends at a branch, at the target of one and where a body opens or closes. Calls do not end it.
// Owner: none, pure. Pairs with: weave.ts (puts a probe into each), coverage.ts.

import { assertDefined } from "../../wasm/assert-defined.ts";
import { Op } from "../../wasm/opcodes.ts";
import type { Artifact } from "./artifact.ts";
import type { BlockAfter } from "./weave.ts";

export interface Block {
  readonly functionIndex: number;
  /** Instructions [from, end) of the function. */
  readonly from: number;
  readonly end: number;
}

export interface Blocks {
  readonly list: readonly Block[];
  /** The number of the block that an instruction lies in. */
  readonly blockOf: (functionIndex: number, instruction: number) => number;
  readonly blockAfter: BlockAfter;
}

const ENDS: ReadonlySet<number> = new Set([Op.loop, Op.if, Op.else, Op.end, Op.br_if]);

export function blocksOf(artifact: Artifact): Blocks {
  const list: Block[] = [];
  const numbers: number[][] = [];
  const begins: Map<number, number>[] = [];
  for (const { index, body } of artifact.functions) {
    const own: number[] = [];
    const first = new Map<number, number>();
    let from = 0;
    const close = (end: number): void => {
      if (end === from) return;
      first.set(from - 1, list.length);
      for (let at = from; at < end; at++) own.push(list.length);
      list.push({ functionIndex: index, from, end });
      from = end;
    };
    for (const [at, { op }] of body.entries()) if (ENDS.has(op)) close(at + 1);
    close(body.length);
    numbers.push(own);
    begins.push(first);
  }
  return {
    list,
    blockOf: (functionIndex, instruction) => assertDefined(numbers[functionIndex]?.[instruction]),
    blockAfter: (functionIndex, instruction) => begins[functionIndex]?.get(instruction),
  };
}
