// Checks of the console: clause T5, as far as the kernel has a part in it.
//
// Partners: case.ts; kernel/console.test.ts, which runs them on the shipped kernel; machines/virt/console-races.test.ts, which
// explores the machine's part.

import { BOOT_STEP_LINES_MAX } from "../../abi/layout.ts";
import { LineOutcome, PowerOff } from "../../abi/results.ts";
import { Qos } from "../../abi/qos.ts";
import { Syscall, SyscallError } from "../../abi/syscalls.ts";
import { TrapCause } from "../../abi/traps.ts";
import type { RunOutcome } from "../../machines/machine-run.ts";
import type { Case } from "../rig/case.ts";
import type { KernelImage } from "../rig/kernel-image.ts";
import { holds, same } from "../rig/refutation.ts";
import { Rig } from "../rig/rig.ts";
import { bootOnSim } from "../rig/sim-run.ts";

const PASSED: RunOutcome = { kind: "powered-off", result: PowerOff.Passed };

/** What a WriteLine of these bytes answers, and the lines that it made. */
function write(rig: Rig, text: string): { readonly answer: bigint | undefined; readonly lines: readonly string[] } {
  const from = rig.machine.calls.length;
  rig.machine.userText = text;
  rig.trap(0, TrapCause.SystemCall, Syscall.WriteLine, 0n, BigInt(text.length));
  const calls = rig.machine.calls.slice(from);
  return {
    answer: calls.flatMap((call) => (call.kind === "answer" ? [call.value] : []))[0],
    lines: calls.flatMap((call) => (call.kind === "line" ? [call.text] : [])),
  };
}

function withRunningTask(kernel: KernelImage): Rig {
  const rig = Rig.open(kernel, { cpus: 2 });
  rig.letTasksRun();
  rig.run(0, 1, Qos.Normal);
  return rig;
}

/** The lines of a run of one hart, without the numbers that time goes into. */
async function linesOf(kernel: KernelImage, consoleBytes?: number): Promise<readonly string[]> {
  const faults = consoleBytes === undefined ? {} : { consoleBytes };
  const run = await bootOnSim(kernel, { harts: 1, faults });
  same(run.outcome, PASSED, `a run whose console takes ${consoleBytes ?? "all"} bytes in a turn`);
  return run.lines.map((line) => line.replaceAll(/\d+/g, "n"));
}

export const consoleChecks: readonly Case[] = [
  {
    clause: "T5",
    title: "write line: the console is full: ConsoleFull and no line; when it is not: 0 and the line, behind the id",
    run: (kernel) => {
      const rig = withRunningTask(kernel);
      rig.machine.lineAnswer = LineOutcome.ConsoleFull;
      same(write(rig, "hello"), { answer: BigInt(SyscallError.ConsoleFull), lines: [] }, "a full console");
      rig.machine.lineAnswer = LineOutcome.Accepted;
      const { answer, lines } = write(rig, "hello");
      same(answer, 0n, "the answer for a line that was accepted");
      holds(lines.length === 1 && /^\[\d+\] hello$/.test(lines[0] ?? ""), `the line came out as ${lines.join("|")}`);
    },
  },
  {
    clause: "T5",
    title: "write line: every byte there is: what is not printable comes out as a full stop, line ends above all",
    run: (kernel) => {
      const rig = withRunningTask(kernel);
      for (let first = 0; first < 256; first += 64) {
        const bytes = Array.from({ length: 64 }, (_, n) => first + n);
        const { lines } = write(rig, String.fromCharCode(...bytes));
        const due = bytes.map((byte) => (byte < 32 || byte > 126 ? "." : String.fromCharCode(byte))).join("");
        same(
          lines.map((line) => line.replace(/^\[\d+\] /, "")),
          [due],
          `bytes ${first} to ${first + 63}`,
        );
      }
    },
  },
  {
    clause: "T5",
    title:
      "turns: each tick takes one, on every hart; a soft interrupt and a system call that prints nothing take none",
    run: (kernel) => {
      const rig = withRunningTask(kernel);
      const turns = (cpu: number, cause: TrapCause, call = 0): number => {
        const from = rig.machine.calls.length;
        rig.trap(cpu, cause, call);
        return rig.machine.calls.slice(from).filter((one) => one.kind === "drain" && one.by === cpu).length;
      };
      same(turns(0, TrapCause.TimerInterrupt), 1, "turns of a tick on the boot hart");
      same(turns(1, TrapCause.TimerInterrupt), 1, "turns of a tick on another hart");
      same(turns(1, TrapCause.SoftInterrupt), 0, "turns of a soft interrupt");
      same(turns(0, TrapCause.SystemCall, Syscall.Time), 0, "turns of a system call");
    },
  },
  {
    clause: "T5",
    title:
      "boot flow: less space in the console than a step may need: no step is taken, and no line written, until there is",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 1 });
      const lines = (room: number): number => {
        rig.machine.consoleRoom = room;
        const from = rig.machine.calls.length;
        rig.trap(0, TrapCause.TimerInterrupt);
        return rig.machine.calls.slice(from).filter((one) => one.kind === "line").length;
      };
      same(lines(BOOT_STEP_LINES_MAX - 1), 0, "lines while there is too little space");
      holds(lines(BOOT_STEP_LINES_MAX) > 0, "no line although there is space");
    },
  },
  {
    clause: "T5",
    title: "boot on sim: a device that takes one byte in a turn: every line, in order; one that takes none: failed",
    run: async (kernel) => {
      const [slow, fast] = [await linesOf(kernel, 1), await linesOf(kernel)];
      same(
        slow.filter((line) => !line.startsWith("[")),
        fast.filter((line) => !line.startsWith("[")),
        "the kernel's lines of a slow console beside those of a fast one",
      );
      const broken = await bootOnSim(kernel, { harts: 1, faults: { consoleBytes: 0 } });
      same(broken.outcome, { kind: "powered-off", result: PowerOff.Failed }, "a run whose console takes nothing");
    },
  },
];
