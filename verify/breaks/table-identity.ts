// Table of breaks, section C of docs/contract.md: which CPU a hart is.
//
// Old text is kept short, so that a rewording nearby leaves it alone. Pairs with: table.ts, which lists all.

import { type Break, kernel } from "./break.ts";

export const IDENTITY_BREAKS: readonly Break[] = [
  {
    clauses: ["C1"],
    title: "a pointer in range is believed",
    edits: [
      kernel("cpu-id", "return changetype<Hart>(hint as i32 as usize).stamp == slot + STAMP_MAGIC;", "return true;"),
    ],
  },
  {
    clauses: ["C1"],
    title: "a misaligned pointer is believed",
    edits: [kernel("cpu-id", "if (hint << (64 - HART_LOG2) != 0) return false;", "")],
  },
  {
    clauses: ["C1", "C5"],
    title: "the high half of tp is not looked at",
    edits: [
      kernel(
        "cpu-id",
        "if (cpuOfBlock(hint) >= (CPUS_MAX as u64))",
        "if (cpuOfBlock(hint & 0xffffffff) >= (CPUS_MAX as u64))",
      ),
    ],
  },
  {
    clauses: ["C1"],
    title: "a hart says that it is online before it is ready",
    edits: [
      kernel(
        "online",
        "  self.cpu = cpu;\n",
        "  self.cpu = cpu;\n  store32(addressOf(self) + STAMP_OFFSET, machine.stackSlot() + STAMP_MAGIC);\n",
      ),
    ],
  },
  {
    clauses: ["C1"],
    title: "a tp is believed because there is some hart's block where it points",
    edits: [
      kernel(
        "cpu-id",
        "return changetype<Hart>(hint as i32 as usize).stamp == slot + STAMP_MAGIC;",
        "return changetype<Hart>(hint as i32 as usize).stamp != 0 && slot != 0;",
      ),
    ],
  },
  {
    clauses: ["C2"],
    title: "tp is preferred to the stack",
    edits: [
      kernel(
        "cpu-id",
        "return changetype<Hart>(hint as i32 as usize).stamp == slot + STAMP_MAGIC;",
        "return changetype<Hart>(hint as i32 as usize).stamp != 0;",
      ),
    ],
  },
  {
    clauses: ["C3"],
    title: "a lone hint is believed when the stack is nobody's",
    edits: [
      kernel(
        "cpu-id",
        "const answer = known ? cpu : 0;",
        `const hinted = ((machine.hartPointer() >> HART_LOG2) - (HARTS >> HART_LOG2)) as i32;
  const answer = known ? cpu : (hinted as u32) < (CPUS_MAX as u32) && hartAt(hinted).stamp != 0 ? hinted : 0;`,
      ),
    ],
  },
  {
    clauses: ["C4"],
    title: "the fallback searches the stacks one by one",
    edits: [
      kernel(
        "cpu-id",
        "const cpu = slot - machine.stackSlotFirst();",
        "let cpu = 0; while (cpu < CPUS_MAX && machine.stackSlotFirst() + cpu != slot) cpu++;",
      ),
    ],
  },
  {
    clauses: ["C5"],
    title: "fallbacks are not counted",
    edits: [kernel("cpu-id", "countersOf(hartAt(answer)).identityFallbacks += 1;", "")],
  },
];
