// Boot race: every interleaving of three harts through the code that boots, as the compiler emits it.
//
// boot.S and harts.c are linked with stand-ins for the rest (three CPUs, small stacks) and executed instruction by
// instruction. Each choice of harts that the firmware lets in at once is explored; those that it holds back are started
// by the boot hart, through the firmware's HSM calls. Memory is sequentially consistent here.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HART_BASE, HART_STRIDE } from "../../abi/layout.ts";
import { abiHeader } from "../../toolchain/abi-header.ts";
import { findCompiler } from "../../toolchain/gcc.ts";
import { MachineCopy } from "./machine-copy.test-support.ts";
import { type Instruction, State, execute, isShared, parseListing } from "./riscv-listing.test-support.ts";

const compiler = await findCompiler();
const title = compiler === undefined ? "boot race (skipped: no cross compiler)" : "boot race";

const HARTS = 3;
const TRAP_STACK_BYTES = 256;
const KERNEL_SATP = 0x1234n;
const DEVICE_TREE = 0x8f00_0000n;
const SIE_SOFT_AND_TIMER = 0x22n;
const SIE_ALL = 0x222n;

/** HSM: function numbers and states as in the SBI specification 1.0, chapter 9. */
const [EXTENSION_BASE, EXTENSION_HSM] = [0x10n, 0x48534dn];
const [HSM_START, HSM_STATUS] = [0n, 2n];
const [STATE_STARTED, STATE_STOPPED] = [0n, 1n];
const ERROR_ALREADY_AVAILABLE = -6n;

/** What machine.c, page-table.c and the kernel do at this moment, as far as other harts can see it. */
const STAND_INS = `#include "machine.h"
#include "observer.h"
const volatile uint64_t machine_observer_base = 0;
uint64_t kernel_satp;
bool asids_missing;
uint64_t machine_prepare(uintptr_t tree) {
  kernel_satp = 0x${KERNEL_SATP.toString(16)};
  machine_prepare_harts(0);
  return tree == 0 ? 0 : kernel_satp;
}
void machine_load_memory(void) {}
int32_t machine_main(int32_t hart) {
  int32_t cpu = 1;
  for (int32_t other = 0; other < ${HARTS}; other++)
    if (other != hart && machine_hartStateOf(other) == ${STATE_STOPPED} && machine_startHart(other, cpu) == 0) cpu++;
  return 0;
}
`;
/** Where harts end: no code stands there. */
const ENDS = `.globl kernel_bootSecondary, boot_return, idle_entry
.section .text.trap, "ax", @progbits
kernel_bootSecondary: wfi
boot_return: wfi
idle_entry: wfi
`;

interface Image {
  readonly code: ReadonlyMap<bigint, Instruction>;
  readonly symbols: ReadonlyMap<string, bigint>;
  /** .data, from its start. */
  readonly data: Uint8Array;
}

type Place = "stopped" | "running" | "booted" | "secondary" | "parked";

interface Search {
  readonly states: number;
  /** Ends of runs, each as the place of every hart. */
  readonly ends: ReadonlySet<string>;
  /** The first violation found. */
  readonly violation: string | undefined;
}

describe.skipIf(compiler === undefined)(title, () => {
  const copy = new MachineCopy(compiler);
  afterAll(() => copy.remove());

  function build(): Image {
    copy.tool("gcc", ["-E", "-P", "-x", "c", ...copy.flags, "link.ld", "-o", "boot.ld"]);
    const link = ["-nostdlib", "-nostartfiles", "-static", "-Wl,--no-warn-rwx-segments", "-T", "boot.ld"];
    copy.tool("gcc", [...copy.flags, ...link, "boot.S", "harts.c", "stand-ins.c", "ends.S", "-o", "boot.elf"]);
    copy.tool("objcopy", ["-O", "binary", "-j", ".data", "boot.elf", "data.bin"]);
    return {
      code: parseListing(copy.tool("objdump", ["-d", "boot.elf"])),
      symbols: copy.symbols("boot.elf"),
      data: readFileSync(join(copy.folder, "data.bin")),
    };
  }

  beforeAll(() => {
    const small = abiHeader()
      .replace(/(#define CPUS_MAX) .*/, `$1 ${HARTS}`)
      .replace(/(#define TRAP_STACK_BYTES) .*/, `$1 ${TRAP_STACK_BYTES}`);
    copy.copySources({ "abi.h": small, "stand-ins.c": STAND_INS, "ends.S": ENDS });
  });

  test.each([0n, 1n])("boot race: memory that holds %d everywhere: one hart boots, who is asked follows", (fill) => {
    const image = build();
    const all = [0, 1, 2];
    const ends = new Set<string>();
    let states = 0;
    for (const early of [[0], [1], [2], [0, 1], [0, 2], [1, 2], all]) {
      const search = explore(image, early, fill);
      expect(search.violation, `let in at once: ${early}`).toBeUndefined();
      for (const end of search.ends) ends.add(end);
      states += search.states;
    }
    // Each hart wins alone, against one other and against both.
    expect(ends.size).toBe(3 + 6 + 3);
    expect(states).toBeGreaterThan(1000);
  });

  interface Break {
    readonly name: string;
    readonly file: string;
    readonly old: string | RegExp;
    readonly new: string;
    readonly reported: RegExp;
  }

  const BREAKS: readonly Break[] = [
    {
      name: "the boot is claimed by a load and a store",
      file: "boot.S",
      old: "amoor.w.aqrl t1, t1, (t0)",
      new: "lw t2, 0(t0)\n  or t1, t1, t2\n  sw t1, 0(t0)\n  mv t1, t2",
      reported: /a second boot/,
    },
    {
      name: "the claim is not looked at",
      file: "boot.S",
      old: "bnez t1, secondary",
      new: "nop",
      reported: /a second boot/,
    },
    {
      name: "the claim lies in .bss",
      file: "boot.S",
      old: `.data.boot, "aw", @progbits`,
      new: `.bss.boot, "aw", @nobits`,
      reported: /a second boot/,
    },
    {
      name: "blocks are read before they are there",
      file: "boot.S",
      old: "beqz t1, park",
      new: "nop",
      reported: /secondary: nobody asked for it/,
    },
    {
      name: "the blocks are offered before they are written",
      file: "boot.S",
      old: /( {2}call machine_prepare_blocks\n {2}mv s0, a0\n)((?: {2}.*\n)*?)( {2}prepare_csrs)/,
      new: "$2  mv a0, s2\n$1$3",
      reported: /secondary: nobody asked for it/,
    },
    {
      name: "the blocks are never offered",
      file: "boot.S",
      old: "li t1, BOOT_BLOCKS_READY",
      new: "li t1, BOOT_CLAIMED",
      reported: /the harts end as booted,parked,parked/,
    },
    {
      name: "a hart that nobody asked for takes what follows the last block",
      file: "boot.S",
      old: "bnez t0, 3b",
      new: "bnez t0, 3b\n  j 4f",
      reported: /outside the memory/,
    },
    {
      name: "a hart that nobody asked for can be interrupted",
      file: "boot.S",
      old: "csrw sie, zero",
      new: "nop",
      reported: /parked: it can be interrupted/,
    },
    {
      name: "a hart is started before its block is there",
      file: "harts.c",
      old: /( {2}block->hart = hart;\n)([^]*?)( {2}if \(error != 0\))/,
      new: "$2$1$3",
      reported: /the harts end as booted,parked/,
    },
    {
      name: "a block without a hart belongs to hart 1",
      file: "harts.c",
      old: "block->hart = -1;\n}",
      new: "block->hart = 1;\n}",
      reported: /hart 1, secondary: nobody asked for it/,
    },
    {
      name: "another hart's stack is the boot hart's",
      file: "harts.c",
      old: "(uintptr_t)cpu * TRAP_STACK_BYTES",
      new: "0",
      reported: /its stack is not its CPU's/,
    },
  ];

  test.each(BREAKS)("boot race: $name: reported", (one) => {
    const before = copy.read(one.file);
    const after = before.replace(one.old, one.new);
    expect(after).not.toBe(before);
    copy.withText(one.file, after, () => {
      const image = build();
      const violations = [[0], [1, 2], [0, 1, 2]].map((early) => explore(image, early, 0n).violation);
      expect(violations.filter((violation) => violation !== undefined).join("\n")).toMatch(one.reported);
    });
  });
});

/** All interleavings, by depth-first search over states. `early`: harts that enter without being asked. */
function explore(image: Image, early: readonly number[], fill: bigint): Search {
  const boot = new BootSearch(image, early);
  return boot.run(fill);
}

class BootSearch {
  readonly #image: Image;
  readonly #early: readonly number[];
  readonly #seen = new Set<string>();
  readonly #ends = new Set<string>();
  #schedule: readonly string[] = [];

  constructor(image: Image, early: readonly number[]) {
    this.#image = image;
    this.#early = early;
  }

  run(fill: bigint): Search {
    try {
      this.#search(fill);
      return { states: this.#seen.size, ends: this.#ends, violation: undefined };
    } catch (error) {
      const violation = `${error instanceof Error ? error.message : String(error)}; ${this.#schedule.slice(-12).join("; ")}`;
      return { states: this.#seen.size, ends: this.#ends, violation };
    }
  }

  #search(fill: bigint): void {
    const stack = [{ state: this.#start(fill), schedule: [] as readonly string[] }];
    for (;;) {
      const top = stack.pop();
      if (top === undefined) return;
      const key = top.state.key();
      if (this.#seen.has(key)) continue;
      this.#seen.add(key);
      const running = harts().filter((hart) => this.#placeOf(top.state, hart) === "running");
      if (running.length === 0) this.#checkEnd(top.state);
      for (const hart of running) {
        const state = top.state.copy();
        this.#schedule = [...top.schedule, `hart ${hart}: ${this.#at(state, hart).text}`];
        this.#step(state, hart);
        stack.push({ state, schedule: this.#schedule });
      }
    }
  }

  #symbol(name: string): bigint {
    const address = this.#image.symbols.get(name);
    if (address === undefined) throw new Error(`no symbol ${name}`);
    return address;
  }

  #start(fill: bigint): State {
    const stacks = this.#symbol("trap_stacks");
    const state = new State(HARTS, [
      [this.#symbol("image_data_start"), this.#symbol("bss_end")],
      [stacks, stacks + BigInt(HARTS * TRAP_STACK_BYTES)],
    ]);
    for (let at = this.#symbol("bss_start"); at < this.#symbol("bss_end"); at += 8n) state.store(at, 8, fill);
    this.#image.data.forEach((byte, at) => state.store(this.#symbol("image_data_start") + BigInt(at), 1, BigInt(byte)));
    for (const hart of this.#early) this.#enter(state, hart, this.#symbol("_start"));
    return state;
  }

  #enter(state: State, hart: number, at: bigint): void {
    state.setPc(hart, at);
    state.setRegister(hart, "a0", BigInt(hart));
    state.setRegister(hart, "a1", DEVICE_TREE);
    // Not defined by the SBI specification.
    state.setCsr(hart, "sie", SIE_ALL);
    this.#runToShared(state, hart);
  }

  #at(state: State, hart: number): Instruction {
    const found = this.#image.code.get(state.pc(hart));
    if (found === undefined) throw new Error(`hart ${hart} runs at 0x${state.pc(hart).toString(16)}, where no code is`);
    return found;
  }

  #placeOf(state: State, hart: number): Place {
    const pc = state.pc(hart);
    if (pc === 0n) return "stopped";
    if (pc === this.#symbol("boot_return")) return "booted";
    if (pc === this.#symbol("kernel_bootSecondary")) return "secondary";
    return this.#at(state, hart).name === "wfi" ? "parked" : "running";
  }

  /** One instruction that others can see, and those after it that they cannot. */
  #step(state: State, hart: number): void {
    const at = this.#at(state, hart);
    if (at.name === "ecall") this.#firmware(state, hart, at);
    else execute(state, hart, at);
    this.#runToShared(state, hart);
  }

  #runToShared(state: State, hart: number): void {
    for (;;) {
      const place = this.#placeOf(state, hart);
      if (place !== "running") return this.#checkArrival(state, hart, place);
      const at = this.#at(state, hart);
      if (isShared(at)) return;
      execute(state, hart, at);
    }
  }

  #firmware(state: State, hart: number, at: Instruction): void {
    const [extension, call, target] = ["a7", "a6", "a0"].map((name) => state.register(hart, name));
    const other = Number(target);
    const isStopped = extension === EXTENSION_HSM && state.pc(other) === 0n;
    const answer = (error: bigint, value: bigint): void => {
      state.setRegister(hart, "a0", error);
      state.setRegister(hart, "a1", value);
      state.setPc(hart, at.next);
    };
    if (extension === EXTENSION_BASE) return answer(0n, 1n);
    if (extension !== EXTENSION_HSM) throw new Error(`hart ${hart} calls the firmware's extension ${extension}`);
    if (call === HSM_STATUS) return answer(0n, isStopped ? STATE_STOPPED : STATE_STARTED);
    if (call !== HSM_START) throw new Error(`hart ${hart} makes HSM call ${call}`);
    if (!isStopped) return answer(ERROR_ALREADY_AVAILABLE, 0n);
    const start = state.register(hart, "a1");
    answer(0n, 0n);
    this.#enter(state, other, start);
  }

  #checkArrival(state: State, hart: number, place: Place): void {
    const require = (holds: boolean, what: string): void => {
      if (!holds) throw new Error(`hart ${hart}, ${place}: ${what}`);
    };
    if (place === "parked") return require(state.csr(hart, "sie") === 0n, "it can be interrupted");
    const others = harts().filter((other) => other !== hart);
    const isTaken = (other: number): boolean =>
      this.#placeOf(state, other) === place && state.csr(other, "sscratch") === state.csr(hart, "sscratch");
    const cpu = place === "booted" ? 0 : Number(state.register(hart, "a0"));
    const block = this.#symbol("machine_blocks") + BigInt(cpu) * 128n;
    const stackTop = this.#symbol("trap_stacks") + BigInt((cpu + 1) * TRAP_STACK_BYTES - 16);
    require(place === "booted" || !this.#early.includes(hart), "nobody asked for it");
    require(place === "booted" || (cpu > 0 && cpu < HARTS), `its CPU is ${cpu}`);
    require(!others.some((other) => place === "booted" && this.#placeOf(state, other) === "booted"), "a second boot");
    require(!others.some(isTaken), "its block is another hart's too");
    require(state.csr(hart, "sscratch") === block, "its block is not its CPU's");
    require(state.load(block + 64n, 8) === BigInt(hart), "its block names another hart");
    require(state.register(hart, "sp") === stackTop, "its stack is not its CPU's");
    require(state.register(hart, "tp") === BigInt(HART_BASE + cpu * HART_STRIDE), "its tp is not its CPU's");
    require(state.csr(hart, "satp") === BigInt.asIntN(64, KERNEL_SATP), "it does not run in the kernel's space");
    require(state.csr(hart, "stvec") === this.#symbol("idle_entry"), "its traps go elsewhere");
    require(state.csr(hart, "sie") === SIE_SOFT_AND_TIMER, "its interrupts are not enabled");
  }

  /** Nobody runs any more: one hart has booted, those that it asked have followed, the others are out of the way. */
  #checkEnd(state: State): void {
    const places = harts().map((hart) => this.#placeOf(state, hart));
    const booted = places.filter((place) => place === "booted").length;
    if (booted !== 1) throw new Error(`${booted} harts have booted: ${places}`);
    const isAsItShould = (place: Place, hart: number): boolean =>
      place === "booted" || place === (this.#early.includes(hart) ? "parked" : "secondary");
    if (!places.every(isAsItShould)) throw new Error(`the harts end as ${places}, let in at once: ${this.#early}`);
    this.#ends.add(`${this.#early}: ${places}`);
  }
}

const harts = (): number[] => Array.from({ length: HARTS }, (_, hart) => hart);
