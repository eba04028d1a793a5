// Checks of the bounded queues: section Q of the contract.
//
// Partners: case.ts; kernel/run-queue.test.ts, which runs them on the shipped kernel.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { CPUS_MAX, MAILBOX_CAPACITY, RING_CAPACITY } from "../../abi/layout.ts";
import { Qos, QOS_COUNT } from "../../abi/qos.ts";
import { Syscall } from "../../abi/syscalls.ts";
import { TrapCause } from "../../abi/traps.ts";
import { checkArtifact } from "../../toolchain/artifact-gate.ts";
import { compile, KERNEL_MEMORY, kernelJob } from "../../toolchain/asc.ts";
import { readImportList } from "../../toolchain/import-list.ts";
import { checkMustUse, updateFunctions } from "../../toolchain/must-use-gate.ts";
import { readSourceMap } from "../../wasm/source-map.ts";
import type { Case } from "../rig/case.ts";
import { tryInterleavings } from "../rig/interleaving.ts";
import * as calls from "../rig/kernel-calls.ts";
import type { KernelImage } from "../rig/kernel-image.ts";
import { ENQUEUE, QOS_CHANGE, QOS_CLASSES, STEAL, TASK_STATE, YIELD } from "../rig/kernel-map.ts";
import { NONE } from "../rig/kernel-memory.ts";
import { holds, refute, same } from "../rig/refutation.ts";
import { Rig } from "../rig/rig.ts";
import { snapshot, unchangedBut } from "../rig/snapshot.ts";

/** A task that no queue of the checks holds. */
const SPARE = 1000;

/** Picks until nothing is left. */
function drainQueues(rig: Rig, cpu: number): number[] {
  const picked: number[] = [];
  for (let task = rig.pick(cpu); task !== NONE; task = rig.pick(cpu)) {
    picked.push(task);
    holds(picked.length <= QOS_COUNT * RING_CAPACITY, "pick found more tasks than the queues can hold");
  }
  return picked;
}

function range(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}

export const queueChecks: readonly Case[] = [
  {
    clause: "Q1",
    title: "artifact gate: the kernel as it is: no growth, no allocator, nothing outside the machine's list",
    run: async (kernel) => {
      const list = readImportList("machine", await readFile(join(kernel.root, "kernel/machine.ts"), "utf8"));
      const rules = { imports: list, memory: KERNEL_MEMORY, atomicsInterface: "kernel/shared" };
      const refusals = checkArtifact(kernel.wasm, readSourceMap(kernel.sourceMap), rules);
      if (refusals[0] !== undefined) refute(refusals[0]);
    },
  },
  {
    clause: "Q1",
    title: "run queue: every class of three CPUs filled: each holds 64 tasks and not one more",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 3 });
      let next = 0;
      for (let cpu = 0; cpu < 3; cpu++) {
        for (const qos of QOS_CLASSES) {
          for (let i = 0; i < RING_CAPACITY; i++, next++) {
            rig.makeTask(next, qos, cpu);
            same(rig.enqueue(cpu, next), ENQUEUE.Queued, `enqueue of task ${i} of class ${qos} on cpu${cpu}`);
          }
          rig.makeTask(SPARE, qos, cpu);
          same(rig.enqueue(cpu, SPARE), ENQUEUE.QueueFull, `enqueue of task 64 of class ${qos} on cpu${cpu}`);
        }
      }
      for (let cpu = 0; cpu < 3; cpu++) same(drainQueues(rig, cpu).length, 256, `tasks in all queues of cpu${cpu}`);
    },
  },
  {
    clause: "Q2",
    title: "run queue: class full: QueueFull, every time the same, and not one byte of memory changed",
    run: (kernel) => {
      for (const qos of QOS_CLASSES) {
        const rig = Rig.open(kernel, { cpus: 2 });
        rig.fill(1, qos, 0);
        rig.makeTask(SPARE, qos, 1);
        const before = snapshot(rig);
        for (let i = 0; i < 3; i++)
          same(rig.enqueue(1, SPARE), ENQUEUE.QueueFull, `enqueue number ${i + 1} on a full queue`);
        unchangedBut(rig, before, [], "a refused enqueue");
        same(rig.queued(1, qos), range(0, RING_CAPACITY), "the full queue after the refusals");
      }
    },
  },
  {
    clause: "Q2",
    title: "run queue: the counters wrapped around 2^32: 64 tasks fit, the 65th does not, the order holds",
    run: (kernel) => {
      for (const head of [0xffff_ffe0, 0x7fff_fff0, 0xffff_ffff, 0xffc0]) {
        const rig = Rig.open(kernel, { cpus: 2 });
        rig.setRing(0, Qos.Normal, { head, room: RING_CAPACITY, tombstones: 0 });
        rig.fill(0, Qos.Normal, 0);
        rig.makeTask(SPARE, Qos.Normal);
        const before = snapshot(rig);
        same(rig.enqueue(0, SPARE), ENQUEUE.QueueFull, `enqueue on a full queue that began at ${head}`);
        unchangedBut(rig, before, [], "a refused enqueue");
        same(rig.stealFrom(1, 0, Qos.Normal), STEAL.Stolen, "steal from the full queue");
        same(rig.stolen(1), 0, "the stolen task");
        same(rig.enqueue(0, SPARE), ENQUEUE.Queued, "enqueue after one was taken");
        same(drainQueues(rig, 0), [...range(1, 63), SPARE], `order in a queue that began at ${head}`);
      }
    },
  },
  {
    clause: "Q2",
    title: "mailbox: 32 mailbox entries: place says QueueFull and not one byte of memory changed",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 2 });
      rig.fillMailbox(1, 0);
      rig.makeTask(SPARE, Qos.Normal);
      const before = snapshot(rig);
      for (let i = 0; i < 3; i++) same(rig.place(0, 1, SPARE), ENQUEUE.QueueFull, "a mailbox entry to a full mailbox");
      unchangedBut(rig, before, [], "a refused mailbox entry");
      rig.drainMailbox(1);
      same(rig.queued(1, Qos.Normal), range(0, MAILBOX_CAPACITY), "the mailbox entries once drained");
    },
  },
  {
    clause: "Q3",
    title: "place: a CPU that is invalid or offline: InvalidCpu and not one byte of memory changed",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 3, online: 2 });
      rig.makeTask(SPARE, Qos.Interactive);
      const before = snapshot(rig);
      for (const cpu of [2, 3, CPUS_MAX - 1, CPUS_MAX, CPUS_MAX + 1, 1 << 20, -1, -64, 0x7fffffff, -0x80000000]) {
        same(rig.place(0, cpu, SPARE), ENQUEUE.InvalidCpu, `place on cpu ${cpu}`);
      }
      unchangedBut(rig, before, [], "a refused place");
    },
  },
  {
    clause: "Q4",
    title: "must-use gate: the kernel as it is: no call site drops an outcome",
    run: async (kernel) => {
      const debug = await compile(kernelJob(kernel.root, "debug"));
      if (debug.kind === "refused") throw new Error(debug.diagnostics.join("; "));
      const updates = updateFunctions(
        "kernel/shared.ts",
        await readFile(join(kernel.root, "kernel/shared.ts"), "utf8"),
      );
      const discarded = checkMustUse(debug.wasm, readSourceMap(debug.sourceMap), updates);
      if (discarded[0] !== undefined) refute(discarded[0]);
    },
  },
  {
    clause: "Q5",
    title: "yield: its class full and it running: deferred, and it stays current",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 2 });
      rig.fill(1, Qos.Normal, 0);
      rig.run(1, SPARE, Qos.Normal);
      const before = snapshot(rig);
      same(rig.yieldCurrent(1), YIELD.Deferred, "yield on a full class");
      same(rig.current(1), SPARE, "the current task after a deferred yield");
      unchangedBut(rig, before, [/^cpu1 counter deferredYields$/], "a deferred yield");
      same(rig.counter(1, "deferredYields"), 1, "deferred yields counted");
      rig.setCurrent(1, NONE);
      same(drainQueues(rig, 1), range(0, 64), "the queue behind it");
      same(rig.word(SPARE).state, TASK_STATE.Held, "the state of the task that yielded");
    },
  },
  {
    clause: "Q5",
    title: "trap: yield call, end of slice, soft interrupt, all on a full class: 65 tasks before and after",
    run: (kernel) => {
      const traps: readonly (readonly [string, (rig: Rig) => number])[] = [
        ["the yield call", (rig) => rig.trap(1, TrapCause.SystemCall, Syscall.Yield)],
        ["the end of the slice", (rig) => rig.trap(1, TrapCause.TimerInterrupt)],
        ["a soft interrupt", (rig) => rig.trap(1, TrapCause.SoftInterrupt)],
      ];
      for (const [what, trap] of traps) {
        const rig = Rig.open(kernel, { cpus: 2 });
        rig.letTasksRun();
        rig.fill(1, Qos.Normal, 0);
        rig.run(1, 100, Qos.Normal);
        same(trap(rig), 100, `the space entered after ${what}`);
        same(rig.current(1), 100, `the current task after ${what}`);
        same(rig.queued(1, Qos.Normal), range(0, 64), `the queue after ${what}`);
      }
    },
  },
  {
    clause: "Q6",
    title: "pick: all classes mixed: the highest class first, and the oldest first within one",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 1 });
      const order = [2, 0, 3, 1, 1, 3, 0, 2, 3, 2, 1, 0];
      order.forEach((qos, task) => {
        rig.makeTask(task, qos);
        rig.enqueue(0, task);
      });
      const due = [3, 2, 1, 0].flatMap((qos) => order.flatMap((one, task) => (one === qos ? [task] : [])));
      same(drainQueues(rig, 0), due, "the order of the picks");
    },
  },
  {
    clause: "Q6",
    title: "pick: any set of classes ready, full or not: the oldest of its highest class",
    run: (kernel) => {
      for (let set = 0; set < 16; set++) {
        for (const count of [1, RING_CAPACITY]) {
          const rig = Rig.open(kernel, { cpus: 1 });
          for (const qos of QOS_CLASSES) if (set & (1 << qos)) rig.fill(0, qos, qos * 100, count);
          const highest = QOS_CLASSES.findLast((qos) => set & (1 << qos));
          same(rig.pick(0), highest === undefined ? NONE : highest * 100, `pick from the set of classes ${set}`);
        }
      }
    },
  },
  {
    clause: "Q6",
    title: "yield: two of one class: they take turns",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 1 });
      rig.run(0, 5, Qos.Normal);
      rig.fill(0, Qos.Normal, 6, 2);
      const turns = range(0, 6).map(() => {
        same(rig.yieldCurrent(0), YIELD.Switched, "yield");
        return rig.current(0);
      });
      same(turns, [6, 7, 5, 6, 7, 5], "turns of three tasks");
    },
  },
  {
    clause: "Q7",
    title: "change class: queued here: Updated, and it goes to the end of its new class",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 2 });
      rig.fill(0, Qos.Normal, 0, 5);
      rig.fill(0, Qos.PerfBurst, 10, 2);
      same(rig.changeQos(2, Qos.PerfBurst), QOS_CHANGE.Updated, "change of a queued task");
      same(rig.queued(0, Qos.Normal), [0, 1, 3, 4], "the class that it left");
      same(rig.queued(0, Qos.PerfBurst), [10, 11, 2], "the class that it joined");
      same(rig.word(2).qos, Qos.PerfBurst, "its class");
      same(drainQueues(rig, 0), [10, 11, 2, 0, 1, 3, 4], "the picks afterwards");
    },
  },
  {
    clause: "Q7",
    title: "change class: the new class full: QueueFull, and the task keeps its class and its place",
    run: (kernel) => {
      for (const cpu of [0, 1]) {
        const rig = Rig.open(kernel, { cpus: 2 });
        rig.fill(cpu, Qos.Normal, 0, 3);
        rig.fill(cpu, Qos.Interactive, 100);
        const before = snapshot(rig);
        same(rig.changeQos(1, Qos.Interactive), QOS_CHANGE.QueueFull, `change to a full class on cpu${cpu}`);
        unchangedBut(rig, before, [/^machine-wide words/], "a refused change of class");
        same(drainQueues(rig, cpu), [...range(100, 64), 0, 1, 2], "the picks afterwards");
      }
    },
  },
  {
    clause: "Q7",
    title: "change class: the CPU's mailbox full: QueueFull, and the task keeps its class and its place",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 2 });
      rig.fill(1, Qos.Normal, 0, 3);
      rig.fillMailbox(1, 100);
      const before = snapshot(rig);
      same(rig.changeQos(1, Qos.Interactive), QOS_CHANGE.QueueFull, "change through a full mailbox");
      unchangedBut(rig, before, [/^machine-wide words/], "a refused change of class");
    },
  },
  {
    clause: "Q7",
    title: "change class: no such task: NotFound and nothing changed",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 2 });
      rig.makeTask(7, Qos.Normal);
      rig.endTask(7);
      const before = snapshot(rig);
      for (const task of [7, 8])
        same(rig.changeQos(task, Qos.Idle), QOS_CHANGE.NotFound, "change of a task that is not");
      unchangedBut(rig, before, [/^machine-wide words/], "a change of a task that is not");
    },
  },
  {
    clause: "Q7",
    title: "change class: queued, mailed or asleep on another CPU: Updated, and it is there once, in its new class",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 2 });
      rig.fill(1, Qos.Normal, 0, 3);
      rig.makeTask(3, Qos.Normal);
      same(rig.place(0, 1, 3), ENQUEUE.Queued, "place");
      rig.run(1, 4, Qos.Normal);
      rig.sleepCurrent(1, 5_000_000n);
      for (const task of [1, 3, 4]) {
        same(rig.changeQos(task, Qos.PerfBurst), QOS_CHANGE.Updated, `change of task ${task}`);
        same(rig.classOf(task), Qos.PerfBurst, `class of task ${task}`);
      }
      rig.drainMailbox(1);
      rig.wakeExpired(1, 5_000_000n);
      same(drainQueues(rig, 1), [3, 1, 4, 0, 2], "the picks afterwards");
    },
  },
  {
    clause: "Q7",
    title: "change class: one task to and fro 1000 times before a live head: the queues hold 64 live tasks as before",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 1 });
      rig.fill(0, Qos.Normal, 0, 2);
      rig.fill(0, Qos.PerfBurst, 10, 1);
      for (let i = 0; i < 1000; i++) {
        const qos = i % 2 === 0 ? Qos.PerfBurst : Qos.Normal;
        same(rig.changeQos(1, qos), QOS_CHANGE.Updated, `change number ${i}`);
      }
      same(rig.queued(0, Qos.Normal), [0, 1], "Normal after 1000 changes");
      same(rig.queued(0, Qos.PerfBurst), [10], "PerfBurst after 1000 changes");
      rig.fill(0, Qos.Normal, 100, 62);
      rig.fill(0, Qos.PerfBurst, 200, 63);
      rig.makeTask(SPARE, Qos.Normal);
      same(rig.enqueue(0, SPARE), ENQUEUE.QueueFull, "the 65th live task of Normal");
      same(drainQueues(rig, 0), [10, ...range(200, 63), 0, 1, ...range(100, 62)], "the picks afterwards");
      for (const qos of QOS_CLASSES) same(rig.ring(0, qos).tombstones, 0, `tombstones of class ${qos} at the end`);
    },
  },
  {
    clause: "Q7",
    title: "change class: everything full: every change refused, 256 tasks picked in their order",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 1 });
      for (const qos of QOS_CLASSES) rig.fill(0, qos, qos * 64);
      for (const task of [0, 63, 64, 130, 255]) {
        const to = (rig.word(task).qos + 1) % QOS_COUNT;
        same(rig.changeQos(task, to), QOS_CHANGE.QueueFull, `change of task ${task}`);
      }
      same(
        drainQueues(rig, 0),
        [3, 2, 1, 0].flatMap((qos) => range(qos * 64, 64)),
        "the picks afterwards",
      );
    },
  },
  {
    clause: "Q7",
    title: "change class: asked again while the holder fulfils the first request: never a third class",
    run: (kernel) => heldChange(kernel),
  },
];

/** The boot hart asks for one class and then another while the task's hart honours what it finds. */
function heldChange(kernel: KernelImage): void {
  const seen = new Set<number>();
  const change = (rig: Rig, qos: Qos) => calls.changeQos(5, rig.life(5).incarnation, qos);
  tryInterleavings(kernel, {
    cpus: 2,
    switches: 3,
    setUp: (rig) => {
      rig.letTasksRun();
      rig.run(1, 5, Qos.Normal);
      same(rig.changeQos(5, Qos.Interactive), QOS_CHANGE.Updated, "the first request");
    },
    actors: [
      {
        cpu: 0,
        *script(rig) {
          yield change(rig, Qos.PerfBurst);
        },
      },
      {
        cpu: 1,
        *script(rig) {
          yield calls.dispatch(1);
          seen.add(rig.word(5).qos);
          holds(rig.word(5).qos !== Qos.Idle, "the task runs with class 0, which it never had and nobody asked for");
          yield calls.dispatch(1);
        },
      },
    ],
    judge: (rig) => {
      rig.make(1, calls.dispatch(1));
      same(rig.word(5).qos, Qos.PerfBurst, "its class in the end");
    },
  });
  if (!seen.has(Qos.Interactive))
    throw new Error("no order of the two let the first request through: the check is blind");
}
