// Atomic operators: changes of atomic accesses: to plain ones, in two halves, without the write, taken for granted, in
// another order.
//
// Owner: none, pure. Only full-width accesses are split in halves: the kernel has no others.
// Pairs with: operators.ts.

import { assertDefined } from "../../wasm/assert-defined.ts";
import { Code } from "../../wasm/code.ts";
import type { Instruction } from "../../wasm/module.ts";
import {
  I32,
  Op,
  type RmwOperation,
  type ValueType,
  isAtomic,
  isAtomicLoad,
  isAtomicStore,
  isReadModifyWrite,
  nameOf,
  opNamed,
  plainForm,
  readModifyWriteOf,
  withOperation,
} from "../../wasm/opcodes.ts";
import type { ArtifactFunction } from "./artifact.ts";
import type { Kind, Proposal } from "./mutant.ts";
import type { Structure } from "./structure.ts";

const OTHER_RMW: Readonly<Partial<Record<RmwOperation, RmwOperation>>> = {
  add: "sub",
  sub: "add",
  and: "or",
  or: "and",
  xor: "or",
};

/** Opcodes of a width: atomic and plain load and store, and the comparison. */
const HALVES = {
  i32: {
    load: Op["i32.atomic.load"],
    store: Op["i32.atomic.store"],
    plainLoad: Op["i32.load"],
    plainStore: Op["i32.store"],
    equal: Op["i32.eq"],
  },
  i64: {
    load: Op["i64.atomic.load"],
    store: Op["i64.atomic.store"],
    plainLoad: Op["i64.load"],
    plainStore: Op["i64.store"],
    equal: Op["i64.eq"],
  },
} as const;

/** Writes an access with the alignment and offset of another. */
function access(code: Code, op: number, like: Instruction): Code {
  return code.memory(op, like.b, like.a);
}

export function atomicProposals(func: ArtifactFunction, index: number): Proposal[] {
  const instruction = assertDefined(func.body[index]);
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
    const plain = access(new Code(), plainForm(op), instruction);
    return [propose("atomic-to-plain", plain, "becomes a plain load")];
  }
  if (isAtomicStore(op)) {
    const plain = access(new Code(), plainForm(op), instruction);
    return [
      propose("atomic-to-plain", plain, "becomes a plain store"),
      propose("store-dropped", new Code().op(Op.drop, Op.drop), "is dropped"),
    ];
  }
  if (!isReadModifyWrite(op)) return notifyOrWait(op, propose);
  const { type, bytes } = readModifyWriteOf(op);
  if (bytes !== (type === I32 ? 4 : 8)) return [];
  return new FullUpdate(func, index, propose).proposals();
}

type Propose = (kind: Kind, code: Code, change: string, locals?: readonly ValueType[]) => Proposal;

function notifyOrWait(op: number, propose: Propose): Proposal[] {
  if (op !== Op["memory.atomic.notify"]) return [];
  return [propose("call-dropped", new Code().op(Op.drop, Op.drop).i32(0), "is dropped")];
}

/** A read-modify-write of its type's full width. */
class FullUpdate {
  private readonly instruction: Instruction;
  private readonly operation: RmwOperation;
  /** Numbers of the first further local. */
  private readonly first: number;
  private readonly type: ValueType;
  private readonly width: "i32" | "i64";

  constructor(
    private readonly func: ArtifactFunction,
    private readonly index: number,
    private readonly propose: Propose,
  ) {
    this.instruction = assertDefined(func.body[index]);
    const { operation, type } = readModifyWriteOf(this.instruction.op);
    this.operation = operation;
    this.type = type;
    this.width = type === I32 ? "i32" : "i64";
    this.first = func.wasm.type.params.length + func.wasm.locals.length;
  }

  proposals(): Proposal[] {
    const { operation, instruction, width } = this;
    if (operation === "cmpxchg") return this.compareExchange();
    const isStore = operation === "xchg" && this.func.body[this.index + 1]?.op === Op.drop;
    const load = access(new Code().op(Op.drop), HALVES[width].load, instruction);
    const found = [
      this.propose("atomic-to-plain", this.halves("plain"), "becomes a plain load and store", this.temporaries),
      this.propose("rmw-to-load", load, "does not write"),
    ];
    // Whose result is dropped, an exchange is a store, and so is the other half of one.
    if (!isStore)
      found.push(
        this.propose("rmw-to-load-store", this.halves("atomic"), "becomes a load and a store", this.temporaries),
      );
    const other = OTHER_RMW[operation];
    if (other !== undefined) {
      const op = withOperation(instruction.op, other);
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
    const code = new Code().set(first + 1).tee(first);
    access(code, load, instruction).set(first + 2);
    code.get(first);
    if (operation === "xchg") code.get(first + 1);
    else
      code
        .get(first + 2)
        .get(first + 1)
        .op(opNamed(`${this.width}.${operation}`));
    return access(code, store, instruction).get(first + 2);
  }

  private compareExchange(): Proposal[] {
    const { first, instruction, width } = this;
    const { load, op } = { load: HALVES[width].load, op: instruction.op };
    const exchange = withOperation(op, "xchg");
    const assumed = new Code().set(first + 1).tee(first + 3);
    access(assumed.get(first + 1), op, instruction)
      .op(Op.drop)
      .get(first + 3);
    const stored = access(
      new Code()
        .set(first + 1)
        .op(Op.drop)
        .get(first + 1),
      exchange,
      instruction,
    );
    const unwritten = access(new Code().op(Op.drop, Op.drop), load, instruction);
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
      .tee(first);
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
    const [first, last, after] = [
      assertDefined(statement[0]),
      assertDefined(statement.at(-1)),
      assertDefined(func.body[next]),
    ];
    const at = from + statement.findIndex(({ op }) => isAtomic(op));
    proposals.push({
      kind: "atomics-swapped",
      at,
      patches: [
        { from: first.start, end: last.end, bytes: [] },
        { from: after.end, end: after.end, bytes: [...func.bytes.subarray(first.start, last.end)] },
      ],
      change: `${nameOf(assertDefined(func.body[at]).op)} is moved behind the next ${nameOf(after.op)} (line ${func.places[next]?.line ?? 0})`,
    });
  }
  return proposals;
}

const isControl = (op: number): boolean => op <= Op.call_indirect;

function nextAtomic(func: ArtifactFunction, from: number): number | undefined {
  for (let index = from; index < func.body.length; index++) {
    const { op } = assertDefined(func.body[index]);
    if (isAtomic(op)) return index;
    if (isControl(op) && op !== Op.block) return undefined;
  }
  return undefined;
}

/** Whether neither writes a local that the other reads or writes. */
function commutes(one: readonly Instruction[], other: readonly Instruction[]): boolean {
  const isWrite = ({ op }: Instruction): boolean => op === Op["local.set"] || op === Op["local.tee"];
  const uses = (list: readonly Instruction[]): Set<number> =>
    new Set(list.filter((each) => isWrite(each) || each.op === Op["local.get"]).map(({ a }) => a));
  const writes = (list: readonly Instruction[]): number[] => list.filter(isWrite).map(({ a }) => a);
  const [usesOne, usesOther] = [uses(one), uses(other)];
  return writes(one).every((local) => !usesOther.has(local)) && writes(other).every((local) => !usesOne.has(local));
}
