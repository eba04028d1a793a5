// Checks of a hart that joins: nothing that its region held before is left (T7, D6), and every queue is empty to the last
// place.
//
// Partners: case.ts, records.ts; kernel/joining.test.ts, which runs them on the shipped kernel.

import { IDLE_SPACE, MAILBOX_CAPACITY, RING_CAPACITY } from "../../abi/layout.ts";
import { TrapCause } from "../../abi/traps.ts";
import type { Case } from "../rig/case.ts";
import type { KernelImage } from "../rig/kernel-image.ts";
import {
  BANK_STRIDE,
  ENQUEUE,
  HART_FIELDS,
  hartAddress,
  MAILBOX_OFFSET,
  QOS_CLASSES,
  RESCHED,
  RESCHED_OFFSET,
  SLEEP,
  SLEEPERS,
  SLEEPERS_STRIDE,
  STEAL,
  TAKE,
} from "../rig/kernel-map.ts";
import { NONE } from "../rig/kernel-memory.ts";
import { countsOf, sleepersOf } from "../rig/records.ts";
import { same } from "../rig/refutation.ts";
import { Rig } from "../rig/rig.ts";

const CPU = 1;
const NEVER = 0x7fff_ffff_ffff_ffffn;
/** What memory holds that nobody has cleared. */
const GARBAGE = 0xa5;
const TICK = 1000n;

/** A machine whose CPU 1 has not joined, with garbage in all that joining has to make ready. */
function unready(kernel: KernelImage): Rig {
  const rig = Rig.open(kernel, { cpus: 2, online: 1 });
  rig.letTasksRun();
  const region = hartAddress(CPU);
  const spoil = (from: number, bytes: number): void => void rig.bytes.fill(GARBAGE, from, from + bytes);
  for (const qos of QOS_CLASSES) {
    spoil(region + qos * BANK_STRIDE, 8);
    spoil(region + qos * BANK_STRIDE + HART_FIELDS.announced, 4);
  }
  rig.setField(CPU, "occupied", 0xf);
  rig.setField(CPU, "current", 0x2_0000);
  spoil(region + HART_FIELDS.parkedIdle, 16);
  spoil(region + MAILBOX_OFFSET, 12);
  spoil(region + RESCHED_OFFSET, 8);
  spoil(SLEEPERS + CPU * SLEEPERS_STRIDE, 16);
  return rig;
}

export const joiningChecks: readonly Case[] = [
  {
    clause: "D6",
    title:
      "join: a region of garbage: queues, mailbox, requests, sleepers and parked tasks are empty, and it runs nothing",
    run: (kernel) => {
      const rig = unready(kernel);
      rig.join(CPU);
      for (const qos of QOS_CLASSES) {
        same(rig.ring(CPU, qos), { head: 0, room: RING_CAPACITY, tombstones: 0 }, `the ring of class ${qos}`);
        same(rig.parked(CPU, qos), [], `the parked tasks of class ${qos}`);
      }
      same([rig.current(CPU), rig.field(CPU, "occupied")], [NONE, 0], "its task, and the classes that it announces");
      same(rig.mailbox(CPU), { tail: 0, room: MAILBOX_CAPACITY }, "its mailbox");
      same(rig.resched(CPU), { taken: 0, count: 0, sent: false, failed: false }, "its requests");
      same(sleepersOf(rig, CPU), { list: [], earliest: NEVER, swept: 0 }, "its sleepers");
      same(rig.machine.hartOf(CPU).deadline, rig.machine.timeTicks + TICK, "its first tick");
      same(countsOf(rig, CPU).onlineSince, Number(rig.machine.timeTicks), "since when it is online");
      same(rig.trap(CPU, TrapCause.TimerInterrupt), IDLE_SPACE, "the space entered by its first tick");
      same(rig.takeRequests(CPU), TAKE.NoPendingRequest, "its first S_SOFT");
    },
  },
  {
    clause: "D6",
    title:
      "join: a region of garbage: every class takes 64 tasks, the mailbox 32, and thieves and wakes find what is there",
    run: (kernel) => {
      for (const qos of QOS_CLASSES) {
        const rig = unready(kernel);
        rig.join(CPU);
        for (let task = 0; task < MAILBOX_CAPACITY; task++) {
          rig.makeTask(task, qos);
          same(rig.place(0, CPU, task), ENQUEUE.Queued, `post ${task}`);
        }
        rig.makeTask(100, qos);
        same(rig.place(0, CPU, 100), ENQUEUE.QueueFull, "one post more");
        same(rig.requestResched(0, CPU), RESCHED.Sent, "the request");
        same(rig.trap(CPU, TrapCause.SoftInterrupt), 0, "the space entered by its trap");
        rig.fill(CPU, qos, 200, RING_CAPACITY - MAILBOX_CAPACITY + 1);
        rig.makeTask(300, qos, CPU);
        same(rig.enqueue(CPU, 300), ENQUEUE.QueueFull, "one task more");
        same(rig.steal(0, qos), STEAL.Stolen, "a steal");
        same(rig.stolen(0), 1, "the task stolen");
        same(rig.sleepCurrent(CPU, rig.machine.timeTicks + 1n), SLEEP.Blocked, "a sleep");
      }
    },
  },
];
