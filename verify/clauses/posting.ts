// Checks of a mailbox: what it accepts, what it refuses, the order in which its owner drains it, and that a place given
// back holds up nobody (I8, S3, I6).
//
// Partners: case.ts; kernel/resched.test.ts, which runs them on the shipped kernel.

import { MAILBOX_CAPACITY } from "../../abi/layout.ts";
import { Program } from "../../abi/programs.ts";
import { Qos } from "../../abi/qos.ts";
import { MachineError } from "../../abi/results.ts";
import { TrapCause } from "../../abi/traps.ts";
import type { Case } from "../rig/case.ts";
import { type Actor, caller, tryInterleavings, waker } from "../rig/interleaving.ts";
import * as calls from "../rig/kernel-calls.ts";
import { DRAIN, ENQUEUE, FAR_DEADLINE, KILL, WAKE } from "../rig/kernel-map.ts";
import { NONE } from "../rig/kernel-memory.ts";
import { same } from "../rig/refutation.ts";
import { Rig } from "../rig/rig.ts";
import { snapshot, unchangedBut } from "../rig/snapshot.ts";

const TAKES_S_SOFT: Actor = caller(1, calls.trap(TrapCause.SoftInterrupt));

export const postingChecks: readonly Case[] = [
  {
    clause: "I8",
    title:
      "mailbox: 32 mailbox entries from several harts, and tombstones among them: QueueFull until they are drained, in their order",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 3 });
      // Close to where the position would turn negative.
      rig.setMailboxPosition(1, 0x7ffffff0);
      for (let i = 0; i < MAILBOX_CAPACITY; i++) {
        const sender = i % 2 === 0 ? 0 : 2;
        rig.makeTask(i, Qos.Normal, sender);
        same(rig.place(sender, 1, i), ENQUEUE.Queued, `mailbox entry ${i}`);
      }
      for (const task of [0, 7, 31]) rig.kill(task);
      rig.run(1, 50, Qos.Normal);
      rig.sleepCurrent(1, FAR_DEADLINE);
      rig.makeTask(40, Qos.Normal, 2);
      const before = snapshot(rig);
      same(rig.place(2, 1, 40), ENQUEUE.QueueFull, "a mailbox entry to a full mailbox");
      same(rig.wake(2, 50), WAKE.QueueFull, "a wake through a full mailbox");
      unchangedBut(rig, before, [], "a refused mailbox entry");
      same(rig.drainMailbox(1), DRAIN.Emptied, "drain");
      same(
        rig.queued(1, Qos.Normal),
        Array.from({ length: 32 }, (_, i) => i).filter((i) => ![0, 7, 31].includes(i)),
        "what was drained",
      );
      same(rig.mailbox(1).room, MAILBOX_CAPACITY, "room afterwards");
      same(rig.place(2, 1, 40), ENQUEUE.Queued, "a mailbox entry afterwards");
      same(rig.wake(2, 50), WAKE.Posted, "a wake afterwards");
    },
  },
  {
    clause: "I8",
    title: "mailbox: a mailbox entry whose queue is full: it waits, and the ones behind it keep their order",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 2 });
      rig.fill(1, Qos.Normal, 100);
      for (let task = 0; task < 3; task++) {
        rig.makeTask(task, Qos.Normal);
        rig.place(0, 1, task);
      }
      same(rig.drainMailbox(1), DRAIN.WaitsForRoom, "drain into a full queue");
      same(rig.mailEntries(1), [0, 1, 2], "entries that wait");
      same([rig.pick(1), rig.pick(1)], [100, 101], "two picks");
      same(rig.drainMailbox(1), DRAIN.WaitsForRoom, "drain into room for two");
      same(rig.queued(1, Qos.Normal).slice(-2), [0, 1], "the end of the queue");
      same(rig.mailEntries(1), [2], "entries that wait");
    },
  },
  {
    clause: "S3",
    title:
      "mailbox: a mailed task killed, its entry of the table given to one that is posted to another CPU: it goes there alone",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 3 });
      rig.makeTask(5, Qos.Normal);
      same(rig.place(0, 1, 5), ENQUEUE.Queued, "the post of the first life");
      same(rig.kill(5), KILL.Killed, "its kill");
      rig.reap();
      rig.makeTask(5, Qos.Interactive);
      same(rig.place(0, 2, 5), ENQUEUE.Queued, "the post of the second life");
      const word = rig.word(5);
      same(rig.drainMailbox(1), DRAIN.Emptied, "the drain of the CPU of the first");
      same(rig.word(5), word, "the word of the second life afterwards");
      same(rig.queued(1, Qos.Interactive), [], "what that CPU has queued");
      same(rig.drainMailbox(2), DRAIN.Emptied, "the drain of the CPU of the second");
      same(rig.queued(2, Qos.Interactive), [5], "what that CPU has queued");
    },
  },
  {
    clause: "I6",
    title:
      "spawn: a space that the machine cannot prepare, while another CPU posts behind the reserved place, every order: the target is rung (3 harts, 3 switches)",
    run: (kernel) => {
      tryInterleavings(kernel, {
        cpus: 3,
        switches: 3,
        setUp: (rig) => {
          rig.letTasksRun();
          rig.run(1, 5, Qos.Normal);
          rig.sleepCurrent(1, FAR_DEADLINE);
          rig.trap(1, TrapCause.TimerInterrupt);
          rig.machine.prepareAnswer = MachineError.InvalidParameter;
        },
        actors: [caller(0, calls.spawn(1, Program.Probe, Qos.Normal)), waker(2, 5), TAKES_S_SOFT],
        judge: (rig) => {
          if (rig.current(1) !== NONE || rig.machine.hartOf(1).softPending) return;
          same(rig.mailEntries(1), [], "entries in the mailbox of a CPU that is idle and not rung");
        },
      });
    },
  },
];
