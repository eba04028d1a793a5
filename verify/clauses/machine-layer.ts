// Checks of the machine layer of virt, which read its C and assembly as text (C5, I3, T1, T2, T4, T5, T7).
//
// Partners: rig/case.ts; machine-layer.test.ts, which runs them on the shipped sources; machines/virt/fences.test.ts,
// which reads what is compiled, boot-race.test.ts and console-races.test.ts, which explore it.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Case } from "../rig/case.ts";
import type { KernelImage } from "../rig/kernel-image.ts";
import { holds, same } from "../rig/refutation.ts";

function sourceOf(kernel: KernelImage, name: string): Promise<string> {
  return readFile(join(kernel.root, "machines/virt", name), "utf8");
}

/** The lines of a text that are not empty, without the spaces around them. */
function linesIn(text: string): string[] {
  return text.split("\n").flatMap((line) => (line.trim() === "" ? [] : [line.trim()]));
}

/** The lines of a C function's body, without comments. */
function functionIn(text: string, name: string): string[] {
  const [, body = ""] = new RegExp(`\\b${name}\\([^)]*\\) \\{\n(.*?)\n\\}`, "s").exec(text) ?? [];
  holds(body !== "", `the sources have no function ${name}: the check does not know this machine layer`);
  return linesIn(body.replace(/\/\/.*$/gm, ""));
}

export const machineLayerChecks: readonly Case[] = [
  {
    clause: "I3",
    title: "send IPI on virt: by the SSWI and by the firmware: right behind a fence that orders every earlier store",
    run: async (kernel) => {
      const lines = functionIn(await sourceOf(kernel, "machine-calls.h"), "machine_sendIpi");
      const rings = lines.flatMap((line, at) => (/^sswi\[|\bsbi_call\(/.test(line) ? [at] : []));
      same(rings.length, 2, "the ways to send an IPI");
      for (const at of rings)
        same(lines[at - 1], '__asm__ volatile("fence rw, o" : : : "memory");', `the line before ${lines[at]}`);
    },
  },
  {
    clause: "C5",
    title: "trap entry on virt: a user's tp: replaced by the hart's own before the kernel is called",
    run: async (kernel) => {
      const text = await readFile(join(kernel.root, "machines/virt/trap.S"), "utf8");
      for (const label of ["trap_entry", "idle_entry"]) {
        const entry = text.slice(text.indexOf(`\n${label}:`)).split("call kernel_trap")[0] ?? "";
        holds(
          /^\s*ld\s+tp,\s*BLOCK_\w+\(s0\)\s*$/m.test(entry),
          `${label} calls the kernel with the tp of whatever ran before`,
        );
      }
    },
  },
  {
    clause: "T1",
    title: "boot on virt: harts that come in at once: each claims the boot first, by one atomic OR, and one goes on",
    run: async (kernel) => {
      const [, entry = ""] = (await sourceOf(kernel, "boot.S")).replace(/\/\/.*$/gm, "").split("\n_start:\n");
      same(
        linesIn(entry).slice(0, 4),
        ["la t0, boot_state", "li t1, BOOT_CLAIMED", "amoor.w.aqrl t1, t1, (t0)", "bnez t1, secondary"],
        "the first instructions",
      );
    },
  },
  {
    clause: "T2",
    title: "trap entry on virt: the stack comes from the block that sscratch names, and from no symbol",
    run: async (kernel) => {
      const text = await readFile(join(kernel.root, "machines/virt/trap.S"), "utf8");
      const code = text.slice(text.indexOf("\ntrap_entry:")).replace(/\/\/.*$/gm, "");
      const writes = code.match(/^\s*(la|lla|li|lui|auipc|mv|ld|addi|add)\s+(sp|x2)\b.*$/gm) ?? [];
      holds(writes.length > 0, "trap.S never loads sp: the check does not know this trap entry");
      for (const line of writes) {
        holds(
          /^\s*ld\s+sp,\s*BLOCK_\w+\(s0\)$/.test(line.trimEnd()),
          `trap.S takes its stack from elsewhere: ${line.trim()}`,
        );
      }
      holds(/trap_entry:\s+csrrw\s+s0,\s*sscratch,\s*s0/.test(code), "trap.S does not begin with sscratch");
      holds(/idle_entry:\s+csrr\s+s0,\s*sscratch/.test(code), "the entry from idle does not begin with sscratch");
      holds(/idle_entry:\s+.*\s+ld\s+sp,/.test(code), "the entry from idle keeps the stack of whatever ran before");
      // Of code, for the CSRs that hold a place in code.
      const symbols = code.replace(/^\s*la t0, (?:trap_entry|idle_entry|idle_loop)\n\s*csrw (?:stvec|sepc), t0$/gm, "");
      const symbol = /^\s*(la|lla)\s.*$/m.exec(symbols);
      holds(symbol === null, `the trap path names a symbol: ${symbol?.[0].trim()}`);
    },
  },
  {
    clause: "T4",
    title:
      "trap return on virt: from a task's trap, from an idle hart's and from boot: the canary is compared before the hart leaves",
    run: async (kernel) => {
      const text = await readFile(join(kernel.root, "machines/virt/trap.S"), "utf8");
      const code = text.replace(/\/\/.*$/gm, "").replace(/\s+/g, " ");
      for (const before of ["trap_return: ", "li a5, 0 call kernel_trap ", "boot_return: "]) {
        const at = code.indexOf(before);
        holds(at >= 0, `trap.S has no ${before}: the check does not know this trap path`);
        const next = code.slice(at + before.length);
        holds(
          /^ld t0, BLOCK_STACK_BOTTOM\(s0\) ld t0, 0\(t0\) bne t0, sp, 5[bf] /.test(next),
          `no canary is compared after ${before.trim()}`,
        );
      }
    },
  },
  {
    clause: "T7",
    title:
      "space on virt: the registers of a former life: all are cleared before the next, and each trap saves and restores all",
    run: async (kernel) => {
      const folder = join(kernel.root, "machines/virt");
      const space = await readFile(join(folder, "user-space.c"), "utf8");
      const loop = /for \(int number = (\d+); number < (\d+); number\+\+\) registers\[number\] = 0;/.exec(space);
      same(loop?.slice(1), ["1", "32"], "the registers that are cleared: from, and up to but without");
      const trap = await readFile(join(folder, "trap.S"), "utf8");
      const [, macro = ""] = /\.macro for_other_registers instruction\n(.*?)\.endm/s.exec(trap) ?? [];
      const lines = macro.split("\n").filter((line) => line !== "");
      // By hand: s0 (x8) and s1 (x9), which hold the block and the frame meanwhile.
      const others = Array.from({ length: 32 }, (_, number) => number).filter((number) => ![0, 8, 9].includes(number));
      same(
        lines.map((line) => Number(/^ *\\instruction x(\d+), 8\*\1\(s1\)$/.exec(line)?.[1])),
        others,
        "the registers that a trap saves and restores, each at its place",
      );
    },
  },
  {
    clause: "T5",
    title: "console on virt: a sender's turn ends: its bytes are ordered before those of the next sender",
    run: async (kernel) => {
      const end = functionIn(await sourceOf(kernel, "console.c"), "cease_sending");
      same(end[0], "console_device_fence();", "what comes before the sender's role is free");
      holds(
        /console_device_fence\(void\) \{ __asm__ volatile\("fence iorw, iorw"/.test(
          await sourceOf(kernel, "machine.h"),
        ),
        "the device fence does not order memory and devices",
      );
    },
  },
];
