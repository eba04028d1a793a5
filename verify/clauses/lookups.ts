// Checks of what a hart looks at before it idles, counts and yields: mailboxes, tombstones, its own idle time.
//
// Partners: case.ts, interleaving.ts; kernel/dispatch.test.ts, which runs them on the shipped kernel.

import { IDLE_SPACE } from "../../abi/layout.ts";
import { Qos } from "../../abi/qos.ts";
import { Syscall } from "../../abi/syscalls.ts";
import { TrapCause } from "../../abi/traps.ts";
import type { Case } from "../rig/case.ts";
import { caller, tryInterleavings } from "../rig/interleaving.ts";
import * as calls from "../rig/kernel-calls.ts";
import type { KernelCall } from "../rig/kernel-calls.ts";
import { ENQUEUE, KILL, QOS_CHANGE, QOS_CLASSES, SIGNAL, STEAL } from "../rig/kernel-map.ts";
import { NONE } from "../rig/kernel-memory.ts";
import { holds, same } from "../rig/refutation.ts";
import { strayTasks } from "../rig/places.ts";
import { Rig } from "../rig/rig.ts";

function post(rig: Rig, task: number, qos: Qos): void {
  rig.makeTask(task, qos);
  same(rig.place(0, 1, task), ENQUEUE.Queued, `post of task ${task}`);
}

export const lookupChecks: readonly Case[] = [
  {
    clause: "Q8",
    title: "mailbox: an entry waits for its full class: counted at each drain, in every trap; none waits: not counted",
    run: (kernel) => {
      for (const cause of [TrapCause.SoftInterrupt, TrapCause.TimerInterrupt]) {
        const rig = Rig.open(kernel, { cpus: 2 });
        rig.letTasksRun();
        rig.fill(1, Qos.Normal, 100);
        rig.run(1, 5, Qos.PerfBurst);
        post(rig, 10, Qos.Interactive);
        rig.trap(1, cause);
        same([rig.queued(1, Qos.Interactive), rig.counter(1, "mailWaits")], [[10], 0], "moved, and waits counted");
        post(rig, 11, Qos.Normal);
        rig.trap(1, cause);
        same([rig.mailEntries(1), rig.counter(1, "mailWaits")], [[11], 1], "entries that wait, and waits counted");
      }
      // A task that ends has its hart look for the next one, in the mailbox as well.
      const rig = Rig.open(kernel, { cpus: 2 });
      rig.letTasksRun();
      rig.run(1, 5, Qos.PerfBurst);
      post(rig, 10, Qos.Normal);
      same(rig.trap(1, TrapCause.SystemCall, Syscall.Exit), 10, "the space entered after an end, the task only mailed");
      same(rig.counter(1, "mailWaits"), 0, "waits counted though all was moved");
    },
  },
  {
    clause: "D6",
    title:
      "idle time: from the end of a trap to the next one on that hart: counted in ticks, a secondary hart's first too",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 2, online: 1 });
      rig.machine.timeTicks = 1000n;
      same(rig.callOn(1, "bootSecondary", 1), IDLE_SPACE, "the space entered after the boot");
      rig.machine.timeTicks = 1700n;
      rig.trap(1, TrapCause.TimerInterrupt);
      same(rig.counter(1, "idleTicks"), 700, "idle ticks from its boot to its first trap");
      rig.machine.timeTicks = 1900n;
      rig.trap(1, TrapCause.SoftInterrupt);
      same(rig.counter(1, "idleTicks"), 900, "idle ticks after the next");
      rig.run(1, 5, Qos.Normal);
      rig.setField(1, "idleSince", 0);
      rig.machine.timeTicks = 2500n;
      rig.trap(1, TrapCause.SoftInterrupt);
      same(rig.counter(1, "idleTicks"), 900, "idle ticks after it ran a task");
    },
  },
  {
    clause: "T6",
    title: "kill and wake: of one task that runs, at once, every order: both are left for it (2 harts, 3 switches)",
    run: (kernel) => {
      tryInterleavings(kernel, {
        cpus: 3,
        switches: 3,
        setUp: (rig) => rig.run(2, 5, Qos.Normal),
        actors: [
          {
            cpu: 0,
            *script() {
              const outcome = yield calls.kill(5, 1);
              same(outcome, KILL.Requested, "the kill");
            },
          },
          caller(1, calls.wake(1, 5, 1)),
        ],
        judge: (rig) => same(rig.signals(5), SIGNAL.Kill | SIGNAL.Permit, "the signals of the task"),
      });
    },
  },
  {
    clause: "S3",
    title:
      "yield: the oldest of its class killed or given a class meanwhile: every task in one place (2 harts, 3 switches)",
    run: (kernel) => {
      for (const change of ["kill", "changeQos"] as const) {
        const ran = new Set<number>();
        tryInterleavings(kernel, {
          cpus: 2,
          switches: 3,
          setUp: (rig) => {
            rig.fill(1, Qos.Normal, 0, 2);
            rig.run(1, 5, Qos.Normal);
          },
          actors: [
            {
              cpu: 0,
              *script() {
                yield change === "kill" ? calls.kill(0, 1) : calls.changeQos(0, 1, Qos.Idle);
              },
            },
            caller(1, calls.yieldCurrent(1)),
          ],
          judge: (rig) => {
            same(strayTasks(rig, [0, 1, 5], 2), [], `tasks that are not in exactly one place after a ${change}`);
            ran.add(rig.current(1));
            while (rig.pick(1) !== NONE);
            for (const qos of QOS_CLASSES)
              same(rig.ring(1, qos).tombstones, 0, `tombstones of class ${qos} in the end`);
          },
        });
        holds(ran.has(0) && ran.has(1), "no order had each side win: the check is blind");
      }
    },
  },
  {
    clause: "S3",
    title:
      "change class here: a thief takes the task meanwhile: every task in one place, in its new class (2 harts, 3 switches)",
    run: (kernel) => {
      const answers = new Set<string>();
      const change: KernelCall = calls.changeQos(0, 1, Qos.Idle);
      tryInterleavings(kernel, {
        cpus: 2,
        switches: 3,
        setUp: (rig) => rig.fill(0, Qos.Normal, 0, 2),
        actors: [
          {
            cpu: 0,
            *script() {
              same(yield change, QOS_CHANGE.Updated, "the change");
            },
          },
          {
            cpu: 1,
            *script(rig) {
              const outcome = yield calls.stealFrom(1, 0, Qos.PerfBurst);
              if (outcome === STEAL.Stolen) rig.setField(1, "current", rig.field(1, "stolen"));
            },
          },
        ],
        judge: (rig) => {
          same(strayTasks(rig, [0, 1], 2), [], "tasks that are not in exactly one place");
          same(rig.classOf(0), Qos.Idle, "the class that it has, or is to have when it runs");
          answers.add(`${rig.current(1)}`);
          while (rig.pick(0) !== NONE);
          for (const qos of QOS_CLASSES) same(rig.ring(0, qos).tombstones, 0, `tombstones of class ${qos} in the end`);
        },
      });
      holds(answers.has("0") && answers.size > 1, "the thief never took the task, or always: the check is blind");
    },
  },
];
