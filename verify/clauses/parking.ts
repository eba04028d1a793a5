// Checks of parking: a full class, its task running, and a higher class that wants the hart.
//
// Partners: case.ts; kernel/dispatch.test.ts, which runs them on the shipped kernel.

import { Qos } from "../../abi/qos.ts";
import { Syscall } from "../../abi/syscalls.ts";
import { TrapCause } from "../../abi/traps.ts";
import type { Case } from "../rig/case.ts";
import { ENQUEUE, QOS_CHANGE, STEAL, TASK_STATE, YIELD } from "../rig/kernel-map.ts";
import { NONE } from "../rig/kernel-memory.ts";
import { same } from "../rig/refutation.ts";
import { Rig } from "../rig/rig.ts";

/** Ticks within which a ready task of a higher class runs on its own hart, whatever is saturated there: one slice. */
const INVERSION_TICKS_MAX = 2;

/** CPU 1, whose Normal class is full, runs two Normal tasks, each preempted by an Interactive one; the last runs on. */
function parkBoth(rig: Rig, [first, second]: readonly [number, number], higher: number): void {
  for (const task of [first, second]) {
    rig.run(1, task, Qos.Normal);
    rig.makeTask(higher, Qos.Interactive, 1);
    same(rig.enqueue(1, higher), ENQUEUE.Queued, "enqueue of the Interactive task");
    same(rig.yieldCurrent(1), YIELD.Switched, "the yield to it");
    if (task === second) break;
    rig.endTask(higher);
    rig.setCurrent(1, NONE);
  }
  same([rig.current(1), rig.parked(1, Qos.Normal)], [higher, [second, first]], "what runs, and what is parked");
}

export const parkingChecks: readonly Case[] = [
  {
    clause: "Q5",
    title:
      "parking: a class full, its task running, a higher class ready: that one runs, then the parked one before its class, and none is lost",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 2 });
      rig.letTasksRun();
      rig.fill(1, Qos.Normal, 100);
      rig.run(1, 5, Qos.Normal);
      rig.makeTask(6, Qos.PerfBurst, 0);
      same(rig.place(0, 1, 6), ENQUEUE.Queued, "place of the PerfBurst task");
      rig.requestResched(0, 1);
      rig.trap(1, TrapCause.SoftInterrupt);
      same(rig.current(1), 6, "cpu1's task after its S_SOFT trap");
      same(rig.word(5).state, TASK_STATE.Held, "the parked task's state");
      same(rig.queued(1, Qos.Normal).length, 64, "the full queue");
      rig.trap(1, TrapCause.SystemCall, Syscall.Exit, 0n);
      same(rig.current(1), 5, "cpu1's task after that one has ended");
      same(rig.queued(1, Qos.Normal).length, 64, "the full queue still");
      same(rig.taskField(5, "exitCode"), 0, "the link of the parked task");
    },
  },
  {
    clause: "Q5",
    title:
      "parking: a task parked, another of its class running, the class full: its yield is deferred, it stays current",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 2 });
      rig.letTasksRun();
      rig.fill(1, Qos.Normal, 100);
      rig.run(1, 5, Qos.Normal);
      rig.makeTask(6, Qos.PerfBurst, 1);
      same(rig.enqueue(1, 6), ENQUEUE.Queued, "enqueue of the PerfBurst task");
      same(rig.yieldCurrent(1), YIELD.Switched, "the yield to it");
      same(rig.trap(1, TrapCause.SystemCall, Syscall.SetQos, rig.idOf(6), BigInt(Qos.Normal)), 6, "the space entered");
      same(rig.word(6).qos, Qos.Normal, "the class that it gave itself");
      same(rig.yieldCurrent(1), YIELD.Deferred, "its yield");
      same([rig.current(1), rig.word(6).state], [6, TASK_STATE.Held], "what runs, and its state");
      same([rig.parked(1, Qos.Normal), rig.queued(1, Qos.Normal).length], [[5], 64], "the parked task, and the queue");
    },
  },
  {
    clause: "Q5",
    title:
      "parking: two tasks of one full class parked: the tick queues one for each place that a thief makes, and every task runs once",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 2 });
      rig.letTasksRun();
      rig.fill(1, Qos.Normal, 100);
      for (const [running, higher] of [
        [5, 6],
        [7, 8],
      ] as const) {
        rig.run(1, running, Qos.Normal);
        rig.makeTask(higher, Qos.PerfBurst, 1);
        same(rig.enqueue(1, higher), ENQUEUE.Queued, "enqueue of the PerfBurst task");
        same(rig.yieldCurrent(1), YIELD.Switched, "the yield");
        same(rig.current(1), higher, "the task that runs");
        rig.endTask(higher);
        rig.setCurrent(1, NONE);
      }
      rig.run(1, 9, Qos.PerfBurst);
      same(rig.stealFrom(0, 1, Qos.Normal), STEAL.Stolen, "a steal from the full queue");
      const stolen = rig.stolen(0);
      same(rig.parked(1, Qos.Normal), [7, 5], "the parked tasks, the one that runs next first");
      rig.trap(1, TrapCause.TimerInterrupt);
      same(rig.taskField(7, "exitCode"), 0, "the exit code of the task that was queued, which held the link");
      const queued = rig.queued(1, Qos.Normal);
      same(queued.length, 64, "the queue after the tick");
      rig.endTask(9);
      rig.setCurrent(1, NONE);
      const ran = [stolen];
      for (let task = rig.pick(1); task !== NONE && ran.length < 100; task = rig.pick(1)) ran.push(task);
      same(
        ran.toSorted((a, b) => a - b),
        [5, 7, ...Array.from({ length: 64 }, (_, i) => 100 + i)],
        "every task, once",
      );
    },
  },
  {
    clause: "Q8",
    title:
      "parking: a parked task is given a class above the running one's: it runs within a slice, and so does one parked before it",
    run: (kernel) => {
      for (const isRoomMade of [false, true]) {
        const rig = Rig.open(kernel, { cpus: 2 });
        rig.letTasksRun();
        rig.fill(1, Qos.Normal, 100);
        parkBoth(rig, [5, 7], 6);
        if (isRoomMade) same(rig.stealFrom(0, 1, Qos.Normal), STEAL.Stolen, "a steal from the full queue");
        for (const task of [5, 7]) {
          same(rig.changeQos(task, Qos.PerfBurst), QOS_CHANGE.Updated, `the change of task ${task}'s class`);
          rig.trap(1, TrapCause.SoftInterrupt);
          for (let i = 0; i < INVERSION_TICKS_MAX && rig.current(1) !== task; i++)
            rig.trap(1, TrapCause.TimerInterrupt);
          same(rig.current(1), task, "what cpu1 runs once a parked task has the highest class");
          same(rig.word(task).qos, Qos.PerfBurst, "its class");
          rig.trap(1, TrapCause.SystemCall, Syscall.Exit);
        }
      }
    },
  },
];
