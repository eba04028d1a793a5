// Checks of refusals: clause Q9 of the contract. What was refused has changed nothing, and only 64 live tasks refuse.
//
// Partners: case.ts; kernel/run-queue.test.ts, which runs them on the shipped kernel.

import { RING_CAPACITY } from "../../abi/layout.ts";
import { Qos } from "../../abi/qos.ts";
import { TrapCause } from "../../abi/traps.ts";
import type { Case } from "../rig/case.ts";
import { type Actor, caller, type Segment, tryInterleavings, trySchedules } from "../rig/interleaving.ts";
import * as calls from "../rig/kernel-calls.ts";
import { ENQUEUE, FAR_DEADLINE, KILL, QOS_CHANGE, QOS_CLASSES, SIGNAL, SLEEP, WAKE } from "../rig/kernel-map.ts";
import { holds, same } from "../rig/refutation.ts";
import { Rig } from "../rig/rig.ts";
import { snapshot, unchangedBut } from "../rig/snapshot.ts";

const SLEEPER = 900;
const FIRST_LIFE = 1;
/** Steps of one look of a wake on its own CPU, and of a change of a sleeper's class. */
const LOOK_STEPS_MAX = 8;
const CHANGE_STEPS_MAX = 5;

/** A hart that wakes the sleeper; what it was answered goes to `answers`. */
function waker(cpu: number, answers: number[]): Actor {
  return {
    cpu,
    *script() {
      answers[0] = yield calls.wake(cpu, SLEEPER, FIRST_LIFE);
    },
  };
}

/** Changes of class, at least as many as a wake takes looks. */
const LOOKS = 12;

/** Schedules in which the waker's looks and whole changes of class take turns, with looks of every length. */
function* byTurns(): Generator<readonly Segment[]> {
  for (let first = 1; first <= LOOK_STEPS_MAX; first++) {
    for (let look = 1; look <= LOOK_STEPS_MAX; look++) {
      for (let change = 1; change <= CHANGE_STEPS_MAX; change++) {
        const turns = Array.from({ length: LOOKS }, (_, i) => [
          { actor: 0, steps: i === 0 ? first : look },
          { actor: 1, steps: change },
        ]);
        yield turns.flat();
      }
    }
  }
}

/** Refutes a permit that a refused wake has left. */
function leavesNothing(rig: Rig, answer: number | undefined): void {
  if (answer !== WAKE.QueueFull && answer !== WAKE.Contended) return;
  const name = answer === WAKE.QueueFull ? "QueueFull" : "Contended";
  holds((rig.signals(SLEEPER) & SIGNAL.Permit) === 0, `a wake that was answered ${name} has left a permit`);
}

export const refusalChecks: readonly Case[] = [
  {
    clause: "Q9",
    title: "wake: the sleeper's ring full, here, or the mailbox of its CPU: QueueFull and not one byte changed",
    run: (kernel) => {
      for (const [qos, asked, isHere] of QOS_CLASSES.flatMap((one) =>
        [one, Qos.Interactive].flatMap((other) => [true, false].map((here) => [one, other, here] as const)),
      )) {
        const rig = Rig.open(kernel, { cpus: 2 });
        rig.run(1, SLEEPER, qos);
        same(rig.sleepCurrent(1, FAR_DEADLINE), SLEEP.Blocked, "sleep");
        // A sleep with a class asked for is no plain one: whoever wakes it takes the longer way.
        if (asked !== qos) same(rig.changeQos(SLEEPER, asked), QOS_CHANGE.Updated, "a change of the sleeper's class");
        if (isHere) rig.fill(1, asked, 0);
        else rig.fillMailbox(1, 100);
        const before = snapshot(rig);
        same(rig.wake(isHere ? 1 : 0, SLEEPER), WAKE.QueueFull, "wake");
        unchangedBut(rig, before, [], "a refused wake");
      }
    },
  },
  {
    clause: "Q9",
    title:
      "wake: against a task that falls asleep, the mailbox full, every order: refused without a permit (2 harts, 3 switches)",
    run: (kernel) => {
      const answers: number[] = [];
      let refusals = 0;
      tryInterleavings(kernel, {
        cpus: 2,
        switches: 3,
        setUp: (rig) => {
          rig.letTasksRun();
          rig.run(1, SLEEPER, Qos.Normal);
          rig.fillMailbox(1, 100);
        },
        actors: [waker(0, answers), caller(1, calls.sleepCurrent(1, FAR_DEADLINE))],
        judge: (rig) => {
          if (answers[0] === WAKE.QueueFull) refusals += 1;
          leavesNothing(rig, answers[0]);
        },
      });
      holds(refusals > 0, "no order of the two has the wake refused: the check is blind");
    },
  },
  {
    clause: "Q9",
    title:
      "wake: against a change of the sleeper's class, one mailbox place left, every order: refused without a permit (2 harts, 3 switches)",
    run: (kernel) => {
      const answers: number[] = [];
      let refusals = 0;
      tryInterleavings(kernel, {
        cpus: 3,
        switches: 3,
        setUp: (rig) => {
          rig.run(1, SLEEPER, Qos.Normal);
          same(rig.sleepCurrent(1, FAR_DEADLINE), SLEEP.Blocked, "sleep");
          rig.fillMailbox(1, 100, { free: 1 });
        },
        actors: [waker(2, answers), caller(0, calls.changeQos(SLEEPER, FIRST_LIFE, Qos.Interactive))],
        judge: (rig) => {
          if (answers[0] === WAKE.QueueFull) refusals += 1;
          leavesNothing(rig, answers[0]);
        },
      });
      // A kernel that needs no second place is never refused here.
      holds(refusals >= 0 && answers.length === 1, "the waker made no call");
    },
  },
  {
    clause: "Q9",
    title: "wake: the sleeper's class changes at every look that it takes: Contended, without a permit",
    run: (kernel) => {
      const answers: number[] = [];
      let refusals = 0;
      trySchedules(kernel, {
        cpus: 2,
        setUp: (rig) => {
          rig.run(1, SLEEPER, Qos.Normal);
          same(rig.sleepCurrent(1, FAR_DEADLINE), SLEEP.Blocked, "sleep");
        },
        actors: [
          waker(1, answers),
          {
            cpu: 0,
            *script() {
              for (let i = 0; i < LOOKS; i++) {
                yield calls.changeQos(SLEEPER, FIRST_LIFE, (i & 1) + 1);
              }
            },
          },
        ],
        schedules: byTurns(),
        judge: (rig) => {
          if (answers[0] === WAKE.Contended) refusals += 1;
          leavesNothing(rig, answers[0]);
        },
      });
      if (refusals === 0) throw new Error("no schedule has the wake lose every look: the check is blind");
    },
  },
  {
    clause: "Q9",
    title: "change class: 64 tombstones and no task in the class on another CPU: not refused, and it gets there",
    run: (kernel) => {
      for (const qos of QOS_CLASSES) {
        const from = qos === Qos.Idle ? Qos.Normal : Qos.Idle;
        const rig = Rig.open(kernel, { cpus: 2 });
        rig.letTasksRun();
        // It runs a task of the highest class and does not look into its other rings.
        rig.run(1, 950, Qos.PerfBurst);
        rig.fill(1, qos, 0);
        for (let task = 0; task < RING_CAPACITY; task++) same(rig.kill(task), KILL.Killed, `kill of task ${task}`);
        rig.fill(1, from, 100, 1);
        same(rig.changeQos(100, qos), QOS_CHANGE.Updated, `change to class ${qos}, which holds 64 tombstones`);
        rig.trap(1, TrapCause.SoftInterrupt);
        same(rig.queued(1, qos), [100], `the queue of class ${qos} after the next trap`);
      }
    },
  },
  {
    clause: "Q9",
    title: "change class: 63 tasks and a tombstone in the class on another CPU: not refused; 64 tasks: QueueFull",
    run: (kernel) => {
      const rig = Rig.open(kernel, { cpus: 2 });
      rig.letTasksRun();
      rig.run(1, 950, Qos.PerfBurst);
      rig.fill(1, Qos.Normal, 0);
      rig.fill(1, Qos.Idle, 100, 2);
      const before = snapshot(rig);
      same(rig.changeQos(100, Qos.Normal), QOS_CHANGE.QueueFull, "change to a class of 64 tasks");
      unchangedBut(rig, before, [/^machine-wide words/], "a refused change of class");
      same(rig.kill(7), KILL.Killed, "kill of one of the 64");
      same(rig.changeQos(100, Qos.Normal), QOS_CHANGE.Updated, "change to a class of 63 tasks and a tombstone");
      rig.trap(1, TrapCause.SoftInterrupt);
      same(rig.queued(1, Qos.Normal).length, RING_CAPACITY, "tasks of the class after the next trap");
    },
  },
  {
    clause: "Q9",
    title:
      "enqueue: 63 tasks and a tombstone in the class, one of the 63 killed meanwhile, every order: it has room (2 harts, 2 switches)",
    run: (kernel) => {
      tryInterleavings(kernel, {
        cpus: 2,
        switches: 2,
        setUp: (rig) => {
          rig.fill(1, Qos.Normal, 0);
          same(rig.kill(7), KILL.Killed, "kill of one of the 64");
          rig.makeTask(100, Qos.Normal, 1);
        },
        actors: [
          {
            cpu: 1,
            *script() {
              const outcome = yield calls.enqueue(1, 100);
              same(outcome, ENQUEUE.Queued, "the enqueue");
            },
          },
          caller(0, calls.kill(9, FIRST_LIFE)),
        ],
        judge: (rig) => {
          same(rig.queued(1, Qos.Normal).length, RING_CAPACITY - 1, "tasks of the class");
          holds(rig.queued(1, Qos.Normal).at(-1) === 100, "the new one is not the last of its class");
        },
      });
    },
  },
];
