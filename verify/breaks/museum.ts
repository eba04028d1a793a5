// Museum: bugs that other kernels really had, each as a break of this one, with its source.
//
// A bug is carried over by its mechanism, not by its text: what is lost, seen too early or left behind is the same.
// Pairs with: table.ts, which lists all breaks; docs/museum.md is the list for people.

import { type Break, kernel } from "./break.ts";

export const MUSEUM: readonly Break[] = [
  {
    source: "rcore-os/tgoskits PR#222, bao-project/bao-hypervisor#89",
    clauses: ["I6"],
    title: "S_SOFT is cleared after the mailbox was drained",
    edits: [
      kernel("resched", "  machine.clearSoft();\n  const seen", "  const seen"),
      kernel(
        "trap",
        "if (hasMail(self)) receiveMail(self);",
        "if (hasMail(self)) receiveMail(self); machine.clearSoft();",
      ),
    ],
  },
  {
    source: "rcore-os/tgoskits PR#1426 and PR#1381",
    clauses: ["I3"],
    title: "the mark that coalesces requests stays when their IPI has come",
    edits: [kernel("resched", "- count - SENT);", "- count);")],
  },
  {
    source: "zephyrproject-rtos/zephyr PR#105596 and PR#113181",
    clauses: ["I6"],
    title: "a CPU that rings another takes its own pending mark away",
    edits: [
      kernel(
        "resched",
        "const marked = mark(stateAddress(peer));",
        "and64(stateAddress(self), ~SENT); const marked = mark(stateAddress(peer));",
      ),
    ],
  },
  {
    source: "hermit-os/kernel PR#2468",
    clauses: ["I6"],
    title: "a CPU that seems to be running a task is not rung after another was posted to it",
    edits: [
      kernel(
        "resched",
        "if (target == self.cpu) return;",
        "if (target == self.cpu || hartAt(target).current != 0) return;",
      ),
    ],
  },
  {
    source: "mit-pdos/xv6-riscv#388",
    clauses: ["I6"],
    title: "an interrupt between the last look at the queues and the wait is gone when the wait begins",
    edits: [
      kernel(
        "dispatch",
        "self.idleSince = machine.timeTicks();\n",
        "machine.clearSoft(); self.idleSince = machine.timeTicks();\n",
      ),
    ],
  },
  {
    source: "seL4/seL4 PR#199",
    clauses: ["S3"],
    title: "what the exchange protects is read outside of it: a thief reads the slot after it has moved the head",
    edits: [
      kernel(
        "scheduler",
        "const entry = load64(slot);\n  if (!exchanged64(ring, state, after)) return StealOutcome.Contended;",
        "if (!exchanged64(ring, state, after)) return StealOutcome.Contended;\n  const entry = load64(slot);",
      ),
    ],
  },
  {
    source: "seL4/seL4 PR#1387",
    clauses: ["I6"],
    title: "a place that was taken in the queue is never linked up, and whoever comes behind it waits for ever",
    edits: [
      kernel("sleep", "fill(hartAt(cpu), position, EMPTY_ENTRY);\n  notify(self, cpu);", "notify(self, cpu);"),
      kernel("sleep", "EMPTY_ENTRY, ", ""),
    ],
  },
  {
    source: "torvalds/linux e0acd0a68ec7 (signal_wake_up against schedule, in try_to_wake_up)",
    clauses: ["I6"],
    title: "a task looks whether it was woken before it can be seen to sleep, and not after",
    edits: [
      kernel(
        "sleep",
        "store64(addressOfTask(task), blocked);\n  // From here",
        "const before = load64(life);\n  store64(addressOfTask(task), blocked);\n  // From here",
      ),
      kernel("sleep", "const before = add64(life, FALL_ASLEEP);", "add64(life, FALL_ASLEEP);"),
    ],
  },
  {
    source: "sched-ext/scx PR#3760",
    clauses: ["S3"],
    title: "whoever finds a queue empty clears the bit that marks work, without another look",
    edits: [
      kernel(
        "scheduler",
        "} while (left != 0);\n  return StealOutcome.NothingThere;",
        "} while (left != 0);\n  store32(victim + OCCUPIED_OFFSET, 0);\n  return StealOutcome.NothingThere;",
      ),
      kernel("scheduler", "load32, load64, store64, swap64 } from", "load32, load64, store32, store64, swap64 } from"),
    ],
  },
  {
    source: "charmplusplus/charm#1345",
    clauses: ["S3"],
    title: "an entry is published before it is written",
    edits: [
      kernel(
        "run-queue",
        "swap64(slotAt(ring, ((state >> 32) as i32) - room), queued);",
        "add64(ring, -1); swap64(slotAt(ring, ((state >> 32) as i32) - room), queued);",
      ),
      kernel(
        "run-queue",
        "swap64(addressOfTask(task), queued);\n  add64(ring, -1);\n  return isAnnounced",
        "swap64(addressOfTask(task), queued);\n  return isAnnounced",
      ),
    ],
  },
  {
    source: "apache/nuttx PR#18241",
    clauses: ["Q3"],
    title: "a task is placed on the CPU behind the last one",
    edits: [
      kernel(
        "scheduler",
        "if (!isOnline(cpu)) return PlaceRefusal.InvalidCpu;",
        "if (cpu < 0 || cpu > 64) return PlaceRefusal.InvalidCpu;",
      ),
    ],
  },
  {
    source: "seL4/seL4 PR#1014",
    clauses: ["I3"],
    title: "the IPI goes out before what it announces can be seen",
    edits: [
      kernel(
        "resched",
        "if (!exchanged64(stateAddress(peer), state, state + 1 + SENT)) {",
        "const early = machine.sendIpi(doorbell); if (!exchanged64(stateAddress(peer), state, state + 1 + SENT)) {",
      ),
      kernel(
        "resched",
        "return ring(self, target, doorbell, request, takenOf(state));",
        "if (early != MachineError.Ok) return recordRefusal(self, target, doorbell, request, takenOf(state), early); countersOf(self).sent += 1; return ReschedOutcome.Sent;",
      ),
    ],
  },
  {
    source: "hermit-os/kernel#105",
    clauses: ["I6"],
    title: "sleepers are woken on the boot hart only",
    edits: [kernel("trap", "  wakeExpired(self, now);", "  if (self.cpu == BOOT_CPU) wakeExpired(self, now);")],
  },
  {
    source: "AlessandroSangiuliano/Uros#316",
    clauses: ["Q6"],
    title: "the IPI's handler acknowledges and does not reschedule",
    edits: [kernel("trap", "const space = resume(self);\n", "const space = dispatch(self);\n")],
  },
  {
    source: "zephyrproject-rtos/zephyr PR#62121",
    clauses: ["I2"],
    title: "a CPU is rung that has not been started",
    edits: [kernel("resched", "if (!isOnline(target)) {", "if (!isValid(target)) {")],
  },
  {
    source: "zephyrproject-rtos/zephyr PR#114131",
    clauses: ["I4"],
    title: "of two IPIs that could not go out, the first is forgotten",
    edits: [
      kernel(
        "resched",
        "self.unsentTarget = isFirst ? target + 1 : SEVERAL;",
        "self.unsentTarget = isFirst || target > 0 ? target + 1 : SEVERAL;",
      ),
    ],
  },
  {
    source: "rcore-os/tgoskits PR#1354",
    clauses: ["I4"],
    title: "a CPU is rung without a request, so its trap has nothing to answer for",
    edits: [
      kernel(
        "resched",
        "const outcome = requestResched(self, target);",
        "const outcome = machine.sendIpi(hartAt(target).doorbell) == MachineError.Ok ? ReschedOutcome.Sent : ReschedOutcome.SendFailed;",
      ),
    ],
  },
  {
    source: "hermit-os/kernel PR#327",
    clauses: ["C1"],
    title: "a CPU can be found before its queues are made",
    edits: [
      kernel(
        "online",
        "  clearRings(self);\n",
        "  store32(addressOf(self) + STAMP_OFFSET, machine.stackSlot() + STAMP_MAGIC);\n  clearRings(self);\n",
      ),
    ],
  },
  {
    source: "zephyrproject-rtos/zephyr PR#54116",
    clauses: ["I6"],
    title: "the pending bit of an IPI is never cleared",
    edits: [kernel("resched", "  machine.clearSoft();\n  const seen", "  const seen")],
  },
  {
    source: "rcore-os/tgoskits PR#873",
    clauses: ["I3"],
    title: "a sender waits, with interrupts off, until its IPI was taken",
    edits: [
      kernel(
        "resched",
        "  countersOf(self).sent += 1;\n  return ReschedOutcome.Sent;",
        "  for (let i = 0; (load64(stateAddress(hartAt(target))) & SENT) != 0; i++) assert(i < 10000);\n  countersOf(self).sent += 1;\n  return ReschedOutcome.Sent;",
      ),
    ],
  },
];
