// Checks of the kernel's tables at their ends: tasks, sleepers, mailboxes, CPUs that could not be rung.
//
// Partners: case.ts; kernel/dispatch.test.ts, which runs them on the shipped kernel.

import { SPACES_MAX } from "../../abi/layout.ts";
import { Program } from "../../abi/programs.ts";
import { Qos } from "../../abi/qos.ts";
import { MachineError } from "../../abi/results.ts";
import { Syscall, SyscallError } from "../../abi/syscalls.ts";
import { TrapCause } from "../../abi/traps.ts";
import type { Case } from "../rig/case.ts";
import { DRAIN, ENQUEUE, FAR_DEADLINE, SLEEP, SLEEPERS_CAPACITY, STEAL, taskId, WAKE } from "../rig/kernel-map.ts";
import { holds, same } from "../rig/refutation.ts";
import { Rig } from "../rig/rig.ts";
import { answersOf } from "./switching.ts";

export const tableChecks: readonly Case[] = [
  {
    clause: "I4",
    title: "notify: three CPUs refused, then a tick: each is rung, and what is refused again is rung by the next tick",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 4 });
      rig.machine.sendAnswer = () => MachineError.Failed;
      for (const cpu of [1, 2, 3]) holds(rig.spawn(cpu, Program.Probe, Qos.Normal, 0) >= 0, `spawn on cpu${cpu}`);
      same(rig.machine.rungCpus(), [], "CPUs rung while every IPI is refused");
      const refused = rig.machine.hartOf(2).hartId;
      rig.machine.sendAnswer = (hartId) => (hartId === refused ? MachineError.Failed : MachineError.Ok);
      rig.retryUnsent(0);
      same(rig.machine.rungCpus().length, 2, "CPUs rung by the tick while one is still refused");
      rig.machine.sendAnswer = () => MachineError.Ok;
      rig.retryUnsent(0);
      same(rig.machine.rungCpus().length, 3, "CPUs rung by the next tick");
      rig.retryUnsent(0);
      same(rig.machine.rungCpus().length, 3, "CPUs rung when nothing is left");
      for (const cpu of [1, 2, 3]) holds(rig.machine.hartOf(cpu).softPending, `cpu${cpu} was not rung`);
    },
  },
  {
    clause: "T3",
    title: "spawn: an ended task reaped between two spawns: its entry is taken last, in a new life",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 1 });
      same(rig.spawn(0, Program.Probe, Qos.Normal, 0), taskId(0, 1), "the first spawn");
      same(rig.pick(0), 0, "the task picked");
      rig.endTask(0);
      rig.reap();
      for (let task = 1; task < SPACES_MAX; task++)
        same(rig.spawn(0, Program.Probe, task >> 6, 0), taskId(task, 1), `spawn ${task}`);
      same(rig.spawn(0, Program.Probe, Qos.Idle, 0), taskId(0, 2), "the spawn that takes the first entry again");
    },
  },
  {
    clause: "I6",
    title:
      "sleepers: the table full of sleepers, some of them woken: the next sleep makes room, and the others keep their times",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 2 });
      rig.letTasksRun();
      const now = rig.machine.timeTicks;
      const timed: number[] = [];
      for (let task = 0; task < SLEEPERS_CAPACITY; task++) {
        rig.run(1, task, Qos.Normal);
        const isTimed = task % 3 !== 1;
        if (isTimed) timed.push(task);
        same(rig.sleepCurrent(1, isTimed ? now + BigInt(1000 - task) : FAR_DEADLINE), SLEEP.Blocked, `sleep ${task}`);
      }
      rig.run(1, 100, Qos.Normal);
      same(rig.sleepCurrent(1, FAR_DEADLINE), SLEEP.SleepersFull, "one sleeper more");
      for (let task = 1; task < SLEEPERS_CAPACITY; task += 3) same(rig.wake(0, task), WAKE.Posted, `wake of ${task}`);
      same(rig.sleepCurrent(1, FAR_DEADLINE), SLEEP.Blocked, "one sleeper more, when some were woken");
      same(rig.drainMailbox(1), DRAIN.Emptied, "the drain of those woken");
      const woken = rig.queued(1, Qos.Normal).length;
      rig.wakeExpired(1, now + 2000n);
      same(rig.queued(1, Qos.Normal).slice(woken), timed.toReversed(), "those whose time came, the soonest first");
    },
  },
  {
    clause: "I8",
    title: "mailbox: two classes mixed, one of them full: the others are delivered, and the rest waits in its order",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 2 });
      rig.fill(1, Qos.Normal, 100);
      const posted = [
        [10, Qos.Normal],
        [11, Qos.Interactive],
        [12, Qos.Normal],
        [13, Qos.Interactive],
        [14, Qos.Interactive],
        [15, Qos.Normal],
      ] as const;
      for (const [task, qos] of posted) {
        rig.makeTask(task, qos, 0);
        same(rig.place(0, 1, task), ENQUEUE.Queued, `place of task ${task}`);
      }
      same(rig.drainMailbox(1), DRAIN.WaitsForRoom, "the drain with a full class");
      same(rig.queued(1, Qos.Interactive), [11, 13, 14], "the class with room");
      for (const due of [10, 12, 15]) {
        same(rig.stealFrom(0, 1, Qos.Normal), STEAL.Stolen, "a steal, which makes room");
        rig.setField(0, "stealsInTick", 0);
        same(rig.drainMailbox(1), due === 15 ? DRAIN.Emptied : DRAIN.WaitsForRoom, "the drain with room for one");
        same(rig.queued(1, Qos.Normal).at(-1), due, "the newest of the full class");
      }
    },
  },
  {
    clause: "T8",
    title: "system call: wake of a sleeper whose CPU's mailbox is full: QueueFull, and the caller goes on",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 2 });
      rig.letTasksRun();
      rig.run(1, 200, Qos.Normal);
      same(rig.sleepCurrent(1, FAR_DEADLINE), SLEEP.Blocked, "the sleep");
      rig.fillMailbox(1, 0);
      rig.run(0, 201, Qos.Normal);
      same(rig.trap(0, TrapCause.SystemCall, Syscall.Wake, rig.idOf(200)), 201, "the space entered");
      same(answersOf(rig), [{ space: 201, value: BigInt(SyscallError.QueueFull) }], "the answer");
    },
  },
  {
    clause: "T3",
    title: "system call: spawn with every space in use: NoFreeTask, and the caller goes on",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 1 });
      rig.letTasksRun();
      for (let task = 0; task < SPACES_MAX; task++) rig.spawn(0, Program.Probe, task >> 6, 0);
      rig.setCurrent(0, rig.pick(0));
      const caller = rig.current(0);
      same(
        rig.trap(0, TrapCause.SystemCall, Syscall.Spawn, BigInt(Program.Probe), BigInt(Qos.Normal), 0n),
        caller,
        "the space entered",
      );
      same(answersOf(rig), [{ space: caller, value: BigInt(SyscallError.NoFreeTask) }], "the answer");
    },
  },
];
