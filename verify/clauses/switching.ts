// Checks of what a trap does with the tasks of its hart: who runs next, what a task is answered, what is put on record.
//
// Partners: case.ts; kernel/dispatch.test.ts, which runs them on the shipped kernel.

import { SPACES_MAX } from "../../abi/layout.ts";
import { Program } from "../../abi/programs.ts";
import { Qos } from "../../abi/qos.ts";
import { MachineError } from "../../abi/results.ts";
import { Syscall } from "../../abi/syscalls.ts";
import { TrapCause } from "../../abi/traps.ts";
import type { Case } from "../rig/case.ts";
import type { MachineCall } from "../rig/fake-machine.ts";
import { ENQUEUE, FAR_DEADLINE, SPAWN_REFUSAL, TASK_STATE, taskId } from "../rig/kernel-map.ts";
import { NONE } from "../rig/kernel-memory.ts";
import { holds, same } from "../rig/refutation.ts";
import { Rig } from "../rig/rig.ts";

/** Ticks that a task runs before another of its class has its turn. */
const SLICE_TICKS = 2;

/** Answers of system calls, in order: the space and the value. */
export function answersOf(rig: Rig): { readonly space: number; readonly value: bigint }[] {
  return rig.machine.calls.flatMap((call: MachineCall) =>
    call.kind === "answer" ? [{ space: call.space, value: call.value }] : [],
  );
}

export const switchingChecks: readonly Case[] = [
  {
    clause: "Q6",
    title: "trap: a task of a higher class posted to a busy CPU: its S_SOFT trap enters it, and the other is queued",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 2 });
      rig.letTasksRun();
      rig.run(1, 5, Qos.Normal);
      rig.makeTask(6, Qos.Interactive, 0);
      same(rig.place(0, 1, 6), ENQUEUE.Queued, "place of the interactive task");
      rig.requestResched(0, 1);
      holds(rig.machine.hartOf(1).softPending, "cpu1 was not rung");
      same(rig.trap(1, TrapCause.SoftInterrupt), 6, "the space entered by the S_SOFT trap");
      same(rig.current(1), 6, "cpu1's task");
      same(rig.queued(1, Qos.Normal), [5], "cpu1's Normal queue");
      same(rig.field(1, "sliceTicks"), SLICE_TICKS, "the slice of the task that has just got the hart");
      same([rig.taskField(6, "runs"), rig.taskField(6, "lastCpu")], [1, 1], "runs and CPU of that task");
    },
  },
  {
    clause: "Q6",
    title: "trap: tasks of the same and of a lower class posted to a busy CPU: the running one goes on",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 2 });
      rig.letTasksRun();
      rig.run(1, 5, Qos.Normal);
      for (const [task, qos] of [
        [6, Qos.Normal],
        [7, Qos.Idle],
      ] as const) {
        rig.makeTask(task, qos, 0);
        same(rig.place(0, 1, task), ENQUEUE.Queued, `place of task ${task}`);
      }
      rig.requestResched(0, 1);
      same(rig.trap(1, TrapCause.SoftInterrupt), 5, "the space entered by the S_SOFT trap");
      same([rig.queued(1, Qos.Normal), rig.queued(1, Qos.Idle)], [[6], [7]], "cpu1's queues");
    },
  },
  {
    clause: "I6",
    title: "tick: a sleeper of a secondary hart: woken by its own hart's first tick after its time, and by none before",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 2 });
      rig.letTasksRun();
      rig.run(1, 5, Qos.Normal);
      const deadline = rig.machine.timeTicks + 5000n;
      rig.trap(1, TrapCause.SystemCall, Syscall.SleepUntil, deadline);
      same(rig.current(1), NONE, "cpu1's task after it went to sleep");
      rig.machine.timeTicks = deadline - 1n;
      rig.trap(1, TrapCause.TimerInterrupt);
      same([rig.current(1), rig.word(5).state], [NONE, TASK_STATE.Blocked], "cpu1 one tick before the time");
      rig.machine.timeTicks = deadline;
      same(rig.trap(1, TrapCause.TimerInterrupt), 5, "the space entered by the tick at the time");
      same(answersOf(rig), [{ space: 5, value: 0n }], "the sleeper's answer: its time came");
    },
  },
  {
    clause: "I6",
    title: "sleep: woken by another hart: answered 1, and the wake does not end the next sleep",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 2 });
      rig.letTasksRun();
      rig.run(1, 5, Qos.Normal);
      rig.trap(1, TrapCause.SystemCall, Syscall.SleepUntil, FAR_DEADLINE);
      rig.wake(0, 5);
      rig.requestResched(0, 1);
      same(rig.trap(1, TrapCause.SoftInterrupt), 5, "the space entered after the wake");
      same(answersOf(rig), [{ space: 5, value: 1n }], "the sleeper's answer: it was woken");
      rig.trap(1, TrapCause.SystemCall, Syscall.SleepUntil, FAR_DEADLINE);
      same([rig.current(1), rig.word(5).state], [NONE, TASK_STATE.Blocked], "cpu1 after the second sleep");
    },
  },
  {
    clause: "T3",
    title: "spawn: until every space is in use: indices and ids in order, spaces by index, then NoFreeTask",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 1 });
      for (let task = 0; task < SPACES_MAX; task++) {
        same(rig.spawn(0, Program.Probe, task >> 6, 7 * task), taskId(task, 1), `the id of spawn ${task}`);
        same(rig.word(task).state, TASK_STATE.Queued, `state of entry ${task}`);
      }
      same(
        rig.machine.calls.flatMap((call) =>
          call.kind === "prepare" ? [[call.space, call.program, Number(call.argument)]] : [],
        ),
        Array.from({ length: SPACES_MAX }, (_, task) => [task, Program.Probe, 7 * task]),
        "spaces prepared",
      );
      same(rig.spawn(0, Program.Probe, Qos.Normal, 0), SPAWN_REFUSAL.NoFreeTask, "one task more");
      same(rig.word(SPACES_MAX).state, TASK_STATE.Free, "the entry behind the last space");
    },
  },
  {
    clause: "T3",
    title: "spawn: each refusal by its own name, and the entry stays free",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 3, online: 2 });
      same(rig.spawn(0, 1000, Qos.Normal, 0), SPAWN_REFUSAL.NoProgram, "a program that there is not");
      same(rig.spawn(0, -1, Qos.Normal, 0), SPAWN_REFUSAL.NoProgram, "a program below zero");
      same(rig.spawn(2, Program.Probe, Qos.Normal, 0), SPAWN_REFUSAL.InvalidCpu, "a CPU that is offline");
      rig.machine.prepareAnswer = MachineError.InvalidParameter;
      same(rig.spawn(0, Program.Probe, Qos.Normal, 0), SPAWN_REFUSAL.MachineFailed, "a space that cannot be prepared");
      rig.machine.prepareAnswer = MachineError.Ok;
      rig.fill(0, Qos.Idle, SPACES_MAX);
      same(rig.spawn(0, Program.Probe, Qos.Idle, 0), SPAWN_REFUSAL.QueueFull, "a class that is full");
      for (let task = 0; task < SPACES_MAX; task++) same(rig.word(task).state, TASK_STATE.Free, `entry ${task}`);
    },
  },
];
