// RISC-V listing: what objdump prints of an image, executed instruction by instruction, one hart at a time.
//
// The subset of RV64IMA that boot.S and harts.c compile to; anything else is refused by name. Memory is sequentially
// consistent and as wide as the ranges given: an access outside them is a fault. Fences do nothing here; fences.test.ts
// reads them as text.

export interface Instruction {
  readonly name: string;
  readonly operands: readonly string[];
  /** As objdump prints it, for messages. */
  readonly text: string;
  /** Address of the instruction after it. */
  readonly next: bigint;
}

const REGISTERS =
  "zero ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6".split(" ");
const CSRS = ["sscratch", "stvec", "sstatus", "sie", "scounteren", "satp"] as const;
export type Csr = (typeof CSRS)[number];

/** Bytes of the access, and whether a load extends the sign. */
const LOADS: Readonly<Record<string, readonly [bytes: number, signed: boolean]>> = {
  ld: [8, true],
  lw: [4, true],
  lwu: [4, false],
  lbu: [1, false],
};
const STORES: Readonly<Record<string, number>> = { sd: 8, sw: 4, sb: 1 };

const signed = (value: bigint): bigint => BigInt.asIntN(64, value);
const unsigned = (value: bigint): bigint => BigInt.asUintN(64, value);
const word = (value: bigint): bigint => BigInt.asIntN(32, value);

const BINARY: Readonly<Record<string, (x: bigint, y: bigint) => bigint>> = {
  add: (x, y) => x + y,
  sub: (x, y) => x - y,
  and: (x, y) => x & y,
  or: (x, y) => x | y,
  xor: (x, y) => x ^ y,
  mul: (x, y) => x * y,
  addw: (x, y) => word(x + y),
  subw: (x, y) => word(x - y),
  sll: (x, y) => x << (y & 63n),
  srl: (x, y) => unsigned(x) >> (y & 63n),
  sra: (x, y) => x >> (y & 63n),
  sllw: (x, y) => word(x << (y & 31n)),
  srlw: (x, y) => word(BigInt.asUintN(32, x) >> (y & 31n)),
  sraw: (x, y) => word(x) >> (y & 31n),
  slt: (x, y) => (x < y ? 1n : 0n),
  sltu: (x, y) => (unsigned(x) < unsigned(y) ? 1n : 0n),
};

const UNARY: Readonly<Record<string, (x: bigint) => bigint>> = {
  mv: (x) => x,
  neg: (x) => -x,
  not: (x) => ~x,
  "sext.w": word,
  "zext.b": (x) => x & 255n,
  seqz: (x) => (x === 0n ? 1n : 0n),
  snez: (x) => (x === 0n ? 0n : 1n),
};

const BRANCHES: Readonly<Record<string, (x: bigint, y: bigint) => boolean>> = {
  beq: (x, y) => x === y,
  bne: (x, y) => x !== y,
  blt: (x, y) => x < y,
  bge: (x, y) => x >= y,
  bgt: (x, y) => x > y,
  ble: (x, y) => x <= y,
  bltu: (x, y) => unsigned(x) < unsigned(y),
  bgeu: (x, y) => unsigned(x) >= unsigned(y),
  bgtu: (x, y) => unsigned(x) > unsigned(y),
  bleu: (x, y) => unsigned(x) <= unsigned(y),
};

/** Instructions by address, from the output of `objdump -d`. */
export function parseListing(listing: string): ReadonlyMap<bigint, Instruction> {
  const found = new Map<bigint, Instruction>();
  for (const line of listing.split("\n")) {
    const [, at, code, text] = /^\s*([0-9a-f]+):\s+([0-9a-f]{4,8})\s+(\S.*)$/.exec(line) ?? [];
    if (at === undefined || code === undefined || text === undefined) continue;
    const [name = "", operands = ""] = text
      .replace(/#.*|<.*/, "")
      .trim()
      .split(/\s+/);
    const address = BigInt(`0x${at}`);
    found.set(address, { name, operands: operands.split(","), text, next: address + BigInt(code.length / 2) });
  }
  return found;
}

/** [start, end) of memory, multiples of 8. */
export type Range = readonly [start: bigint, end: bigint];

/** An instruction that other harts can see, or that can see them. */
export function isShared({ name }: Instruction): boolean {
  return name === "ecall" || name in LOADS || name in STORES || name.startsWith("amo");
}

/** Registers of a hart and the memory of all, in one array: copied and compared as a whole. */
export class State {
  static readonly #hartWords = REGISTERS.length + 1 + CSRS.length;
  readonly #words: BigInt64Array;
  readonly #bytes: DataView;
  readonly #ranges: readonly Range[];
  readonly #harts: number;

  constructor(harts: number, ranges: readonly Range[], words?: BigInt64Array) {
    const memory = ranges.reduce((sum, [start, end]) => sum + Number(end - start) / 8, 0);
    this.#words = words ?? new BigInt64Array(harts * State.#hartWords + memory);
    this.#bytes = new DataView(this.#words.buffer);
    this.#ranges = ranges;
    this.#harts = harts;
  }

  copy(): State {
    return new State(this.#harts, this.#ranges, this.#words.slice());
  }

  /** Equal for equal states. */
  key(): string {
    return Buffer.from(this.#words.buffer).toString("latin1");
  }

  register(hart: number, name: string): bigint {
    const index = REGISTERS.indexOf(name);
    if (index < 0) throw new Error(`no register ${name}`);
    return index === 0 ? 0n : (this.#words[hart * State.#hartWords + index] ?? 0n);
  }

  setRegister(hart: number, name: string, value: bigint): void {
    const index = REGISTERS.indexOf(name);
    if (index < 0) throw new Error(`no register ${name}`);
    if (index > 0) this.#words[hart * State.#hartWords + index] = value;
  }

  pc(hart: number): bigint {
    return this.#words[hart * State.#hartWords + REGISTERS.length] ?? 0n;
  }

  setPc(hart: number, value: bigint): void {
    this.#words[hart * State.#hartWords + REGISTERS.length] = value;
  }

  csr(hart: number, name: Csr): bigint {
    return this.#words[this.#csrIndex(hart, name)] ?? 0n;
  }

  setCsr(hart: number, name: string, value: bigint): void {
    this.#words[this.#csrIndex(hart, name)] = value;
  }

  load(address: bigint, bytes: number): bigint {
    const at = this.#byteIndex(address, bytes);
    if (bytes === 8) return this.#bytes.getBigInt64(at, true);
    return BigInt(bytes === 4 ? this.#bytes.getInt32(at, true) : this.#bytes.getUint8(at));
  }

  store(address: bigint, bytes: number, value: bigint): void {
    const at = this.#byteIndex(address, bytes);
    if (bytes === 8) this.#bytes.setBigInt64(at, signed(value), true);
    else if (bytes === 4) this.#bytes.setInt32(at, Number(word(value)), true);
    else this.#bytes.setUint8(at, Number(value & 255n));
  }

  #csrIndex(hart: number, name: string): number {
    const index = CSRS.findIndex((one) => one === name);
    if (index < 0) throw new Error(`no CSR ${name}`);
    return hart * State.#hartWords + REGISTERS.length + 1 + index;
  }

  #byteIndex(address: bigint, bytes: number): number {
    let words = this.#harts * State.#hartWords;
    for (const [start, end] of this.#ranges) {
      if (address >= start && address + BigInt(bytes) <= end) return words * 8 + Number(address - start);
      words += Number(end - start) / 8;
    }
    throw new Error(`access to ${bytes} bytes at 0x${unsigned(address).toString(16)}, outside the memory`);
  }
}

/** The value of `8(sp)`'s address, or of `(t0)`. */
function addressOf(state: State, hart: number, operand: string): bigint {
  const [, offset = "", base = ""] = /^(-?\d*)\((\w+)\)$/.exec(operand) ?? [];
  return state.register(hart, base) + BigInt(offset === "" ? 0 : offset);
}

/** A register's value, or a number's. */
function valueOf(state: State, hart: number, operand: string): bigint {
  return REGISTERS.includes(operand) ? state.register(hart, operand) : BigInt(operand);
}

/** Executes one instruction of a hart, all but `ecall` and `wfi`. Throws on what it does not know. */
export function execute(state: State, hart: number, at: Instruction): void {
  const [first = "", second = "", third = ""] = at.operands;
  const write = (value: bigint): void => state.setRegister(hart, first, signed(value));
  const read = (operand: string): bigint => valueOf(state, hart, operand);
  const pc = state.pc(hart);
  state.setPc(hart, at.next);

  const load = LOADS[at.name];
  const storeBytes = STORES[at.name];
  const unary = UNARY[at.name];
  const binary = BINARY[at.name] ?? BINARY[at.name.replace(/i(w?)$/, "$1")];
  const branch = BRANCHES[at.name] ?? BRANCHES[at.name.replace(/z$/, "")];
  if (load !== undefined) {
    const value = state.load(addressOf(state, hart, second), load[0]);
    return write(load[1] ? value : BigInt.asUintN(8 * load[0], value));
  }
  if (storeBytes !== undefined) return state.store(addressOf(state, hart, second), storeBytes, read(first));
  if (unary !== undefined) return write(unary(read(second)));
  if (branch !== undefined) {
    const [other, target] = third === "" ? ["zero", second] : [second, third];
    if (branch(read(first), read(other))) state.setPc(hart, BigInt(`0x${target}`));
    return;
  }
  if (binary !== undefined) return write(binary(read(second), read(third)));
  switch (at.name) {
    case "li":
      return write(BigInt(second));
    case "lui":
      return write(word(BigInt(second) << 12n));
    case "auipc":
      return write(pc + word(BigInt(second) << 12n));
    case "amoswap.w.aqrl":
    case "amoswap.w":
    case "amoor.w.aqrl":
    case "amoor.w": {
      const address = addressOf(state, hart, third);
      const old = state.load(address, 4);
      state.store(address, 4, at.name.startsWith("amoor") ? old | read(second) : read(second));
      return write(old);
    }
    case "j":
      return state.setPc(hart, BigInt(`0x${first}`));
    case "jal":
      state.setRegister(hart, second === "" ? "ra" : first, at.next);
      return state.setPc(hart, BigInt(`0x${second === "" ? first : second}`));
    case "jalr": {
      const target = first.includes("(") ? first : `0(${first})`;
      state.setPc(hart, addressOf(state, hart, target));
      return state.setRegister(hart, "ra", at.next);
    }
    case "jr":
      return state.setPc(hart, addressOf(state, hart, first.includes("(") ? first : `0(${first})`));
    case "ret":
      return state.setPc(hart, state.register(hart, "ra"));
    case "csrw":
    case "csrwi":
      return state.setCsr(hart, first, read(second));
    case "fence":
    case "sfence.vma":
    case "nop":
      return;
    default:
      throw new Error(`unknown instruction: ${at.text}`);
  }
}
