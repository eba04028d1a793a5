// Fences and the boot's claim, as text: QEMU on x86 shows no missing fence, so the emitted instructions are read.
//
// Each rule is a judge over the listing of one function or section; each break of a source must be reported by one.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { abiHeader } from "../../toolchain/abi-header.ts";
import { buildElf } from "../../toolchain/build.ts";
import { findCompiler } from "../../toolchain/gcc.ts";
import { MachineCopy } from "./machine-copy.test-support.ts";

const compiler = await findCompiler();
const title = compiler === undefined ? "fences (skipped: no cross compiler)" : "fences";

/** What is inlined into its callers, under names of its own. */
const WRAPPERS = `#include "machine.h"
int32_t wrapped_sendIpi(int32_t doorbell) { return machine_sendIpi(doorbell); }
void wrapped_raiseSoft(void) { machine_raiseSoft(); }
void wrapped_clearSoft(void) { machine_clearSoft(); }
`;

/** Instructions in order, operands without spaces. */
type Listing = readonly string[];

const isStore = (line: string | undefined): boolean => /^(s[bhwd]|amo\w+\.\S+|sc\.\S+) /.test(line ?? "");
const isFenceFor = (line: string | undefined, text: string): boolean => line === `fence ${text}`;

/** The store or call at `at` has that fence before it, with no store between. */
function fencedBefore(listing: Listing, at: number, fence: string): boolean {
  for (let index = at - 1; index >= 0; index--) {
    if (isFenceFor(listing[index], fence)) return true;
    if (isStore(listing[index])) return false;
  }
  return false;
}

interface Rule {
  readonly name: string;
  /** A source of this folder, or the wrappers. */
  readonly source: string;
  /** The function to look at; everything in the source unless given. */
  readonly within?: string;
  readonly holds: (listing: Listing) => boolean;
}

const exactly =
  (...lines: string[]) =>
  (listing: Listing): boolean =>
    listing.join("; ") === lines.join("; ");

const RULES: readonly Rule[] = [
  {
    name: "sendIpi: every earlier store before the doorbell's, on the SSWI's path and before the firmware's call",
    source: "wrappers.c",
    within: "wrapped_sendIpi",
    holds: (listing) => {
      const rings = listing.flatMap((line, at) => (isStore(line) || line === "ecall" ? [at] : []));
      const kinds = rings.map((at) => (listing[at] === "ecall" ? "call" : "store")).toSorted();
      return kinds.join() === "call,store" && rings.every((at) => fencedBefore(listing, at, "rw,o"));
    },
  },
  {
    name: "raiseSoft: every earlier store before the bit is set",
    source: "wrappers.c",
    within: "wrapped_raiseSoft",
    holds: exactly("fence rw,o", "csrs sip,2", "ret"),
  },
  {
    name: "clearSoft: every later load after the bit is cleared",
    source: "wrappers.c",
    within: "wrapped_clearSoft",
    holds: exactly("csrc sip,2", "fence o,rw", "ret"),
  },
  {
    name: "startHart: the hart's block before the call that starts it",
    source: "harts.c",
    within: "machine_startHart",
    holds: (listing) => {
      const call = listing.indexOf("ecall");
      const block = listing.slice(0, call).findLastIndex(isStore);
      const fences = listing.slice(block, call).filter((line) => line.startsWith("fence"));
      return block >= 0 && fences.join("; ") === "fence rw,rw; fence rw,o";
    },
  },
  {
    name: "console: a sender's device stores before the store that ends its turn",
    source: "console.c",
    within: "take_turn",
    holds: (listing) => {
      const last = listing.findLastIndex(isStore);
      const calls = listing.slice(0, last).findLastIndex((line) => line.startsWith("jalr"));
      // objdump's name for all of memory and devices before all of both.
      return calls >= 0 && listing.slice(calls, last).includes("fence");
    },
  },
  {
    name: "boot: each write of satp between two fences of the address space, on both ways in",
    source: "boot.S",
    holds: (listing) => {
      const writes = listing.flatMap((line, at) => (line.startsWith("csrw satp") ? [at] : []));
      const isFenced = (at: number): boolean => [at - 1, at + 1].every((one) => listing[one] === "sfence.vma");
      return writes.length === 2 && writes.every(isFenced);
    },
  },
  {
    name: "trap: after a write of satp a fence, where ASIDs are missing",
    source: "trap.S",
    holds: (listing) => {
      const at = listing.findIndex((line) => line.startsWith("csrw satp"));
      return (
        listing[at + 1] === "lw t0,44(s0)" &&
        listing[at + 2]?.startsWith("bnez t0,") === true &&
        listing.filter((line) => line === "sfence.vma").length === 1
      );
    },
  },
  {
    name: "page tables: the probe of the ASIDs leaves no translation behind",
    source: "page-table.c",
    within: "page_tables_build",
    holds: (listing) => {
      const last = listing.findLastIndex((line) => line.startsWith("csrw satp"));
      return /^csrw satp,(zero|x0)/.test(listing[last] ?? "") && listing[last + 1] === "sfence.vma";
    },
  },
  {
    name: "boot: the first thing that any hart does is to claim the boot, by one atomic OR, acquire and release",
    source: "boot.S",
    holds: (listing) => {
      const claim = listing.findIndex((line) => line.startsWith("amoor.w.aqrl t1,t1,(t0)"));
      const before = listing.slice(0, claim);
      return (
        claim > 0 &&
        !before.some((line) => isStore(line) || /^(b|j|call)/.test(line)) &&
        listing[claim + 1]?.startsWith("bnez t1,") === true
      );
    },
  },
  {
    name: "boot: the blocks before the bit that offers them, by an atomic OR with acquire and release",
    source: "boot.S",
    holds: (listing) => {
      const blocks = listing.findIndex((line) => /^(jalr|auipc ra)/.test(line));
      const offer = listing.findIndex((line) => line.startsWith("amoor.w.aqrl zero,t1,(t0)"));
      return blocks >= 0 && offer > blocks;
    },
  },
  {
    name: "boot: the claim lies in .data, which nobody clears",
    source: "boot.S",
    within: "(symbols)",
    holds: (listing) => listing.some((line) => /\.data\.boot\b.*\bboot_state$/.test(line)),
  },
];

interface Break {
  readonly title: string;
  readonly file: string;
  readonly old: string;
  readonly new: string;
}

const BREAKS: readonly Break[] = [
  {
    title: "no fence before the SSWI's register",
    file: "machine-calls.h",
    old: `    __asm__ volatile("fence rw, o" : : : "memory");\n    sswi`,
    new: "    sswi",
  },
  {
    title: "the fence comes after the register",
    file: "machine-calls.h",
    old: `    __asm__ volatile("fence rw, o" : : : "memory");\n    sswi[doorbell] = 1;`,
    new: `    sswi[doorbell] = 1;\n    __asm__ volatile("fence rw, o" : : : "memory");`,
  },
  {
    title: "no fence before the firmware's call",
    file: "machine-calls.h",
    old: `  __asm__ volatile("fence rw, o" : : : "memory");\n  return`,
    new: "  return",
  },
  {
    title: "a weaker fence before the firmware's call",
    file: "machine-calls.h",
    old: `  __asm__ volatile("fence rw, o" : : : "memory");\n  return`,
    new: `  __asm__ volatile("fence r, o" : : : "memory");\n  return`,
  },
  { title: "no fence before the own bit is set", file: "machine-calls.h", old: "fence rw, o\\n\\tcsrsi", new: "csrsi" },
  {
    title: "no fence after the bit is cleared",
    file: "machine-calls.h",
    old: "csrci sip, %0\\n\\tfence o, rw",
    new: "csrci sip, %0",
  },
  {
    title: "the fence comes before the bit is cleared",
    file: "machine-calls.h",
    old: "csrci sip, %0\\n\\tfence o, rw",
    new: "fence o, rw\\n\\tcsrci sip, %0",
  },
  {
    title: "a hart is started before its block must be there",
    file: "harts.c",
    old: `  __asm__ volatile("fence rw, rw\\n\\tfence rw, o" : : : "memory");\n`,
    new: "",
  },
  {
    title: "the next sender's bytes may pass this one's",
    file: "console.c",
    old: "  console_device_fence();\n",
    new: "",
  },
  { title: "the device fence orders memory only", file: "machine.h", old: "fence iorw, iorw", new: "fence rw, rw" },
  {
    title: "the boot hart's satp without a fence after it",
    file: "boot.S",
    old: "  csrw satp, a0\n  sfence.vma\n",
    new: "  csrw satp, a0\n",
  },
  {
    title: "another hart's satp without a fence before it",
    file: "boot.S",
    old: "  sfence.vma\n  csrw satp, t0\n",
    new: "  csrw satp, t0\n",
  },
  { title: "no fence without ASIDs", file: "trap.S", old: "8:\n  sfence.vma\n", new: "8:\n" },
  { title: "nobody asks whether ASIDs are missing", file: "trap.S", old: "  bnez t0, 8f\n9:\n", new: "9:\n" },
  {
    title: "the probe leaves its translations",
    file: "page-table.c",
    old: "csrw satp, zero\\n\\tsfence.vma",
    new: "csrw satp, zero",
  },
  {
    title: "the boot is claimed by a load and a store",
    file: "boot.S",
    old: "amoor.w.aqrl t1, t1, (t0)",
    new: "lw t2, 0(t0)\n  or t1, t1, t2\n  sw t1, 0(t0)\n  mv t1, t2",
  },
  {
    title: "the claim orders nothing",
    file: "boot.S",
    old: "amoor.w.aqrl t1, t1, (t0)",
    new: "amoor.w t1, t1, (t0)",
  },
  {
    title: "the blocks may be seen after the bit that offers them",
    file: "boot.S",
    old: "amoor.w.aqrl zero",
    new: "amoor.w zero",
  },
  { title: "the claim is not looked at", file: "boot.S", old: "  bnez t1, secondary\n", new: "" },
  {
    title: "the claim lies in .bss",
    file: "boot.S",
    old: `.section .data.boot, "aw", @progbits`,
    new: `.section .bss.boot, "aw", @nobits`,
  },
];

describe.skipIf(compiler === undefined)(title, () => {
  const copy = new MachineCopy(compiler);
  afterAll(() => copy.remove());

  /** Listings of a source by function; all of it under "", its symbols under "(symbols)". */
  function listingsOf(source: string): ReadonlyMap<string, Listing> {
    copy.tool("gcc", [...copy.flags, "-c", source, "-o", "listed.o"]);
    const listings = new Map<string, string[]>([["", []]]);
    let name = "";
    for (const line of copy.tool("objdump", ["-d", "listed.o"]).split("\n")) {
      const label = /^[0-9a-f]+ <(\w+)>:/.exec(line)?.[1];
      if (label !== undefined) listings.set((name = label), []);
      const [, , text] = /^\s*([0-9a-f]+):\s+(?:[0-9a-f]{4,8}\s+)+(\S.*)$/.exec(line) ?? [];
      if (text === undefined) continue;
      const plain = text
        .replace(/#.*|<.*/, "")
        .trim()
        .replace(/\s+/g, " ")
        .replace(/, /g, ",");
      listings.get(name)?.push(plain);
      listings.get("")?.push(plain);
    }
    listings.set("(symbols)", copy.tool("objdump", ["-t", "listed.o"]).split("\n"));
    return listings;
  }

  const isKept = (rule: Rule, listings: ReadonlyMap<string, Listing>): boolean =>
    rule.holds(listings.get(rule.within ?? "") ?? []);

  beforeAll(() => copy.copySources({ "abi.h": abiHeader(), "wrappers.c": WRAPPERS }));

  test.each(RULES)("fences: $name", (rule) => {
    expect(isKept(rule, listingsOf(rule.source))).toBe(true);
  });

  test.each(BREAKS)("fences: $title: reported ($file)", (one) => {
    const before = copy.read(one.file);
    expect(before.split(one.old)).toHaveLength(2);
    const after = before.replace(one.old, () => one.new);
    copy.withText(one.file, after, () => {
      const sources = one.file.endsWith(".h") ? ["wrappers.c", "console.c"] : [one.file];
      const broken = sources.flatMap((source) => {
        const listings = listingsOf(source);
        return RULES.filter((rule) => rule.source === source && !isKept(rule, listings));
      });
      expect(broken.length).toBeGreaterThan(0);
    });
  });

  test("boot: the image that is built: the claim lies below what the first hart clears", async () => {
    const built = await buildElf();
    if (built.kind !== "built") throw new Error(JSON.stringify(built));
    const symbols = copy.symbols(built.elf);
    const at = (name: string): bigint => symbols.get(name) ?? -1n;
    expect(at("boot_state")).toBeGreaterThan(0n);
    expect(at("boot_state") < at("bss_start")).toBe(true);
  });
});
