// Operators: which small changes of an artifact are tried at each instruction.
//
// Owner: none, pure. Invariant: a proposal keeps the operand stack's shape; one that does not validate after all (a
// dropped return at the end of its function) is left out by the catalogue.
// Pairs with: structure.ts, splice.ts, atomic-operators.ts (those about atomic accesses).

import { Cursor, pushSigned, pushU32 } from "../../wasm/bytes.ts";
import type { Instruction, WasmModule } from "../../wasm/module.ts";
import { I64, atomicWidth, isAtomic, isPlainLoad, isPlainStore, plainWidth } from "../../wasm/opcodes.ts";
import type { ArtifactFunction } from "./artifact.ts";
import { atomicProposals, swappedAtomics } from "./atomic-operators.ts";
import type { Kind, Proposal } from "./mutant.ts";
import { nameOf } from "./opcode-names.ts";
import { OP, type Structure, calleeType, structureOf } from "./structure.ts";

/** Every proposal for one function, in the order of its instructions. */
export function proposalsFor(module: WasmModule, func: ArtifactFunction): Proposal[] {
  const structure = structureOf(module, func);
  const proposals: Proposal[] = [];
  for (const [index, instruction] of func.body.entries()) {
    if (structure.operands[index] === undefined) continue;
    const context = { module, func, structure, index, instruction };
    proposals.push(
      ...atomicProposals(func, index),
      ...dropped(context),
      ...constants(context),
      ...comparisons(context),
      ...branches(context),
      ...arithmetic(context),
    );
  }
  return [...proposals, ...swappedAtomics(func, structure)].toSorted((a, b) => a.at - b.at);
}

interface Context {
  readonly module: WasmModule;
  readonly func: ArtifactFunction;
  readonly structure: Structure;
  readonly index: number;
  readonly instruction: Instruction;
}

/** The instruction itself becomes these bytes. */
function replaced({ index, instruction }: Context, kind: Kind, bytes: readonly number[], change: string): Proposal {
  return { kind, at: index, patches: [{ from: instruction.start, end: instruction.end, bytes }], change };
}

/** These bytes stand before the instruction. */
function preceded({ index, instruction }: Context, kind: Kind, bytes: readonly number[], change: string): Proposal {
  return { kind, at: index, patches: [{ from: instruction.start, end: instruction.start, bytes }], change };
}

function dropped(context: Context): Proposal[] {
  const { module, func, instruction } = context;
  const { op, a } = instruction;
  if (isPlainStore(op)) return [replaced(context, "store-dropped", [OP.drop, OP.drop], "the store is dropped")];
  if (op === OP.localSet) return [replaced(context, "assignment-dropped", [OP.drop], "the assignment is dropped")];
  if (op === OP.localTee) return [replaced(context, "assignment-dropped", [], "the assignment is dropped")];
  if (op === OP.return) {
    const drops = func.wasm.type.results.map(() => OP.drop);
    return [replaced(context, "return-dropped", drops, "the return is dropped")];
  }
  if (op === OP.br) return [replaced(context, "jump-dropped", [], "the jump is dropped")];
  if (op !== OP.call) return [];
  const type = calleeType(module, a);
  const zeros = type.results.flatMap((result) => [result === I64 ? OP.i64Const : OP.i32Const, 0]);
  return [replaced(context, "call-dropped", [...type.params.map(() => OP.drop), ...zeros], "the call is dropped")];
}

function constants(context: Context): Proposal[] {
  const { func, index, instruction } = context;
  const { op, a, b } = instruction;
  if (op === OP.i32Const || op === OP.i64Const) {
    const value = constantOf(func, instruction);
    const isAnswer = answers(func, index);
    return [1n, -1n].map((step) => {
      const bytes: number[] = [op];
      pushSigned(bytes, BigInt.asIntN(op === OP.i32Const ? 32 : 64, value + step));
      const kind =
        step > 0n ? (isAnswer ? "answer-plus" : "constant-plus") : isAnswer ? "answer-minus" : "constant-minus";
      return replaced(context, kind, bytes, `the constant ${value} becomes ${value + step}`);
    });
  }
  const isAccess = isPlainLoad(op) || isPlainStore(op) || (isAtomic(op) && op >= 0xfe10);
  if (!isAccess) return [];
  const width = isAtomic(op) ? atomicWidth(op) : plainWidth(op);
  const bytes = op >= 0xfe00 ? [0xfe, op & 0xff] : [op];
  pushU32(bytes, a);
  pushU32(bytes, b + width);
  return [replaced(context, "offset", bytes, `${nameOf(op)} accesses the next word`)];
}

function constantOf(func: ArtifactFunction, { start, end }: Instruction): bigint {
  return new Cursor(func.bytes, start + 1, end).signed();
}

/** Whether a constant is what the function returns, as far as the next instructions show it. */
function answers(func: ArtifactFunction, index: number): boolean {
  if (func.wasm.type.results.length === 0) return false;
  const next = func.body[index + 1];
  if (next === undefined) return false;
  return next.op === OP.return || (next.op === OP.end && func.body.slice(index + 1).every(({ op }) => op === OP.end));
}

/** Less than becomes less or equal, and so on: one step of the bound. */
const BOUNDARY: ReadonlyMap<number, number> = new Map([
  ...pairs([0x48, 0x4c], [0x49, 0x4d], [0x4a, 0x4e], [0x4b, 0x4f]),
  ...pairs([0x53, 0x57], [0x54, 0x58], [0x55, 0x59], [0x56, 0x5a]),
]);
/** Each comparison and its contrary. */
const CONTRARY: ReadonlyMap<number, number> = new Map([
  ...pairs([0x46, 0x47], [0x48, 0x4e], [0x49, 0x4f], [0x4a, 0x4c], [0x4b, 0x4d]),
  ...pairs([0x51, 0x52], [0x53, 0x59], [0x54, 0x5a], [0x55, 0x57], [0x56, 0x58]),
]);
/** One neighbour each; unary ones and widenings too. */
const OTHER: ReadonlyMap<number, number> = new Map([
  ...pairs([0x6a, 0x6b], [0x71, 0x72], [0x7c, 0x7d], [0x83, 0x84], [0x67, 0x68], [0xac, 0xad]),
  ...([
    [0x6c, 0x6a],
    [0x6d, 0x6c],
    [0x6e, 0x6c],
    [0x6f, 0x6d],
    [0x70, 0x6e],
    [0x73, 0x72],
    [0x74, 0x76],
    [0x75, 0x74],
    [0x76, 0x74],
    [0x7e, 0x7c],
    [0x7f, 0x7e],
    [0x80, 0x7e],
    [0x81, 0x7f],
    [0x82, 0x80],
    [0x85, 0x84],
    [0x86, 0x88],
    [0x87, 0x86],
    [0x88, 0x86],
  ] as const),
]);

function pairs(...list: readonly (readonly [number, number])[]): (readonly [number, number])[] {
  return list.flatMap(([one, other]) => [[one, other] as const, [other, one] as const]);
}

function comparisons(context: Context): Proposal[] {
  const { func, index, instruction } = context;
  const { op } = instruction;
  const proposals: Proposal[] = [];
  const boundary = BOUNDARY.get(op);
  if (boundary !== undefined) proposals.push(swap(context, "boundary", op, boundary));
  const contrary = CONTRARY.get(op);
  // Where a branch takes the result, turning the branch around is the same change.
  if (contrary !== undefined && !isDecision(func.body[index + 1]))
    proposals.push(swap(context, "comparison-negated", op, contrary));
  return proposals;
}

function isDecision(instruction: Instruction | undefined): boolean {
  const op = instruction?.op;
  return op === OP.if || op === OP.brIf || op === OP.select || op === OP.i32Eqz;
}

function branches(context: Context): Proposal[] {
  const { op } = context.instruction;
  if (op === OP.select) return [preceded(context, "choice-negated", [OP.i32Eqz], "the choice is turned around")];
  if (op !== OP.if && op !== OP.brIf) return [];
  return [
    preceded(context, "branch-negated", [OP.i32Eqz], "the condition is negated"),
    preceded(context, "branch-never", [OP.drop, OP.i32Const, 0], "the condition is false"),
    preceded(context, "branch-always", [OP.drop, OP.i32Const, 1], "the condition is true"),
  ];
}

function arithmetic(context: Context): Proposal[] {
  const { op } = context.instruction;
  const other = OTHER.get(op);
  return other === undefined ? [] : [swap(context, "arithmetic", op, other)];
}

function swap(context: Context, kind: Kind, op: number, other: number): Proposal {
  return replaced(context, kind, [other], `${nameOf(op)} becomes ${nameOf(other)}`);
}
