// Breaks of the machine layer of virt, in C and assembly.
//
// Pairs with: table.ts; verify/clauses/machine-layer.ts, which reads the sources.

import { type Break, edit } from "./break.ts";

export const MACHINE_BREAKS: readonly Break[] = [
  {
    clauses: ["I3"],
    title: "the SSWI's register is written without a fence before it, on virt",
    edits: [
      edit(
        "machines/virt/machine-calls.h",
        `__asm__ volatile("fence rw, o" : : : "memory"); sswi[doorbell] = 1;`,
        "sswi[doorbell] = 1;",
      ),
    ],
  },
  {
    clauses: ["C5"],
    title: "tp is not restored at trap entry on virt",
    edits: [edit("machines/virt/trap.S", "ld tp, BLOCK_HART_POINTER(s0) // kernel_trap", "// kernel_trap")],
  },
  {
    clauses: ["C5"],
    title: "tp is not restored when an idle hart traps on virt",
    edits: [edit("machines/virt/trap.S", "ld tp, BLOCK_HART_POINTER(s0) csrr a0, scause", "csrr a0, scause")],
  },
  {
    clauses: ["T1"],
    title: "the boot is claimed by a load and a store, on virt",
    edits: [
      edit(
        "machines/virt/boot.S",
        "amoor.w.aqrl t1, t1, (t0)",
        "lw t2, 0(t0)\n  or t1, t1, t2\n  sw t1, 0(t0)\n  mv t1, t2",
      ),
    ],
  },
  {
    clauses: ["T2"],
    title: "one stack for all harts, by its symbol, on virt",
    edits: [
      edit(
        "machines/virt/trap.S",
        "csrr t1, sepc ld sp, BLOCK_STACK_TOP(s0)",
        "csrr t1, sepc\n  la sp, shared_stack_top",
      ),
    ],
  },
  {
    clauses: ["T2"],
    title: "an idle hart traps onto the stack that it last used, on virt",
    edits: [edit("machines/virt/trap.S", "csrr s0, sscratch ld sp, BLOCK_STACK_TOP(s0)", "csrr s0, sscratch")],
  },
  {
    clauses: ["T4"],
    title: "no canary is compared when an idle hart's trap ends, on virt",
    edits: [
      edit(
        "machines/virt/trap.S",
        "call kernel_trap ld t0, BLOCK_STACK_BOTTOM(s0) ld t0, 0(t0) bne t0, sp, 5b",
        "call kernel_trap",
      ),
    ],
  },
  {
    clauses: ["T7"],
    title: "the last register keeps what the former life left in it, on virt",
    edits: [edit("machines/virt/user-space.c", "number < 32; number++", "number < 31; number++")],
  },
  {
    clauses: ["T7"],
    title: "the last register is not the task's own over a trap, on virt",
    edits: [edit("machines/virt/trap.S", "\\instruction x31, 8*31(s1)\n", "")],
  },
  {
    clauses: ["T5"],
    title: "the bytes of the next sender may pass those of the one before, on virt",
    edits: [edit("machines/virt/console.c", "console_device_fence();", "")],
  },
];
