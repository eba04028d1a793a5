// Operators: which small changes of an artifact are tried at each instruction.
//
// Owner: none, pure. Invariant: a proposal keeps the operand stack's shape; one that does not validate after all (a
// dropped return at the end of its function) is left out by the catalogue.
// Pairs with: structure.ts, splice.ts, atomic-operators.ts (those about atomic accesses).

import { assertDefined } from "../../wasm/assert-defined.ts";
import { Code } from "../../wasm/code.ts";
import { constantInstruction } from "../../wasm/constant.ts";
import type { Instruction, WasmModule } from "../../wasm/module.ts";
import { I32, I64, Op, accessBytes, isAtomicAccess, isPlainLoad, isPlainStore, nameOf } from "../../wasm/opcodes.ts";
import type { ArtifactFunction } from "./artifact.ts";
import { atomicProposals, swappedAtomics } from "./atomic-operators.ts";
import type { Kind, Proposal } from "./mutant.ts";
import { type Structure, calleeType, structureOf } from "./structure.ts";

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
  if (isPlainStore(op)) return [replaced(context, "store-dropped", [Op.drop, Op.drop], "the store is dropped")];
  if (op === Op["local.set"]) return [replaced(context, "assignment-dropped", [Op.drop], "the assignment is dropped")];
  if (op === Op["local.tee"]) return [replaced(context, "assignment-dropped", [], "the assignment is dropped")];
  if (op === Op.return) {
    const drops = func.wasm.type.results.map(() => Op.drop);
    return [replaced(context, "return-dropped", drops, "the return is dropped")];
  }
  if (op === Op.br) return [replaced(context, "jump-dropped", [], "the jump is dropped")];
  if (op !== Op.call) return [];
  const type = calleeType(module, a);
  const zeros = type.results.flatMap((result) => [result === I64 ? Op["i64.const"] : Op["i32.const"], 0]);
  return [replaced(context, "call-dropped", [...type.params.map(() => Op.drop), ...zeros], "the call is dropped")];
}

function constants(context: Context): Proposal[] {
  const { func, index, instruction } = context;
  const { op, a, b } = instruction;
  if (op === Op["i32.const"] || op === Op["i64.const"]) {
    const value = assertDefined(instruction.value);
    const isAnswer = answers(func, index);
    return [1n, -1n].map((step) => {
      const bytes = constantInstruction(op === Op["i32.const"] ? I32 : I64, value + step);
      const kind =
        step > 0n ? (isAnswer ? "answer-plus" : "constant-plus") : isAnswer ? "answer-minus" : "constant-minus";
      return replaced(context, kind, bytes, `the constant ${value} becomes ${value + step}`);
    });
  }
  const isAccess = isPlainLoad(op) || isPlainStore(op) || isAtomicAccess(op);
  if (!isAccess) return [];
  const { bytes } = new Code().memory(op, b + accessBytes(op), a);
  return [replaced(context, "offset", bytes, `${nameOf(op)} accesses the next word`)];
}

/** Whether a constant is what the function returns, as far as the next instructions show it. */
function answers(func: ArtifactFunction, index: number): boolean {
  if (func.wasm.type.results.length === 0) return false;
  const next = func.body[index + 1];
  if (next === undefined) return false;
  return next.op === Op.return || (next.op === Op.end && func.body.slice(index + 1).every(({ op }) => op === Op.end));
}

/** Less than becomes less or equal, and so on: one step of the bound. */
const BOUNDARY: ReadonlyMap<number, number> = new Map([
  ...pairs(
    [Op["i32.lt_s"], Op["i32.le_s"]],
    [Op["i32.lt_u"], Op["i32.le_u"]],
    [Op["i32.gt_s"], Op["i32.ge_s"]],
    [Op["i32.gt_u"], Op["i32.ge_u"]],
  ),
  ...pairs(
    [Op["i64.lt_s"], Op["i64.le_s"]],
    [Op["i64.lt_u"], Op["i64.le_u"]],
    [Op["i64.gt_s"], Op["i64.ge_s"]],
    [Op["i64.gt_u"], Op["i64.ge_u"]],
  ),
]);
/** Each comparison and its contrary. */
const CONTRARY: ReadonlyMap<number, number> = new Map([
  ...pairs(
    [Op["i32.eq"], Op["i32.ne"]],
    [Op["i32.lt_s"], Op["i32.ge_s"]],
    [Op["i32.lt_u"], Op["i32.ge_u"]],
    [Op["i32.gt_s"], Op["i32.le_s"]],
    [Op["i32.gt_u"], Op["i32.le_u"]],
  ),
  ...pairs(
    [Op["i64.eq"], Op["i64.ne"]],
    [Op["i64.lt_s"], Op["i64.ge_s"]],
    [Op["i64.lt_u"], Op["i64.ge_u"]],
    [Op["i64.gt_s"], Op["i64.le_s"]],
    [Op["i64.gt_u"], Op["i64.le_u"]],
  ),
]);
/** One neighbour each; unary ones and widenings too. */
const OTHER: ReadonlyMap<number, number> = new Map([
  ...pairs(
    [Op["i32.add"], Op["i32.sub"]],
    [Op["i32.and"], Op["i32.or"]],
    [Op["i64.add"], Op["i64.sub"]],
    [Op["i64.and"], Op["i64.or"]],
    [Op["i32.clz"], Op["i32.ctz"]],
    [Op["i64.extend_i32_s"], Op["i64.extend_i32_u"]],
  ),
  ...([
    [Op["i32.mul"], Op["i32.add"]],
    [Op["i32.div_s"], Op["i32.mul"]],
    [Op["i32.div_u"], Op["i32.mul"]],
    [Op["i32.rem_s"], Op["i32.div_s"]],
    [Op["i32.rem_u"], Op["i32.div_u"]],
    [Op["i32.xor"], Op["i32.or"]],
    [Op["i32.shl"], Op["i32.shr_u"]],
    [Op["i32.shr_s"], Op["i32.shl"]],
    [Op["i32.shr_u"], Op["i32.shl"]],
    [Op["i64.mul"], Op["i64.add"]],
    [Op["i64.div_s"], Op["i64.mul"]],
    [Op["i64.div_u"], Op["i64.mul"]],
    [Op["i64.rem_s"], Op["i64.div_s"]],
    [Op["i64.rem_u"], Op["i64.div_u"]],
    [Op["i64.xor"], Op["i64.or"]],
    [Op["i64.shl"], Op["i64.shr_u"]],
    [Op["i64.shr_s"], Op["i64.shl"]],
    [Op["i64.shr_u"], Op["i64.shl"]],
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
  return op === Op.if || op === Op.br_if || op === Op.select || op === Op["i32.eqz"];
}

function branches(context: Context): Proposal[] {
  const { op } = context.instruction;
  if (op === Op.select) return [preceded(context, "choice-negated", [Op["i32.eqz"]], "the choice is turned around")];
  if (op !== Op.if && op !== Op.br_if) return [];
  return [
    preceded(context, "branch-negated", [Op["i32.eqz"]], "the condition is negated"),
    preceded(context, "branch-never", [Op.drop, Op["i32.const"], 0], "the condition is false"),
    preceded(context, "branch-always", [Op.drop, Op["i32.const"], 1], "the condition is true"),
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
