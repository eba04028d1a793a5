// Checks of changes of class that follow one another: clause Q7 of the contract.
//
// Partners: case.ts; kernel/run-queue.test.ts, which runs them on the shipped kernel.

import { Qos } from "../../abi/qos.ts";
import { Syscall } from "../../abi/syscalls.ts";
import { TrapCause } from "../../abi/traps.ts";
import type { Case } from "../rig/case.ts";
import { caller, tryInterleavings } from "../rig/interleaving.ts";
import * as calls from "../rig/kernel-calls.ts";
import type { KernelCall } from "../rig/kernel-calls.ts";
import { ENQUEUE, QOS_CHANGE, SIGNAL, TASK_STATE, YIELD } from "../rig/kernel-map.ts";
import { holds, same } from "../rig/refutation.ts";
import { Rig } from "../rig/rig.ts";

export const classChecks: readonly Case[] = [
  {
    clause: "Q7",
    title:
      "change class: queued here, moved, run, back by its own call and queued before its old entry is dropped: it is queued once",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 1 });
      rig.letTasksRun();
      rig.fill(0, Qos.Normal, 0, 3);
      same(rig.changeQos(1, Qos.PerfBurst), QOS_CHANGE.Updated, "the change to PerfBurst");
      same(rig.pick(0), 1, "the task picked");
      rig.setCurrent(0, 1);
      rig.trap(0, TrapCause.SystemCall, Syscall.SetQos, rig.idOf(1), BigInt(Qos.Normal));
      same([rig.current(0), rig.word(1).qos], [1, Qos.Normal], "what runs, and the class that it gave itself");
      same(rig.yieldCurrent(0), YIELD.Switched, "its yield");
      same(rig.current(0), 0, "the task that runs then");
      same(rig.queued(0, Qos.Normal), [2, 1], "the queue");
    },
  },
  {
    clause: "Q7",
    title:
      "change class: asked for twice while the task yields, every order: it gets the second class (2 harts, 3 switches)",
    run: (kernel) => {
      let pending = 0;
      const change = (rig: Rig, qos: Qos): KernelCall => calls.changeQos(5, rig.life(5).incarnation, qos);
      tryInterleavings(kernel, {
        cpus: 2,
        switches: 3,
        setUp: (rig) => {
          rig.letTasksRun();
          rig.run(1, 5, Qos.Normal);
          rig.makeTask(6, Qos.Normal, 1);
          same(rig.enqueue(1, 6), ENQUEUE.Queued, "enqueue of another task");
        },
        actors: [
          {
            cpu: 0,
            *script(rig) {
              yield change(rig, Qos.Interactive);
              if (rig.word(5).state === TASK_STATE.Queued && (rig.signals(5) & SIGNAL.ChangeQos) !== 0) pending += 1;
              yield change(rig, Qos.PerfBurst);
            },
          },
          caller(1, calls.yieldCurrent(1)),
        ],
        judge: (rig) => {
          same(rig.classOf(5), Qos.PerfBurst, "the class that it has, or is to have when it runs");
        },
      });
      holds(pending > 0, "no order had the task queued with its first request open: the check is blind");
    },
  },
];
