// Checks of run queues and mailboxes by pattern: tombstones in every arrangement, entries that wait between entries that
// do not, parked tasks beside a full class. What is left, its order and the free places are compared (Q2, Q6, Q8).
//
// Partners: case.ts; kernel/scheduler.test.ts, which runs them on the shipped kernel.

import { MAILBOX_CAPACITY, RING_CAPACITY } from "../../abi/layout.ts";
import { Qos } from "../../abi/qos.ts";
import type { Case } from "../rig/case.ts";
import type { KernelImage } from "../rig/kernel-image.ts";
import { DRAIN, ENQUEUE, FAR_DEADLINE, KILL, QOS_CHANGE, SLEEP, STEAL, WAKE, YIELD } from "../rig/kernel-map.ts";
import { NONE } from "../rig/kernel-memory.ts";
import { same } from "../rig/refutation.ts";
import { Rig } from "../rig/rig.ts";
import { snapshot, unchangedBut } from "../rig/snapshot.ts";

const CPU = 1;
/** Where a ring's or a mailbox's position is when a check begins: both ends of its range and of its slots. */
const RING_HEADS = [0, 5, RING_CAPACITY - 1, 0x7fff_ffff, 0xffff_fffe] as const;
const MAIL_POSITIONS = [0, 7, MAILBOX_CAPACITY - 1, 0x7fff_fff8] as const;

/** Which of `length` entries are chosen: none, all, either end, every second, third, one half. */
function patterns(length: number): readonly (readonly [name: string, isChosen: (index: number) => boolean])[] {
  return [
    ["none", () => false],
    ["all", () => true],
    ["the first", (i) => i === 0],
    ["the last", (i) => i === length - 1],
    ["all but the first", (i) => i > 0],
    ["all but the last", (i) => i < length - 1],
    ["every second", (i) => i % 2 === 1],
    ["two of three", (i) => i % 3 !== 0],
    ["the first half", (i) => i < length / 2],
    ["the second half", (i) => i >= length / 2],
  ];
}

function numbers(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => from + i);
}

/** A full ring of which the chosen entries are tombstones, and one task more. */
function enqueueAmong(kernel: KernelImage, head: number, name: string, isChosen: (index: number) => boolean): void {
  const rig = Rig.open(kernel, { cpus: 2 });
  rig.setRing(CPU, Qos.Normal, { head, room: RING_CAPACITY, tombstones: 0 });
  rig.fill(CPU, Qos.Normal, 100);
  const all = numbers(100, RING_CAPACITY);
  for (const [index, task] of all.entries()) if (isChosen(index)) same(rig.kill(task), KILL.Killed, `kill of ${task}`);
  const live = all.filter((_, index) => !isChosen(index));
  const what = `an enqueue with the ring's head at ${head}, tombstones: ${name}`;
  rig.makeTask(300, Qos.Normal, CPU);
  const before = snapshot(rig);
  if (live.length === RING_CAPACITY) {
    same(rig.enqueue(CPU, 300), ENQUEUE.QueueFull, `the answer to ${what}`);
    return unchangedBut(rig, before, [], what);
  }
  same(rig.enqueue(CPU, 300), ENQUEUE.Queued, `the answer to ${what}`);
  same(rig.queued(CPU, Qos.Normal), [...live, 300], `the queue after ${what}`);
  const { room, tombstones } = rig.ring(CPU, Qos.Normal);
  same([room, tombstones], [RING_CAPACITY - live.length - 1, 0], `room and tombstones after ${what}`);
  for (const task of [...live, 300]) same(rig.pick(CPU), task, `a pick after ${what}`);
  same(rig.pick(CPU), NONE, `a pick more after ${what}`);
}

/** A mailbox of which the chosen entries are of a class that is full; the others are delivered. */
function drainAmong(
  kernel: KernelImage,
  position: number,
  count: number,
  name: string,
  isChosen: (index: number) => boolean,
): void {
  const rig = Rig.open(kernel, { cpus: 2 });
  rig.setMailboxPosition(CPU, position);
  rig.fill(CPU, Qos.Normal, 100);
  const all = numbers(0, count);
  for (const [index, task] of all.entries()) {
    rig.makeTask(task, isChosen(index) ? Qos.Normal : Qos.Interactive);
    same(rig.place(0, CPU, task), ENQUEUE.Queued, `post of task ${task}`);
  }
  const waiting = all.filter((_, index) => isChosen(index));
  const delivered = all.filter((_, index) => !isChosen(index));
  const what = `a drain of ${count} entries from ${position}, of a full class: ${name}`;
  same(rig.drainMailbox(CPU), waiting.length === 0 ? DRAIN.Emptied : DRAIN.WaitsForRoom, `the answer to ${what}`);
  same(rig.mailEntries(CPU), waiting, `the entries that wait after ${what}`);
  same(rig.mailbox(CPU).room, MAILBOX_CAPACITY - waiting.length, `the mailbox's room after ${what}`);
  same(rig.queued(CPU, Qos.Interactive), delivered, `the class with room after ${what}`);
  // The places that were given back take as many more, which come behind those that wait.
  const more = numbers(50, MAILBOX_CAPACITY - waiting.length);
  for (const task of more) {
    rig.makeTask(task, Qos.Normal);
    same(rig.place(0, CPU, task), ENQUEUE.Queued, `post of task ${task} after ${what}`);
  }
  rig.makeTask(99, Qos.Normal);
  same(rig.place(0, CPU, 99), ENQUEUE.QueueFull, `one post more after ${what}`);
  while (rig.pick(CPU) !== NONE);
  same(rig.drainMailbox(CPU), DRAIN.Emptied, `the next drain after ${what}`);
  same(rig.queued(CPU, Qos.Normal), [...waiting, ...more], `the class that had been full after ${what}`);
}

/** CPU 1's Normal class is full, and so many tasks of it are parked beside it; an Interactive task runs. */
function parkedBesideFull(kernel: KernelImage, count: number): Rig {
  const rig = Rig.open(kernel, { cpus: 2 });
  rig.letTasksRun();
  rig.fill(CPU, Qos.Normal, 100);
  for (let i = 0; i < count; i++) {
    rig.run(CPU, 10 + i, Qos.Normal);
    rig.makeTask(20 + i, Qos.Interactive, CPU);
    same(rig.enqueue(CPU, 20 + i), ENQUEUE.Queued, "enqueue of the Interactive task");
    same(rig.yieldCurrent(CPU), YIELD.Switched, "the yield to it");
  }
  return rig;
}

export const patternChecks: readonly Case[] = [
  {
    clause: "Q9",
    title:
      "run queue: tombstones in every arrangement in a full ring: one task more fits, and the live ones keep their order",
    run: (kernel) => {
      for (const head of RING_HEADS)
        for (const [name, isChosen] of patterns(RING_CAPACITY)) enqueueAmong(kernel, head, name, isChosen);
    },
  },
  {
    clause: "Q8",
    title:
      "mailbox: entries of a full class between others, in every arrangement: they wait in their order, and the rest goes past them",
    run: (kernel) => {
      for (const position of MAIL_POSITIONS)
        for (const count of [1, 2, 7, MAILBOX_CAPACITY])
          for (const [name, isChosen] of patterns(count)) drainAmong(kernel, position, count, name, isChosen);
    },
  },
  {
    clause: "Q2",
    title: "run queue: full, with tasks of its class parked: every way in is refused, and not one byte has changed",
    run: (kernel) => {
      for (const parked of [1, 2]) {
        const rig = parkedBesideFull(kernel, parked);
        rig.makeTask(300, Qos.Normal, CPU);
        rig.makeTask(301, Qos.Idle, CPU);
        same(rig.enqueue(CPU, 301), ENQUEUE.Queued, "enqueue in another class");
        const running = rig.current(CPU);
        rig.run(CPU, 302, Qos.Normal);
        same(rig.sleepCurrent(CPU, FAR_DEADLINE), SLEEP.Blocked, "the sleep of a task of the class");
        rig.setCurrent(CPU, running);
        for (let round = 0; round < 2; round++) {
          const before = snapshot(rig);
          same(rig.enqueue(CPU, 300), ENQUEUE.QueueFull, `enqueue beside ${parked} parked`);
          same(rig.place(CPU, CPU, 300), ENQUEUE.QueueFull, `place beside ${parked} parked`);
          same(rig.wake(CPU, 302), WAKE.QueueFull, `a wake beside ${parked} parked`);
          unchangedBut(rig, before, [], `what was refused beside ${parked} parked`);
        }
        // A tombstone makes a place for one, and for one only.
        same(rig.kill(130), KILL.Killed, "the kill of a queued task");
        same(rig.enqueue(CPU, 300), ENQUEUE.Queued, "enqueue in place of the killed task");
        same(
          rig.queued(CPU, Qos.Normal),
          [...numbers(100, RING_CAPACITY).filter((task) => task !== 130), 300],
          "the queue",
        );
        same(rig.wake(CPU, 302), WAKE.QueueFull, "a wake afterwards");
        const parkedTasks = numbers(10, parked).toReversed();
        same(rig.parked(CPU, Qos.Normal), parkedTasks, "the parked tasks");
        rig.setCurrent(CPU, NONE);
        for (const task of [...parkedTasks, 100, 101]) {
          // The Interactive tasks that have not run go first.
          let picked = rig.pick(CPU);
          while (picked >= 20 && picked < 30) picked = rig.pick(CPU);
          same(picked, task, "a pick: the parked tasks before their class");
        }
      }
    },
  },
  {
    clause: "Q7",
    title:
      "change class: on the boot hart to a class that is full with tasks parked beside it: refused, and not one byte changed",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 1 });
      rig.fill(0, Qos.Normal, 100);
      rig.run(0, 10, Qos.Normal);
      rig.fill(0, Qos.Interactive, 20, 1);
      rig.fill(0, Qos.Idle, 30, 1);
      same(rig.yieldCurrent(0), YIELD.Switched, "the yield that parks");
      const before = snapshot(rig);
      same(rig.changeQos(30, Qos.Normal), QOS_CHANGE.QueueFull, "the change");
      unchangedBut(rig, before, [], "a refused change");
    },
  },
  {
    clause: "S1",
    title:
      "steal from: by what the victim has, the bound and the budget: each answer by its name, and the steals of the tick counted",
    run: (kernel) => {
      for (const spent of [0, 1]) {
        for (const [qos, bound, due] of [
          [undefined, Qos.PerfBurst, STEAL.NothingThere],
          [Qos.Interactive, Qos.Normal, STEAL.AboveBound],
          [Qos.Normal, Qos.Normal, spent === 0 ? STEAL.Stolen : STEAL.BudgetSpent],
          [Qos.Idle, Qos.Normal, spent === 0 ? STEAL.Stolen : STEAL.BudgetSpent],
        ] as const) {
          const rig = Rig.open(kernel, { cpus: 3 });
          if (qos !== undefined) rig.fill(2, qos, 7, 1);
          rig.setField(0, "stealsInTick", spent);
          // Beside the count lies another field, which a wrong access would take for it.
          rig.setField(0, "unsentTarget", 5);
          const what = `a steal of class ${qos ?? "none"} by bound ${bound}, ${spent} made before`;
          same(rig.stealFrom(0, 2, bound), due, `the answer to ${what}`);
          const isStolen = due === STEAL.Stolen;
          same(rig.field(0, "stealsInTick"), spent + (isStolen ? 1 : 0), `steals of the tick after ${what}`);
          same(rig.field(0, "unsentTarget"), 5, `the field beside it after ${what}`);
          if (isStolen) same([rig.stolen(0), rig.field(0, "stolenFrom")], [7, 2], `the task and its CPU after ${what}`);
        }
      }
    },
  },
];
