// Table of breaks, section T of docs/contract.md: authority, traps, tasks and the console.
//
// Old text is kept short, so that a rewording nearby leaves it alone. Pairs with: table.ts, which lists all.

import { type Break, kernel } from "./break.ts";

/** Kernel code whose frame holds that many words at once. */
function largeFrame(words: number): string {
  const names = Array.from({ length: words }, (_, i) => i);
  const loads = names.map((i) => `const v${i} = load64(${0x8000 + 8 * i});`);
  const stores = names.map((i) => `store64(${0x8000 + 8 * i}, v${words - 1 - i});`);
  return [...loads, ...stores].join("\n");
}

export const TASKS_BREAKS: readonly Break[] = [
  {
    clauses: ["T5"],
    title: "a line that the console refused is answered as written",
    edits: [
      kernel(
        "syscall",
        "return offerLine(line) == LineOutcome.ConsoleFull ? SyscallError.ConsoleFull : 0;",
        "return offerLine(line) == LineOutcome.ConsoleFull ? 0 : 0;",
      ),
    ],
  },
  {
    clauses: ["T5"],
    title: "a user's line is written as the kernel's, which is never refused",
    edits: [
      kernel(
        "syscall",
        "return offerLine(line) == LineOutcome.ConsoleFull ? SyscallError.ConsoleFull : 0;",
        "endLine(line); return 0;",
      ),
      kernel("syscall", "import { beginLine, offerLine,", "import { beginLine, endLine,"),
    ],
  },
  {
    clauses: ["T5"],
    title: "a user's line may hold a line end",
    edits: [
      kernel("syscall", "byte < 32 || byte > 126 ? 46 : byte", "(byte < 32 && byte != 10) || byte > 126 ? 46 : byte"),
    ],
  },
  {
    clauses: ["T5"],
    title: "a user's line has nothing in front of it",
    edits: [kernel("syscall", 'putByte(line, 91); putNumber(line, idOf(task)); putText(line, "] ");', "")],
  },
  {
    clauses: ["T5"],
    title: "no tick takes a turn",
    edits: [kernel("trap", "machine.drainConsole();", "")],
  },
  {
    clauses: ["T5"],
    title: "only the boot hart's ticks take turns",
    edits: [kernel("trap", "machine.drainConsole();", "if (self.cpu == BOOT_CPU) machine.drainConsole();")],
  },
  {
    clauses: ["T5"],
    title: "a step of the boot flow does not look for space in the console",
    edits: [kernel("selftest", "if (machine.consoleRoom() < BOOT_STEP_LINES_MAX) return;", "")],
  },
  {
    clauses: ["T5"],
    title: "a byte above 127 is sent as it is",
    edits: [kernel("syscall", "byte < 32 || byte > 126 ? 46 : byte", "byte < 32 || byte == 127 ? 46 : byte")],
  },
  {
    clauses: ["T5"],
    title: "a task's line does not say whose it is",
    edits: [kernel("syscall", "  putByte(line, 91);\n", "")],
  },
  {
    clauses: ["T1"],
    title: "the runtime is granted on every hart",
    edits: [kernel("runtime", "if (self.cpu == BOOT_CPU) return", "if (true) return")],
  },
  {
    clauses: ["T1"],
    title: "the runtime is lent to any hart",
    edits: [
      kernel(
        "runtime",
        "if (self.cpu == BOOT_CPU) return changetype<Runtime>",
        "if (self.cpu >= BOOT_CPU) return changetype<Runtime>",
      ),
    ],
  },
  {
    clauses: ["T2"],
    title: "every block is stamped with the first stack",
    edits: [kernel("online", "machine.stackSlot() + STAMP_MAGIC", "machine.stackSlotFirst() + STAMP_MAGIC")],
  },
  {
    clauses: ["T3"],
    title: "a task goes on after its fault",
    edits: [kernel("trap", "endCurrent(self, ExitReason.Faulted, cause);", "")],
  },
  {
    clauses: ["T3"],
    title: "an unknown system call is answered as if it had been done",
    edits: [kernel("syscall", "return SyscallError.Unknown;", "return 0;")],
  },
  {
    clauses: ["T4"],
    title: "recursion",
    edits: [
      kernel(
        "tick",
        "machine.setTimer(self.tickDeadline);",
        "machine.setTimer(self.tickDeadline); if (now < 0) setNextTick(self, now + self.tickDeadline * 3);",
      ),
    ],
  },
  {
    clauses: ["T4"],
    title: "a function with a large frame",
    edits: [
      kernel(
        "tick",
        "machine.setTimer(self.tickDeadline);",
        `machine.setTimer(self.tickDeadline);\n${largeFrame(1000)}`,
      ),
      kernel(
        "tick",
        'import { tickLength } from "./topology";',
        'import { load64, store64 } from "./shared";\nimport { tickLength } from "./topology";',
      ),
    ],
  },
  {
    clauses: ["T6"],
    title: "a wake does not look whose life it meets",
    edits: [
      kernel(
        "sleep",
        "if (!isOfLife(life, incarnation) || !isLive(word)) return WakeOutcome.NotFound;",
        "if (!isLive(word)) return WakeOutcome.NotFound;",
      ),
    ],
  },
  {
    clauses: ["T6"],
    title: "the life is checked before a permit is left, and not with it",
    edits: [
      kernel(
        "sleep",
        "exchanged64(address, life, life | (Signal.Permit as i64))",
        "add64(address, Signal.Permit) >= 0",
      ),
    ],
  },
  {
    clauses: ["T6"],
    title: "a kill rings nobody",
    edits: [
      kernel(
        "authority",
        "if (stateOf(word) == TaskState.Held) notify(self, cpuOf(word)); return word == seen;",
        "return word == seen;",
      ),
    ],
  },
  {
    clauses: ["T6"],
    title: "sleeps are not counted: a waker takes a later sleep for the one that it has seen",
    edits: [
      kernel(
        "signals",
        "export const FALL_ASLEEP: i64 = ((1 as i64) << SLEEPS_SHIFT) + Signal.Asleep;",
        "export const FALL_ASLEEP: i64 = Signal.Asleep as i64;",
      ),
    ],
  },
  {
    clauses: ["T6"],
    title: "a task that falls asleep does not look whether it was killed",
    edits: [
      kernel(
        "sleep",
        "if (has(before, Signal.Permit | Signal.Kill) && takeBack",
        "if (has(before, Signal.Permit) && takeBack",
      ),
    ],
  },
  {
    clauses: ["T6"],
    title: "a task begins without a look whether it was killed",
    edits: [
      kernel(
        "dispatch",
        "  if (current == NO_TASK || needsAttention(taskFrom(current))) return dispatchAny(self);\n",
        "  if (current == NO_TASK) return dispatchAny(self);\n",
      ),
    ],
  },
  {
    clauses: ["T7"],
    title: "signals of a former life reach the next",
    edits: [
      kernel(
        "signals",
        "return (life & ~(SIGNALS_MASK as i64)) + ((1 as i64) << INCARNATION_SHIFT);",
        "return life + ((1 as i64) << INCARNATION_SHIFT);",
      ),
    ],
  },
  {
    clauses: ["T7"],
    title: "how a task ended is written after its end is published and counted",
    edits: [
      kernel("dispatch", "task.exitReason = reason as i8; task.exitCode = code;", ""),
      kernel(
        "dispatch",
        "countExit(); notify(self, BOOT_CPU);",
        "countExit(); notify(self, BOOT_CPU); task.exitReason = reason as i8; task.exitCode = code;",
      ),
    ],
  },
  {
    clauses: ["T8"],
    title: "a kill that has ended its task is answered as if there were none",
    edits: [
      kernel(
        "authority",
        "if (!isLive(word)) return isAsked ? KillOutcome.Requested : KillOutcome.NotFound;",
        "if (!isLive(word)) return KillOutcome.NotFound;",
      ),
    ],
  },
  {
    clauses: ["T8"],
    title: "a sleep that is taken back keeps its permit, which ends the next one as well",
    edits: [kernel("sleep", "seen & ~((Signal.Asleep | Signal.Permit) as i64)", "seen & ~(Signal.Asleep as i64)")],
  },
  {
    clauses: ["T8"],
    title: "two refusals of a wake are exchanged",
    edits: [
      kernel(
        "syscall",
        "if (outcome == WakeOutcome.QueueFull) return SyscallError.QueueFull;",
        "if (outcome == WakeOutcome.QueueFull) return SyscallError.Contended;",
      ),
    ],
  },
  {
    clauses: ["T8"],
    title: "a sleep that has ended by its time is answered as one that was woken",
    edits: [
      kernel(
        "dispatch",
        "has(before, Signal.Woken | Signal.Permit) ? 1 : 0",
        "has(before, Signal.Woken | Signal.Permit | Signal.Expired) ? 1 : 0",
      ),
    ],
  },
  {
    clauses: ["I6"],
    title: "a place that a refused spawn gives back rings nobody",
    edits: [
      kernel(
        "authority",
        "if (cpu != self.cpu) giveBack(self, cpu, position);",
        "if (cpu != self.cpu) fill(hartAt(cpu), position, EMPTY_ENTRY);",
      ),
    ],
  },
];
