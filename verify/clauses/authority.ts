// Checks of traps and of the runtime authority: section T of the contract.
//
// Partners: case.ts; kernel/trap.test.ts, which runs them on the shipped kernel.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { EventKind } from "../../abi/events.ts";
import { CPUS_MAX, IDLE_SPACE, SPACES_MAX, TRAP_STACK_BYTES } from "../../abi/layout.ts";
import { Intrusion, Program } from "../../abi/programs.ts";
import { Qos } from "../../abi/qos.ts";
import { PowerOff } from "../../abi/results.ts";
import { Syscall, SyscallError } from "../../abi/syscalls.ts";
import { TrapCause } from "../../abi/traps.ts";
import { checkArtifact } from "../../toolchain/artifact-gate.ts";
import { KERNEL_MEMORY } from "../../toolchain/asc.ts";
import { readImportList } from "../../toolchain/import-list.ts";
import { readSourceMap } from "../../wasm/source-map.ts";
import { checkStackDepth } from "../../toolchain/stack-depth.ts";
import type { Case } from "../rig/case.ts";
import { EXIT_REASON, FAR_DEADLINE, GLOBALS, KILL, SLEEP, TASK_STATE, YIELD } from "../rig/kernel-map.ts";
import { NONE } from "../rig/kernel-memory.ts";
import { printedGraph } from "../rig/printed-graph.ts";
import { holds, refute, same } from "../rig/refutation.ts";
import { Rig } from "../rig/rig.ts";
import { bootOnSim } from "../rig/sim-run.ts";
import { snapshot, unchangedBut } from "../rig/snapshot.ts";

/** What the machine layer and the reserve at the top of a trap stack may take. */
const STACK_MARGIN_BYTES = 2048;

/** The answer that a space's system call was given last. */
function answerOf(rig: Rig, space: number): bigint | undefined {
  return rig.machine.calls
    .flatMap((call) => (call.kind === "answer" && call.space === space ? [call.value] : []))
    .at(-1);
}

export const authorityChecks: readonly Case[] = [
  {
    clause: "T1",
    title:
      "runtime: borrowed on every CPU: granted on the boot hart alone, elsewhere refused, counted, nothing else changed",
    run: (kernel) => {
      for (const cpus of [1, 2, CPUS_MAX]) {
        const rig = Rig.open(kernel, { cpus });
        same(rig.borrowRuntime(0), GLOBALS, "the handle on the boot hart");
        for (let cpu = 1; cpu < cpus; cpu++) {
          const before = snapshot(rig);
          same(rig.borrowRuntime(cpu), 0, `the handle on cpu${cpu}`);
          const evidence = [
            new RegExp(`^evidence of cpu${cpu} `),
            new RegExp(`^cpu${cpu} (resched|counter runtimeDenied)`),
          ];
          unchangedBut(rig, before, evidence, "a refused borrow");
          same(rig.counter(cpu, "runtimeDenied"), 1, "refusals counted");
          same(rig.eventsOf(cpu, EventKind.RuntimeDenied).length, 1, "refusals on record");
        }
      }
    },
  },
  {
    clause: "T1",
    title: "system call: spawn, kill, another task's class, on a secondary hart: NotBootHart and no task changed",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 2 });
      rig.letTasksRun();
      const victim = rig.spawn(0, Program.Probe, Qos.Normal, 0);
      rig.run(1, 100, Qos.Normal);
      const calls: readonly (readonly [Syscall, bigint, bigint])[] = [
        [Syscall.Spawn, BigInt(Program.Probe), BigInt(Qos.Normal)],
        [Syscall.Kill, BigInt(victim), 0n],
        [Syscall.SetQos, BigInt(victim), BigInt(Qos.PerfBurst)],
      ];
      for (const [call, a0, a1] of calls) {
        const before = snapshot(rig);
        same(rig.trap(1, TrapCause.SystemCall, call, a0, a1), 100, "the space entered");
        same(answerOf(rig, 100), BigInt(SyscallError.NotBootHart), `the answer to ${Syscall[call]} on cpu1`);
        unchangedBut(
          rig,
          before,
          [/^evidence of cpu1 /, /^cpu1 (resched|counter runtimeDenied)/],
          `a refused ${Syscall[call]}`,
        );
      }
      rig.run(0, 101, Qos.Normal);
      rig.trap(0, TrapCause.SystemCall, Syscall.Kill, BigInt(victim));
      same(answerOf(rig, 101), 0n, "the same kill on the boot hart");
    },
  },
  {
    clause: "T1",
    title: "boot on sim: petitioners on both harts: granted on the boot hart, NotBootHart elsewhere",
    run: async (kernel) => {
      const seen = new Set<string>();
      for (let seed = 1; seed <= 6; seed++) {
        const { lines } = await bootOnSim(kernel, { harts: 2, seed });
        for (const line of lines) {
          const [, cpu, answer] = /asked from cpu(\d+) for a spawn: (\S+)/.exec(line) ?? [];
          if (cpu !== undefined && answer !== undefined) seen.add(`${cpu === "0" ? "boot" : "secondary"} ${answer}`);
        }
      }
      // A petitioner asks and then prints where it runs; between the two it may have been taken to another hart.
      holds(seen.has("boot granted"), "no petitioner on the boot hart was granted its spawn");
      holds(seen.has("secondary NotBootHart"), "no petitioner elsewhere was answered NotBootHart");
    },
  },
  {
    clause: "T2",
    title: "trap: each hart on its own stack: the block that it finds is its own",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 4 });
      // Not the boot hart, whose traps carry the selftests forward.
      for (let cpu = 1; cpu < 4; cpu++) {
        const before = snapshot(rig);
        rig.machine.hartOf(cpu).softPending = true;
        same(rig.trap(cpu, TrapCause.SoftInterrupt), IDLE_SPACE, `the space that cpu${cpu} enters`);
        const own = [new RegExp(`^cpu${cpu} `), new RegExp(`^evidence of cpu${cpu} `)];
        unchangedBut(rig, before, own, `a trap of cpu${cpu}`);
        same(rig.counter(cpu, "spuriousSoft"), 1, `traps that cpu${cpu} counts`);
        same(rig.counter(cpu, "identityFallbacks"), 0, `fallbacks of cpu${cpu}`);
      }
    },
  },
  {
    clause: "T3",
    title: "trap: a fault in U-mode: ends that task alone, and the hart runs the next",
    run: (kernel) => {
      for (const cause of [
        TrapCause.LoadPage,
        TrapCause.StorePage,
        TrapCause.InstructionPage,
        TrapCause.IllegalInstruction,
        24,
      ]) {
        const rig = Rig.open(kernel, { cpus: 2 });
        rig.letTasksRun();
        rig.fill(1, Qos.Normal, 0, 2);
        rig.run(1, 5, Qos.Interactive);
        same(rig.trap(1, cause, 0, 0n, 0n, 0n, 0x40040n), 0, `the space entered after a fault with cause ${cause}`);
        same(rig.word(5).state, TASK_STATE.Exited, "the state of the task that faulted");
        same(
          [rig.taskField(5, "exitReason"), rig.taskField(5, "exitCode")],
          [EXIT_REASON.Faulted, cause],
          "how it ended",
        );
        same([rig.current(1), rig.queued(1, Qos.Normal)], [0, [1]], "what cpu1 runs, and what is left");
        same(rig.counter(1, "faults"), 1, "faults counted");
      }
    },
  },
  {
    clause: "T3",
    title: "kill: of a running task, of one that is queued, of one that sleeps: its record has Killed and code 0",
    run: (kernel) => {
      for (const where of ["running", "queued", "asleep"] as const) {
        const rig = Rig.open(kernel, { cpus: 2 });
        rig.letTasksRun();
        rig.run(1, 5, Qos.Normal);
        rig.setTaskField(5, "exitCode", where === "running" ? 77 : 0);
        rig.fill(1, Qos.Normal, 0, 1);
        if (where === "queued") same(rig.yieldCurrent(1), YIELD.Switched, "yield");
        if (where === "asleep") same(rig.sleepCurrent(1, FAR_DEADLINE), SLEEP.Blocked, "sleep");
        same(rig.kill(5), where === "running" ? KILL.Requested : KILL.Killed, `kill of a task that is ${where}`);
        if (where === "running") rig.trap(1, TrapCause.SoftInterrupt);
        same(rig.word(5).state, TASK_STATE.Exited, `the state of the task that was ${where}`);
        const how = [rig.taskField(5, "exitReason"), rig.taskField(5, "exitCode")];
        same(how, [EXIT_REASON.Killed, 0], `how the task that was ${where} ended`);
      }
    },
  },
  {
    clause: "T3",
    title: "system call: a number that there is not: Unknown, and the task goes on",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 2 });
      rig.letTasksRun();
      rig.run(1, 5, Qos.Normal);
      for (const call of [11, 4711, -1, 0x7fffffff, -0x80000000]) {
        rig.machine.calls.length = 0;
        const before = snapshot(rig);
        same(rig.trap(1, TrapCause.SystemCall, call, 1n, 2n, 3n), 5, `the space entered after call ${call}`);
        same(answerOf(rig, 5), BigInt(SyscallError.Unknown), `the answer to call ${call}`);
        unchangedBut(rig, before, [], `call ${call}`);
      }
    },
  },
  {
    clause: "T3",
    title: "system call: arguments out of range: refused, and no task changed",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 1 });
      rig.letTasksRun();
      rig.spawn(0, Program.Probe, Qos.Normal, 0);
      rig.run(0, 5, Qos.Normal);
      const calls: readonly (readonly [Syscall, bigint, bigint, SyscallError])[] = [
        [Syscall.SetQos, 0n, 4n, SyscallError.InvalidArgument],
        [Syscall.SetQos, 0n, -1n, SyscallError.InvalidArgument],
        [Syscall.Wake, -1n, 0n, SyscallError.NotFound],
        [Syscall.Wake, 1n << 40n, 0n, SyscallError.NotFound],
        [Syscall.Kill, 999n, 0n, SyscallError.NotFound],
        [Syscall.Spawn, 9n, 0n, SyscallError.InvalidArgument],
        [Syscall.Spawn, -1n, 0n, SyscallError.InvalidArgument],
        [Syscall.Spawn, 0n, 4n, SyscallError.InvalidArgument],
        [Syscall.WriteLine, 0n, -1n, SyscallError.InvalidArgument],
        [Syscall.WriteLine, 0n, 1n << 40n, SyscallError.InvalidArgument],
        [Syscall.WriteLine, 0n, 8n, SyscallError.Fault],
      ];
      for (const [call, a0, a1, due] of calls) {
        const before = snapshot(rig);
        rig.trap(0, TrapCause.SystemCall, call, a0, a1);
        same(answerOf(rig, 5), BigInt(due), `the answer to ${Syscall[call]}(${a0}, ${a1})`);
        unchangedBut(rig, before, [/^machine-wide words/, /^console lines/], `a refused ${Syscall[call]}`);
      }
    },
  },
  {
    clause: "T3",
    title:
      "boot on sim: intruders into kernel memory, image and beyond their own: each ends by a fault, the kernel goes on",
    run: async (kernel) => {
      const { tasks, outcome } = await bootOnSim(kernel, { harts: 2, seed: 5 });
      const intruders = tasks.filter((task) => task.get("program") === String(Program.Intruder));
      const faulting = [
        Intrusion.ReadKernelMemory,
        Intrusion.WriteKernelMemory,
        Intrusion.ReadKernelImage,
        Intrusion.ReadBeyondOwnMemory,
      ];
      same(
        intruders.map((task) => task.get("end")),
        intruders.map((_, i) => (faulting.includes(i) ? "fault" : "exit")),
        "how the intruders ended",
      );
      same(
        intruders.filter((task) => task.get("end") === "exit").map((task) => task.get("code")),
        ["0", "0"],
        "codes of those that were answered",
      );
      same(outcome, { kind: "powered-off", result: PowerOff.Passed }, "the end of the run");
    },
  },
  {
    clause: "T3",
    title: "reap and spawn: a table full of ended tasks: the spaces serve again, under new ids",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 1 });
      const ids = new Set<number>();
      for (let round = 0; round < 3; round++) {
        for (let i = 0; i < 64; i++) {
          const id = rig.spawn(0, Program.Probe, Qos.Normal, i);
          holds(id >= 0, `spawn ${i} of round ${round} was refused with ${id}`);
          ids.add(id);
        }
        for (let task = rig.pick(0); task !== NONE; task = rig.pick(0)) rig.endTask(task);
        rig.reap();
      }
      same(ids.size, 192, "ids that were given out");
      for (let i = 0; i < SPACES_MAX; i++) same(rig.word(i).state, TASK_STATE.Free, `state of entry ${i}`);
    },
  },
  {
    clause: "T4",
    title: "artifact gate: the kernel as it is: no recursion and no indirect call, so its depth has a bound",
    run: async (kernel) => {
      const list = readImportList("machine", await readFile(join(kernel.root, "kernel/machine.ts"), "utf8"));
      const rules = { imports: list, memory: KERNEL_MEMORY, atomicsInterface: "kernel/shared" };
      const found = checkArtifact(kernel.wasm, readSourceMap(kernel.sourceMap), rules).find((line) =>
        /recursion|call_indirect/.test(line),
      );
      if (found !== undefined) refute(found);
    },
  },
  {
    clause: "T4",
    needs: "cross-compiler",
    title: "stack depth: the kernel as it is printed and compiled: fits a trap stack with its margin",
    run: async (kernel) => {
      const { graph, machineCalls } = await printedGraph(kernel.wasm);
      const limit = { stackBytes: TRAP_STACK_BYTES, marginBytes: STACK_MARGIN_BYTES };
      const report = checkStackDepth([{ text: graph, entered: true }], machineCalls, limit);
      if (report.refusals[0] !== undefined) refute(report.refusals[0]);
      holds(report.bytes > 100, `the deepest path takes ${report.bytes} bytes: the check is blind`);
    },
  },
];
