// Atomic widths: atomic accesses of different widths to the same bytes, and atomics at addresses that are no multiple
// of their width, as far as the artifact shows them.
//
// What it follows: constant addresses, over the whole artifact; and within one function, addresses that are the same
// value plus different constants. What it cannot see: two accesses whose addresses were computed apart, loaded from
// memory or passed between functions; the explorer checks those in every run, and the hardware traps on the
// unaligned ones.
//
// Owner: one walk a function. Pairs with: artifact-gate.ts.
import type { Instruction } from "../wasm/module.ts";
import { accessBytes, isAtomicAccess, Op } from "../wasm/opcodes.ts";
import { countsIn } from "../wasm/stack.ts";
import type { ArtifactModule, DefinedFunction } from "./artifact-module.ts";

export interface AtomicAccess {
  functionName: string;
  instruction: Instruction;
  /** Bytes that it touches, relative to the base. */
  start: number;
  bytes: number;
}

/** Two atomics of different widths that share a byte. */
export interface WidthConflict {
  first: AtomicAccess;
  second: AtomicAccess;
}

export interface AtomicFindings {
  conflicts: WidthConflict[];
  unaligned: AtomicAccess[];
}

/** An address: a value that does not change, named, plus a constant. */
interface Address {
  base: string;
  offset: number;
}

const ABSOLUTE = "absolute";

export function findAtomicMistakes(module: ArtifactModule): AtomicFindings {
  const findings: AtomicFindings = { conflicts: [], unaligned: [] };
  const absolute: AtomicAccess[] = [];
  for (const fn of module.functions) {
    if (fn.kind === "imported") continue;
    const byBase = new AddressWalk(module, fn).accesses();
    for (const [base, accesses] of byBase) {
      findings.unaligned.push(...accesses.filter((one) => isUnaligned(one, base)));
      if (base === ABSOLUTE) absolute.push(...accesses);
      else findings.conflicts.push(...conflictsAmong(accesses));
    }
  }
  findings.conflicts.push(...conflictsAmong(absolute));
  return findings;
}

/** The alignment in the instruction is a promise that must equal the width; a constant address can break it. */
function isUnaligned(access: AtomicAccess, base: string): boolean {
  return 2 ** access.instruction.a !== access.bytes || (base === ABSOLUTE && access.start % access.bytes !== 0);
}

/** Each pair of widths once: the first such pair of accesses. */
function conflictsAmong(accesses: AtomicAccess[]): WidthConflict[] {
  const conflicts = new Map<string, WidthConflict>();
  accesses.forEach((first, i) => {
    for (const second of accesses.slice(i + 1)) {
      const overlap = first.start < second.start + second.bytes && second.start < first.start + first.bytes;
      if (!overlap || first.bytes === second.bytes) continue;
      const key = `${Math.min(first.start, second.start)} ${first.bytes} ${second.bytes}`;
      if (!conflicts.has(key)) conflicts.set(key, { first, second });
    }
  });
  return [...conflicts.values()];
}

/** Follows the stack and the locals through one function; forgets the locals wherever control can come from elsewhere. */
class AddressWalk {
  private readonly stack: Address[] = [];
  private locals = new Map<number, Address>();
  private readonly found = new Map<string, AtomicAccess[]>();
  private fresh = 0;

  constructor(
    private readonly module: ArtifactModule,
    private readonly fn: DefinedFunction,
  ) {}

  accesses(): ReadonlyMap<string, AtomicAccess[]> {
    for (const one of this.fn.body) this.step(one);
    return this.found;
  }

  private unknown(): Address {
    return { base: `${this.fn.name} value ${this.fresh++}`, offset: 0 };
  }

  /** Dead code may leave the stack short; what is missing there is unknown. */
  private pop(): Address {
    return this.stack.pop() ?? this.unknown();
  }

  private pops(count: number): void {
    for (let i = 0; i < count; i++) this.pop();
  }

  private step(one: Instruction): void {
    switch (one.op) {
      case Op["i32.const"]:
        return void this.stack.push({ base: ABSOLUTE, offset: Number(BigInt.asUintN(32, one.value ?? 0n)) });
      case Op["i32.add"]: {
        const [b, a] = [this.pop(), this.pop()];
        return void this.stack.push(sum(a, b) ?? this.unknown());
      }
      case Op["local.get"]: {
        const known = this.locals.get(one.a) ?? this.unknown();
        this.locals.set(one.a, known);
        return void this.stack.push(known);
      }
      case Op["local.set"]:
        return void this.locals.set(one.a, this.pop());
      case Op["local.tee"]: {
        const value = this.pop();
        this.locals.set(one.a, value);
        return void this.stack.push(value);
      }
      case Op.block:
      case Op.loop:
      case Op.if:
      case Op.else:
      case Op.end:
        // A value carried into or out of a block is followed no further.
        this.locals = new Map();
        this.stack.length = 0;
        return;
      default:
        return this.other(one);
    }
  }

  private other(one: Instruction): void {
    const { takes, gives } = countsIn(this.module.wasm, one);
    if (isAtomicAccess(one.op)) this.atomic(one, takes);
    else this.pops(takes);
    if (gives > 0) this.stack.push(this.unknown());
  }

  private atomic(one: Instruction, takes: number): void {
    this.pops(takes - 1);
    const address = this.pop();
    const access = {
      functionName: this.fn.name,
      instruction: one,
      start: address.offset + one.b,
      bytes: accessBytes(one.op),
    };
    const list = this.found.get(address.base);
    if (list === undefined) this.found.set(address.base, [access]);
    else list.push(access);
  }
}

function sum(a: Address, b: Address): Address | null {
  if (a.base !== ABSOLUTE && b.base !== ABSOLUTE) return null;
  const base = a.base === ABSOLUTE ? b.base : a.base;
  return { base, offset: (a.offset + b.offset) | 0 };
}
