// Atomic operators: changes of atomic accesses: to plain ones, in two halves, without the write, taken for granted, in
// another order.
//
// Owner: none, pure. Only full-width accesses are split in halves: the kernel has no others.
// Pairs with: operators.ts.

import { certain } from "../../explore/certain.ts";
import { pushU32 } from "../../wasm/bytes.ts";
import { Code } from "../../wasm/code.ts";
import type { Instruction } from "../../wasm/module.ts";
import { I32, I64, type ValueType, isAtomic, isAtomicLoad } from "../../wasm/opcodes.ts";
import type { ArtifactFunction } from "./artifact.ts";
import type { Kind, Proposal } from "./mutant.ts";
import { nameOf } from "./opcode-names.ts";
import { OP, type Structure } from "./structure.ts";

const RMW_FIRST = 0xfe1e;
const RMW_LAST = 0xfe4e;
const STORE_FIRST = 0xfe17;
const SHAPES = 7;
/** Operations of a read-modify-write, by (opcode - RMW_FIRST) / SHAPES. */
const [ADD, SUB, AND, OR, XOR, EXCHANGE, COMPARE] = [0, 1, 2, 3, 4, 5, 6] as const;
const OTHER_RMW: ReadonlyMap<number, number> = new Map([
  [ADD, SUB],
  [SUB, ADD],
  [AND, OR],
  [OR, AND],
  [XOR, OR],
]);

/** The plain opcode of each atomic load and store, from 0xfe10 and 0xfe17 on. */
const PLAIN_LOADS = [0x28, 0x29, 0x2d, 0x2f, 0x31, 0x33, 0x35];
const PLAIN_STORES = [0x36, 0x37, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e];

/** Opcodes of a width: atomic and plain load and store, and arithmetic by the operation's number. */
const HALVES = {
  i32: { load: 0xfe10, store: 0xfe17, plainLoad: 0x28, plainStore: 0x36, equal: 0x46 },
  i64: { load: 0xfe11, store: 0xfe18, plainLoad: 0x29, plainStore: 0x37, equal: 0x51 },
} as const;
const ARITHMETIC = { i32: [0x6a, 0x6b, 0x71, 0x72, 0x73], i64: [0x7c, 0x7d, 0x83, 0x84, 0x85] } as const;

/** Writes an access with the alignment and offset of another. */
function access(code: Code, op: number, like: Instruction): Code {
  if (op >= 0xfe00) code.op(0xfe, op & 0xff);
  else code.op(op);
  pushU32(code.bytes, like.a);
  pushU32(code.bytes, like.b);
  return code;
}

export function atomicProposals(func: ArtifactFunction, index: number): Proposal[] {
  const instruction = certain(func.body[index]);
  const { op } = instruction;
  if (!isAtomic(op)) return [];
  const propose = (kind: Kind, code: Code, change: string, locals?: readonly ValueType[]): Proposal => ({
    kind,
    at: index,
    patches: [{ from: instruction.start, end: instruction.end, bytes: code.bytes }],
    change: `${nameOf(op)} ${change}`,
    ...(locals === undefined ? {} : { locals }),
  });
  if (isAtomicLoad(op)) {
    const plain = access(new Code(), certain(PLAIN_LOADS[op - 0xfe10]), instruction);
    return [propose("atomic-to-plain", plain, "becomes a plain load")];
  }
  if (op >= STORE_FIRST && op < RMW_FIRST) {
    const plain = access(new Code(), certain(PLAIN_STORES[op - STORE_FIRST]), instruction);
    return [
      propose("atomic-to-plain", plain, "becomes a plain store"),
      propose("store-dropped", new Code().op(OP.drop, OP.drop), "is dropped"),
    ];
  }
  if (op < RMW_FIRST || op > RMW_LAST) return notifyOrWait(op, propose);
  const shape = (op - RMW_FIRST) % SHAPES;
  if (shape > 1) return [];
  return new ReadModifyWrite(func, index, shape === 0 ? "i32" : "i64", propose).proposals();
}

type Propose = (kind: Kind, code: Code, change: string, locals?: readonly ValueType[]) => Proposal;

function notifyOrWait(op: number, propose: Propose): Proposal[] {
  if (op !== 0xfe00) return [];
  return [propose("call-dropped", new Code().op(OP.drop, OP.drop).i32(0), "is dropped")];
}

class ReadModifyWrite {
  private readonly instruction: Instruction;
  private readonly operation: number;
  /** Numbers of the first further local. */
  private readonly first: number;
  private readonly type: ValueType;

  constructor(
    private readonly func: ArtifactFunction,
    private readonly index: number,
    private readonly width: "i32" | "i64",
    private readonly propose: Propose,
  ) {
    this.instruction = certain(func.body[index]);
    this.operation = Math.floor((this.instruction.op - RMW_FIRST) / SHAPES);
    this.first = func.wasm.type.params.length + func.wasm.locals.length;
    this.type = width === "i32" ? I32 : I64;
  }

  proposals(): Proposal[] {
    const { operation, instruction, width } = this;
    if (operation === COMPARE) return this.compareExchange();
    const isStore = operation === EXCHANGE && this.func.body[this.index + 1]?.op === OP.drop;
    const load = access(new Code().op(OP.drop), HALVES[width].load, instruction);
    const found = [
      this.propose("atomic-to-plain", this.halves("plain"), "becomes a plain load and store", this.temporaries),
      this.propose("rmw-to-load", load, "does not write"),
    ];
    // Whose result is dropped, an exchange is a store, and so is the other half of one.
    if (!isStore)
      found.push(
        this.propose("rmw-to-load-store", this.halves("atomic"), "becomes a load and a store", this.temporaries),
      );
    const other = OTHER_RMW.get(operation);
    if (other !== undefined) {
      const op = instruction.op + (other - operation) * SHAPES;
      found.push(this.propose("rmw-other", access(new Code(), op, instruction), `becomes ${nameOf(op)}`));
    }
    return found;
  }

  /** An address, the operand, what was read; of a compare-exchange the expected value too. */
  private get temporaries(): ValueType[] {
    return [I32, this.type, this.type, this.type];
  }

  private halves(form: "plain" | "atomic"): Code {
    const { first, instruction, operation } = this;
    const opcodes = HALVES[this.width];
    const [load, store] = form === "plain" ? [opcodes.plainLoad, opcodes.plainStore] : [opcodes.load, opcodes.store];
    const code = new Code().set(first + 1).op(OP.localTee);
    pushU32(code.bytes, first);
    access(code, load, instruction).set(first + 2);
    code.get(first);
    if (operation === EXCHANGE) code.get(first + 1);
    else
      code
        .get(first + 2)
        .get(first + 1)
        .op(certain(ARITHMETIC[this.width][operation]));
    return access(code, store, instruction).get(first + 2);
  }

  private compareExchange(): Proposal[] {
    const { first, instruction, width } = this;
    const { load, op } = { load: HALVES[width].load, op: instruction.op };
    const exchange = op - SHAPES;
    const assumed = new Code().set(first + 1).op(OP.localTee);
    pushU32(assumed.bytes, first + 3);
    access(assumed.get(first + 1), op, instruction)
      .op(OP.drop)
      .get(first + 3);
    const stored = access(
      new Code()
        .set(first + 1)
        .op(OP.drop)
        .get(first + 1),
      exchange,
      instruction,
    );
    const unwritten = access(new Code().op(OP.drop, OP.drop), load, instruction);
    return [
      this.propose("cas-assumed", assumed, "is taken to succeed", this.temporaries),
      this.propose("cas-to-store", stored, "writes whatever is there", this.temporaries),
      this.propose("rmw-to-load", unwritten, "does not write"),
      this.propose("cas-to-load-store", this.compareHalves("atomic"), "becomes a load and a store", this.temporaries),
      this.propose("atomic-to-plain", this.compareHalves("plain"), "becomes a plain load and store", this.temporaries),
    ];
  }

  private compareHalves(form: "plain" | "atomic"): Code {
    const { first, instruction } = this;
    const opcodes = HALVES[this.width];
    const [load, store] = form === "plain" ? [opcodes.plainLoad, opcodes.plainStore] : [opcodes.load, opcodes.store];
    const code = new Code()
      .set(first + 1)
      .set(first + 3)
      .op(OP.localTee);
    pushU32(code.bytes, first);
    access(code, load, instruction).set(first + 2);
    code
      .get(first + 2)
      .get(first + 3)
      .op(opcodes.equal)
      .if()
      .get(first)
      .get(first + 1);
    return access(code, store, instruction)
      .end()
      .get(first + 2);
  }
}

/** A statement with one atomic access, moved behind the next atomic access, where nothing in between depends on it. */
export function swappedAtomics(func: ArtifactFunction, { statements }: Structure): Proposal[] {
  const proposals: Proposal[] = [];
  for (const { from, end } of statements) {
    const statement = func.body.slice(from, end);
    if (statement.filter(({ op }) => isAtomic(op)).length !== 1 || statement.some(({ op }) => isControl(op))) continue;
    const next = nextAtomic(func, end);
    if (next === undefined || !commutes(statement, func.body.slice(end, next + 1))) continue;
    const [first, last, after] = [certain(statement[0]), certain(statement.at(-1)), certain(func.body[next])];
    const at = from + statement.findIndex(({ op }) => isAtomic(op));
    proposals.push({
      kind: "atomics-swapped",
      at,
      patches: [
        { from: first.start, end: last.end, bytes: [] },
        { from: after.end, end: after.end, bytes: [...func.bytes.subarray(first.start, last.end)] },
      ],
      change: `${nameOf(certain(func.body[at]).op)} is moved behind the next ${nameOf(after.op)} (line ${func.places[next]?.line ?? 0})`,
    });
  }
  return proposals;
}

const isControl = (op: number): boolean => op <= OP.callIndirect;

function nextAtomic(func: ArtifactFunction, from: number): number | undefined {
  for (let index = from; index < func.body.length; index++) {
    const { op } = certain(func.body[index]);
    if (isAtomic(op)) return index;
    if (isControl(op) && op !== OP.block) return undefined;
  }
  return undefined;
}

/** Whether neither writes a local that the other reads or writes. */
function commutes(one: readonly Instruction[], other: readonly Instruction[]): boolean {
  const isWrite = ({ op }: Instruction): boolean => op === OP.localSet || op === OP.localTee;
  const uses = (list: readonly Instruction[]): Set<number> =>
    new Set(list.filter((each) => isWrite(each) || each.op === OP.localGet).map(({ a }) => a));
  const writes = (list: readonly Instruction[]): number[] => list.filter(isWrite).map(({ a }) => a);
  const [usesOne, usesOther] = [uses(one), uses(other)];
  return writes(one).every((local) => !usesOther.has(local)) && writes(other).every((local) => !usesOne.has(local));
}
