// Checks of two harts that meet in the middle of an operation, in every order: drains, steals, sleeps and wakes.
//
// Partners: case.ts, interleaving.ts; kernel/dispatch.test.ts, which runs them on the shipped kernel.

import { Qos } from "../../../abi/qos.ts";
import type { Case } from "../case.ts";
import { type Actor, tryInterleavings } from "../interleaving.ts";
import { hartAddress, SIGNAL, SLEEP, TASK_STATE, taskAddress } from "../kernel-map.ts";
import { holds, same } from "../refutation.ts";

const FIRST_LIFE = 1;
/** Later than any check. */
const FAR = 1n << 40n;
const SLEEPER = 900;

/** A hart that takes one Normal task from CPU 1. */
const thief: Actor = {
  cpu: 0,
  *script() {
    yield { name: "stealFrom", values: [hartAddress(0), 1, Qos.Normal] };
  },
};

/** A hart that wakes the sleeper once. */
const waker: Actor = {
  cpu: 0,
  *script() {
    yield { name: "wake", values: [hartAddress(0), taskAddress(SLEEPER), FIRST_LIFE] };
  },
};

export const raceChecks: readonly Case[] = [
  {
    clause: "Q6",
    title:
      "drain: a thief makes place in a full class meanwhile, every order: entries of one class keep their order (2 harts, 3 switches)",
    run: (kernel) => {
      const mailed = [10, 11, 12, 13];
      let delivered = 0;
      let kept = 0;
      tryInterleavings(kernel, {
        cpus: 2,
        switches: 3,
        setUp: (rig) => {
          rig.fill(1, Qos.Normal, 100);
          for (const task of mailed) {
            rig.makeTask(task, task === 12 ? Qos.Interactive : Qos.Normal);
            same(rig.place(0, 1, task), 0, `place of task ${task}`);
          }
        },
        actors: [
          {
            cpu: 1,
            *script() {
              yield { name: "drainMailbox", values: [hartAddress(1)] };
            },
          },
          thief,
        ],
        judge: (rig) => {
          const queued = rig.queued(1, Qos.Normal).filter((task) => mailed.includes(task));
          same([...queued, ...rig.letters(1)], [10, 11, 13], "the Normal tasks, those queued first");
          same(rig.queued(1, Qos.Interactive), [12], "the class with room");
          delivered += queued.length;
          kept += rig.letters(1).length;
        },
      });
      if (delivered === 0 || kept === 0)
        throw new Error("no order had an entry delivered and others kept: it is blind");
    },
  },
  {
    clause: "T8",
    title: "sleep: one wake against it, every order: it ends one sleep, and the next one sleeps (2 harts, 3 switches)",
    run: (kernel) => {
      const met = new Set<number>();
      const answers: number[] = [];
      tryInterleavings(kernel, {
        cpus: 2,
        switches: 3,
        setUp: (rig) => {
          rig.letTasksRun();
          rig.run(1, SLEEPER, Qos.Normal);
        },
        actors: [
          waker,
          {
            cpu: 1,
            *script() {
              answers[0] = yield { name: "sleepCurrent", values: [hartAddress(1), FAR] };
            },
          },
        ],
        judge: (rig) => {
          met.add(answers[0] ?? -1);
          if (answers[0] !== SLEEP.AlreadyWoken) return;
          same(rig.word(SLEEPER).state, TASK_STATE.Held, "the state of a task whose sleep ended at once");
          same(rig.signals(SLEEPER) & SIGNAL.Permit, 0, "the permit that has ended a sleep");
          same(rig.sleepCurrent(1, FAR), SLEEP.Blocked, "the next sleep");
        },
      });
      holds(met.has(SLEEP.Blocked) && met.has(SLEEP.AlreadyWoken), "no order had both ends of a sleep");
    },
  },
];
