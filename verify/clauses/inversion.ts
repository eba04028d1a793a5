// Checks of the order in which ready tasks run where something is saturated: clauses Q6 and Q8 of the contract.
//
// Partners: case.ts; kernel/run-queue.test.ts, which runs them on the shipped kernel.

import { RING_CAPACITY } from "../../abi/layout.ts";
import { Qos } from "../../abi/qos.ts";
import { Syscall } from "../../abi/syscalls.ts";
import { TrapCause } from "../../abi/traps.ts";
import type { Case } from "../rig/case.ts";
import type { KernelImage } from "../rig/kernel-image.ts";
import { ENQUEUE, QOS_CLASSES, RESCHED, SLEEP, STEAL } from "../rig/kernel-map.ts";
import { NONE } from "../rig/kernel-memory.ts";
import { holds, same } from "../rig/refutation.ts";
import { Rig } from "../rig/rig.ts";

/** Ticks within which a ready task of a higher class runs on its own hart, whatever is saturated there: one slice. */
const INVERSION_TICKS_MAX = 2;

const RUNNING = 900;
const HELD_UP = 901;
const HIGHER = 902;

interface Saturation {
  readonly running: Qos;
  /** The class whose ring is full. */
  readonly full: Qos;
  /** The class of the task that becomes ready. */
  readonly higher: Qos;
  /** An entry of the full class stands before it in the mailbox. */
  readonly isBehind: boolean;
}

function labelOf({ running, full, higher, isBehind }: Saturation): string {
  return `class ${running} running, class ${full} full, class ${higher} mailed${isBehind ? " behind one of the full class" : ""}`;
}

/** Every way in which a ready task of a higher class may find its hart saturated by lower ones. */
function saturations(): Saturation[] {
  return QOS_CLASSES.flatMap((higher) =>
    QOS_CLASSES.filter((running) => running < higher).flatMap((running) =>
      QOS_CLASSES.filter((full) => full < higher).flatMap((full) =>
        [false, true].map((isBehind): Saturation => ({ running, full, higher, isBehind })),
      ),
    ),
  );
}

/** CPU 1 runs a task; one of its rings is full; CPU 0 posts. */
function saturated(kernel: KernelImage, saturation: Saturation): Rig {
  const rig = Rig.open(kernel, { cpus: 2 });
  rig.letTasksRun();
  rig.fill(1, saturation.full, 0);
  rig.run(1, RUNNING, saturation.running);
  const posted: [number, Qos][] = [[HIGHER, saturation.higher]];
  if (saturation.isBehind) posted.unshift([HELD_UP, saturation.full]);
  for (const [task, qos] of posted) {
    rig.makeTask(task, qos);
    same(rig.place(0, 1, task), ENQUEUE.Queued, `post of a task of class ${qos}`);
  }
  return rig;
}

/** Puts the current task to sleep. */
function sleeps(rig: Rig, cpu: number, task: number, qos: Qos, deadline: bigint): void {
  rig.run(cpu, task, qos);
  same(rig.sleepCurrent(cpu, deadline), SLEEP.Blocked, `sleep of task ${task}`);
}

export const inversionChecks: readonly Case[] = [
  {
    clause: "Q8",
    title:
      "trap: a higher class becomes ready, any class running, any class full, behind any mailbox entry: it runs within a slice",
    run: (kernel) => {
      const late: string[] = [];
      for (const saturation of saturations()) {
        const rig = saturated(kernel, saturation);
        rig.trap(1, TrapCause.SoftInterrupt);
        for (let ticks = 0; ticks < INVERSION_TICKS_MAX && rig.current(1) !== HIGHER; ticks++) {
          rig.machine.timeTicks += 1000n;
          rig.trap(1, TrapCause.TimerInterrupt);
        }
        if (rig.current(1) !== HIGHER) late.push(labelOf(saturation));
      }
      same(
        late.length,
        0,
        `of ${saturations().length} saturated states, those that keep a higher class waiting (${late[0] ?? ""})`,
      );
    },
  },
  {
    clause: "Q8",
    title: "trap: a higher class preempts a task whose ring is full, runs and ends: every task runs once more",
    run: (kernel) => {
      const rig = saturated(kernel, { running: Qos.Normal, full: Qos.Normal, higher: Qos.PerfBurst, isBehind: true });
      rig.trap(1, TrapCause.SoftInterrupt);
      for (let i = 0; i < INVERSION_TICKS_MAX && rig.current(1) !== HIGHER; i++) rig.trap(1, TrapCause.TimerInterrupt);
      same(rig.current(1), HIGHER, "what cpu1 runs once a PerfBurst task is ready");
      const ran = new Set<number>();
      for (let turn = 0; turn < 3 * RING_CAPACITY && rig.current(1) !== NONE; turn++) {
        ran.add(rig.current(1));
        rig.trap(1, TrapCause.SystemCall, Syscall.Exit);
        // What waits in the mailbox comes with the next tick.
        if (rig.current(1) === NONE) rig.trap(1, TrapCause.TimerInterrupt);
      }
      const all = [...Array.from({ length: RING_CAPACITY }, (_, i) => i), RUNNING, HELD_UP, HIGHER];
      same(
        [...ran].toSorted((a, b) => a - b),
        all,
        "the tasks that ran to their ends",
      );
    },
  },
  {
    clause: "Q6",
    title: "system call: a higher class noted as occupied, its last task stolen: the caller keeps its turn",
    run: (kernel) => {
      for (const call of [Syscall.Time, Syscall.TaskId, Syscall.CpuId, 4711]) {
        const rig = Rig.open(kernel, { cpus: 3 });
        rig.letTasksRun();
        rig.fill(1, Qos.Normal, 0, 2);
        rig.fill(1, Qos.PerfBurst, 20, 1);
        same(rig.stealFrom(2, 1, Qos.PerfBurst), STEAL.Stolen, "steal of the PerfBurst task");
        rig.run(1, RUNNING, Qos.Normal);
        rig.trap(1, TrapCause.SystemCall, call);
        same(rig.current(1), RUNNING, `what cpu1 runs after call ${call}`);
        same(rig.queued(1, Qos.Normal), [0, 1], "the queue of its class");
      }
    },
  },
  {
    clause: "Q6",
    title: "trap: a higher class noted as occupied, its last task stolen: who runs goes on in the slice that it has",
    run: (kernel) => {
      for (const qos of [Qos.Interactive, Qos.PerfBurst]) {
        const rig = Rig.open(kernel, { cpus: 3 });
        rig.letTasksRun();
        rig.fill(1, Qos.Normal, 0, 2);
        rig.run(1, RUNNING, Qos.Normal);
        rig.setField(1, "sliceTicks", 1);
        const runs = rig.taskField(RUNNING, "runs");
        rig.fill(1, qos, 20, 1);
        same(rig.stealFrom(2, 1, qos), STEAL.Stolen, "steal of the task of the higher class");
        same(rig.requestResched(0, 1), RESCHED.Sent, "a request");
        rig.trap(1, TrapCause.SoftInterrupt);
        same(rig.current(1), RUNNING, "what cpu1 runs");
        same(rig.field(1, "sliceTicks"), 1, "the ticks of its slice");
        same(rig.taskField(RUNNING, "runs"), runs, "how often it has begun to run");
      }
    },
  },
  {
    clause: "Q6",
    title: "tick: several sleepers of one class expire: queued in the order of their deadlines, and of falling asleep",
    run: (kernel) => {
      const deadlines = [500n, 300n, 500n, 100n, 400n, 300n, 200n];
      const rig = Rig.open(kernel, { cpus: 2 });
      const now = rig.machine.timeTicks;
      for (const [task, deadline] of deadlines.entries()) sleeps(rig, 1, task, Qos.Normal, now + deadline);
      rig.wakeExpired(1, now + 450n);
      same(rig.queued(1, Qos.Normal), [3, 6, 1, 5, 4], "the queue after the first tick");
      rig.wakeExpired(1, now + 500n);
      same(rig.queued(1, Qos.Normal), [3, 6, 1, 5, 4, 0, 2], "the queue after the second");
    },
  },
  {
    clause: "Q6",
    title: "tick: expired sleepers whose ring has room for some: the earliest go first, the rest keep their order",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 2 });
      const now = rig.machine.timeTicks;
      for (let task = 0; task < 6; task++) sleeps(rig, 1, task, Qos.Normal, now + 100n - BigInt(task));
      rig.fill(1, Qos.Normal, 100, RING_CAPACITY - 2);
      rig.wakeExpired(1, now + 200n);
      same(rig.queued(1, Qos.Normal).slice(-2), [5, 4], "the two that found room");
      for (let i = 0; i < 4; i++) holds(rig.pick(1) !== NONE, "a pick found nothing");
      rig.wakeExpired(1, now + 201n);
      same(rig.queued(1, Qos.Normal).slice(-6), [5, 4, 3, 2, 1, 0], "the end of the queue");
    },
  },
];
